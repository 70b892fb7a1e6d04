#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""embed.py OUT.h KERNEL.spv...: SPIR-V files as static arrays lk_shader_<kernel> of a C header."""
import pathlib
import struct
import sys

lines = ["/* Made by embed.py from the compiled kernels. */", "#pragma once", "", "#include <glib.h>", ""]
for name in sys.argv[2:]:
    path = pathlib.Path(name)
    data = path.read_bytes()
    words = struct.unpack("<%dI" % (len(data) // 4), data)
    lines.append("static const guint32 lk_shader_%s[] = {" % path.stem)
    lines += ["  " + " ".join("0x%08x," % w for w in words[i:i + 8]) for i in range(0, len(words), 8)]
    lines += ["};", ""]
pathlib.Path(sys.argv[1]).write_text("\n".join(lines))
