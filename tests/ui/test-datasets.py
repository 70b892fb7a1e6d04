#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Datasets place, driven as a person would: with the sample, and with files that are not as they should be.

test-datasets.py LORIKEET CLI: those flows of main that $LK_UI_ONLY names, or all. Some use public datasets (12-identity, 16-json-bad,
02-mts-dialog) below $LK_SHARED_DIR; where one is missing the test is skipped. Prints how many actions were made and what was asserted.
"""
import hashlib
import os
import subprocess
import sys
import tempfile

import session

session.restart_on_virtual_screen()
import drive  # noqa: E402

TAB = ("page tab",)
ROW = "list item"
counts = {"actions": 0, "assertions": 0}


class Window(drive.Window):
    """Counts what is done and what is asserted."""

    def click(self, *args, **kwargs):
        counts["actions"] += 1
        super().click(*args, **kwargs)

    def press(self, *args, **kwargs):
        counts["actions"] += 1
        super().press(*args, **kwargs)

    def find(self, *args, **kwargs):
        counts["assertions"] += 1
        return super().find(*args, **kwargs)

    def key(self, symbol):
        counts["actions"] += 1
        drive.Atspi.generate_keyboard_event(symbol, None, drive.Atspi.KeySynthType.SYM)


def sha(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check(condition, what):
    counts["assertions"] += 1
    assert condition, what


def sample(program, home):
    """Empty, then the sample: figures, rows, exclude, restore, edit; the file stays as it was."""
    original = os.path.join(os.environ["LK_DATA_DIR"], "samples", "polite-parrot.jsonl")
    before = sha(original)
    window = Window([program])
    window.press(ROW, "Datasets")
    window.find("label", "No Datasets Yet")
    window.shot("datasets-empty")
    window.click("Look at the Sample")
    window.find("label", "180 rows, all can be learned from")
    window.find("label", contains="characters, 95 % of them")
    window.click("Count Tokens")
    window.find("label", "In tokens of Lorikeet tiny.")
    window.find("label", "164 rows are learned from, 16 are held out.")
    window.shot("datasets-overview")

    window.click("Rows", role=TAB)
    window.find("label", contains="tokens")
    window.find("label", "It learns to write what is underlined; the rest it only reads.")
    window.find("label", contains="<|im_start|>assistant")
    window.shot("datasets-rows")
    window.click("Exclude")
    window.find("label", contains=" · excluded")
    window.find("label", "180 rows, 1 left out")
    window.click("Restore")
    window.find("label", "180 rows, all can be learned from")
    window.gone("label", contains=" · excluded")

    window.click("Edit")
    answer = window.find("text", "Answer")
    counts["actions"] += 1
    check(answer.set_text("Squawk! I was edited."), "the answer cannot be edited")
    window.click("Save")
    window.find("label", contains=" · edited")
    window.click("As the Model Sees It", role=("radio button", "toggle button", "page tab", "push button"))
    window.find("label", contains="Squawk! I was edited.")
    window.shot("datasets-edited")
    window.click("Restore")
    window.gone("label", contains=" · edited")
    window.gone("label", contains="Squawk! I was edited.")
    check(sha(original) == before, "the file was written to")

    window.click("Overview", role=TAB)
    window.press(ROW, "Held out")
    window.find("label", "16 rows")
    window.click("Fine-Tune on It")
    window.find("label", "Polite parrot")
    window.find("label", contains="180 examples")
    window.close()
    check(os.path.isfile(os.path.join(home, "datasets", "Polite parrot.lkdata")), "the dataset is not where it belongs")


def choose_column(window, part, steps):
    """Chooses the column @steps below the present one."""
    window.press("combo box", part)
    for _ in range(steps):
        window.key(0xff54)  # Down
    window.key(0xff0d)


def conversations(program, folder):
    """A table whose columns have names of their own: it says so, and takes them when they are said."""
    model = os.path.join(os.environ["LK_DATA_DIR"], "model", "lorikeet-tiny.gguf")
    table = os.path.join(folder, "02-mts-dialog", "MTS-Dialog-ValidationSet.csv")
    session.need(table)
    window = Window([program, model, table])
    window.find("label", contains="none of its 100 rows can be used")
    buttons = ("push button", "button")
    window.wait(lambda: [drive.is_sensitive(b) for b in window.all(buttons, "Start")] == [False], "Start to be off")
    window.click("Look into the Data")
    window.find("label", "100 rows, none can be learned from")
    window.find("label", contains="See which column is what under Files.")
    window.shot("datasets-unusable")
    window.click("Rows", role=TAB)
    window.find("label", contains="Cannot be used: ")
    window.shot("datasets-unusable-rows")
    window.click("Files", role=TAB)
    window.find("label", contains="100 rows · not recognised")
    window.shot("datasets-columns")
    choose_column(window, "Question", 4)
    window.find("label", contains="For example: Doctor: When did your pain begin?")
    choose_column(window, "Answer", 3)
    window.find("label", contains="For example: The patient is a 26-year-old female")
    window.click("Read Again")
    window.find("label", "100 rows, all can be learned from")
    window.find("label", "100 rows · columns as you said")
    window.shot("datasets-columns-said")
    window.click("Fine-Tune on It")
    window.find("label", contains="100 examples")
    window.wait(lambda: [drive.is_sensitive(b) for b in window.all(buttons, "Start")] == [True], "Start to be on")
    window.close()


def several(program, folder):
    """Two files become one dataset; what is wrong is listed, and leads to the rows."""
    paths = [os.path.join(folder, "12-identity", "identity.json"), os.path.join(folder, "01-raschka-instruct", "instruction-data.json")]
    session.need(*paths)
    before = [sha(path) for path in paths]
    window = Window([program] + paths)
    window.find("label", contains="1191 examples")
    window.click("Look into the Data")
    window.find("label", "1191 rows, all can be learned from")
    window.press(ROW, "Placeholders never filled in")
    window.find("label", "85 rows")
    window.find("label", contains="identity.json, line ")
    window.find("label", contains="Placeholder: The model learns to write the braces")
    window.shot("datasets-problems")
    window.click("Exclude All")
    window.find("label", "1191 rows, 85 left out")
    window.find("label", "No Such Rows")
    window.click("Overview", role=TAB)
    window.press(ROW, "Excluded by you")
    window.find("label", "85 rows")
    window.click("Show Among All")
    window.find("label", "1191 rows")
    window.find("label", contains=" · excluded")
    window.click("Files", role=TAB)
    window.find("label", "91 rows · recognised as Alpaca")
    window.find("label", "1100 rows · recognised as Alpaca")
    window.shot("datasets-files")
    weight = window.find("spin button", contains="How often each row of identity.json")
    window.click("All Datasets")
    window.gone("spin button", contains="How often")
    counts["actions"] += 1
    weight.set_value(3.0)  # what is no longer shown changes nothing, and nobody falls over it
    window.press(ROW, "Datasets")
    window.close()
    check([sha(path) for path in paths] == before, "a file was written to")


def damaged(program, folder):
    """None of these may end the window; each is looked into, or its own place says why not."""
    files = {"axolotl-alpaca.json": "2 rows, all can be learned from", "axolotl-conversation.json": "1 row, all can be learned from",
             "axolotl-conversation.missingturns.json": "1 row, none can be learned from",
             "blns.json": "none of its 515 rows can be used",
             "JSONTestSuite/test_parsing/n_structure_open_array_object.json": "line 1",
             "JSONTestSuite/test_parsing/n_structure_100000_opening_arrays.json": "line 1"}
    paths = {os.path.join(folder, "16-json-bad", name): words for name, words in files.items()}
    session.need(*paths)
    window = Window([program])
    for path, words in paths.items():
        counts["actions"] += 1
        subprocess.run([program, path], check=True)  # which gives it to the window that is open
        name = os.path.basename(path)[:-len(".json")].replace("-", " ").replace("_", " ")
        window.find("label", name[0].upper() + name[1:])
        if "learned from" in words:
            window.click("Look into the Data")
        window.find("label", contains=words)
    window.shot("datasets-damaged")
    window.close()


def main():
    program, cli = (os.path.abspath(path) for path in sys.argv[1:3])
    folder = session.shared("data")
    if not os.path.exists(os.path.join(os.environ["LK_DATA_DIR"], "model/lorikeet-tiny.gguf")):
        print("this build has no embedded model")
        sys.exit(session.SKIP)
    for number, test in enumerate((sample, conversations, several, damaged)):
        wanted = os.environ.get("LK_UI_ONLY")
        if wanted and test.__name__ not in wanted.split(","):
            continue
        with tempfile.TemporaryDirectory(prefix="lorikeet-ui-") as home:
            session.use_home(home, cli)
            test(program, home if number == 0 else folder)
        print(f"{test.__name__}: ok")
    print(f"{counts['actions']} actions, {counts['assertions']} assertions")


main()
