/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The printable spelling of bytes in byte-level vocabularies (GPT-2): 33–126, 161–172, 174–255 stand for themselves, the
 * other 68 bytes in order for U+0100 …
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gunichar lk_byte_level_char (guint8 byte);
/* −1 when @c spells no byte. */
int lk_byte_level_byte (gunichar c);
/* The raw bytes a vocabulary entry spells; NULL when a character spells none. (transfer full) */
guint8 *lk_byte_level_decode (const char *token, gsize *n);
/* The spelling of raw bytes. (transfer full) */
char *lk_byte_level_encode (const guint8 *bytes, gsize n);

G_END_DECLS
