#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogues in po/ are sound and hold the program's words as they are today.

Every message passes msgfmt's checks (formats, plurals, header), and no more than one in twenty is untranslated or out of date, which is what
a few days of work on the window may leave behind; before a release there must be none (--complete). Prints how many there are.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

KEYWORDS = ["_", "N_", "C_:1c,2", "NC_:1c,2", "g_dngettext:2,3"]


def run(*command, **kwargs):
    return subprocess.run(command, check=True, capture_output=True, text=True, **kwargs)


def count(path, *flags):
    text = run("msgattrib", *flags, "--no-obsolete", path).stdout
    return len([block for block in re.split(r"\n\n+", text) if re.search(r'^msgid "', block, re.M) and not re.search(r'^msgid ""\nmsgstr', block, re.M)])


def main():
    for program in ("xgettext", "msgmerge", "msgattrib", "msgfmt"):
        if shutil.which(program) is None:
            print(f"{program} is missing")
            return 77
    root = pathlib.Path(sys.argv[1])
    files = (root / "po/POTFILES.in").read_text(encoding="utf-8").split()
    languages = [l for l in (root / "po/LINGUAS").read_text(encoding="utf-8").splitlines() if l and not l.startswith("#")]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lorikeet-po-") as folder:
        pot = os.path.join(folder, "lorikeet.pot")
        run("xgettext", "--from-code=UTF-8", "-o", pot, *[f"-k{k}" for k in KEYWORDS], *files, cwd=root)
        total = count(pot)
        for language in languages:
            path = root / f"po/{language}.po"
            run("msgfmt", "-c", "--check-accelerators=_", "-o", os.path.join(folder, "x.mo"), str(path))
            merged = os.path.join(folder, f"{language}.po")
            run("msgmerge", "-q", "--no-fuzzy-matching", "-o", merged, str(path), pot)
            missing = count(merged, "--untranslated") + count(merged, "--only-fuzzy")
            print(f"{language}: {total} messages, {missing} untranslated")
            failed += missing > (0 if "--complete" in sys.argv else total // 20)
    if total < 500 or not languages:
        print(f"only {total} messages and {len(languages)} languages were found")
        return 1
    return 1 if failed else 0


sys.exit(main())
