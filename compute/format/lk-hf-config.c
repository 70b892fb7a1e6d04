/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-hf-config.h"

#include "lk-error.h"
#include "lk-json.h"

#define LK_HF_CONFIG_LIMIT (16 << 20)

static JsonObject *
lk_hf_config_flatten (JsonObject *whole, JsonObject *text)
{
  static const char *const shared[] = { "bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings", "torch_dtype", "dtype",
                                        "quantization_config", "transformers_version" };
  JsonObject *flat = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (text);

  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    if (json_object_has_member (whole, shared[i]))
      json_object_set_member (flat, shared[i], json_object_dup_member (whole, shared[i]));
  for (GList *l = members; l; l = l->next)
    json_object_set_member (flat, l->data, json_object_dup_member (text, l->data));
  return flat;
}

JsonObject *
lk_hf_config_load (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_autoptr (JsonObject) whole = lk_json_load_object (path, LK_HF_CONFIG_LIMIT, error);
  JsonObject *text = NULL;

  if (!whole || !lk_json_get_object (whole, "text_config", path, &text, error))
    return NULL;
  return text ? lk_hf_config_flatten (whole, text) : g_steal_pointer (&whole);
}

/* −1 stands for none. */
static gboolean
lk_hf_config_take_eos (GArray *ids, JsonNode *node, const char *source, gint64 vocab, GError **error)
{
  gint64 id = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : G_MININT64;

  if (id < -1 || id >= vocab)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                   "%s: “eos_token_id” must be a whole number below %" G_GINT64_FORMAT ", the size of the vocabulary, or a list of such", source,
                   vocab);
      return FALSE;
    }
  if (id >= 0)
    g_array_append_val (ids, id);
  return TRUE;
}

GArray *
lk_hf_config_get_eos (JsonObject *config, const char *source, gint64 vocab, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  JsonNode *node = json_object_has_member (config, "eos_token_id") ? json_object_get_member (config, "eos_token_id") : NULL;
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (!node || JSON_NODE_HOLDS_NULL (node))
    return g_steal_pointer (&ids);
  if (!list)
    return lk_hf_config_take_eos (ids, node, source, vocab, error) ? g_steal_pointer (&ids) : NULL;
  for (guint i = 0; i < json_array_get_length (list); i++)
    if (!lk_hf_config_take_eos (ids, json_array_get_element (list, i), source, vocab, error))
      return NULL;
  return g_steal_pointer (&ids);
}
