#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job by clicking, in the real window on a virtual screen, through AT-SPI.

test-window.py LORIKEET CLI: choose a model and data, start, watch, close the window and open it again, kill the worker,
resume, stop, chat, export. With --real the CLI is the engine, the model and the sample those that come with the program,
and the run is that of Try It Now. Skips (77) where there is no virtual screen, no AT-SPI or no embedded model.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIP = 77
TAB = ("page tab",)
ITEM = ("menu item", "push button")
REAL_DATA = ("model/lorikeet-tiny.gguf", "samples/polite-parrot.jsonl")


def restart_on_virtual_screen():
    """Runs this script again inside Xvfb and a message bus of its own."""
    for program in ("xvfb-run", "dbus-run-session"):
        if shutil.which(program) is None:
            print(f"{program} is missing: the window is not tested here")
            sys.exit(SKIP)
    os.environ["LK_UI_INSIDE"] = "1"
    # a number of our own: two that look for a free one at the same moment find the same
    number = str(200 + os.getpid() % 700)
    os.execvp("xvfb-run", ["xvfb-run", "-a", "-n", number, "-s", "-screen 0 1280x800x24 -noreset",
                           "dbus-run-session", "--", sys.executable] + sys.argv)


def menu(window, button, item):
    window.click(button)
    window.click(item, role=ITEM)


def pid_of(run):
    with open(os.path.join(run, "lock"), encoding="utf-8") as file:
        return int(file.read().split()[0])


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def answers_beside_each_other(window):
    """The columns of a question share its card: none above another, all equally wide, each as high as what is in it."""
    window.scroll_down(700, 600, 30)
    heads = [node.box for node in window.all("label") if node.text == "Before training" or node.text.startswith("At step ")]
    rows = sorted({y for _, y, _, _ in heads})
    for y in rows:
        columns = sorted(box for box in heads if box[1] == y)
        steps = {right[0] - left[0] for left, right in zip(columns, columns[1:])}
        assert len(columns) > 1 and max(steps) - min(steps) <= 1, f"columns at {columns}"
        answers = [node.box for node in window.all("label") if node.box[1] > y and (node.box[0], node.box[2]) in [(c[0], c[2]) for c in columns]]
        assert answers and all(height > 0 for _, _, _, height in answers), f"answers at {answers}"


def main_job(program, home, real):
    window = drive.Window([program])
    window.find("label", "Teach a Model Something New")
    window.shot("1-welcome")
    window.click("New Fine-Tune")
    window.find("label", "No model chosen")
    menu(window, "Choose Model", "Built-in Small Model")
    menu(window, "Choose Data", "Sample: Polite Parrot")
    window.find("label", contains="examples")
    window.find("label", contains="parameters")
    window.find("label", contains="needs")
    if not real:
        window.find("label", "1 row cannot be used")
    window.shot("2-new")
    if real:
        menu(window, "Main Menu", "Try It Now")
    else:
        window.click("Start")
    window.find("label", contains="Step ")
    run, = glob.glob(os.path.join(home, "runs", "*"))
    window.shot("3-running")

    # The curves: closer, and as numbers.
    window.click("Log Scale")
    window.click("Clip Peaks")
    window.click("Show Fewer Steps")
    window.click("Show All Steps")
    window.wait(lambda: window.has(contains="Training "), "the curve in words")
    window.wait(lambda: window.has(contains="Learning rate "), "the curve of the learning rate")
    window.click("Values as a Table")
    window.find(contains="Held-out Loss")
    window.shot("3-values")
    window.click("Values as a Table")

    # Closed, the program waits for the end of the run without a window; opened again, it is the same one.
    window.click("Close")
    window.wait(lambda: not window.look(), "the window to close")
    time.sleep(0.5)
    assert window.process.poll() is None, "the program ended with its window, although a run is at work"
    assert alive(pid_of(run)), "closing the window ended the training"
    assert subprocess.run([program], timeout=drive.TIMEOUT, check=False).returncode == 0
    window.find("label", contains="Step ")

    # The run outlives the window; a new window finds it at work.
    pid = pid_of(run)
    window.close()
    assert alive(pid), "closing the window ended the training"
    window = drive.Window([program])
    window.find("label", contains="Step ")
    assert pid_of(run) == pid
    window.find("label", "Before training")

    # Killed: the window says so and offers to go on.
    window.wait(lambda: glob.glob(os.path.join(run, "adapter", "*", "adapter_config.json")), "a saved state", 180)
    os.kill(pid, signal.SIGKILL)
    window.find("label", "Training was interrupted")
    window.find("label", contains="up to step")
    window.shot("4-interrupted")
    window.click("Resume")
    window.find("label", contains="Step ")
    window.gone("label", "Training was interrupted")
    window.click("Stop and Save")
    window.find("label", contains="Stopped and saved")
    window.shot("5-stopped")
    answers_beside_each_other(window)
    window.shot("5-answers")

    window.click("Chat", role=TAB)
    # with nobody to answer, what was typed stays
    window.click("Before")
    window.click("After Training")
    window.type("Message", "How do you greet a friend?")
    window.click("Send")
    window.find("label", "Nobody who could answer is shown")
    window.click("Before")
    window.click("After Training")
    window.click("Send")
    window.find("label", "How do you greet a friend?")
    window.wait(lambda: not window.has(("push button",), "Stop"), "both answers", 120)
    window.shot("6-chat")
    window.find("label", "After training")
    assert not window.has("label", contains="The engine"), "an answer is an error"
    window.find("label", contains="tokens a second")

    window.click("Export", role=TAB)
    window.click("Export", role=("push button",))
    window.find("label", contains="Exported")
    window.find("label", contains="answers as")
    window.shot("7-exported")
    assert glob.glob(os.path.join(os.environ["HOME"], "*.gguf")), "no exported file"

    window.click("Details", role=TAB)
    window.find("label", "Command line")
    window.shot("8-details")
    code = window.close()
    assert code == -signal.SIGTERM, f"the window ended with {code}"


