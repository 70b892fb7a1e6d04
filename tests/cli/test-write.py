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

from harness import CLI, MODEL, OK, USAGE, run, cli, lines_of, need_model, write, main


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


def test_hangup(folder):
    """A terminal that is closed stops a run like Ctrl-C: it is saved."""
    need_model()
    data = write(folder, "d.jsonl", "".join(json.dumps({"prompt": f"Say {i}.", "completion": f"{i}"}) + "\n" for i in range(24)))
    run = os.path.join(folder, "run")
    process = subprocess.Popen([CLI, "train", "--run", run, "-m", MODEL, "--data", data, "--device", "cpu", "--samples", "0", "--steps", "100000",
                                "--length", "64", "--eval-interval", "100000", "--checkpoint-interval", "100000", "--json"], stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))  # nohup's is inherited, and heeded
    while b'"event":"step"' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGHUP)
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
