#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports and what ends early.

    test-write.py LORIKEET_CLI [TEST…]
"""
import json
import os
import signal
import subprocess
import time

from harness import (CLI, MODEL, PATIENCE, OK, USAGE, INTERRUPTED, run, cli, lines_of, need_model, write,
                     tree, default_signals, Terminal, main)


def test_export(folder):
    need_model()
    for arguments, name, reader in ((["-t", "F32"], "a.gguf", "inspect"), (["-f", "hf", "-t", "F16"], "hf", "inspect")):
        path = os.path.join(folder, name)
        command = ["merge", "--model", MODEL, "-o", path, "--json", *arguments]
        events = lines_of(cli(*command))
        assert [e["event"] for e in events][-2:] == ["verified", "done"] and events[0]["event"] == "progress", events
        assert events[-1]["path"] == path and events[-1]["bytes"] > 1e6 and (events[-2]["matches"] or "F16" in arguments)
        assert json.loads(cli(reader, "--json", path))["kind"] == "model"
        assert "there already" in lines_of(cli(*command, expect=USAGE))[-1]["message"]
        cli(*command, "--force", "--no-verify")
    told = json.loads(cli("merge", "--model", MODEL, "--sizes", "--json"))["sizes"]
    sizes = {(size["format"], size["type"]): size["bytes"] for size in told}
    for key, path in ((("gguf", "F32"), "a.gguf"), (("hf", "F16"), "hf")):
        there = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(os.path.join(folder, path)) for name in names) \
            or os.path.getsize(os.path.join(folder, path))
        assert there <= sizes[key] <= 1.2 * there, (key, sizes[key], there)
    for extra in (["-o", os.path.join(folder, "x")], ["-t", "Q8_0"], ["--modelfile"], ["--force"]):
        cli("merge", "--model", MODEL, "--sizes", *extra, expect=USAGE)
    cli("merge", "--model", MODEL, "-o", os.path.join(folder, "a.gguf"), "--force", "--no-verify", "--modelfile")
    with open(os.path.join(folder, "a.Modelfile"), encoding="utf-8") as file:
        lines = file.read()
    assert lines.startswith("FROM ./a.gguf\nTEMPLATE ") and "PARAMETER stop \"<|im_end|>\"" in lines, lines
    other = os.path.join(folder, "b.gguf")
    os.rename(os.path.join(folder, "a.Modelfile"), os.path.join(folder, "b.Modelfile"))
    told = lines_of(cli("merge", "--model", MODEL, "-o", other, "--no-verify", "--modelfile", "--json", expect=USAGE))
    assert "b.Modelfile” is there already" in told[-1]["message"] and not os.path.exists(other), told
    os.remove(os.path.join(folder, "b.Modelfile"))
    cli("merge", "--model", MODEL, "-f", "hf", "-o", os.path.join(folder, "x"), "--modelfile", expect=USAGE)
    # --force takes the place of an export, never of anything else.
    for path, options in ((os.path.join(folder, "hf"), ["-f", "gguf"]), (os.path.join(folder, "a.gguf"), ["-f", "hf"])):
        cli("merge", "--model", MODEL, "-o", path, "--force", *options, expect=USAGE)
    letters = write(os.path.join(folder, "hf"), "letters.odt", "not ours")
    cli("merge", "--model", MODEL, "-o", os.path.join(folder, "hf"), "-f", "hf", "--force", expect=USAGE)
    assert open(letters).read() == "not ours"
    cli("merge", "--model", MODEL, "-f", "adapter", "-o", os.path.join(folder, "x"), expect=USAGE)
    cli("export", "--model", MODEL, "-f", "adapter", "-o", os.path.join(folder, "x"), expect=USAGE)
    cli("export", "--model", MODEL, "-f", "zip", "-o", os.path.join(folder, "x"), expect=USAGE)
    assert sorted(os.listdir(folder)) == ["a.gguf", "hf"], os.listdir(folder)


def interrupted(number, *command):
    """The end of a command that was sent a signal as soon as it told of its progress."""
    process = subprocess.Popen([CLI, *command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default_signals)
    told = process.stdout.readline()
    process.send_signal(number)
    _, error = process.communicate(timeout=PATIENCE)
    return told, process.returncode, error.decode()


def test_interrupted(folder):
    """An export or an import that is ended by a signal writes nothing, leaves nothing half-written and says so."""
    need_model()
    rows, before = os.path.join(folder, "rows.jsonl"), ["old.gguf", "rows.jsonl"]
    write(folder, "rows.jsonl", '{"prompt":"a","completion":"b"}\n' * 100000)
    cli("merge", "-m", MODEL, "-o", os.path.join(folder, "old.gguf"), "--no-verify")
    with open(os.path.join(folder, "old.gguf"), "rb") as file:
        old = file.read()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for command in (["merge", "-m", MODEL, "-t", "F32", "-o", os.path.join(folder, "x.gguf")],
                        ["merge", "-m", MODEL, "-f", "hf", "-t", "F32", "-o", os.path.join(folder, "x")],
                        ["merge", "-m", MODEL, "-t", "F32", "-o", os.path.join(folder, "old.gguf"), "--force"],
                        ["data", "import", rows, "-o", os.path.join(folder, "x.lkdata")]):
            told, status, error = interrupted(number, *command)
            assert json.loads(told)["event"] == "progress" and status == INTERRUPTED, (command, told, status, error)
            assert error.count("\n") == 1 and tree(folder) == before, (command, error, tree(folder))
    with open(os.path.join(folder, "old.gguf"), "rb") as file:
        assert file.read() == old


def time_left(*command, before):
    """On a terminal the command says how much time is left; it is held for a while after it showed @before, as nothing is said of
    the first two seconds. FALSE: it was faster than we are."""
    terminal = Terminal(*command)
    terminal.wait_for(before)
    terminal.signal(signal.SIGSTOP)
    time.sleep(2.5)
    terminal.signal(signal.SIGCONT)
    found = terminal.shows(" left")
    terminal.signal(signal.SIGINT)
    assert terminal.end() in (OK, INTERRUPTED), terminal.shown
    return found


def test_progress(folder):
    """Training, exports and imports say how far they are and what is left, on a terminal."""
    need_model()
    rows = write(folder, "rows.jsonl", '{"prompt":"a","completion":"b"}\n' * 100000)
    few = write(folder, "few.jsonl", "".join(json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(24)))
    commands = {"export": ["merge", "-m", MODEL, "-t", "F32", "--no-verify", "-o", os.path.join(folder, "{}.gguf")],
                "import": ["data", "import", rows, "-o", os.path.join(folder, "{}.lkdata")]}
    for name, command in commands.items():
        assert any(time_left(*[word.format(i) for word in command], before="%" if name == "export" else " rows") for i in range(5)), name
    terminal = Terminal("train", "--run", os.path.join(folder, "run"), "-m", MODEL, "--data", few, "--device", "cpu", "--steps", "3",
                        "--length", "64", "--samples", "0")
    terminal.wait_for("Step 1 of 3 · loss ")
    terminal.wait_for(" tokens/s · ")
    terminal.wait_for(" left")
    assert terminal.end() == OK, terminal.shown


def test_hangup(folder):
    """A terminal that is closed stops a run like Ctrl-C: it is saved, also when two signals come at once."""
    need_model()
    data = write(folder, "d.jsonl", "".join(json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(24)))
    run = os.path.join(folder, "run")
    process = subprocess.Popen([CLI, "train", "--run", run, "-m", MODEL, "--data", data, "--device", "cpu", "--samples", "0", "--steps", "100000",
                                "--length", "64", "--eval-interval", "100000", "--checkpoint-interval", "100000", "--json"], stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))  # nohup's is inherited, and heeded
    while b'"event":"step"' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)  # the same wish: a session's end sends both
    process.stdout.read()
    assert process.wait(timeout=60) == 130 and os.listdir(os.path.join(run, "checkpoints"))
    process.stdout.close()


def test_signals(folder):
    need_model()
    for number in (signal.SIGINT, signal.SIGTERM):
        path = os.path.join(folder, "s.sock")
        server = subprocess.Popen([CLI, "serve", "-m", MODEL, "-d", "cpu", "-s", path], stderr=subprocess.PIPE)
        for _ in range(600):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        server.send_signal(number)
        assert server.wait(timeout=60) == OK and not os.path.exists(path)
        server.stderr.close()


main(globals())
