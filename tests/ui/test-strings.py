#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sentence that people see can be translated.

Two or more words in a C string of app/ or ui/ must stand in _ (), N_ () or g_dngettext (), unless only developers see
them; the same for labels in .ui files. And po/POTFILES.in lists exactly the files that hold such strings.
"""
import pathlib
import re
import sys

LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
WORDS = re.compile(r"[A-Za-z]{2,}[,;:]? [A-Za-z]{2,}")
# what is no sentence for people: messages of developers, the wire, names of files in errors of the parser
DEVELOPERS = re.compile(r"\b(g_message|g_debug|g_warning|g_critical|g_log|g_strv_contains|pango_font_description_from_string)\b|HTTP/1|lorikeet-cli |^#")
MARKED = re.compile(r"(\b_|\bN_|g_dngettext)\s*\([^;]*$", re.S)
UI_TEXT = re.compile(r'<property name="(?:label|title|subtitle|description|tooltip-text|placeholder-text)">([^<]*)<')


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment.group(0).count("\n"), text, flags=re.S)


def unmarked(text):
    text = without_comments(text)
    for match in LITERAL.finditer(text):
        if not WORDS.search(match.group(1)):
            continue
        begin = max(text.rfind(mark, 0, match.start()) for mark in ";{}")
        statement = text[begin + 1:match.start()].lstrip()
        line = text[text.rfind("\n", 0, match.start()) + 1:match.end()]
        if not MARKED.search(statement) and not DEVELOPERS.search(statement + '"' + match.group(1)) \
                and not DEVELOPERS.search(line.lstrip()):
            yield text.count("\n", 0, match.start()) + 1, match.group(1)


def main():
    root = pathlib.Path(sys.argv[1])
    listed = set((root / "po/POTFILES.in").read_text(encoding="utf-8").split())
    found, speaking = 0, set()
    files = [p for f in ("app", "ui") for p in sorted((root / f).rglob("*")) if "cli" not in p.relative_to(root).parts]
    for path in files:
        name = path.relative_to(root).as_posix()
        if path.suffix == ".c":
            text = path.read_text(encoding="utf-8")
            if re.search(r"\b_ \(|\bN_ \(|g_dngettext", without_comments(text)):
                speaking.add(name)
            for number, words in unmarked(text):
                print(f"{name}:{number}: “{words}” cannot be translated")
                found += 1
        elif path.suffix == ".ui":
            text = path.read_text(encoding="utf-8")
            if 'translatable="yes"' in text:
                speaking.add(name)
            for words in UI_TEXT.findall(text):
                if words not in ("", "Lorikeet"):
                    print(f"{name}: “{words}” cannot be translated")
                    found += 1
    listed_here = {name for name in listed if name.startswith(("app/", "ui/"))}
    for name in sorted(speaking ^ listed_here):
        print(f"po/POTFILES.in: {name} {'is missing' if name in speaking else 'holds nothing to translate'}")
        found += 1
    if len(speaking) < 30:
        print(f"only {len(speaking)} files were found to speak; is {root} the source folder?")
        return 1
    return 1 if found else 0


sys.exit(main())
