/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chat templates: a Jinja interpreter (in jinja/) with limits on depth, steps and output, and the knowledge of which
 * part of the result the assistant wrote.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "lk-tokenizer.h"

G_BEGIN_DECLS

typedef struct _LkTemplate LkTemplate;

/* @name is for errors. */
LkTemplate *lk_template_new (const char *source, const char *name, GError **error);
/* Conversations with tools are rendered by @other from now on, as transformers does with a template called “tool_use”. To be
 * called before the template is used. */
void lk_template_set_for_tools (LkTemplate *self, LkTemplate *other);
LkTemplate *lk_template_ref (LkTemplate *self);
void lk_template_unref (LkTemplate *self);

typedef struct
{
  JsonArray *messages;          /* [{role, content, …}] */
  JsonNode *tools;              /* may be NULL */
  gboolean add_generation_prompt;
  const char *bos_token, *eos_token; /* "" when none */
  JsonObject *extra;            /* further variables, may be NULL */
  gint64 now;                   /* Unix seconds for strftime_now; 0 = the present */
} LkTemplateInput;

typedef struct
{
  gsize begin, end; /* bytes of the text; end exclusive */
} LkSpan;

/* The rendered text. With @spans (GArray of LkSpan, cleared first) also the parts the assistant wrote, each with the
 * end-of-turn marker that follows it, so that a model learns to stop. (transfer full) */
char *lk_template_render (LkTemplate *self, const LkTemplateInput *input, GArray *spans, GError **error);

/* Many templates write nothing of a tool's call: what is left would teach an empty answer. FALSE, LK_ERROR_BAD_DATA: @text, rendered of
 * @input, does not hold the name of a function that a message calls. */
gboolean lk_template_check_calls (const LkTemplateInput *input, const char *text, GError **error);

/* One training example. */
typedef struct
{
  gint32 *ids;      /* n */
  guint8 *targets;  /* n: 1 where ids[i] is to be learned (predicted from i-1) */
  guint n;
} LkExample;
void lk_example_free (LkExample *self);

/* messages → ids and targets: text and spans by the template, each part encoded for itself so that spans fall on
 * token borders; text from users never becomes control tokens unless the template wrote it. Errors as
 * lk_template_render() and lk_template_check_calls(). */
LkExample *lk_template_encode (LkTemplate *self, LkTokenizer *tokenizer, const LkTemplateInput *input, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkTemplate, lk_template_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkExample, lk_example_free)

G_END_DECLS
