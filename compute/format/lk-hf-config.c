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
