#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that belong to no fine-tune, driven as a person would: Preferences, Chat.

test-places.py LORIKEET CLI: the engine lists its own devices.
"""
import glob
import json
import os
import sys
import tempfile

import session

session.restart_on_virtual_screen()
import drive  # noqa: E402

ITEM = ("menu item", "push button")


def key(*symbols):
    for symbol in symbols:
        drive.Atspi.generate_keyboard_event(symbol, None, drive.Atspi.KeySynthType.SYM)


def stored(home, name):
    with open(os.path.join(home, "glib-2.0", "settings", "keyfile"), encoding="utf-8") as file:
        return next((line.split("=", 1)[1].strip() for line in file if line.startswith(name + "=")), None)


def menu(window, item):
    window.click("Main Menu")
    window.click(item, role=ITEM)


def copy_recipe(home, folder, name):
    """A fine-tune that ended long ago, as far as the list of them is concerned."""
    run = os.path.join(home, folder, name)
    os.makedirs(run)
    with open(os.path.join(run, "recipe.json"), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "name": name, "created": "2026-01-02T03:04:05Z", "model": "/m.gguf", "data": ["/d.jsonl"],
                   "settings": {"epochs": 3}}, file)


def preferences(program, home):
    """Each choice holds at once, and over a restart."""
    copy_recipe(home, "elsewhere", "Kept on the other drive")
    with open(os.path.join(home, "glib-2.0", "settings", "keyfile"), "a", encoding="utf-8") as file:
        file.write(f"runs-folder='{home}/elsewhere'\n")
    window = drive.Window([program])
    window.find("label", contains="Kept on the other drive")
    menu(window, "Preferences")
    window.find("label", "Colours")
    window.find(contains="The best there is: now ")
    window.find("label", contains=os.path.join(home, "elsewhere"))
    window.shot("preferences")
    window.press("combo box", "Colours")
    key(0xff54, 0xff54, 0xff0d)
    window.wait(lambda: stored(home, "color-scheme") == "'dark'", "the dark colours to be kept")
    window.shot("preferences-dark")
    window.press("combo box", "Device")
    key(0xff54, 0xff0d)
    window.wait(lambda: stored(home, "device") == "'cpu'", "the device to be kept")
    switch = window.find("check box", "Notifications")
    assert switch.activate(), "notifications cannot be switched off"
    window.wait(lambda: stored(home, "notifications") == "false", "notifications to be off")
    window.click("New Fine-Tunes: back to the usual one")
    window.wait(lambda: stored(home, "runs-folder") in ("''", None), "the usual folder")
    window.find("label", contains=os.path.join(home, "runs"))
    key(0xff1b)
    window.gone("label", "Colours")
    assert window.has("label", contains="Kept on the other drive"), "runs elsewhere went with the folder"

    # The worker is told of the device: the recipe of the next fine-tune says so.
    menu(window, "Try It Now")
    window.wait(lambda: glob.glob(os.path.join(home, "runs", "*", "recipe.json")), "a run in the usual folder")
    path, = glob.glob(os.path.join(home, "runs", "*", "recipe.json"))
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["settings"]["device"] == "cpu", "the recipe does not say the device"
    window.click("Stop and Save")
    window.find("label", contains="Stopped and saved")
    window.close()
    window = drive.Window([program])
    menu(window, "Preferences")
    window.find("label", "Colours")
    window.find("label", "Dark")
    window.find("label", "Processor")
    window.close()


def away(program, home):
    """The folder of runs is on a drive that is not connected: it is said, at start and at Start, and not made."""
    chosen = os.path.join(home, "drive", "runs")
    with open(os.path.join(home, "glib-2.0", "settings", "keyfile"), "a", encoding="utf-8") as file:
        file.write(f"runs-folder='{chosen}'\n")
    window = drive.Window([program])
    window.find("label", contains="is not there now. Connect its drive")
    window.shot("folder-away")
    window.click("GtkImage")  # the sentence's own button
    window.gone("label", contains="is not there now. Connect its drive")
    menu(window, "Try It Now")
    window.find("label", contains="is not there now. Connect its drive")
    window.close()
    assert not os.path.exists(os.path.dirname(chosen)), "the folder was made"
    assert not glob.glob(os.path.join(home, "runs", "*")), "the run went elsewhere"


def chat(program, home):
    """A model as it is: no "before" where nothing was trained; what the limit cut off says so and is no example."""
    os.makedirs(os.path.join(home, "models"))
    os.symlink(os.path.join(os.environ["LK_DATA_DIR"], "model", "lorikeet-tiny.gguf"), os.path.join(home, "models", "tiny.gguf"))
    window = drive.Window([program])
    window.press("list item", "Chat")
    window.find("label", "Ask Something")
    window.find(("push button", "toggle button"), "As It Is")
    assert not window.has(("push button", "toggle button"), "Before"), "a model without an adapter has a before"
    window.click("System Prompt and Sampling")
    assert window.find("spin button", contains="Longest answer").set_value(3), "the longest answer cannot be set"
    window.shot("chat-settings")
    key(0xff1b)
    window.type("Message", "How do you greet a friend?")
    window.click("Send")
    window.find("label", "Cut off: it reached the longest answer of the settings.")
    window.find("label", "As it is")
    window.shot("chat-cut")
    assert not window.has(("push button", "button"), "Add This Answer to a Dataset"), "a cut answer is offered as an example"
    window.close()

    # Kept: there again at the next start, found by its words, and deleted.
    assert len(glob.glob(os.path.join(home, "conversations", "*", "*.jsonl"))) == 1, "the conversation was not kept"
    window = drive.Window([program])
    window.press("list item", "Chat")
    window.find("label", "How do you greet a friend?")
    window.find("label", "Cut off: it reached the longest answer of the settings.")
    window.click("New conversation")
    window.find("label", "Ask Something")
    window.type("Message", "And what is your name?")
    window.click("Send")
    window.find("label", contains="tokens a second")
    window.click("Earlier Conversations")
    window.find("list item", "And what is your name?")
    window.find("list item", "How do you greet a friend?")
    window.shot("conversations")
    window.type("Search conversations", "GREET")
    window.gone("list item", "And what is your name?")
    window.shot("conversations-search")
    key(0xff09, 0xff0d)  # Tab to the list, Return
    window.gone("label", "And what is your name?")
    window.find("label", "Cut off: it reached the longest answer of the settings.")
    window.click("Earlier Conversations")
    window.click("Delete “How do you greet a friend?”")
    window.find("label", "Delete This Conversation?")
    window.shot("conversations-delete")
    window.click("_Delete Delete")
    window.find("label", "Ask Something")
    kept = os.path.join(home, "conversations", "*", "*.jsonl")
    window.wait(lambda: len(glob.glob(kept)) == 1, "the conversation to be deleted")  # the dialog may still be closing
    with open(glob.glob(kept)[0], encoding="utf-8") as file:
        assert "And what is your name?" in file.read(), "another conversation was deleted"
    window.close()


def main():
    program, cli = (os.path.abspath(path) for path in sys.argv[1:3])
    for name, test in {"preferences": preferences, "away": away, "chat": chat}.items():
        if name not in os.environ.get("LK_UI_ONLY", name).split(","):
            continue
        with tempfile.TemporaryDirectory(prefix="lorikeet-ui-", ignore_cleanup_errors=True) as home:
            session.use_home(home, cli)
            test(program, home)
        print(f"{name}: ok")


main()
