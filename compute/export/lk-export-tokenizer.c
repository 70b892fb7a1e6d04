/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tokenizer.json, tokenizer_config.json and generation_config.json for a folder we write: copied from a
 * folder, or made from GGUF metadata so that the tokenizers library gives the same ids.
 */
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>

#include "lk-error.h"
#include "lk-export-private.h"
#include "lk-file.h"
#include "lk-gguf.h"
#include "lk-json.h"
#include "lk-pretokenizer.h"
#include "lk-tokenizer-describe.h"

/* GGUF's token types (formats: a.9) */
enum
{
  TYPE_UNKNOWN = 2,
  TYPE_CONTROL = 3,
  TYPE_USER_DEFINED = 4,
  TYPE_UNUSED = 5,
};

/* Where there is no such file, nothing is copied. */
static gboolean
copy_file (const char *from, const char *to, const char *name, GError **error)
{
  g_autofree char *source = g_build_filename (from, name, NULL);
  g_autofree char *target = g_build_filename (to, name, NULL);
  g_autoptr (GFile) a = g_file_new_for_path (source);
  g_autoptr (GFile) b = g_file_new_for_path (target);

  return !g_file_test (source, G_FILE_TEST_IS_REGULAR)
         || g_file_copy (a, b, G_FILE_COPY_TARGET_DEFAULT_PERMS, NULL, NULL, NULL, error);
}

static gboolean
copy_files (const char *from, const char *to, GError **error)
{
  static const char *const names[] = { "tokenizer.json",
                                       "tokenizer.model",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "added_tokens.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "chat_template.jinja",
                                       "chat_template.json",
                                       "generation_config.json" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!copy_file (from, to, names[i], error))
      return FALSE;
  return TRUE;
}

/* Named templates, each a file. */
static gboolean
copy_templates (const char *from, const char *to, GError **error)
{
  g_autofree char *source = g_build_filename (from, "additional_chat_templates", NULL);
  g_autofree char *target = g_build_filename (to, "additional_chat_templates", NULL);
  g_autoptr (GDir) dir = g_dir_open (source, 0, NULL);
  const char *name;

  if (!dir)
    return TRUE;
  if (g_mkdir (target, 0777) != 0)
    return lk_error_set_errno (error, errno, "Could not make the folder “%s”", target);
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".jinja") && !copy_file (source, target, name, error))
      return FALSE;
  return TRUE;
}

/* What was trained with the family's template must be asked with it; in a folder this file comes before all others. */
static gboolean
write_family_template (LkModel *model, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "chat_template.jinja", NULL);

  return !lk_model_get_template (model) || lk_model_has_own_template (model)
         || lk_file_write (path, lk_model_get_template_source (model), -1, error);
}

/* {"type": "ByteLevel", …} */
static JsonObject *
byte_level (gboolean prefix_space, gboolean trim, gboolean regex)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "type", "ByteLevel");
  json_object_set_boolean_member (object, "add_prefix_space", prefix_space);
  json_object_set_boolean_member (object, "trim_offsets", trim);
  json_object_set_boolean_member (object, "use_regex", regex);
  return object;
}

static JsonObject *
make_pre (const LkPretokenizer *pre)
{
  JsonObject *object = json_object_new (), *first = json_object_new ();
  JsonArray *items = json_array_new ();

  json_object_set_string_member (object, "type", "Sequence");
  if (pre->regex)
    {
      JsonObject *pattern = json_object_new ();

      json_object_set_string_member (pattern, "Regex", pre->regex);
      json_object_set_string_member (first, "type", "Split");
      json_object_set_object_member (first, "pattern", pattern);
      json_object_set_string_member (first, "behavior", "Isolated");
      json_object_set_boolean_member (first, "invert", FALSE);
    }
  else
    {
      json_object_set_string_member (first, "type", "Digits");
      json_object_set_boolean_member (first, "individual_digits", TRUE);
    }
  if (pre->regex || pre->digits)
    json_array_add_object_element (items, first);
  else
    json_object_unref (first);
  json_array_add_object_element (items, byte_level (FALSE, TRUE, pre->regex == NULL));
  json_object_set_array_member (object, "pretokenizers", items);
  return object;
}

