#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the embedded model is made: the text is the same each time, the samples teach nothing that is asked afterwards, and a small model
trained from nothing learns.

    test-pretrain.py LORIKEET_CLI SOURCE_ROOT
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

CLI, SOURCE = sys.argv[1:3]
CORPUS = os.path.join(SOURCE, "data", "corpus")
SAMPLES = os.path.join(SOURCE, "data", "samples")
number = 0
failed = False


def ok(passed, name, why=""):
    global number, failed
    number += 1
    failed |= not passed
    print(f"{'ok' if passed else 'not ok'} {number} - {name}")
    if not passed and why:
        print("# " + why.replace("\n", "\n# "))


def script(name, *arguments):
    subprocess.run([sys.executable, "-B", os.path.join(CORPUS, name), *arguments], check=True)


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_text(work):
    one, two = os.path.join(work, "one.jsonl"), os.path.join(work, "two.jsonl")
    script("make_corpus.py", "--rows", "3000", "-o", one)
    script("make_corpus.py", "--rows", "3000", "-o", two)
    digest = [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in (one, two)]
    ok(digest[0] == digest[1], "the same seed gives the same text")
    script("make_corpus.py", "--rows", "3000", "--seed", "1", "-o", two)
    ok(digest[0] != hashlib.sha256(open(two, "rb").read()).hexdigest(), "another seed gives another text")
    return one


def test_samples(work):
    script("make_samples.py", "-o", work)
    for name in ("polite-parrot.jsonl", "support-team.json", "held-out-questions.jsonl"):
        same = open(os.path.join(work, name), "rb").read() == open(os.path.join(SAMPLES, name), "rb").read()
        ok(same, f"{name} is what make_samples.py writes")
    trained = {row["messages"][0]["content"] for row in lines(os.path.join(SAMPLES, "polite-parrot.jsonl"))}
    answers = {row["messages"][1]["content"] for row in lines(os.path.join(SAMPLES, "polite-parrot.jsonl"))}
    asked = lines(os.path.join(SAMPLES, "held-out-questions.jsonl"))
    ok(len(trained) >= 120 and all(a.startswith("Squawk!") for a in answers), "the parrot speaks in each row")
    ok(len(asked) >= 16 and not trained & {row["prompt"] for row in asked}, "no held-out question is trained on")


def test_pretrain(work, corpus):
    model = os.path.join(work, "small.gguf")
    done = subprocess.run([CLI, "pretrain", corpus, "-o", model, "--max-steps", "60", "--tokens", "512", "--hidden", "64", "--intermediate", "128",
                           "--layers", "2", "--heads", "4", "--kv-heads", "2", "--vocabulary", "600", "--context", "256",
                           "--learning-rate", "0.005"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    losses = [float(x) for x in re.findall(r"loss ([0-9.]+)", done.stdout)]
    ok(done.returncode == 0, "pretrain ends well", done.stderr)
    # the logarithm of the vocabulary is what knowing nothing costs
    ok(len(losses) >= 3 and abs(losses[0] - 6.4) < 0.5 and losses[-1] < losses[0] - 1.5, "a model from nothing learns", str(losses))
    ok(not [name for name in os.listdir(work) if ".start" in name or ".tmp" in name], "nothing half-made is left behind", str(os.listdir(work)))

    text = "What colour is the sky? Żółw 🦜 123"
    said = subprocess.run([CLI, "tokenize", model], input=json.dumps({"text": text}) + "\n", capture_output=True, text=True)
    answer = json.loads(said.stdout or "{}")
    ok(answer.get("decoded") == text and max(answer.get("ids", [9999])) < 600, "its tokenizer gives every text back", said.stdout + said.stderr)
    said = subprocess.run([CLI, "generate", "--model", model, "--message", "Hello!", "--greedy", "--max-tokens", "8", "--device", "cpu", "--json"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    ok(said.returncode == 0 and len(json.loads(said.stdout)["ids"]) > 0, "and it answers", said.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="lorikeet-pretrain-") as work:
        corpus = test_text(work)
        test_samples(work)
        test_pretrain(work, corpus)
    print(f"1..{number}")
    sys.exit(1 if failed else 0)


main()
