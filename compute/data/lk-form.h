/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shapes rows come in. One file and one line in the table (lk-form.c) each; a row is recognised by its members.
 */
#pragma once

#include "lk-dataset.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;  /* for people */
  /* TRUE when @object is a row of this form. */
  gboolean (*matches) (JsonObject *object);
  /* Fills @row. FALSE with *reason, a sentence (transfer full), when the row cannot be used. */
  gboolean (*read) (JsonObject *object, LkRow *row, char **reason);
} LkForm;

extern const LkForm lk_form_messages, lk_form_sharegpt, lk_form_completion, lk_form_alpaca, lk_form_question, lk_form_text;

/* NULL when no form fits. */
const LkForm *lk_form_recognise (JsonObject *object);

/* For the forms. */
gboolean lk_form_fail (char **reason, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The string member @name; NULL when absent, null or another type. Borrowed. */
const char *lk_form_text_of (JsonObject *object, const char *name);
/* Why a text that must be there and not be blank is none: “@what (“@name”) is missing”, “is no text” or “is empty”. FALSE. */
gboolean lk_form_fail_text (JsonObject *object, const char *name, const char *what, char **reason);
/* The same as lk_form_text_of in *@text, but a member of another type is a *reason. */
gboolean lk_form_optional (JsonObject *object, const char *name, const char **text, char **reason);
gboolean lk_form_is_blank (const char *text);
void lk_form_add_message (JsonArray *messages, const char *role, const char *content);
/* Roles known, contents texts, at least one assistant turn with something to learn. Content lists of texts are joined, tool
 * calls' arguments parsed, weights become "train": false; returns a fresh array in *out. */
gboolean lk_form_check_messages (JsonArray *messages, JsonArray **out, char **reason);
/* tools as a list or as JSON in a text. FALSE with *reason when it is neither. */
gboolean lk_form_take_tools (JsonObject *object, LkRow *row, char **reason);

G_END_DECLS
