#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random valid actions in the real window: whatever can be pressed, typed into, chosen or turned, over and over.

test-monkey.py LORIKEET STAND_IN_CLI CLI [ACTIONS [SEED]]: trains, answers and exports with the stand-in, and does the rest with the engine.
Nothing may end the program, GLib and GTK may not complain, and no run may be lost: at the end a window that is opened anew lists each
run whose folder is there. The seed is printed; the same seed makes the same choices as long as the window answers the same.
"""
import os
import random
import stat
import subprocess
import sys
import tempfile
import time

import session

session.restart_on_virtual_screen()
import drive  # noqa: E402

PRESSED = ("push button", "button", "toggle button", "radio button", "check box", "page tab", "menu item", "switch")
CLICKED = ("list item", "combo box")
TYPED = ("text", "entry")
TURNED = ("spin button",)
# What leads out of the window: dialogs of GTK's own, other programs, the end.
OUTSIDE = ("Close", "Minimize", "Maximize", "Quit", "Import Files", "Open Folder", "About Lorikeet", "Save the Picture", "Report")
TEXTS = ["", "x", "Awk! Who's a pretty bird?", "Ünïcödé 鸚鵡 🦜", "\u202eright to left\u202c", "-1", "0", "99999999999", "{\"prompt\": 1}",
         "a\nb\n\n", "%s %n %d", "word " * 400, "../../etc/passwd", "<b>bold</b> &amp;"]
# GTK's own, not ours to mend. On X11 a popover asks the monitor that it points to for its size; where a page was scrolled below an open
# list, which only the accessibility bus can do, there is none. And a pointer that is pressed while a popover comes or goes leaves GTK's
# count of active widgets wrong, which other programs print as well.
drive.HARMLESS += ("gdk_monitor_get_geometry: assertion 'GDK_IS_MONITOR (monitor)' failed", "Broken accounting of active state for widget")
KEYS = {"Tab": 0xff09, "Escape": 0xff1b, "Down": 0xff54, "Up": 0xff52, "Left": 0xff51, "Right": 0xff53, "Return": 0xff0d, "space": 0x20,
        "Delete": 0xffff, "Home": 0xff50, "Page_Down": 0xff56}


class Monkey:
    def __init__(self, program, home, seed):
        self.program, self.home, self.random = program, home, random.Random(seed)
        self.done = []
        self.window = drive.Window([program])

    def note(self, kind, what):
        self.done.append(f"{kind} {what}")

    def candidates(self):
        self.window.look()
        nodes = [node for node, _ in drive.walk(self.window.root) if drive.is_sensitive(node)]
        return [node for node in nodes if node.role in PRESSED + CLICKED + TYPED + TURNED
                and not node.text.startswith(OUTSIDE) and not node.text.endswith("…")]

    def act(self, nodes):
        """One action; FALSE when what it was for is gone by now."""
        if not nodes or self.random.random() < 0.12:
            name = self.random.choice(sorted(KEYS))
            self.note("key", name)
            drive.Atspi.generate_keyboard_event(KEYS[name], None, drive.Atspi.KeySynthType.SYM)
            return True
        # the kinds are drawn first: a table of settings would leave nothing to the rest
        role = self.random.choice(sorted({node.role for node in nodes}))
        node = self.random.choice([node for node in nodes if node.role == role])
        if node.role in PRESSED:
            self.note("press", f"{node.role} “{node.text}”")
            return node.activate()
        if node.role in TYPED:
            text = self.random.choice(TEXTS)
            self.note("type", f"{text[:20]!r} into “{node.text[:40]}”")
            return node.set_text(text)
        if node.role in TURNED:
            value = self.random.choice([0, 1, 2, 7, 64, 1e9, -3, 0.001])
            self.note("turn", f"“{node.text}” to {value}")
            return node.set_value(value)
        x, y, width, height = node.box
        self.note("click", f"{node.role} “{node.text}”")
        drive.Atspi.generate_mouse_event(x + width // 2, y + height // 2, "b1c")
        return True

    def check(self):
        if self.window.process.poll() is None:
            try:
                self.window.check_complaints()
            except SystemExit:
                print("the last actions:", *self.done[-60:], sep="\n  ")
                raise
            return
        self.window.complaints.seek(0)
        sys.stderr.write(self.window.complaints.read()[-3000:])
        print("the last actions:", *self.done[-60:], sep="\n  ")
        raise SystemExit(f"the program ended with {self.window.process.returncode} after {len(self.done)} actions")

    def run(self, actions):
        """A few actions for each look at the window, which is what takes the time."""
        told = blind = 0
        while len(self.done) < actions:
            nodes = self.candidates()
            blind = 0 if nodes else blind + 1
            if blind > 20:
                self.window.shot("monkey-blind")
                print("the last actions:", *self.done[-120:], sep="\n  ")
                raise SystemExit(f"nothing can be pressed any more after {len(self.done)} actions")
            for _ in range(4):
                if not self.act(nodes):
                    self.done.pop()
                    break
                time.sleep(0.02)
            self.check()
            if len(self.done) >= told + 100:
                told = len(self.done)
                print(f"{told} actions", flush=True)
        self.window.look()
        self.check()
        self.window.close()

    def count_runs(self):
        """Rows of the sidebar that are no places, in a window that is opened anew."""
        folders = [name for name in os.listdir(os.path.join(self.home, "runs"))
                   if os.path.exists(os.path.join(self.home, "runs", name, "recipe.json"))] if os.path.isdir(os.path.join(self.home, "runs")) else []
        window = drive.Window([self.program])
        window.find("list item", "Datasets")

        def listed():
            window.look()
            lists = [node for node, _ in drive.walk(window.root) if node.role == "list" and node.text == "Fine-tunes"]
            rows = [child for child in lists[0].children if child.role == "list item"] if lists else []
            places = ("New Fine-Tune", "Chat", "Models", "Datasets", "Preferences")
            return len([row for row in rows if row.text not in places]) == len(folders)
        window.wait(listed, f"{len(folders)} runs in the list")
        window.close()
        return len(folders)


def mixed_cli(home, stand_in, cli):
    path = os.path.join(home, "engine")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\ncase "$1" in train|serve|export|estimate) exec "{stand_in}" "$@";; esac\nexec "{cli}" "$@"\n')
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return path


def main():
    program, stand_in, cli = (os.path.abspath(path) for path in sys.argv[1:4])
    actions = int(sys.argv[4]) if len(sys.argv) > 4 else 150
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else random.SystemRandom().randrange(1 << 32)
    shipped = os.environ["LK_DATA_DIR"]
    if not os.path.exists(os.path.join(shipped, "model/lorikeet-tiny.gguf")):
        print("this build has no embedded model")
        sys.exit(session.SKIP)
    print(f"seed {seed}", flush=True)
    begun = time.time()
    with tempfile.TemporaryDirectory(prefix="lorikeet-monkey-", ignore_cleanup_errors=True) as home:
        session.use_home(home, mixed_cli(home, stand_in, cli))
        os.environ["G_DEBUG"] = ""  # each look at the window reads what was complained of; see HARMLESS
        monkey = Monkey(program, home, seed)
        try:
            monkey.run(actions)
            runs = monkey.count_runs()
        finally:
            subprocess.run(["sh", "-c", f'for f in "{home}"/runs/*/lock; do kill "$(cat "$f")"; done'], stderr=subprocess.DEVNULL, check=False)
    kinds = {kind: sum(done.startswith(kind) for done in monkey.done) for kind in ("press", "click", "type", "turn", "key")}
    print(f"{len(monkey.done)} actions in {time.time() - begun:.0f} s: {kinds}; {runs} runs, none lost")


main()
