#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every family of the list, as transformers makes it, in both spellings of its configuration.

    variants.py LORIKEET_CLI GOLDEN_CHECK SOURCE_ROOT [NAME…]

variants_oracle.py makes tiny random models with the settings that tell the families apart (Code Llama's vocabulary, Nemo's head size, Phi-4-mini's
partial rotation, the nested configuration of a Gemma 3 that sees …). Of each: logits, losses and gradients of an adapter by golden-check, from
config.json of transformers 5, of transformers 4, and from the GGUF we make of it; that GGUF in llama.cpp, and the folder we make of the GGUF in
transformers, must write the tokens transformers wrote greedily. What a GGUF cannot say must be refused by name. Output is TAP.
"""
import json
import os
import subprocess
import sys

import families
import interop

interop.TOKENS = 16
# What llama.cpp does not do with the file, although the file says it.
NO_WINDOW = "llama.cpp has no window in this architecture"
OTHERWISE = {"mistral0.1": NO_WINDOW, "phi3": NO_WINDOW,
             "phi3.5 short": "llama.cpp takes the long factors for a context beyond the original one, however short the text"}
# What GGUF has no words for: a part of the error.
REFUSED = {"qwen2 window": "window", "gemma2 scalar": "query_pre_attn_scalar"}


class Variants(interop.Interop):
    def __init__(self, cli, check, source, work):
        super().__init__(cli, source, "variants", work)
        self.check = check
        self.made = []  # folders of ours that transformers is to open, with what it must say

    def golden(self, name, folder, *more):
        done = subprocess.run([self.check, folder, "--adapter-only", *more], capture_output=True, text=True)
        self.tap.ok(done.returncode == 0, name, done.stdout + done.stderr)

    def refused(self, name, folder, out):
        done = subprocess.run([self.cli, "export", "--model", folder, "--format", "gguf", "--type", "F32", "-o", out], capture_output=True, text=True)
        self.tap.ok(done.returncode != 0 and REFUSED[name] in done.stderr and not os.path.exists(out), f"{name}: refused as GGUF", done.stderr)

    def variant(self, name):
        folder = self.path(name, "5")
        self.golden(f"{name}, spelled by transformers 5", folder)
        self.golden(f"{name}, spelled by transformers 4", self.path(name, "4"))
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        families.write_tokenizer(folder, config.get("text_config", config)["vocab_size"])
        gguf, again, copy = (self.path(name, leaf) for leaf in ("model.gguf", "again", "copy"))
        with open(self.path(name, "greedy.json"), encoding="utf-8") as file:
            answers = [(a["prompt"], a["answer"]) for a in json.load(file)]
        self.lorikeet("export", "--model", self.path(name, "4"), "--format", "hf", "--type", "F32", "-o", copy)
        self.made.append((f"{name}: the folder made of the older spelling", copy, answers))
        if name in REFUSED:
            self.refused(name, folder, gguf)
            return
        self.lorikeet("export", "--model", folder, "--format", "gguf", "--type", "F32", "-o", gguf)
        for file in ("model.safetensors", "config.json"):
            os.remove(os.path.join(self.path(name, "4"), file))
        self.golden(f"{name}, as our GGUF", self.path(name, "4"), "--model", gguf)
        if name in OTHERWISE:
            self.tap.skip(f"{name}: our GGUF in llama.cpp", OTHERWISE[name])
        else:
            self.compare(f"{name}: our GGUF in llama.cpp", answers, self.llama(gguf, [prompt for prompt, _ in answers]))
        self.lorikeet("export", "--model", gguf, "--format", "hf", "--type", "F32", "-o", again)
        self.made.append((f"{name}: the folder made of our GGUF", again, answers))

    def run_all(self, names):
        for name in names:
            try:
                self.variant(name)
            except RuntimeError as e:
                self.tap.ok(False, name, str(e))
        jobs = [{"do": "greedy", "prompts": [p for p, _ in answers], "n": interop.TOKENS, "hf": again} for _, again, answers in self.made]
        for (name, _, answers), job in zip(self.made, self.oracle({"do": "many", "jobs": jobs})["results"]):
            self.compare(f"{name} in transformers", answers, job["answers"])
        self.tap.end()


def main():
    cli, check, source, names = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    with interop.oracle_folder(source, "variants") as own:
        work = os.environ.get("LK_VARIANTS_DIR") or own
        script = [os.path.join(source, "tests", "oracle-run"), "python3", os.path.join(source, "tests", "interop", "variants_oracle.py")]
        done = subprocess.run([*script, work, *names], capture_output=True, text=True)
        if done.returncode != 0:
            print("Bail out! the oracle failed\n" + done.stderr[-3000:])
            sys.exit(1)
        made = [line.rsplit(" [", 1)[0] for line in done.stdout.splitlines() if " [" in line]
        Variants(cli, check, source, work).run_all(made)


if __name__ == "__main__":
    main()
