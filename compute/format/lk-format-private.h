/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by the readers of this room.
 */
#pragma once

#include "lk-tensor-file.h"

G_BEGIN_DECLS

/* Bytes from a file made fit for a message: broken UTF-8, control and direction characters replaced, long text cut.
 * @size -1 for a NUL-terminated string. (transfer full) */
char *lk_format_show (const char *text, gssize size);

/* Checked bytes of a tensor from its shape, outermost dimension first. Without dimensions: one element.
 * FALSE on overflow or when the last dimension is not a whole number of blocks. */
gboolean lk_format_tensor_bytes (LkType type, const guint64 *shape, guint n_dims, guint64 *bytes);

/* TRUE for a file name without path parts, not hidden, without control characters. */
gboolean lk_format_is_plain_name (const char *name);

G_END_DECLS
