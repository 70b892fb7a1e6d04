#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole fine-tune and an answer on a graphics card, under the Vulkan validation layers with their synchronisation checks: what they
report ends the command.

    test-validation.py LORIKEET_CLI [TEST…]
"""
import json
import os

from harness import MODEL, OK, cli, lines_of, need_model, run, some_rows, main

LAYERS = {"LK_VALIDATION": "2", "G_DEBUG": "fatal-criticals"}


def test_train_and_generate(folder):
    """Steps, held-out losses, checkpoints; then tokens with the adapter, which are the processor's."""
    need_model()
    place = os.path.join(folder, "run")
    events = lines_of(run("train", "--run", place, "--data", some_rows(folder, 24), "--steps", "2", "--batch", "2", "--accumulation", "1",
                          "--length", "32", "--rank", "4", "--samples", "0", "--device", "vulkan", "--json", env=LAYERS, expect=OK).stdout)
    assert [e["step"] for e in events if e["event"] == "step"] == [1, 2] and events[-1]["state"] == "finished", events
    ask = ("generate", "-a", place, "-p", "Hello", "-g", "-n", "4", "--json")
    done = run(*ask, "-d", "vulkan", env=LAYERS, expect=OK)
    assert "VUID" not in done.stderr and "SYNC-HAZARD" not in done.stderr, done
    assert json.loads(done.stdout)["ids"] == json.loads(cli(*ask, "-d", "cpu"))["ids"], done


main(globals())