def bad_dataset(program, home):
    """A file that cannot be used is said in words, and Start stays away; with a good one it comes."""
    model = os.path.join(home, "data", "model", "lorikeet-tiny.gguf")
    for name, sensitive in (("missing.jsonl", False), (os.path.join("data", "samples", "polite-parrot.jsonl"), True)):
        path = os.path.join(home, name)
        window = drive.Window([program, model, path])
        if not sensitive:
            window.find("label", contains="missing.jsonl")
        buttons = ("push button", "button")
        window.wait(lambda: [drive.is_sensitive(b) for b in window.all(buttons, "Start")] == [sensitive], f"Start {sensitive} with {name}")
        window.close()


def main():
    if "LK_UI_INSIDE" not in os.environ:
        restart_on_virtual_screen()
    program, cli = sys.argv[1:3]
    real = "--real" in sys.argv
    if real and not all(os.path.exists(os.path.join(os.environ["LK_DATA_DIR"], name)) for name in REAL_DATA):
        print("this build has no embedded model: nothing to try with the real engine")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory(prefix="lorikeet-ui-") as home:
        os.environ.update({
            "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "LORIKEET_DATA_HOME": home,
            "LORIKEET_CLI": cli, "GSETTINGS_BACKEND": "memory", "GIO_USE_VFS": "local", "GSK_RENDERER": "cairo",
            "GTK_USE_PORTAL": "0", "NO_AT_BRIDGE": "0",
            # warnings fail the test too, but one about a missing notification server is no fault (drive.py)
            "G_DEBUG": "fatal-criticals",
        })
        data = os.path.join(home, "data")
        os.makedirs(os.path.join(data, "model"))
        os.makedirs(os.path.join(data, "samples"))
        if real:
            for name in REAL_DATA:
                os.symlink(os.path.join(os.environ["LK_DATA_DIR"], name), os.path.join(data, name))
            # long enough to close and open the window, and to be killed, in the middle
            with open(os.path.join(data, "samples", "polite-parrot.settings.json"), "w", encoding="utf-8") as file:
                file.write('{"epochs": 200, "checkpoint_interval": 5, "eval_interval": 10}')
        else:
            # as long as the slowest machine needs to get to Stop and Save
            os.environ.update({"LK_FAKE_STEPS": "40000", "LK_FAKE_STEP_SECONDS": "0.2"})
            with open(os.path.join(data, "model", "lorikeet-tiny.gguf"), "w", encoding="utf-8") as file:
                file.write("GGUF")
            with open(os.path.join(data, "samples", "polite-parrot.jsonl"), "w", encoding="utf-8") as file:
                file.write('{"prompt":"How do you do?","completion":"Awk! Well, thank you."}\n' * 40 + '{"prompt":"x"}\n')
        os.environ["LK_DATA_DIR"] = data
        main_job(program, home, real)
        bad_dataset(program, home)
    print("ok")


if __name__ == "__main__":
    try:
        import gi

        gi.require_version("Atspi", "2.0")
    except (ImportError, ValueError):
        print("Python has no AT-SPI here: the window is not tested")
        sys.exit(SKIP)
    if "LK_UI_INSIDE" in os.environ:
        import drive
    main()
