/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-prompt.h"

#include "lk-error.h"

static gboolean
check_text (LkModel *model, gboolean with_template, GError **error)
{
  if (lk_model_get_tokenizer (model) && (!with_template || lk_model_get_template (model)))
    return TRUE;
  if (lk_model_get_tokenizer (model) && lk_model_get_template_note (model))
    g_set_error_literal (error, LK_ERROR, LK_ERROR_UNSUPPORTED, lk_model_get_template_note (model));
  else
    g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” has no %s", lk_model_get_path (model),
               lk_model_get_tokenizer (model)
                   ? "chat template: it can continue a text, but not answer messages"
                   : "tokenizer: it can be looked at, but not talked to");
  return FALSE;
}

static const char *
token_text (LkTokenizer *tokenizer, gint32 id)
{
  const char *text = id >= 0 ? lk_tokenizer_get_token (tokenizer, id) : NULL;

  return text ? text : "";
}

GArray *
lk_prompt_from_messages (LkModel *model, JsonArray *messages, JsonNode *tools, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  LkTemplateInput input = { .messages = messages, .tools = tools, .add_generation_prompt = TRUE };
  g_autoptr (LkExample) example = NULL;
  GArray *ids;

  if (!check_text (model, TRUE, error))
    return NULL;
  input.bos_token = token_text (tokenizer, lk_tokenizer_get_bos (tokenizer));
  input.eos_token = token_text (tokenizer, lk_tokenizer_get_eos (tokenizer));
  example = lk_template_encode (lk_model_get_template (model), tokenizer, &input, error);
  if (!example)
    return NULL;
  ids = g_array_sized_new (FALSE, FALSE, sizeof (gint32), example->n);
  g_array_append_vals (ids, example->ids, example->n);
  return ids;
}

GArray *
lk_prompt_from_text (LkModel *model, const char *text, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint32 bos;

  if (!check_text (model, FALSE, error))
    return NULL;
  bos = lk_tokenizer_get_bos (tokenizer);
  if (bos >= 0 && lk_tokenizer_get_add_bos (tokenizer))
    g_array_append_val (ids, bos);
  if (!lk_tokenizer_encode (tokenizer, text, -1, FALSE, ids, error))
    return NULL;
  if (ids->len > 0)
    return g_steal_pointer (&ids);
  g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "The prompt is empty");
  return NULL;
}
