/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tokenizer.json of the tokenizers library (formats: d.1): byte-level BPE. Kinds this program does not know are refused by
 * name, never run differently from how they were meant.
 */
#include "lk-tokenizer-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-json.h"

#define LK_TOKENIZER_JSON_LIMIT (256 << 20)

static gboolean
lk_tokenizer_refuse (const char *source, const char *field, const char *value, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: %s “%s” is not supported", source, field, value ? value : "(none)");
  return FALSE;
}

/* The "type" of the object member @name; NULL when the member is null or absent. */
static const char *
lk_member_type (JsonObject *object, const char *name, JsonObject **member)
{
  JsonNode *node = json_object_has_member (object, name) ? json_object_get_member (object, name) : NULL;

  *member = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  return *member ? json_object_get_string_member_with_default (*member, "type", "(none)") : NULL;
}

static gboolean
lk_json_truth (JsonObject *object, const char *member)
{
  return json_object_get_boolean_member_with_default (object, member, FALSE);
}

typedef struct
{
  const LkPretokenizer *split;
  gboolean digits, byte_level, regex;
} LkJsonPre;

/* One of: ByteLevel, Digits, Split, or a Sequence of them. */
static gboolean
lk_read_pre_item (JsonObject *item, const char *source, LkJsonPre *pre, GError **error)
{
  const char *type = json_object_get_string_member_with_default (item, "type", "(none)");

  if (g_str_equal (type, "ByteLevel"))
    {
      if (lk_json_truth (item, "add_prefix_space"))
        return lk_tokenizer_refuse (source, "pre-tokenizer option", "add_prefix_space", error);
      pre->byte_level = TRUE;
      pre->regex = json_object_get_boolean_member_with_default (item, "use_regex", TRUE);
      return TRUE;
    }
  if (g_str_equal (type, "Digits") && lk_json_truth (item, "individual_digits"))
    {
      pre->digits = TRUE;
      return TRUE;
    }
  if (g_str_equal (type, "Split"))
    {
      JsonObject *pattern;
      const char *regex;

      lk_member_type (item, "pattern", &pattern);
      regex = pattern ? json_object_get_string_member_with_default (pattern, "Regex", "") : "";
      pre->split = lk_pretokenizer_by_regex (regex);
      if (!pre->split || lk_json_truth (item, "invert")
          || g_strcmp0 (json_object_get_string_member_with_default (item, "behavior", ""), "Isolated") != 0)
        return lk_tokenizer_refuse (source, "the split pattern", regex, error);
      return TRUE;
    }
  return lk_tokenizer_refuse (source, "pre-tokenizer", type, error);
}

static gboolean
lk_read_pre (LkTokenizer *self, JsonObject *top, GError **error)
{
  JsonObject *member;
  const char *type = lk_member_type (top, "pre_tokenizer", &member);
  LkJsonPre pre = { 0 };

  if (!type)
    return lk_tokenizer_refuse (self->source, "pre-tokenizer", NULL, error);
  if (g_str_equal (type, "Sequence"))
    {
      JsonArray *items = NULL;

      if (!lk_json_get_array (member, "pretokenizers", self->source, &items, error))
        return FALSE;
      for (guint i = 0; items && i < json_array_get_length (items); i++)
        {
          JsonNode *item = json_array_get_element (items, i);
          if (!JSON_NODE_HOLDS_OBJECT (item) || !lk_read_pre_item (json_node_get_object (item), self->source, &pre, error))
            return JSON_NODE_HOLDS_OBJECT (item) ? FALSE : lk_tokenizer_refuse (self->source, "pre-tokenizer", NULL, error);
        }
    }
  else if (!lk_read_pre_item (member, self->source, &pre, error))
    return FALSE;
  if (!pre.byte_level || (pre.split && (pre.regex || pre.digits)) || (!pre.split && !pre.regex))
    return lk_tokenizer_refuse (self->source, "this combination of pre-tokenizers in", type, error);
  self->pre = pre.split ? pre.split : lk_pretokenizer_by_name (pre.digits ? "smollm" : "gpt-2");
  return TRUE;
}

static gboolean
lk_read_normalizer (LkTokenizer *self, JsonObject *top, GError **error)
{
  JsonObject *member;
  const char *type = lk_member_type (top, "normalizer", &member);

  if (type && !g_str_equal (type, "NFC"))
    return lk_tokenizer_refuse (self->source, "normalizer", type, error);
  self->nfc = type != NULL;
  return TRUE;
}

static gboolean
lk_read_vocab (LkTokenizer *self, JsonObject *vocab, GError **error)
{
  JsonObjectIter iter;
  const char *text;
  JsonNode *node;

  json_object_iter_init (&iter, vocab);
  while (json_object_iter_next (&iter, &text, &node))
    {
      gint64 id = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : -1;

      if (id < 0 || id >= self->n_tokens)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the id of “%s” is no number below %u", self->source, text, self->n_tokens);
          return FALSE;
        }
      if (!_lk_tokenizer_set_token (self, (guint) id, text, LK_TOKEN_NORMAL, error))
        return FALSE;
    }
  return TRUE;
}

