/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which column (member) of a file's rows is which part of an example, where a person says so instead of leaving it to the forms.
 */
#pragma once

#include "lk-dataset.h"

G_BEGIN_DECLS

typedef enum
{
  LK_COLUMN_SYSTEM,
  LK_COLUMN_PROMPT,
  LK_COLUMN_CONTEXT, /* follows the prompt behind an empty line */
  LK_COLUMN_ANSWER,
  LK_COLUMN_TEXT, /* alone: learned as it stands */
  LK_N_COLUMNS,
} LkColumnRole;

/* "system", "prompt", "context", "answer", "text" */
extern const char *const lk_column_names[LK_N_COLUMNS];

typedef struct
{
  char *columns[LK_N_COLUMNS]; /* NULL: the part has none */
} LkMapping;

LkMapping *lk_mapping_new (void);
LkMapping *lk_mapping_copy (const LkMapping *self); /* NULL of NULL */
void lk_mapping_free (LkMapping *self);
/* From "answer=section_text"; an unknown part is an error. */
gboolean lk_mapping_set (LkMapping *self, const char *assignment, GError **error);
gboolean lk_mapping_is_empty (const LkMapping *self);
/* A prompt and an answer, or a text: else an error says what is missing. */
gboolean lk_mapping_check (const LkMapping *self, GError **error);
/* {"prompt": "dialogue", "answer": "section_text"} and back; members that are no texts are an error. (transfer full) */
JsonObject *lk_mapping_to_json (const LkMapping *self);
LkMapping *lk_mapping_from_json (JsonObject *object, GError **error);
/* What the forms would take, as far as the names alone say: for @columns (NULL-terminated). (transfer full) */
LkMapping *lk_mapping_guess (const char *const *columns);

/* Fills @row from @object; FALSE with *reason, a sentence (transfer full). */
gboolean lk_mapping_read (const LkMapping *self, JsonObject *object, LkRow *row, char **reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkMapping, lk_mapping_free)

G_END_DECLS
