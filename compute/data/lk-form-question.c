/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A question and its answer under the names people give them.
 */
#include "lk-form.h"

static const char *const names[][2] = { { "question", "answer" }, { "prompt", "response" }, { "input", "output" }, { "query", "response" },
                                        { "question", "response" } };

static const char *const *
lk_question_names (JsonObject *object)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (json_object_has_member (object, names[i][0]) && json_object_has_member (object, names[i][1]))
      return names[i];
  return NULL;
}

static gboolean
lk_question_matches (JsonObject *object)
{
  return lk_question_names (object) != NULL;
}

static gboolean
lk_question_read (JsonObject *object, LkRow *row, char **reason)
{
  const char *const *pair = lk_question_names (object);
  const char *question = lk_form_text_of (object, pair[0]), *answer = lk_form_text_of (object, pair[1]), *system;

  if (!question || lk_form_is_blank (question))
    return lk_form_fail_text (object, pair[0], "the question", reason);
  if (!answer || lk_form_is_blank (answer))
    return lk_form_fail_text (object, pair[1], "the answer", reason);
  if (!lk_form_optional (object, "system", &system, reason))
    return FALSE;
  row->kind = LK_ROW_MESSAGES;
  row->messages = json_array_new ();
  if (system && *system)
    lk_form_add_message (row->messages, "system", system);
  lk_form_add_message (row->messages, "user", question);
  lk_form_add_message (row->messages, "assistant", answer);
  return TRUE;
}

const LkForm lk_form_question = { "Questions and answers", lk_question_matches, lk_question_read };
