#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the window's places, with what a person would find there: for looking at them, for the README and for software centres.

screenshots.py LORIKEET CLI RUNS FOLDER: RUNS holds folders of finished runs, of which copies are shown. $LK_UI_SIZE (1280x800) and
$LK_UI_DARK say how; the pictures are FOLDER/NAME.png, of the window alone.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import session

session.restart_on_virtual_screen()
import drive  # noqa: E402

TAB = ("page tab",)


class Window(drive.Window):
    def __init__(self, folder, *arguments):
        self.folder = folder
        super().__init__(list(arguments))

    def picture(self, name):
        os.environ["LK_UI_SHOTS"] = self.folder
        self.shot(name)
        subprocess.run(["mogrify", "-strip", "+dither", "-colors", "240", os.path.join(self.folder, name + ".png")], check=False)
        print(name, flush=True)


def places(program, folder, sample):
    window = Window(folder, program)
    window.find("label", "Teach a Model Something New")
    window.picture("welcome")
    window.press("list item", "Models")
    window.find("label", contains="Lorikeet tiny")
    window.picture("models")
    window.press("list item", "Datasets")
    window.click("Look at the Sample")
    window.find("label", "180 rows, all can be learned from")
    window.click("Count Tokens")
    window.find("label", "In tokens of Lorikeet tiny.")
    window.picture("dataset")
    window.click("Rows", role=TAB)
    window.find("label", contains="<|im_start|>assistant")
    window.picture("rows")
    window.close()


def new(program, folder, model, sample):
    window = Window(folder, program, model, sample)
    window.find("label", contains="Fits: needs")
    window.find("label", contains="180 examples")
    window.picture("new")
    window.close()


def run(program, folder, name):
    window = Window(folder, program)
    window.press("list item", contains=name)
    window.picture("run")
    window.click("Export", role=TAB)
    window.find("label", contains=" · about ")
    window.find("label", contains=" free there")
    window.picture("export")
    window.click("Details", role=TAB)
    window.find("label", "Command line")
    window.picture("details")
    window.close()


def main():
    program, cli, runs, folder = (os.path.abspath(path) for path in sys.argv[1:5])
    shipped = os.environ["LK_DATA_DIR"]
    model, sample = os.path.join(shipped, "model/lorikeet-tiny.gguf"), os.path.join(shipped, "samples/polite-parrot.jsonl")
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lorikeet-pictures-", ignore_cleanup_errors=True) as home:
        session.use_home(home, cli)
        places(program, folder, sample)
        new(program, folder, model, sample)
        shutil.copytree(runs, os.path.join(home, "runs"), ignore=shutil.ignore_patterns("control.sock"))
        run(program, folder, os.environ.get("LK_UI_RUN", "Polite parrot"))


main()
