#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window is to build from GTK 4.8 to the newest without a deprecation, but .ui files give no warnings.

Looks for names that are deprecated somewhere in between, and for version checks outside ui/compat.c.
"""
import pathlib
import re
import sys

DEPRECATED = """
AdwLeaflet AdwFlap AdwSqueezer AdwViewSwitcherTitle AdwPreferencesWindow AdwEnumListModel GtkDialog GtkMessageDialog
GtkFileChooserDialog GtkFileChooserWidget GtkFileChooserButton GtkComboBox GtkComboBoxText GtkTreeView GtkListStore
GtkTreeStore GtkIconView GtkInfoBar GtkStatusbar GtkAssistant GtkLockButton GtkVolumeButton GtkEntryCompletion
GtkAppChooserButton GtkColorButton GtkColorChooserWidget GtkFontButton GtkFontChooserWidget GtkStyleContext
gtk_widget_get_style_context gtk_widget_show gtk_widget_hide gtk_show_uri gtk_widget_get_allocated_width
gtk_widget_get_allocated_height gtk_widget_get_allocation gtk_widget_translate_coordinates
gtk_css_provider_load_from_data gtk_picture_set_keep_aspect_ratio adw_expander_row_add_action dim-label
""".split()

RULES = [  # files, forbidden expression, why
    ("ui", r"\b(%s)\b" % "|".join(map(re.escape, DEPRECATED)), "is deprecated in a later GTK or libadwaita"),
    ("ui", r"(GTK|ADW|GLIB)_CHECK_VERSION", "belongs in ui/compat.c"),
]
EXCEPTIONS = {"ui/compat.c", "ui/help-overlay.ui"}


def main():
    root = pathlib.Path(sys.argv[1])
    found = checked = 0
    for folder, expression, why in RULES:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in (".c", ".h", ".ui", ".css") or name in EXCEPTIONS:
                continue
            checked += 1
            text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment.group(0).count("\n"),
                          path.read_text(encoding="utf-8"), flags=re.DOTALL)
            for number, line in enumerate(text.splitlines(), 1):
                match = re.search(expression, line)
                if match:
                    print(f"{name}:{number}: {match.group(0)} {why}")
                    found += 1
    pictures = root / "data/screenshots"
    for page in ("README.md", "data/org.lorikeet.Lorikeet.metainfo.xml.in"):
        named = re.findall(r"([\w-]+)\.png", (root / page).read_text(encoding="utf-8"))
        missing = [name for name in named if not list(pictures.glob(f"*/{name}.png"))]
        if missing or not named:
            print(f"{page}: no picture {', '.join(missing)} in data/screenshots")
            found += 1
    if checked < 50:
        print(f"only {checked} files were looked at; is {root} the source folder?")
        return 1
    return 1 if found else 0


sys.exit(main())
