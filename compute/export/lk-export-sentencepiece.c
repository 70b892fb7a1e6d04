/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of a tokenizer.json that stand for SentencePiece's BPE: blanks become ▁, characters no token has become bytes
 * (formats: d.2).
 */
#include "lk-export-private.h"
#include "lk-json.h"
#include "lk-tokenizer-describe.h"

#define BLANK "\xe2\x96\x81"

static JsonNode *
parse (const char *json)
{
  return lk_json_parse (json, strlen (json), "tokenizer.json", NULL);
}

static JsonArray *
make_merges (LkTokenizer *tokenizer)
{
  g_autoptr (GArray) list = lk_tokenizer_list_merges (tokenizer);
  JsonArray *merges = json_array_sized_new (list->len);

  for (guint i = 0; i < list->len; i++)
    {
      const LkTokenizerMerge *merge = &g_array_index (list, LkTokenizerMerge, i);
      JsonArray *pair = json_array_sized_new (2);

      json_array_add_string_element (pair, lk_tokenizer_get_token (tokenizer, merge->left));
      json_array_add_string_element (pair, lk_tokenizer_get_token (tokenizer, merge->right));
      json_array_add_array_element (merges, pair);
    }
  return merges;
}

static JsonObject *
make_model (LkTokenizer *tokenizer)
{
  JsonObject *model = json_object_new (), *vocab = json_object_new ();
  gint32 unk = lk_tokenizer_get_unk (tokenizer);

  for (guint i = 0; i < lk_tokenizer_get_n_tokens (tokenizer); i++)
    {
      const char *text = lk_tokenizer_get_token (tokenizer, (gint32) i);

      if (text && !json_object_has_member (vocab, text))
        json_object_set_int_member (vocab, text, i);
    }
  json_object_set_string_member (model, "type", "BPE");
  json_object_set_null_member (model, "dropout");
  if (unk >= 0)
    json_object_set_string_member (model, "unk_token", lk_tokenizer_get_token (tokenizer, unk));
  else
    json_object_set_null_member (model, "unk_token");
  json_object_set_null_member (model, "continuing_subword_prefix");
  json_object_set_null_member (model, "end_of_word_suffix");
  json_object_set_boolean_member (model, "fuse_unk", TRUE);
  json_object_set_boolean_member (model, "byte_fallback", TRUE);
  json_object_set_boolean_member (model, "ignore_merges", FALSE);
  json_object_set_object_member (model, "vocab", vocab);
  json_object_set_array_member (model, "merges", make_merges (tokenizer));
  return model;
}

void
lk_export_fill_sentencepiece (LkTokenizer *tokenizer, JsonObject *top)
{
#define REPLACE "{\"type\":\"Replace\",\"pattern\":{\"String\":\"%s\"},\"content\":\"%s\"}"
  gboolean prefix = lk_tokenizer_has_prefix (tokenizer);
  g_autofree char *escape = g_strdup_printf (REPLACE, " ", BLANK);
  g_autofree char *unescape = g_strdup_printf (REPLACE, BLANK, " ");
  g_autofree char *normalizer
      = prefix ? g_strdup_printf ("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"" BLANK "\"},%s]}", escape)
               : g_strdup (escape);
  g_autofree char *decoder
      = g_strdup_printf ("{\"type\":\"Sequence\",\"decoders\":[%s,{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}%s]}", unescape,
                         prefix ? ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}" : "");
#undef REPLACE

  json_object_set_member (top, "normalizer", parse (normalizer));
  json_object_set_null_member (top, "pre_tokenizer");
  json_object_set_member (top, "decoder", parse (decoder));
  json_object_set_object_member (top, "model", make_model (tokenizer));
}
