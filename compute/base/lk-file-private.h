/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "lk-file.h"

#include <sys/stat.h>

G_BEGIN_DECLS

/* Opens a regular file for reading and nothing else; O_NONBLOCK, so that a FIFO does not hang. -1 and @error. */
int _lk_file_open_regular (const char *path, struct stat *st, GError **error);

G_END_DECLS
