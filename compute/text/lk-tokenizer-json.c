/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tokenizer.json of the tokenizers library (formats: d.1): byte-level BPE, SentencePiece's BPE and unigram. Kinds this program
 * does not know are refused by name, never run differently from how they were meant.
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
  return *member ? lk_json_peek_string (*member, "type", "(none)") : NULL;
}

static const char *
lk_json_text (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_has_member (object, member) ? json_object_get_member (object, member) : NULL;

  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

/* Calls @func for the object @member, or for those in it when it is a Sequence, whose list is @items. FALSE when one call was. */
typedef gboolean (*LkItemFunc) (LkTokenizer *self, const char *type, JsonObject *item, gpointer data, GError **error);

static gboolean
lk_each_item (LkTokenizer *self, JsonObject *member, const char *what, const char *items, LkItemFunc func, gpointer data, GError **error)
{
  const char *type = lk_json_text (member, "type");
  JsonArray *list = NULL;

  if (g_strcmp0 (type, "Sequence") != 0)
    return type ? func (self, type, member, data, error) : lk_tokenizer_refuse (self->source, what, NULL, error);
  if (!lk_json_get_array (member, items, self->source, &list, error))
    return FALSE;
  for (guint i = 0; list && i < json_array_get_length (list); i++)
    {
      JsonNode *node = json_array_get_element (list, i);
      JsonObject *item = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

      type = item ? lk_json_text (item, "type") : NULL;
      if (!type)
        return lk_tokenizer_refuse (self->source, what, NULL, error);
      if (!func (self, type, item, data, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
lk_json_truth (JsonObject *object, const char *member)
{
  return lk_json_peek_boolean (object, member, FALSE);
}

typedef struct
{
  const LkPretokenizer *split;
  gboolean digits, byte_level, regex, spaces;
} LkJsonPre;

/* A pattern that is a text or, in @regex, a regular expression. */
static const char *
lk_json_pattern (JsonObject *item, gboolean *regex)
{
  JsonObject *pattern;
  const char *text;

  lk_member_type (item, "pattern", &pattern);
  text = pattern ? lk_json_text (pattern, "String") : NULL;
  *regex = pattern && !text;
  return *regex ? lk_json_text (pattern, "Regex") : text;
}

static gboolean
lk_read_metaspace (LkTokenizer *self, JsonObject *item, GError **error)
{
  const char *scheme = lk_json_text (item, "prepend_scheme"), *blank = lk_json_text (item, "replacement");

  if (g_strcmp0 (blank, LK_TOKENIZER_BLANK) != 0)
    return lk_tokenizer_refuse (self->source, "the replacement of Metaspace", blank, error);
  self->blanks = TRUE;
  self->split_blanks = lk_json_peek_boolean (item, "split", TRUE);
  if (scheme ? g_str_equal (scheme, "always") : lk_json_truth (item, "add_prefix_space"))
    self->prefix = LK_PREFIX_MISSING;
  else if (g_strcmp0 (scheme, "first") == 0)
    self->prefix = LK_PREFIX_FIRST;
  return TRUE;
}

static gboolean
lk_read_split (LkTokenizer *self, JsonObject *item, LkJsonPre *pre, GError **error)
{
  gboolean regex;
  const char *pattern = lk_json_pattern (item, &regex), *behavior = lk_json_text (item, "behavior");

  if (!regex && g_strcmp0 (pattern, " ") == 0 && !lk_json_truth (item, "invert"))
    {
      pre->spaces = TRUE; /* where the normalizer leaves no blank, there is nothing to split */
      return TRUE;
    }
  pre->split = regex && pattern ? lk_pretokenizer_by_regex (pattern) : NULL;
  /* Isolated keeps what matches; Removed of what does not match is the same when all of a text matches, as it does here */
  if (!pre->split
      || !((g_strcmp0 (behavior, "Isolated") == 0 && !lk_json_truth (item, "invert"))
           || (g_strcmp0 (behavior, "Removed") == 0 && lk_json_truth (item, "invert"))))
    return lk_tokenizer_refuse (self->source, "the split pattern", pattern, error);
  return TRUE;
}

static gboolean
lk_read_pre_item (LkTokenizer *self, const char *type, JsonObject *item, gpointer data, GError **error)
{
  LkJsonPre *pre = data;

  if (g_str_equal (type, "ByteLevel"))
    {
      pre->byte_level = TRUE;
      pre->regex = lk_json_peek_boolean (item, "use_regex", TRUE);
      if (lk_json_truth (item, "add_prefix_space"))
        self->prefix = LK_PREFIX_MISSING;
      return TRUE;
    }
  if (g_str_equal (type, "Digits") && lk_json_truth (item, "individual_digits"))
    return pre->digits = TRUE;
  if (g_str_equal (type, "Metaspace"))
    return lk_read_metaspace (self, item, error);
  if (g_str_equal (type, "Split"))
    return lk_read_split (self, item, pre, error);
  return lk_tokenizer_refuse (self->source, "pre-tokenizer", type, error);
}

static gboolean
lk_read_pre (LkTokenizer *self, JsonObject *top, GError **error)
{
  JsonObject *member;
  const char *type = lk_member_type (top, "pre_tokenizer", &member);
  LkJsonPre pre = { 0 };

  if (member && !lk_each_item (self, member, "pre-tokenizer", "pretokenizers", lk_read_pre_item, &pre, error))
    return FALSE;
  self->model = pre.byte_level ? LK_TEXT_BYTES : LK_TEXT_CHARS;
  if (!pre.byte_level)
    return !(pre.split || pre.digits || (pre.spaces && !self->blanks))
           || lk_tokenizer_refuse (self->source, "this combination of pre-tokenizers in", type, error);
  if ((pre.split && (pre.regex || pre.digits)) || (!pre.split && !pre.regex) || pre.spaces || self->blanks)
    return lk_tokenizer_refuse (self->source, "this combination of pre-tokenizers in", type, error);
  self->pre = pre.split ? pre.split : lk_pretokenizer_by_name (pre.digits ? "smollm" : "gpt-2");
  return TRUE;
}

static gboolean
lk_read_normalizer_item (LkTokenizer *self, const char *type, JsonObject *item, gpointer data, GError **error)
{
  static const struct
  {
    const char *name;
    GNormalizeMode mode;
  } forms[] = { { "NFC", G_NORMALIZE_NFC }, { "NFD", G_NORMALIZE_NFD }, { "NFKC", G_NORMALIZE_NFKC }, { "NFKD", G_NORMALIZE_NFKD } };
  gboolean regex = FALSE;
  const char *pattern;

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    if (g_str_equal (type, forms[i].name))
      {
        self->unicode = forms[i].mode;
        return TRUE;
      }
  if (g_str_equal (type, "Lowercase"))
    return self->lowercase = TRUE;
  if (g_str_equal (type, "Prepend") && g_strcmp0 (lk_json_text (item, "prepend"), LK_TOKENIZER_BLANK) == 0)
    {
      self->prefix = LK_PREFIX_ALWAYS;
      return TRUE;
    }
  pattern = g_str_equal (type, "Replace") ? lk_json_pattern (item, &regex) : NULL;
  if (!pattern || regex || !lk_json_text (item, "content"))
    return lk_tokenizer_refuse (self->source, "normalizer", regex ? pattern : type, error);
  if (g_str_equal (pattern, " ") && g_str_equal (lk_json_text (item, "content"), LK_TOKENIZER_BLANK))
    self->blanks = TRUE;
  else
    _lk_tokenizer_add_replacement (self, pattern, lk_json_text (item, "content"));
  return TRUE;
}

static gboolean
lk_read_decoder_item (LkTokenizer *self, const char *type, JsonObject *item, gpointer data, GError **error)
{
  if (g_str_equal (type, "Strip") && g_strcmp0 (lk_json_text (item, "content"), " ") == 0)
    self->strip_prefix = lk_json_peek_int (item, "start", 0) > 0;
  else if (g_str_equal (type, "Metaspace"))
    self->strip_prefix = self->prefix != LK_PREFIX_NEVER;
  return TRUE;
}

/* The special token a text begins with. */
static gboolean
lk_read_post_item (LkTokenizer *self, const char *type, JsonObject *item, gpointer data, GError **error)
{
  JsonArray *single = NULL;
  JsonObject *special;
  JsonNode *first;

  if (!g_str_equal (type, "TemplateProcessing") || !lk_json_get_array (item, "single", self->source, &single, error))
    return !g_str_equal (type, "TemplateProcessing");
  first = single && json_array_get_length (single) > 0 ? json_array_get_element (single, 0) : NULL;
  if (first && JSON_NODE_HOLDS_OBJECT (first))
    {
      lk_member_type (json_node_get_object (first), "SpecialToken", &special);
      if (special && lk_json_text (special, "id"))
        self->bos = lk_tokenizer_lookup (self, lk_json_text (special, "id"));
    }
  self->add_bos = self->bos >= 0;
  return TRUE;
}

/* Normalizer, decoder or post-processor. */
static gboolean
lk_read_stage (LkTokenizer *self, JsonObject *top, const char *name, const char *items, LkItemFunc func, GError **error)
{
  JsonObject *member;

  lk_member_type (top, name, &member);
  return !member || lk_each_item (self, member, name, items, func, NULL, error);
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
      self->added_flags[id] = (guint8) ((lk_json_truth (object, "lstrip") ? LK_ADDED_LSTRIP : 0) | (lk_json_truth (object, "rstrip") ? LK_ADDED_RSTRIP : 0)
                                        | (lk_json_truth (object, "single_word") ? LK_ADDED_SINGLE_WORD : 0));
      if (!_lk_tokenizer_set_token (self, (guint) id, content, lk_json_truth (object, "special") ? LK_TOKEN_CONTROL : LK_TOKEN_ADDED, error))
        return FALSE;
    }
  return TRUE;
}

/* One above the highest id of vocabulary and added tokens; hostile ids are caught by the limit. */
static guint
lk_count_tokens (JsonObject *vocab, gint64 n, JsonArray *added)
{
  JsonObjectIter iter;
  JsonNode *node;

  if (vocab)
    json_object_iter_init (&iter, vocab);
  while (vocab && json_object_iter_next (&iter, NULL, &node))
    if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
      n = MAX (n, MIN (json_node_get_int (node), G_MAXINT32 - 1) + 1);
  for (guint i = 0; added && i < json_array_get_length (added); i++)
    {
      node = json_array_get_element (added, i);
      if (JSON_NODE_HOLDS_OBJECT (node))
        n = MAX (n, MIN (lk_json_peek_int (json_node_get_object (node), "id", -1), G_MAXINT32 - 1) + 1);
    }
  return (guint) n;
}

/* eos_token and kin: a string or an object with content; @usual where the file does not say. */
static gint32
lk_config_token (LkTokenizer *self, JsonObject *config, const char *member, gint32 usual)
{
  JsonNode *node = json_object_has_member (config, member) ? json_object_get_member (config, member) : NULL;
  const char *text = lk_json_text (config, member);

  if (!node)
    return usual;
  if (JSON_NODE_HOLDS_OBJECT (node))
    text = lk_json_text (json_node_get_object (node), "content");
  return text ? lk_tokenizer_lookup (self, text) : -1;
}

gboolean
_lk_tokenizer_read_config (LkTokenizer *self, const char *path, GError **error)
{
  g_autoptr (JsonObject) config = path ? lk_json_load_object (path, LK_TOKENIZER_JSON_LIMIT, error) : NULL;

  if (!path)
    return TRUE;
  if (!config)
    return FALSE;
  self->bos = lk_config_token (self, config, "bos_token", self->bos);
  self->eos = lk_config_token (self, config, "eos_token", self->eos);
  self->pad = lk_config_token (self, config, "pad_token", self->pad);
  if (json_object_has_member (config, "add_bos_token"))
    self->add_bos = lk_json_truth (config, "add_bos_token");
  return TRUE;
}

/* Options that would make other tokens of a text. */
static gboolean
lk_check_options (LkTokenizer *self, JsonObject *model, GError **error)
{
  static const char *const names[] = { "continuing_subword_prefix", "end_of_word_suffix" };
  JsonNode *dropout = json_object_has_member (model, "dropout") ? json_object_get_member (model, "dropout") : NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (lk_json_text (model, names[i]) && *lk_json_text (model, names[i]))
      return lk_tokenizer_refuse (self->source, names[i], lk_json_text (model, names[i]), error);
  if (dropout && !JSON_NODE_HOLDS_NULL (dropout) && !(JSON_NODE_HOLDS_VALUE (dropout) && json_node_get_double (dropout) == 0))
    return lk_tokenizer_refuse (self->source, "the option", "dropout", error);
  return TRUE;
}

static gboolean
lk_read_bpe (LkTokenizer *self, JsonObject *model, JsonObject *vocab, JsonArray *added, GError **error)
{
  JsonArray *merges = NULL;
  const char *unk = lk_json_text (model, "unk_token");

  if (!lk_check_options (self, model, error) || !lk_json_get_array (model, "merges", self->source, &merges, error))
    return FALSE;
  if (!merges || json_array_get_length (merges) > LK_TOKENIZER_MAX_MERGES)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “merges” is missing or too large", self->source);
      return FALSE;
    }
  self->ignore_merges = lk_json_truth (model, "ignore_merges");
  self->pre = self->pre ? lk_pretokenizer_variant (self->pre, self->ignore_merges) : NULL;
  self->byte_fallback = lk_json_truth (model, "byte_fallback");
  self->fuse_unk = lk_json_truth (model, "fuse_unk");
  self->bpe = lk_bpe_new (json_array_get_length (merges));
  if (!lk_read_vocab (self, vocab, error) || !lk_read_merges (self, merges, error) || (added && !lk_read_added (self, added, error)))
    return FALSE;
  self->unk = unk ? lk_tokenizer_lookup (self, unk) : -1;
  return TRUE;
}

/* [[piece, score], …] in the order of ids. */
static gboolean
lk_read_unigram (LkTokenizer *self, JsonObject *model, JsonArray *vocab, JsonArray *added, GError **error)
{
  g_autofree double *scores = g_new0 (double, self->n_tokens);
  gint64 unk = -1;

  for (guint i = 0; i < json_array_get_length (vocab); i++)
    {
      JsonNode *node = json_array_get_element (vocab, i), *piece, *score;
      JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

      piece = pair && json_array_get_length (pair) == 2 ? json_array_get_element (pair, 0) : NULL;
      score = piece ? json_array_get_element (pair, 1) : NULL;
      if (!piece || !JSON_NODE_HOLDS_VALUE (piece) || json_node_get_value_type (piece) != G_TYPE_STRING || !JSON_NODE_HOLDS_VALUE (score)
          || json_node_get_value_type (score) == G_TYPE_STRING)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: entry %u of the vocabulary is no text with its score", self->source, i);
          return FALSE;
        }
      scores[i] = json_node_get_double (score);
      if (!_lk_tokenizer_set_token (self, i, json_node_get_string (piece), LK_TOKEN_NORMAL, error))
        return FALSE;
    }
  if (!lk_json_get_int (model, "unk_id", self->source, &unk, error) || (added && !lk_read_added (self, added, error)))
    return FALSE;
  self->unk = unk >= 0 && unk < self->n_tokens ? (gint32) unk : -1;
  self->byte_fallback = lk_json_truth (model, "byte_fallback");
  self->fuse_unk = TRUE;
  return _lk_tokenizer_set_unigram (self, scores, error);
}

static gboolean
lk_read_model (LkTokenizer *self, JsonObject *top, JsonObject *model, JsonObject *vocab, JsonArray *pieces, JsonArray *added, GError **error)
{
  if (!lk_read_stage (self, top, "normalizer", "normalizers", lk_read_normalizer_item, error) || !lk_read_pre (self, top, error))
    return FALSE;
  if (!(pieces ? lk_read_unigram (self, model, pieces, added, error) : lk_read_bpe (self, model, vocab, added, error)))
    return FALSE;
  return lk_read_stage (self, top, "decoder", "decoders", lk_read_decoder_item, error)
         && lk_read_stage (self, top, "post_processor", "processors", lk_read_post_item, error) && _lk_tokenizer_finish (self, error);
}

LkTokenizer *
lk_tokenizer_new_from_json (const char *path, const char *config_path, GError **error)
{
  g_autoptr (JsonObject) top = lk_json_load_object (path, LK_TOKENIZER_JSON_LIMIT, error);
  g_autoptr (LkTokenizer) self = NULL;
  JsonObject *model = NULL, *vocab = NULL;
  JsonArray *added = NULL, *pieces = NULL;
  const char *type = "BPE";
  gboolean unigram;

  if (!top || !lk_json_get_object (top, "model", path, &model, error) || !lk_json_get_array (top, "added_tokens", path, &added, error))
    return NULL;
  if (!model || !lk_json_get_string (model, "type", path, &type, error))
    return lk_tokenizer_refuse (path, "the tokenizer model", NULL, error && *error ? NULL : error), NULL;
  unigram = g_str_equal (type, "Unigram");
  if (!unigram && !g_str_equal (type, "BPE"))
    return lk_tokenizer_refuse (path, "the tokenizer model", type, error), NULL;
  if (!(unigram ? lk_json_get_array (model, "vocab", path, &pieces, error) : lk_json_get_object (model, "vocab", path, &vocab, error)))
    return NULL;
  if (!vocab && !pieces)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “vocab” is missing", path);
      return NULL;
    }
  self = _lk_tokenizer_alloc (path, lk_count_tokens (vocab, pieces ? json_array_get_length (pieces) : 0, added), error);
  if (!self || !lk_read_model (self, top, model, vocab, pieces, added, error) || !_lk_tokenizer_read_config (self, config_path, error))
    return NULL;
  return g_steal_pointer (&self);
}
