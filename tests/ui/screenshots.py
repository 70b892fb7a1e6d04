#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of every place of the window, empty, full, busy and failed: for looking at them, for the README and for software centres.

screenshots.py LORIKEET STAND_IN_CLI CLI FOLDER [SCENE…]: FOLDER/SIZE-COLOURS/NAME.png, of the window alone, at 1280x800 and 1024x640, light
and dark, or as $LK_UI_SIZE and $LK_UI_DARK say. What is full is made by the engine with the embedded model, what is busy or fails by the
stand-in. Menus are left out: without a compositor their shadows are black. $LK_UI_SETTINGS is put into GTK's settings.ini ("gtk-xft-dpi=196608" is text twice as large). A scene that cannot be driven fails.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import session

LOOKS = [("1280x800", ""), ("1280x800", "1"), ("1024x640", ""), ("1024x640", "1")]
TAB, ITEM, ROW = ("page tab",), ("menu item", "push button"), "list item"
DOWN, RETURN, ESCAPE = 0xff54, 0xff0d, 0xff1b


def every_look():
    """Runs the script again for each size and colours; the runs that are shown are made once."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lorikeet-runs-", ignore_cleanup_errors=True) as runs:
        os.environ["LK_UI_RUNS"] = runs
        for size, dark in LOOKS:
            failed += subprocess.run([sys.executable] + sys.argv, env={**os.environ, "LK_UI_SIZE": size, "LK_UI_DARK": dark}, check=False).returncode != 0
    sys.exit(failed)


if "LK_UI_SIZE" not in os.environ:
    every_look()
session.restart_on_virtual_screen()
import drive  # noqa: E402


def key(*symbols):
    for symbol in symbols:
        drive.Atspi.generate_keyboard_event(symbol, None, drive.Atspi.KeySynthType.SYM)


class Stage:
    """A home of its own, its programs, and where the pictures go."""

    def __init__(self, programs, home, folder):
        self.program, self.stand_in, self.cli = programs
        self.home, self.folder, self.window = home, folder, None
        shipped = os.environ["LK_DATA_DIR"]
        self.model = os.path.join(shipped, "model/lorikeet-tiny.gguf")
        self.sample = os.path.join(shipped, "samples/polite-parrot.jsonl")
        session.use_home(home, self.cli)
        settings = os.environ.get("LK_UI_SETTINGS")
        if settings:
            os.makedirs(os.path.join(home, "gtk-4.0"))
            with open(os.path.join(home, "gtk-4.0", "settings.ini"), "w", encoding="utf-8") as file:
                file.write("[Settings]\n" + settings + "\n")

    def open(self, *arguments, cli=None, **environment):
        os.environ["LORIKEET_CLI"] = cli or self.cli
        self.window = drive.Window([self.program, *arguments], **environment)
        return self.window

    def picture(self, name):
        os.environ["LK_UI_SHOTS"] = self.folder
        drive.Atspi.generate_mouse_event(5, 300, "abs")  # away from what has a tooltip
        time.sleep(0.4)
        self.window.shot(name)
        subprocess.run(["mogrify", "-strip", "+dither", "-colors", "240", os.path.join(self.folder, name + ".png")], check=False)
        print("  " + name, flush=True)

    def menu(self, item):
        self.window.click("Main Menu")
        self.window.click(item, role=ITEM)

    def press_run(self):
        """The second of the runs of have_runs; the first one's name begins alike."""
        self.window.find(ROW, contains="Polite parrot, first")
        x, y, width, height = next(node for node in self.window.all(ROW, contains="Polite parrot") if "first" not in node.text).box
        drive.Atspi.generate_mouse_event(x + width // 2, y + height // 2, "b1c")

    def have_runs(self):
        """Two runs by the engine, which later stages copy."""
        kept = os.environ.get("LK_UI_RUNS") or tempfile.mkdtemp(prefix="lorikeet-runs-")
        os.environ["LK_UI_RUNS"] = kept
        for name, settings in (("Polite parrot, first try", ["--epochs=2", "--learning-rate=0.0005"]),
                               ("Polite parrot", ["--epochs=8", "--learning-rate=0.001"])):
            run = os.path.join(kept, name.replace(", ", "-").replace(" ", "-").lower())
            if not os.path.isdir(run):
                subprocess.run([self.cli, "train", "--run", run, "--name", name, "-m", self.model, "--data", self.sample, "--batch=8", "--accumulation=1",
                                "--length=256", "--device=cpu", *settings], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copytree(kept, os.path.join(self.home, "runs"), ignore=shutil.ignore_patterns("control.sock"), dirs_exist_ok=True)


def empty(stage):
    window = stage.open()
    window.find("label", "Teach a Model Something New")
    stage.picture("empty-welcome")
    window.press(ROW, "New Fine-Tune")
    window.find("label", "No model chosen")
    stage.picture("empty-new")
    window.press(ROW, "Chat")
    stage.picture("empty-chat")
    window.press(ROW, "Models")
    window.find("label", contains="Fits here for: ")
    stage.picture("full-models")
    window.press(ROW, "Datasets")
    window.find("label", "No Datasets Yet")
    stage.picture("empty-datasets")
    window.close()


def dialogs(stage):
    window = stage.open()
    window.find("label", "Teach a Model Something New")
    stage.menu("Is Fine-Tuning Right for It?")
    stage.picture("dialog-advisor")
    key(ESCAPE)
    stage.menu("Preferences")
    window.find(contains="The best there is: now ")
    stage.picture("dialog-preferences")
    key(ESCAPE)
    window.gone("label", "Colours")
    stage.menu("Keyboard Shortcuts")
    stage.picture("dialog-shortcuts")
    key(ESCAPE)
    stage.menu("About Lorikeet")
    stage.picture("dialog-about")
    window.close()


def new(stage):
    window = stage.open(stage.model, stage.sample)
    window.find("label", contains="Fits: needs")
    window.find("label", contains="180 examples")
    window.find("label", contains="Fits here for: ")
    stage.picture("full-new")
    window.scroll_down(700, 300, 12)
    stage.picture("full-new-training")
    window.find("spin button", contains="Rank").set_value(32)
    window.find("label", "1 setting differs from the defaults")
    stage.picture("full-new-changed")
    window.close()


def run(stage):
    stage.have_runs()
    window = stage.open()
    stage.press_run()
    window.find("label", contains="Finished ")
    stage.picture("full-run")
    window.scroll_down(700, 400, 14)
    stage.picture("full-run-answers")
    window.click("Chat", role=TAB)
    window.type("Message", "How do you greet a friend?")
    window.click("Send")
    window.find("label", contains="tokens a second")
    window.wait(lambda: not window.has(("push button",), "Stop"), "all answers")
    stage.picture("full-run-chat")
    window.click("System Prompt and Sampling")
    window.find("text", "System prompt").set_text("You are a patient teacher. Answer in one sentence.")
    key(ESCAPE)
    window.type("Message", "What is your favourite fruit?")
    window.click("Send")
    window.find("label", "What is your favourite fruit?")
    window.wait(lambda: not window.has(("push button",), "Stop"), "all three answers")
    stage.picture("full-run-chat-three")
    window.click("Export", role=TAB)
    window.find("label", contains=" free there")
    window.wait(lambda: window.has("label", contains=" · about "), "the sizes")
    stage.picture("full-run-export")
    window.click("Export", role=("push button",))
    window.find("label", contains="answers as")
    stage.picture("full-run-exported")
    window.click("Details", role=TAB)
    window.find("label", "Command line")
    stage.picture("full-run-details")
    window.close()


def chat(stage):
    stage.have_runs()
    window = stage.open()
    window.press(ROW, "Chat")
    window.find(contains="Message")
    stage.picture("full-chat")
    window.close()


def datasets(stage):
    window = stage.open()
    window.press(ROW, "Datasets")
    window.click("Look at the Sample")
    window.find("label", "180 rows, all can be learned from")
    window.click("Count Tokens")
    window.find("label", "In tokens of Lorikeet tiny.")
    stage.picture("full-dataset")
    window.click("Rows", role=TAB)
    window.find("label", contains="<|im_start|>assistant")
    stage.picture("full-dataset-rows")
    window.click("Files", role=TAB)
    window.find("label", contains="recognised as")
    stage.picture("full-dataset-files")
    window.click("All Datasets")
    stage.picture("full-datasets")
    window.close()


def busy(stage):
    """A run at work, one that waits, and what can be seen of both."""
    slow = {"LK_FAKE_STEPS": "400", "LK_FAKE_STEP_SECONDS": "0.15"}
    window = stage.open(stage.model, stage.sample, cli=stage.stand_in, **slow)
    window.find("label", contains="needs")
    window.click("Start")
    window.find("label", contains="Step ")
    time.sleep(6)
    stage.picture("busy-run")
    window.press(ROW, "New Fine-Tune")
    window.click("More Ways to Start")
    window.click("Add to Queue", role=ITEM)
    window.find("label", "Waiting")
    stage.picture("busy-new-queue")
    window.press(ROW, contains="Polite parrot")
    window.click("Pause Training")
    window.find("label", contains="Paused at")
    stage.picture("busy-run-paused")
    window.close()
    for path in glob.glob(os.path.join(stage.home, "runs", "*", "lock")):
        with open(path, encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGKILL)


def interrupted(stage):
    window = stage.open(stage.model, stage.sample, cli=stage.stand_in, LK_FAKE_STEPS="400", LK_FAKE_STEP_SECONDS="0.05")
    window.find("label", contains="needs")
    window.click("Start")
    window.wait(lambda: glob.glob(os.path.join(stage.home, "runs", "*", "adapter", "*", "adapter_config.json")), "a saved state")
    path, = glob.glob(os.path.join(stage.home, "runs", "*", "lock"))
    with open(path, encoding="utf-8") as file:
        os.kill(int(file.read()), signal.SIGKILL)
    window.find("label", "Training was interrupted")
    stage.picture("failed-run-interrupted")
    window.close()


def failed(stage):
    window = stage.open(stage.model, stage.sample, cli=stage.stand_in, LK_FAKE_STEPS="60", LK_FAKE_STEP_SECONDS="0.05", LK_FAKE_FAIL_AT="25")
    window.find("label", contains="needs")
    window.click("Start")
    window.find("label", contains="is not a number")
    stage.picture("failed-run")
    window.close()


def failed_new(stage):
    """A model that is none, a file that cannot be read, and an engine that does not answer."""
    nonsense = os.path.join(stage.home, "nonsense.gguf")
    broken = os.path.join(stage.home, "broken.jsonl")
    with open(nonsense, "w", encoding="utf-8") as file:
        file.write("no model")
    with open(broken, "w", encoding="utf-8") as file:
        file.write('{"prompt": "Who?", "completion": "Me."}\n{"prompt": \n{"question": 1}\n' + '{"prompt":"a","completion":"b"}\n' * 30)
    window = stage.open(nonsense, broken)
    window.find("label", contains="rows cannot be used")
    stage.picture("failed-new-model")
    window.close()
    window = stage.open(stage.model, os.path.join(stage.home, "missing.jsonl"))
    window.find("label", contains="missing.jsonl")
    stage.picture("failed-new-data")
    window.close()
    window = stage.open(stage.model, stage.sample, cli="/bin/false")
    window.find("label", "The engine does not answer")
    stage.picture("failed-engine")
    window.close()


def failed_data(stage):
    """A table whose columns nobody knows."""
    path = os.path.join(stage.home, "talks.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("ID,dialogue,section_text\n" + "".join(f'{i},"Doctor: How are you, {i}?","The patient is well."\n' for i in range(100)))
    window = stage.open(stage.model, path)
    window.find("label", contains="none of its 100 rows can be used")
    stage.picture("failed-new-columns")
    window.click("Look into the Data")
    window.find("label", "100 rows, none can be learned from")
    stage.picture("failed-dataset")
    window.click("Files", role=TAB)
    window.find("label", contains="not recognised")
    stage.picture("failed-dataset-files")
    window.close()


def compared(stage):
    stage.have_runs()
    window = stage.open()
    stage.press_run()
    window.find("label", contains="Finished ")
    x, y, width, height = window.find(ROW, contains="Polite parrot, first").box
    drive.Atspi.generate_mouse_event(x + width // 2, y + height // 2, "b3c")
    window.click("Compare", role=ITEM)
    window.find("label", contains="Best")
    stage.picture("full-compare")
    window.close()


SCENES = (empty, dialogs, new, datasets, run, chat, compared, busy, interrupted, failed, failed_new, failed_data)


def main():
    programs = [os.path.abspath(path) for path in sys.argv[1:4]]
    size, dark = os.environ["LK_UI_SIZE"], os.environ.get("LK_UI_DARK")
    folder = os.path.join(os.path.abspath(sys.argv[4]), size + ("-dark" if dark else "-light"))
    wanted = sys.argv[5:]
    os.makedirs(folder, exist_ok=True)
    print(f"{size} {'dark' if dark else 'light'}:", flush=True)
    missed = []
    for scene in SCENES:
        if wanted and scene.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="lorikeet-pictures-", ignore_cleanup_errors=True) as home:
            stage = Stage(programs, home, folder)
            try:
                scene(stage)
            except (SystemExit, AssertionError, IndexError) as error:
                missed.append(f"{scene.__name__}: {error}")
                if stage.window:
                    stage.picture("missed-" + scene.__name__)
                    stage.window.process.kill()
                    stage.window.process.wait()
                time.sleep(1)  # until nobody holds the program's name on the bus
    if missed:
        raise SystemExit("\n".join(missed))


main()
