#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key that the program's code listens to stands in both shortcuts windows (GTK's and libadwaita's), and the two say the same.

Looks at accelerators in strings, "<Control>n", and at GDK_KEY_ names in ui/. Left out are keys that only repeat others (those of the
number block, "=" for "+") and Escape and Return, which mean in every window what they mean here.
"""
import html
import pathlib
import re
import sys

COMMON = {"Escape", "Return", "KP_Enter", "equal"}


def said(path):
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'"title"[^>]*>([^<]*)</property>\s*<property name="accelerator">([^<]*)<', text)
    return [(title, html.unescape(keys)) for title, keys in found]


def main():
    root = pathlib.Path(sys.argv[1]) / "ui"
    used = {}
    for path in sorted(root.rglob("*.c")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        keys = re.findall(r'"((?:<(?:Control|Alt|Shift)>)+\w+|F[1-9]|F1[0-2])"', text)
        keys += [k for k in re.findall(r"\bGDK_KEY_(\w+)", text) if not k.startswith("KP_") and k not in COMMON]
        for key in keys:
            used.setdefault(key, path.relative_to(root.parent).as_posix())
    failed = 0
    old, new = said(root / "help-overlay.ui"), said(root / "shortcuts-dialog.ui")
    if old != new:
        print("the two shortcuts windows differ:", sorted(set(old) ^ set(new)))
        failed += 1
    shown = {key for _, keys in old for key in keys.split()}
    for key, where in sorted(used.items()):
        if key not in shown and key not in {re.sub(r"<\w+>", "", k) for k in shown}:
            print(f"{where}: {key} stands in no shortcuts window")
            failed += 1
    twice = [keys for _, keys in old]
    for keys in {k for k in twice if twice.count(k) > 1}:
        print(f"{keys} means two things")
        failed += 1
    if len(used) < 15:
        print(f"only {len(used)} keys were found; is {root.parent} the source folder?")
        return 1
    print(f"{len(used)} keys, {len(old)} lines")
    return 1 if failed else 0


sys.exit(main())
