/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A Jinja interpreter for chat templates, in the environment Hugging Face gives them: trim_blocks, lstrip_blocks, loop
 * controls, generation blocks, silent undefined. Templates come from outside: depth, steps, output and memory are limited,
 * nothing of the host can be reached. Each byte of the result knows where it came from.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_JINJA_MAX_SOURCE (1 << 21)
#define LK_JINJA_MAX_DEPTH 128
#define LK_JINJA_MAX_CALLS 400     /* statements and expressions inside each other while rendering */
#define LK_JINJA_MAX_STEPS 1000000
#define LK_JINJA_MAX_WORK (1 << 27) /* bytes copied, LK_JINJA_CALL for a piece put behind another: less than a second */
#define LK_JINJA_CALL 32
#define LK_JINJA_MAX_OUTPUT (8 << 20)
#define LK_JINJA_MAX_HEAP (64 << 20)

typedef struct _LkJinja LkJinja;

/* Parses. Errors name @name and the line. Thread-safety: immutable afterwards. */
LkJinja *lk_jinja_new (const char *source, const char *name, GError **error);
void lk_jinja_free (LkJinja *self);

/* Where a byte came from: 0 the template, else what LkJinjaTagFunc said of the variable, at most 63. */
typedef struct
{
  GString *text;
  GByteArray *tags;      /* text->len */
  GArray *generations;   /* of guint64 pairs: byte ranges of generation blocks */
} LkJinjaOutput;

/* Chooses the tag of a text from outside: in message @index of "messages" under @member ("content", "role" …), keys of objects
 * included; of other variables (tools, documents …) with @message NULL and @member the variable's name. */
typedef guint8 (*LkJinjaTagFunc) (JsonObject *message, guint index, const char *member);

/* @variables: values by name. @now: Unix seconds for strftime_now, 0 the present. @work: how much it may cost, and what is left of it
 * afterwards; NULL: LK_JINJA_MAX_WORK. Free the parts of @output with lk_jinja_output_clear, also after failure. */
gboolean lk_jinja_render (LkJinja *self, JsonObject *variables, LkJinjaTagFunc tag, gint64 now, guint64 *work, LkJinjaOutput *output,
                          GError **error);
void lk_jinja_output_clear (LkJinjaOutput *output);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkJinja, lk_jinja_free)

G_END_DECLS
