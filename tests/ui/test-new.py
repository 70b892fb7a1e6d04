#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""New Fine-Tune, driven as a person would: what does not fit and the one change that makes it fit, presets, changed settings and the
way back, the command, the queue over a restart.

test-new.py LORIKEET CLI [MODEL DATA]: a model of some size and a dataset for what does not fit; SmolLM2 and a public dataset unless others
are named. Where they are missing that is not tried.
"""
import glob
import os
import stat
import subprocess
import sys
import tempfile

import session

session.restart_on_virtual_screen()
import drive  # noqa: E402

ITEM = ("menu item", "push button")


def key(*symbols):
    for symbol in symbols:
        drive.Atspi.generate_keyboard_event(symbol, None, drive.Atspi.KeySynthType.SYM)


DOWN, RETURN = 0xff54, 0xff0d


def too_large(program, cli, home, model, data):
    """A device of little memory: the estimate says so, finds what would make it fit, and that is one press away."""
    script = os.path.join(home, "small-memory")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\n[ "$1" = estimate ] && set -- "$@" --memory=0.19\nexec "{cli}" "$@"\n')
    os.chmod(script, os.stat(script).st_mode | stat.S_IXUSR)
    os.environ["LORIKEET_CLI"] = script
    window = drive.Window([program, model, data])
    window.find("label", contains="Fits: needs")
    window.scroll_down(700, 400, 14)
    window.press("combo box", "Memory")
    key(DOWN, DOWN, DOWN, RETURN)
    window.find("label", "Keeps everything and takes more examples at once: fastest.")
    window.find("label", "It would fit if layers were computed twice, which is slower.")
    window.shot("new-does-not-fit")
    window.click("Change That")
    window.find("label", contains="Fits: needs")
    window.gone("label", "It would fit if layers were computed twice, which is slower.")
    window.find("label", "Your own choice of settings.")
    window.shot("new-fits-again")
    window.close()
    os.environ["LORIKEET_CLI"] = cli


def settings(program, model, data):
    """A changed setting says so and goes back; the list beside Start has it."""
    window = drive.Window([program, model, data])
    window.find("label", contains="Fits: needs")
    window.find("label", "Time: told after the first steps")
    rank = window.find("spin button", contains="Rank")
    assert rank.set_value(32), "the rank cannot be set"
    window.find("label", contains="Changed; the default is 16.")
    window.find("label", "1 setting differs from the defaults")
    window.click("What Differs from the Defaults")
    window.find("label", "Rank: 32 instead of 16")
    window.shot("new-changes")
    window.click("What Differs from the Defaults")
    window.click("Reset Rank")
    window.find("label", "The defaults are good for most purposes.")
    window.gone("label", contains="Changed; the default is 16.")
    window.close()


def queue(program, home, model, data):
    """What is queued is there after a restart, and starts when the run before it has ended."""
    window = drive.Window([program, model, data])
    window.find("label", contains="needs")
    window.click("More Ways to Start")
    window.click("Add to Queue", role=ITEM)
    window.wait(lambda: glob.glob(os.path.join(home, "runs", "*", "events.jsonl")), "it to start: nothing is at work", 60)
    run, = glob.glob(os.path.join(home, "runs", "*"))
    window.wait(lambda: sum(1 for line in open(os.path.join(run, "events.jsonl"), encoding="utf-8") if '"step",' in line) > 5, "a few steps", 60)
    window.press("list item", "Models")
    window.press("list item", "New Fine-Tune")
    window.gone("label", "Time: told after the first steps")
    assert any(window.has("label", contains=words) for words in ("A few seconds", "About ")), "no time at the pace of the run at work"
    window.click("More Ways to Start")
    window.click("Add to Queue", role=ITEM)
    window.find("label", "Waiting")
    assert len(glob.glob(os.path.join(home, "queue", "*"))) == 1
    window.shot("new-queue")
    window.close()
    window = drive.Window([program])
    window.press("list item", "New Fine-Tune")
    window.find("label", "Waiting")
    window.press("list item", contains="Polite parrot")
    window.click("Stop and Save")
    window.wait(lambda: len(glob.glob(os.path.join(home, "runs", "*"))) == 2, "the next one to start", 120)
    assert not glob.glob(os.path.join(home, "queue", "*"))
    window.wait(lambda: len(glob.glob(os.path.join(home, "runs", "*", "events.jsonl"))) == 2, "its events", 60)
    second, = set(glob.glob(os.path.join(home, "runs", "*"))) - {run}
    print("after the restart started:", os.path.basename(second))
    # the window stays where it was; the one at work is the first in the list
    window.press("list item", contains="Polite parrot")
    window.click("Stop and Save")
    window.find("label", contains="Stopped and saved")
    window.close()


def smollm2_and_data():
    """What tests/fetch-models fetched, and a dataset; nothing is fetched here."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fetch-models")
    found = subprocess.run([script, "--path"], capture_output=True, text=True, check=False)
    return [found.stdout.strip(), session.shared("data/01-raschka-instruct/instruction-data.json")] if found.returncode == 0 else []


def main():
    program, cli = (os.path.abspath(path) for path in sys.argv[1:3])
    shipped = os.environ["LK_DATA_DIR"]
    model, sample = os.path.join(shipped, "model/lorikeet-tiny.gguf"), os.path.join(shipped, "samples/polite-parrot.jsonl")
    if not os.path.exists(model):
        print("this build has no embedded model")
        sys.exit(session.SKIP)
    large = [os.path.abspath(path) for path in sys.argv[3:5]] or smollm2_and_data()
    tests = {"settings": lambda home: settings(program, model, sample), "queue": lambda home: queue(program, home, model, sample)}
    if len(large) == 2 and all(os.path.exists(path) for path in large):
        tests["too_large"] = lambda home: too_large(program, cli, home, *large)
    else:
        print("not tried: what does not fit, for want of a model")
    for name, test in tests.items():
        if name not in os.environ.get("LK_UI_ONLY", name).split(","):
            continue
        with tempfile.TemporaryDirectory(prefix="lorikeet-ui-", ignore_cleanup_errors=True) as home:
            session.use_home(home, cli)
            test(home)
        print(f"{name}: ok")


main()
