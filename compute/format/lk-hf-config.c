/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-hf-config.h"

#include "lk-error.h"
#include "lk-json.h"

#define LK_HF_CONFIG_LIMIT (16 << 20)

JsonObject *
lk_hf_config_load (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);

  return lk_json_load_object (path, LK_HF_CONFIG_LIMIT, error);
}

static const struct
{
  const char *name;
  LkRopeType type;
} rope_types[] = {
  { "default", LK_ROPE_DEFAULT },
  { "linear", LK_ROPE_LINEAR },
  { "llama3", LK_ROPE_LLAMA3 },
};

gboolean
lk_hf_config_get_rope (JsonObject *config, const char *source, const char *layers, double theta, LkRopeConfig *rope, GError **error)
{
  JsonObject *scaling = NULL;
  const char *type = "default";

  *rope = (LkRopeConfig){ .theta = theta, .factor = 1.0, .low_freq_factor = 1.0, .high_freq_factor = 4.0, .original_context = 8192 };
  if (!lk_json_get_double (config, "rope_theta", source, &rope->theta, error)
      || !lk_json_get_object (config, "rope_scaling", source, &scaling, error)
      || !lk_json_get_object (config, "rope_parameters", source, &scaling, error)
      || (scaling && !lk_json_get_object (scaling, layers, source, &scaling, error)))
    return FALSE;
  if (!scaling)
    return TRUE;
  if (!lk_json_get_string (scaling, "type", source, &type, error) || !lk_json_get_string (scaling, "rope_type", source, &type, error)
      || !lk_json_get_double (scaling, "rope_theta", source, &rope->theta, error)
      || !lk_json_get_double (scaling, "factor", source, &rope->factor, error)
      || !lk_json_get_double (scaling, "low_freq_factor", source, &rope->low_freq_factor, error)
      || !lk_json_get_double (scaling, "high_freq_factor", source, &rope->high_freq_factor, error)
      || !lk_json_get_int (scaling, "original_max_position_embeddings", source, &rope->original_context, error))
    return FALSE;
  if (!(rope->factor > 0) || !(rope->low_freq_factor > 0) || !(rope->high_freq_factor > rope->low_freq_factor))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the factors of the rotary scaling make no sense", source);
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (rope_types); i++)
    if (g_str_equal (rope_types[i].name, type))
      {
        rope->type = rope_types[i].type;
        return TRUE;
      }
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the rotary scaling “%s” is not supported", source, type);
  return FALSE;
}

GArray *
lk_hf_config_get_eos (JsonObject *config, const char *source, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  JsonNode *node = json_object_has_member (config, "eos_token_id") ? json_object_get_member (config, "eos_token_id") : NULL;
  gint64 id = -1;

  if (node && JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *list = json_node_get_array (node);

      for (guint i = 0; i < json_array_get_length (list); i++)
        {
          JsonNode *item = json_array_get_element (list, i);

          if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_INT64)
            {
              g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “eos_token_id” must hold whole numbers", source);
              return NULL;
            }
          id = json_node_get_int (item);
          g_array_append_val (ids, id);
        }
      return g_steal_pointer (&ids);
    }
  if (!lk_json_get_int (config, "eos_token_id", source, &id, error))
    return NULL;
  if (id >= 0)
    g_array_append_val (ids, id);
  return g_steal_pointer (&ids);
}
