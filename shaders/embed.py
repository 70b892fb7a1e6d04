#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""embed.py OUT.h KERNEL.spv... [--without KERNEL...]: SPIR-V files as static arrays lk_shader_<kernel> of a C header, with
lk_shader_<kernel>_bytes; a kernel this build has not has no bytes."""
import pathlib
import struct
import sys

lines = ["/* Made by embed.py from the compiled kernels. */", "#pragma once", "", "#include <glib.h>", ""]
names = sys.argv[2:]
missing = []
if "--without" in names:
    at = names.index("--without")
    names, missing = names[:at], names[at + 1:]
for name in names:
    path = pathlib.Path(name)
    data = path.read_bytes()
    words = struct.unpack("<%dI" % (len(data) // 4), data)
    lines.append("static const guint32 lk_shader_%s[] = {" % path.stem)
    lines += ["  " + " ".join("0x%08x," % w for w in words[i:i + 8]) for i in range(0, len(words), 8)]
    lines += ["};", "#define lk_shader_%s_bytes sizeof lk_shader_%s" % (path.stem, path.stem), ""]
for stem in missing:
    lines += ["static const guint32 lk_shader_%s[1];" % stem, "#define lk_shader_%s_bytes 0" % stem, ""]
pathlib.Path(sys.argv[1]).write_text("\n".join(lines))
