/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What models write, Markdown of a kind, as blocks to show: text as Pango markup, and code as it is. Understood: headings, lists,
 * quotes, rules, fenced code, and within lines `code`, **bold**, *italic*, ~~struck out~~; links show their address and open nothing.
 * All else stays as written: there is no text that makes markup which is not well-formed, and no tag of the text's own gets through.
 * Pure functions; any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean is_code;
  char *language; /* of code, as the fence says; may be "" */
  char *text;     /* code as it is, else markup */
} LkMarkdownBlock;

/* (element-type LkMarkdownBlock) (transfer full) */
GPtrArray *lk_markdown_parse (const char *text);

G_END_DECLS