/* ["a b", …] or [["a", "b"], …] */
static gboolean
lk_read_merges (LkTokenizer *self, JsonArray *merges, GError **error)
{
  for (guint i = 0; i < json_array_get_length (merges); i++)
    {
      JsonNode *node = json_array_get_element (merges, i);
      g_auto (GStrv) parts = NULL;

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        parts = g_strsplit (json_node_get_string (node), " ", 3);
      else if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 2)
        {
          const char *left = json_array_get_string_element (json_node_get_array (node), 0);
          const char *right = json_array_get_string_element (json_node_get_array (node), 1);
          const char *pair[] = { left ? left : "", right ? right : "", NULL };
          parts = g_strdupv ((char **) pair);
        }
      if (!parts || g_strv_length (parts) != 2)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: merge %u is not two tokens", self->source, i);
          return FALSE;
        }
      if (!_lk_tokenizer_add_merge (self, parts[0], parts[1], i, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
lk_read_added (LkTokenizer *self, JsonArray *added, GError **error)
{
  for (guint i = 0; i < json_array_get_length (added); i++)
    {
      JsonNode *node = json_array_get_element (added, i);
      JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *content = NULL;
      gint64 id = -1;

      if (!object || !lk_json_get_string (object, "content", self->source, &content, NULL)
          || !lk_json_get_int (object, "id", self->source, &id, NULL) || !content || id < 0 || id >= self->n_tokens)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: added token %u has no content or no id below %u", self->source, i,
                       self->n_tokens);
          return FALSE;
        }
      if (lk_json_truth (object, "lstrip") || lk_json_truth (object, "rstrip") || lk_json_truth (object, "single_word"))
        return lk_tokenizer_refuse (self->source, "an option (lstrip, rstrip or single_word) of the added token", content, error);
      if (!_lk_tokenizer_set_token (self, (guint) id, content, lk_json_truth (object, "special") ? LK_TOKEN_CONTROL : LK_TOKEN_ADDED, error))
        return FALSE;
    }
  return TRUE;
}

/* One above the highest id of vocabulary and added tokens; hostile ids are caught by the limit. */
static guint
lk_count_tokens (JsonObject *vocab, JsonArray *added)
{
  JsonObjectIter iter;
  JsonNode *node;
  gint64 n = 0;

  json_object_iter_init (&iter, vocab);
  while (json_object_iter_next (&iter, NULL, &node))
    if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
      n = MAX (n, MIN (json_node_get_int (node), G_MAXINT32 - 1) + 1);
  for (guint i = 0; added && i < json_array_get_length (added); i++)
    {
      node = json_array_get_element (added, i);
      if (JSON_NODE_HOLDS_OBJECT (node))
        n = MAX (n, MIN (json_object_get_int_member_with_default (json_node_get_object (node), "id", -1), G_MAXINT32 - 1) + 1);
    }
  return (guint) n;
}

/* eos_token and kin: a string or an object with content. */
static gint32
lk_config_token (LkTokenizer *self, JsonObject *config, const char *member)
{
  JsonNode *node = json_object_has_member (config, member) ? json_object_get_member (config, member) : NULL;
  const char *text = NULL;

  if (node && JSON_NODE_HOLDS_OBJECT (node))
    text = json_object_get_string_member_with_default (json_node_get_object (node), "content", NULL);
  else if (node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    text = json_node_get_string (node);
  return text ? lk_tokenizer_lookup (self, text) : -1;
}

static gboolean
lk_read_config (LkTokenizer *self, const char *path, GError **error)
{
  g_autoptr (JsonObject) config = path ? lk_json_load_object (path, LK_TOKENIZER_JSON_LIMIT, error) : NULL;

  if (!path)
    return TRUE;
  if (!config)
    return FALSE;
  self->bos = lk_config_token (self, config, "bos_token");
  self->eos = lk_config_token (self, config, "eos_token");
  self->pad = lk_config_token (self, config, "pad_token");
  self->add_bos = json_object_has_member (config, "add_bos_token") ? lk_json_truth (config, "add_bos_token") : self->pre->add_bos;
  return TRUE;
}

LkTokenizer *
lk_tokenizer_new_from_json (const char *path, const char *config_path, GError **error)
{
  g_autoptr (JsonObject) top = lk_json_load_object (path, LK_TOKENIZER_JSON_LIMIT, error);
  g_autoptr (LkTokenizer) self = NULL;
  JsonObject *model = NULL, *vocab = NULL;
  JsonArray *merges = NULL, *added = NULL;
  const char *type = "BPE";

  if (!top || !lk_json_get_object (top, "model", path, &model, error) || !lk_json_get_array (top, "added_tokens", path, &added, error))
    return NULL;
  if (!model || !lk_json_get_string (model, "type", path, &type, error))
    return lk_tokenizer_refuse (path, "the tokenizer model", NULL, error && *error ? NULL : error), NULL;
  if (!g_str_equal (type, "BPE") || lk_json_truth (model, "byte_fallback"))
    return lk_tokenizer_refuse (path, "the tokenizer model", g_str_equal (type, "BPE") ? "BPE with byte_fallback" : type, error), NULL;
  if (!lk_json_get_object (model, "vocab", path, &vocab, error) || !lk_json_get_array (model, "merges", path, &merges, error))
    return NULL;
  if (!vocab || !merges || json_array_get_length (merges) > LK_TOKENIZER_MAX_MERGES)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “vocab” or “merges” is missing or too large", path);
      return NULL;
    }
  self = _lk_tokenizer_alloc (path, lk_count_tokens (vocab, added), error);
  if (!self || !lk_read_normalizer (self, top, error) || !lk_read_pre (self, top, error))
    return NULL;
  self->ignore_merges = lk_json_truth (model, "ignore_merges");
  self->bpe = lk_bpe_new (json_array_get_length (merges));
  if (!lk_read_vocab (self, vocab, error) || !lk_read_merges (self, merges, error) || (added && !lk_read_added (self, added, error))
      || !_lk_tokenizer_finish (self, error) || !lk_read_config (self, config_path, error))
    return NULL;
  return g_steal_pointer (&self);
}
