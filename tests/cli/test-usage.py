#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Help, options and settings: what is refused before anything is done.

    test-usage.py LORIKEET_CLI [TEST…]
"""
import json
import os
import subprocess

from harness import (CLI, MODEL, TRAIN, USAGE, BAD_INPUT, NO_ROOM, run, cli, refused, need_model, write,
                     some_rows, some_events, main)


def commands():
    text = cli("--help")
    part = text.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in part.split("\n")]


def test_help(folder):
    names = commands()
    assert set(names) >= {"train", "chat", "generate", "eval", "merge", "export", "inspect", "tokenize", "render", "devices", "estimate",
                          "chart", "bench", "serve"}, names
    for name in names:
        text = cli(name, "--help")
        assert f"lorikeet-cli {name}" in text and len(text) > 150, text
        cli(name, "--no-such-option", expect=USAGE)
    assert cli("--version").startswith("lorikeet-cli ")


def test_usage(folder):
    assert subprocess.run([CLI], capture_output=True).returncode == USAGE
    for arguments in (["no-such-command"], ["tokenize"], ["tokenize", "a", "b"], ["generate"], ["generate", "-p", "x", "--message", "y"],
                      ["serve"], ["export", "-o", "x"], ["export", "--model", "x"], ["eval"], ["bench", "nothing"],
                      ["bench", "step", "--batch", "100000", "--length", "100000"], ["bench", "kernels", "--size", "0"],
                      ["generate", "-p", "x", "--temperature", "hot"], ["inspect", "x", "--rows", "-1"]):
        cli(*arguments, expect=USAGE)
    # a value out of range is never taken for the default
    for option in ("--temperature=-1", "--temperature=nan", "--top-k=-1", "--top-p=-1", "--min-p=2", "--repetition-penalty=-1", "--seed=-1",
                   "--max-tokens=-1", "--context=-1"):
        cli("generate", "-p", "x", option, expect=USAGE)
        cli("chat", option, expect=USAGE)
    for option in ("--length=0", "--length=-1", "--windows=-1", "--rows=-1", "--max-tokens=0"):
        cli("eval", "--text", CLI, option, expect=USAGE)
    cli("serve", "-s", "x", "--context=-1", expect=USAGE)


def test_idle_options(folder):
    """An option that would mean nothing beside the others is refused, and not ignored."""
    need_model()
    data, out = some_rows(folder), os.path.join(folder, "out")
    some_events(folder)
    for option, command in (
            ("--system", ["generate", "-p", "x", "--system", "y"]), ("--system", ["generate", "--messages", data, "--system", "y"]),
            ("--strength", ["generate", "-p", "x", "--strength=0.5"]), ("--seed", ["generate", "-p", "x", "-g", "--seed", "3"]),
            ("--temperature", ["chat", "-gt", "1"]), ("--top-k", ["chat", "--greedy", "--top-k", "3"]),
            ("--windows", ["eval", "--data", data, "--windows", "3"]), ("--rows", ["eval", "--text", data, "-n", "3"]), ("--max-tokens", ["eval", "--data", data, "--max-tokens", "3"]),
            ("--shard-size", ["merge", "-m", MODEL, "-o", out + ".gguf", "--shard-size", "3"]),
            ("--device", ["merge", "-m", MODEL, "-o", out, "--no-verify", "-d", "cpu"]),
            ("--rows", ["inspect", MODEL, "--rows", "3"]), ("--model", ["inspect", MODEL, "-m", MODEL]),
            ("--problems", ["inspect", MODEL, "--problems"]),
            ("--snapshots", ["devices", "--snapshots"]), ("--dark", ["chart", folder, "--dark"]), ("--width", ["chart", folder, "--width=99"]),
            ("--tokens", ["bench", "step", "--tokens", "3"]), ("--rank", ["bench", "decode", "--rank", "3"]), ("--model", ["bench", "unpack", "-m", MODEL]),
            ("--model", ["bench", "kernels", "-m", MODEL]), ("--size", ["bench", "decode", "--size", "3"]), ("--only", ["bench", "step", "--only", "matmul"]),
            ("--run", ["train", out, "--data", data, "--run", out]), ("--epochs", ["train", "--data", data, "--steps", "3", "--epochs", "3"])):
        refused(option + " would mean nothing", *command)
    refused("--shard-size must be at least 1", "merge", "-m", MODEL, "-o", out, "--shard-size", "-3")
    refused("longer than the model's context of 512", "eval", "--data", data, "--length", "513")
    refused("has no room", "bench", "decode", "--prompt", "512")
    refused("do not fit", "bench", "step", "--length", "100000", "--batch", "1", expect=USAGE)
    assert cli("generate", "-p", "--system", "-n", "1", "-d", "cpu")  # a value is no option
    assert sorted(os.listdir(folder)) == ["events.jsonl", "rows.jsonl"]


def test_argument_that_is_no_text(folder):
    """Bytes that are no UTF-8 where a text is wanted: wrong use, and the argument is named."""
    for locale in ("C.UTF-8", "C"):
        done = subprocess.run([os.fsencode(CLI), b"generate", b"-p", b"x\xff"], capture_output=True, env={**os.environ, "LC_ALL": locale})
        assert done.returncode == USAGE and "“x\ufffd” behind “-p”".encode() in done.stderr, done


def test_settings(folder):
    """A nonsense value is refused in words that name the setting and its range, before anything is made."""
    need_model()
    data, run = some_rows(folder), os.path.join(folder, "run")
    for option, words in (("--rank=0", "“rank” must be a whole number from 1 to 1024, not 0"), ("--rank=1.5", "not 1.5"), ("--rank=x", "“x”"),
                          ("--length=99999999", "from 8 to 1048576, not 99999999"), ("--steps=10000001", "from 0 to 10000000, not 10000001"),
                          ("--seed=9007199254740993", "from 0 to 9007199254740991"), ("--learning-rate=nan", "not nan"), ("--dropout=1", "0.9"),
                          ("--schedule=square", "cosine, linear, constant"), ("--rslora=maybe", "true or false"), ("--targets=q_proj,nope", "“nope”"),
                          ("--targets=", "No linear layer was named"), ("--targets=q_proj,", "No linear layer matches “”"), ("--device=abacus", "is not a device")):
        for command in ([*TRAIN, "--run", run], ["estimate", "-m", MODEL]):
            done = subprocess.run([CLI, *command, "--data", data, option], capture_output=True, text=True)
            assert done.returncode == USAGE and words in done.stderr and not done.stdout, (option, done)
        assert not os.path.exists(run)
    for options in (["--targets", "q_proj,model.layers.1.*"], ["--rslora", "true", "--rank", "64"], ["--dropout", "0.5"]):
        name = os.path.join(folder, "run" + options[0])
        cli(*TRAIN, "--run", name, "--data", data, *options)
        with open(os.path.join(name, "adapter", "last", "adapter_config.json")) as file:
            config = json.load(file)
        assert config["use_rslora"] == (options[0] == "--rslora") and config["lora_dropout"] == (0.5 if options[0] == "--dropout" else 0)
        assert config["r"] == (64 if options[0] == "--rslora" else 16), config


def test_bad_recipe(folder):
    """What a recipe says wrongly is named; nothing is made in its folder but the log."""
    recipe = '{"model": "x", "data": ["y"], "settings": {%s}}'
    for settings, words in (('"rank": 0', "“rank” must be"), ('"rnk": 3', "“rnk”"), ('"rank": "3"', "“rank” must be a number"), ('"rank"', "recipe.json")):
        run = os.path.join(folder, "run" + str(len(os.listdir(folder))))
        os.makedirs(run)
        write(run, "recipe.json", recipe % settings)
        done = subprocess.run([CLI, "train", run], capture_output=True, text=True)
        assert done.returncode == BAD_INPUT and words in done.stderr and "recipe.json" in done.stderr, done
        assert sorted(os.listdir(run)) == ["log.txt", "recipe.json"], os.listdir(run)


def test_full_output(folder):
    """An answer that could not be written is a failure."""
    need_model()
    some_events(folder)
    for arguments, text in ((["tokenize", MODEL], '{"text": "x"}'), (["inspect", MODEL, "--json"], ""), (["chart", folder], ""), (["--help"], ""),
                            (["generate", "-m", MODEL, "-d", "cpu", "--message", "Hi", "-n", "2"], "")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CLI, *arguments], input=text.encode(), stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == NO_ROOM and b"Could not write" in done.stderr, (arguments, done)


def test_terminal(folder):
    """What a file from outside says does not command the terminal."""
    need_model()
    data = write(folder, "d.jsonl", json.dumps({"prompt": "\x1b[31mred\u202eder", "completion": "\x9b2J"}) + "\n")
    out = cli("inspect", data)
    assert "red" in out and not set(out) & set("\x1b\x9b\u202e"), repr(out)
    done = subprocess.run([CLI, "inspect", os.path.join(folder, "no\x1b[31m")], capture_output=True, text=True)
    assert done.returncode == BAD_INPUT and "\x1b" not in done.stderr, done


main(globals())
