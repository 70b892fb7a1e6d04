/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzz targets share. Each target is one small file that defines LLVMFuzzerTestOneInput; libFuzzer (meson
 * -Dfuzz=true, clang) or lk-fuzz-replay.c (every build) is the program around it. GLib's criticals and warnings end
 * the program: bytes of a file must not reach one.
 */
#pragma once

#include <gio/gio.h>

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* The bytes as a file called @name in a folder of this process. The path is valid until the program ends. */
const char *lk_fuzz_file (const char *name, const guint8 *data, gsize size);
/* That folder. */
const char *lk_fuzz_folder (void);

/* To be called where a parser took the input and @error is not set. With LK_FUZZ_PLANTED in the environment there is
 * a bug here that proves the harness: for one accepted input in 256 it reads behind the bytes. */
void lk_fuzz_accepted (const guint8 *data, gsize size);

/* To be called where a parser refused the input: it must have said why, in UTF-8. */
void lk_fuzz_refused (GError *error);