/* The beginning token before each text; or nothing. */
static void
add_post (JsonObject *top, LkTokenizer *tokenizer)
{
  gint32 bos = lk_tokenizer_get_bos (tokenizer);
  const char *text = bos >= 0 ? lk_tokenizer_get_token (tokenizer, bos) : NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *json = NULL;
  g_autoptr (JsonNode) name = NULL;
  g_autofree char *quoted = NULL;

  if (!text || !lk_tokenizer_get_add_bos (tokenizer))
    {
      json_object_set_null_member (top, "post_processor");
      return;
    }
  name = json_node_init_string (json_node_alloc (), text);
  quoted = lk_json_to_string (name, FALSE);
  json = g_strdup_printf (
      "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":%s,\"type_id\":0}},"
      "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"SpecialToken\":{\"id\":%s,\"type_id\":0}},"
      "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":%s,\"type_id\":1}},"
      "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{%s:{\"id\":%s,\"ids\":[%d],"
      "\"tokens\":[%s]}}}",
      quoted, quoted, quoted, quoted, quoted, bos, quoted);
  node = lk_json_parse (json, strlen (json), "tokenizer.json", NULL);
  json_object_set_member (top, "post_processor", g_steal_pointer (&node));
}

/* Vocabulary and merges as the file spells them. */
typedef struct
{
  char **tokens, **merges;
  guint n_tokens, n_merges, n_types;
  gint64 *types;
} Vocabulary;

static void
vocabulary_clear (Vocabulary *self)
{
  g_strfreev (self->tokens);
  g_strfreev (self->merges);
  g_free (self->types);
}

static gboolean
vocabulary_read (Vocabulary *self, LkGguf *gguf, GError **error)
{
  return lk_gguf_get_strings (gguf, "tokenizer.ggml.tokens", &self->tokens, &self->n_tokens, error)
         && lk_gguf_get_strings (gguf, "tokenizer.ggml.merges", &self->merges, &self->n_merges, error)
         && lk_gguf_get_ints (gguf, "tokenizer.ggml.token_type", &self->types, &self->n_types, error);
}

static gint64
type_of (const Vocabulary *self, guint id)
{
  return id < self->n_types ? self->types[id] : 1;
}

static JsonArray *
make_added (const Vocabulary *v)
{
  JsonArray *added = json_array_new ();

  for (guint i = 0; i < v->n_tokens; i++)
    if (type_of (v, i) == TYPE_UNKNOWN || type_of (v, i) == TYPE_CONTROL || type_of (v, i) == TYPE_USER_DEFINED)
      {
        JsonObject *token = json_object_new ();

        json_object_set_int_member (token, "id", i);
        json_object_set_string_member (token, "content", v->tokens[i]);
        json_object_set_boolean_member (token, "single_word", FALSE);
        json_object_set_boolean_member (token, "lstrip", FALSE);
        json_object_set_boolean_member (token, "rstrip", FALSE);
        json_object_set_boolean_member (token, "normalized", FALSE);
        json_object_set_boolean_member (token, "special", type_of (v, i) != TYPE_USER_DEFINED);
        json_array_add_object_element (added, token);
      }
  return added;
}

static JsonObject *
make_bpe (const Vocabulary *v, const LkPretokenizer *pre)
{
  JsonObject *model = json_object_new (), *vocab = json_object_new ();
  JsonArray *merges = json_array_sized_new (v->n_merges);

  for (guint i = 0; i < v->n_tokens; i++)
    if (type_of (v, i) != TYPE_UNUSED)
      json_object_set_int_member (vocab, v->tokens[i], i);
  for (guint i = 0; i < v->n_merges; i++)
    json_array_add_string_element (merges, v->merges[i]);
  json_object_set_string_member (model, "type", "BPE");
  json_object_set_null_member (model, "dropout");
  json_object_set_null_member (model, "unk_token");
  json_object_set_null_member (model, "continuing_subword_prefix");
  json_object_set_null_member (model, "end_of_word_suffix");
  json_object_set_boolean_member (model, "fuse_unk", FALSE);
  json_object_set_boolean_member (model, "byte_fallback", FALSE);
  json_object_set_boolean_member (model, "ignore_merges", pre->ignore_merges);
  json_object_set_object_member (model, "vocab", vocab);
  json_object_set_array_member (model, "merges", merges);
  return model;
}

static gboolean
fill_byte_level (LkModel *model, const Vocabulary *v, JsonObject *top, GError **error)
{
  const LkPretokenizer *pre = lk_pretokenizer_by_name (lk_tokenizer_get_pre (lk_model_get_tokenizer (model)));

  if (!pre)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: its tokenizer is SentencePiece's unigram, which cannot be written as tokenizer.json",
                   lk_model_get_path (model));
      return FALSE;
    }
  json_object_set_null_member (top, "normalizer");
  json_object_set_object_member (top, "pre_tokenizer", make_pre (pre));
  json_object_set_object_member (top, "decoder", byte_level (TRUE, TRUE, TRUE));
  json_object_set_object_member (top, "model", make_bpe (v, pre));
  return TRUE;
}

