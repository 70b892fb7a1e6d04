/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-pretrain-corpus.h"

#include <string.h>

#include "lk-bpe-trainer.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"

#define MAX_BYTES (1024 * 1024 * 1024ull)

static JsonObject *
parse_row (const char *line, gsize length, const char *source, GError **error)
{
  g_autoptr (JsonNode) node = lk_json_parse (line, length, source, error);
  JsonObject *object;

  if (node == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  if (object == NULL || (!json_object_has_member (object, "text") && !json_object_has_member (object, "messages")))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s is neither {\"text\": …} nor {\"messages\": …}.", source);
      return NULL;
    }
  return json_object_ref (object);
}

gboolean
lk_pretrain_corpus_load (LkPretrainCorpus *self, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_read (path, MAX_BYTES, error);
  const char *p, *end;
  gsize size;
  guint number = 0;

  if (bytes == NULL)
    return FALSE;
  p = g_bytes_get_data (bytes, &size);
  end = p + size;
  self->path = g_strdup (path);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  while (p < end)
    {
      const char *stop = memchr (p, '\n', (gsize) (end - p));
      g_autofree char *source = g_strdup_printf ("%s, line %u", path, ++number);
      JsonObject *row;

      if (stop == NULL)
        stop = end;
      if (stop > p)
        {
          if ((row = parse_row (p, (gsize) (stop - p), source, error)) == NULL)
            return FALSE;
          g_ptr_array_add (self->rows, row);
        }
      p = stop + 1;
    }
  if (self->rows->len == 0)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s holds no text.", path);
  return self->rows->len > 0;
}

void
lk_pretrain_corpus_clear (LkPretrainCorpus *self)
{
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->path, g_free);
}

static void
learn_string (LkBpeTrainer *trainer, const char *text)
{
  lk_bpe_trainer_add (trainer, text, strlen (text));
}

static void
learn_message (JsonArray *array, guint i, JsonNode *node, gpointer data)
{
  JsonObject *message = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (message == NULL)
    return;
  learn_string (data, lk_json_peek_string (message, "role", ""));
  learn_string (data, lk_json_peek_string (message, "content", ""));
}

void
lk_pretrain_corpus_learn_tokens (LkPretrainCorpus *self, const char *const *special, guint size, char ***tokens, char ***merges)
{
  g_autoptr (LkBpeTrainer) trainer = lk_bpe_trainer_new (lk_pretokenizer_by_name ("smollm"));

  for (guint i = 0; i < self->rows->len; i++)
    {
      JsonObject *row = g_ptr_array_index (self->rows, i);

      if (json_object_has_member (row, "text"))
        learn_string (trainer, lk_json_peek_string (row, "text", ""));
      else
        json_array_foreach_element (json_object_get_array_member (row, "messages"), learn_message, trainer);
    }
  lk_bpe_trainer_run (trainer, special, size, tokens, merges);
}

static gboolean
encode_row (JsonObject *row, LkTokenizer *tokenizer, LkTemplate *chat_template, gint32 end, GArray *ids, GError **error)
{
  if (json_object_has_member (row, "messages"))
    {
      LkTemplateInput input = { .messages = json_object_get_array_member (row, "messages"), .bos_token = "", .eos_token = "<|im_end|>" };
      g_autofree char *text = lk_template_render (chat_template, &input, NULL, error);

      return text != NULL && lk_tokenizer_encode (tokenizer, text, -1, TRUE, ids, error);
    }
  if (!lk_tokenizer_encode (tokenizer, lk_json_peek_string (row, "text", ""), -1, FALSE, ids, error))
    return FALSE;
  g_array_append_val (ids, end);
  return TRUE;
}

GPtrArray *
lk_pretrain_corpus_encode (LkPretrainCorpus *self, LkTokenizer *tokenizer, LkTemplate *chat_template, gint32 end, guint longest,
                           GError **error)
{
  g_autoptr (GPtrArray) examples = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  for (guint i = 0; i < self->rows->len; i++)
    {
      GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

      g_ptr_array_add (examples, ids);
      if (!encode_row (g_ptr_array_index (self->rows, i), tokenizer, chat_template, end, ids, error))
        return NULL;
      if (ids->len > longest)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s, row %u has %u tokens; at most %u fit in the context.", self->path, i + 1,
                       ids->len, longest);
          return NULL;
        }
    }
  return g_steal_pointer (&examples);
}
