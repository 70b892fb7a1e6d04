#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""test-rooms.py SOURCE BUILD: who may include what, as DESIGN.md says it.

A room's library sees the headers of the rooms it is built on and no others; that is looked at twice, in the include lines of
its files and in the include folders that the compiler is given (BUILD/compile_commands.json). Libraries of the system lie in
/usr/include, where every room sees them: for these the include lines are all there is to look at.
"""
import collections
import json
import pathlib
import re
import sys
import tempfile

# Room: the rooms whose headers it may include, beside its own. Base is what every room stands on.
ROOMS = {
    "compute/base": [],
    "compute/format/quant": ["compute/base"],
    "compute/format": ["compute/base", "compute/format/quant"],
    "compute/text": ["compute/base"],
    "compute/data": ["compute/base"],
    "compute/gpu": ["compute/base", "shaders"],
    "compute/cpu": ["compute/base", "compute/format/quant"],
}
ROOMS["compute/program"] = ROOMS["compute/gpu"] + ROOMS["compute/cpu"] + ["compute/gpu", "compute/cpu"]
ROOMS["compute/ops"] = ROOMS["compute/program"] + ["compute/program"]
ROOMS["compute/model"] = ROOMS["compute/ops"] + ["compute/ops", "compute/format", "compute/text"]
ROOMS["compute/train"] = ROOMS["compute/model"] + ["compute/model", "compute/data"]
ROOMS["compute/infer"] = ROOMS["compute/model"] + ["compute/model"]
ROOMS["compute/export"] = ROOMS["compute/infer"] + ["compute/infer"]
ROOMS["app/chart"] = ["compute/base"]
ROOMS["app"] = ["compute/base", "compute/data", "app/chart"]
ROOMS["app/cli"] = [room for room in ROOMS if room.startswith("compute/")] + ["shaders", "app/chart"]
ROOMS["ui"] = ["compute/base", "app", "app/chart"]

# The folder of a library of ours is enough for the compiler to find these; include lines are held to ROOMS all the same.
FOLDERS_BESIDE = {"ui": ["compute/data"], "ui/chart": []}

NO_JSON = ["compute/cpu", "compute/program", "compute/ops", "compute/model", "compute/format/quant", "app/chart", "ui"]
SYSTEM = [  # header, the rooms that may include it
    (r"(vulkan/|volk|vk_)", ["compute/gpu"]),
    (r"(cblas|openblas|lapacke?|f77blas)", ["compute/cpu"]),
    (r"sqlite3", ["compute/data"]),
    (r"(cairo|pango)", ["app/chart"]),
    (r"(gtk/|gdk|gsk/|adwaita)", ["ui"]),
    (r"json-glib/", [room for room in ROOMS if room not in NO_JSON]),
]
# JSON from outside is parsed in one place, which looks at its depth and size first.
CALLS = [(r"\b(json_(parser|reader|generator)_\w+|json_from_string|json_to_string|json_gobject_\w+)\s*\(", ["compute/base"])]

# The include folders of libraries that only these of ours may be given.
FOLDERS = [(r"openblas", ["compute/cpu"]), (r"(cairo|pango)", ["app/chart", "app", "app/cli", "ui"]), (r"(gtk-4|adwaita)", ["ui"])]


def room_of(folder):
    """The longest name in ROOMS that the folder is or lies in; None for what is no room."""
    found = [room for room in ROOMS if folder == room or folder.startswith(room + "/")]
    return max(found, key=len) if found else None


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda comment: "\n" * comment.group(0).count("\n"), text, flags=re.DOTALL)


def check_sources(root):
    files = sorted(path for top in ("app", "compute", "ui") for path in (root / top).rglob("*.[ch]"))
    home = {path.name: room_of(path.parent.relative_to(root).as_posix()) for path in files if path.suffix == ".h"}
    problems, rooms = [], set()
    for path in files:
        room = room_of(path.parent.relative_to(root).as_posix())
        place = path.relative_to(root).as_posix()
        if room is None:
            problems.append(f"{place}: lies in no room")
            continue
        rooms.add(room)
        for number, line in enumerate(without_comments(path.read_text(encoding="utf-8")).splitlines(), 1):
            problems += [f"{place}:{number}: {why}" for why in check_line(line, room, home)]
    return problems, rooms, len(files)


def check_line(line, room, home):
    include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
    if include:
        header = include.group(1)
        for expression, allowed in SYSTEM:
            if re.match(expression, header) and room not in allowed:
                yield f"{header} is for {', '.join(allowed)}"
        other = home.get(pathlib.PurePosixPath(header).name)
        if other is not None and other != room and other not in ROOMS[room]:
            yield f"{header} of {other} is not for {room}"
    for expression, allowed in CALLS:
        call = re.search(expression, line)
        if call and room not in allowed:
            yield f"{call.group(1)} is for {', '.join(allowed)}"


def check_folders(root, build):
    """What the compiler is told, a target: -I folders, ours by name below the source folder, others by their end."""
    given = collections.defaultdict(set)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if root.resolve() in source.parents and build.resolve() not in source.parents:
            room = room_of(source.parent.relative_to(root.resolve()).as_posix())
            if room is not None:
                for folder in re.findall(r"-(?:I|isystem) ?(\S+)", entry["command"]):
                    given[room].add((pathlib.Path(entry["directory"]) / folder).resolve())
    problems = []
    for room, folders in sorted(given.items()):
        for folder in sorted(folders):
            if root.resolve() in folder.parents and build.resolve() not in folder.parents and folder != build.resolve():
                name = folder.relative_to(root.resolve()).as_posix()
                other = room_of(name) or name
                if other != room and other not in ROOMS[room] + FOLDERS_BESIDE.get(room, []):
                    problems.append(f"the compiler finds headers of {name} for {room}")
            for expression, allowed in FOLDERS:
                if re.search(expression, folder.as_posix()) and root.resolve() not in folder.parents and room not in allowed:
                    problems.append(f"the compiler is given {folder} for {room}")
    return problems, set(given)


def check_itself():
    """Each kind of what is forbidden, planted in a tree of its own, must be found, and what is allowed must not."""
    bad = {
        "compute/ops/a.c": "#include <vulkan/vulkan.h>", "app/b.c": "#  include <vulkan/vulkan_core.h>",
        "compute/ops/c.c": "#include <cblas.h>", "app/cli/d.c": "#include <cblas.h>", "app/e.c": "#include <sqlite3.h>",
        "compute/train/f.c": "#include <sqlite3.h>", "app/g.c": "#include <gtk/gtk.h>", "app/cli/h.c": "#include <adwaita.h>",
        "ui/run/i.c": "#include <cairo.h>", "compute/cpu/j.c": "#include <json-glib/json-glib.h>",
        "compute/text/k.c": '#include "lk-gpu-thing.h"', "ui/l.c": '#include "lk-gpu-thing.h"',
        "compute/format/m.c": "node = json_from_string (text, NULL);", "app/n.c": '#include "../ui/lk-widget.h"',
    }
    good = {
        "compute/gpu/lk-gpu-thing.h": "#include <vulkan/vulkan_core.h>", "ui/lk-widget.h": "#include <gtk/gtk.h>",
        "compute/cpu/o.c": "#include <cblas.h>", "compute/data/p.c": "#include <sqlite3.h>", "app/chart/q.c": "#include <cairo.h>",
        "compute/program/r.c": '#include "lk-gpu-thing.h"', "app/s.c": "/* #include <gtk/gtk.h> is for ui */",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**bad, **good}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text + "\n")
        found = {problem.split(":")[0] for problem in check_sources(root)[0]}
    return [f"planted in {name}, but not found" for name in sorted(set(bad) - found)] + \
        [f"allowed in {name}, but found" for name in sorted(found - set(bad))]


def main():
    root, build = map(pathlib.Path, sys.argv[1:3])
    problems = check_itself()
    found, rooms, files = check_sources(root)
    problems += found + [f"{room} has no files" for room in sorted(set(ROOMS) - rooms)]
    found, compiled = check_folders(root, build)
    problems += found
    problems += [f"nothing of {room} in compile_commands.json" for room in sorted(rooms - compiled - {"ui"})]
    print("\n".join(problems) or f"{files} files in {len(rooms)} rooms")
    return 1 if problems else 0


sys.exit(main())
