/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-nf4-state.h"

#include "lk-error.h"
#include "lk-json.h"

static gboolean
read_shape (JsonArray *list, const char *source, gint64 shape[2], GError **error)
{
  for (guint i = 0; list && i < 2; i++)
    {
      JsonNode *size = json_array_get_length (list) == 2 ? json_array_get_element (list, i) : NULL;

      if (!size || !JSON_NODE_HOLDS_VALUE (size) || json_node_get_value_type (size) != G_TYPE_INT64)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “shape” must be two whole numbers", source);
          return FALSE;
        }
      shape[i] = json_node_get_int (size);
    }
  return TRUE;
}

gboolean
lk_nf4_state_parse (const char *text, gsize size, const char *source, LkNf4State *out, GError **error)
{
  g_autoptr (JsonNode) node = lk_json_parse (text, size, source, error);
  JsonObject *state = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonArray *list = NULL;

  *out = (LkNf4State){ .nested_block = 256 };
  if (node && !state)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s must hold a JSON object", source);
  return state && lk_json_get_int (state, "blocksize", source, &out->block, error)
         && lk_json_get_int (state, "nested_blocksize", source, &out->nested_block, error)
         && lk_json_get_double (state, "nested_offset", source, &out->nested_offset, error)
         && lk_json_get_array (state, "shape", source, &list, error) && read_shape (list, source, out->shape, error);
}