static gboolean
write_tokenizer_json (LkModel *model, const char *folder, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (JsonObject) top = json_object_new ();
  Vocabulary v = { 0 };
  gboolean ok = vocabulary_read (&v, lk_model_get_gguf (model), error);

  if (ok && lk_tokenizer_is_sentencepiece (tokenizer))
    lk_export_fill_sentencepiece (tokenizer, top);
  else if (ok)
    ok = fill_byte_level (model, &v, top, error);
  if (ok)
    {
      json_object_set_string_member (top, "version", "1.0");
      json_object_set_null_member (top, "truncation");
      json_object_set_null_member (top, "padding");
      json_object_set_array_member (top, "added_tokens", make_added (&v));
      add_post (top, tokenizer);
      ok = lk_export_write_json (folder, "tokenizer.json", top, error);
    }
  vocabulary_clear (&v);
  return ok;
}

static void
add_token_text (JsonObject *object, const char *name, LkTokenizer *tokenizer, gint32 id)
{
  const char *text = id >= 0 ? lk_tokenizer_get_token (tokenizer, id) : NULL;

  if (text)
    json_object_set_string_member (object, name, text);
}

/* “chat_template” as one text, or two named ones. */
static void
add_templates (JsonObject *object, LkModel *model)
{
  const char *sources[] = { lk_model_get_template_source (model), lk_model_get_tools_template_source (model) };
  static const char *const names[] = { "default", "tool_use" };
  JsonArray *list;

  if (sources[0] && !sources[1])
    json_object_set_string_member (object, "chat_template", sources[0]);
  if (!sources[0] || !sources[1])
    return;
  list = json_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      JsonObject *item = json_object_new ();

      json_object_set_string_member (item, "name", names[i]);
      json_object_set_string_member (item, "template", sources[i]);
      json_array_add_object_element (list, item);
    }
  json_object_set_array_member (object, "chat_template", list);
}

static gboolean
write_tokenizer_config (LkModel *model, const char *folder, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_string_member (object, "tokenizer_class", "PreTrainedTokenizerFast");
  json_object_set_int_member (object, "model_max_length", lk_model_get_config (model)->context);
  json_object_set_boolean_member (object, "clean_up_tokenization_spaces", FALSE);
  json_object_set_boolean_member (object, "add_bos_token", lk_tokenizer_get_add_bos (tokenizer));
  add_token_text (object, "bos_token", tokenizer, lk_tokenizer_get_bos (tokenizer));
  add_token_text (object, "eos_token", tokenizer, lk_tokenizer_get_eos (tokenizer));
  add_token_text (object, "unk_token", tokenizer, lk_tokenizer_get_unk (tokenizer));
  add_token_text (object, "pad_token", tokenizer, lk_tokenizer_get_pad (tokenizer));
  add_templates (object, model);
  return lk_export_write_json (folder, "tokenizer_config.json", object, error);
}

static gboolean
write_generation_config (LkModel *model, const char *folder, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *ends = json_array_new ();

  for (gint64 i = 0; i < MAX (lk_model_get_config (model)->vocab, (gint64) lk_tokenizer_get_n_tokens (tokenizer)); i++)
    if (lk_tokenizer_is_end (tokenizer, (gint32) i))
      json_array_add_int_element (ends, i);
  if (lk_tokenizer_get_bos (tokenizer) >= 0)
    json_object_set_int_member (object, "bos_token_id", lk_tokenizer_get_bos (tokenizer));
  if (lk_tokenizer_get_pad (tokenizer) >= 0)
    json_object_set_int_member (object, "pad_token_id", lk_tokenizer_get_pad (tokenizer));
  json_object_set_array_member (object, "eos_token_id", ends);
  return lk_export_write_json (folder, "generation_config.json", object, error);
}

gboolean
lk_export_write_tokenizer (LkModel *model, const char *folder, GError **error)
{
  if (!lk_model_get_gguf (model))
    return copy_files (lk_model_get_path (model), folder, error) && copy_templates (lk_model_get_path (model), folder, error)
           && write_family_template (model, folder, error);
  return !lk_model_get_tokenizer (model)
         || (write_tokenizer_json (model, folder, error) && write_tokenizer_config (model, folder, error)
             && write_generation_config (model, folder, error));
}
