/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-family.h"

#include <string.h>

char *
lk_model_linear_path (guint layer, LkLinearRole role)
{
  g_autofree char *number = g_strdup_printf ("%u", layer);
  g_auto (GStrv) parts = g_strsplit (lk_linear_names[role].hf, "%d", 2);
  char *path = g_strconcat (parts[0], number, parts[1], NULL);

  path[strlen (path) - strlen (".weight")] = '\0';
  return path;
}

const char *
lk_linear_role_name (LkLinearRole role)
{
  static const char *const names[LK_N_LINEAR]
      = { "q_proj", "k_proj", "v_proj", "qkv_proj", "o_proj", "gate_proj", "up_proj", "gate_up_proj", "down_proj" };

  return names[role];
}

gboolean
lk_model_parse_linear_path (const char *path, guint *layer, LkLinearRole *role)
{
  const char *prefix = "model.layers.";
  guint64 number;
  char *end;

  if (!g_str_has_prefix (path, prefix) || !g_ascii_isdigit (path[strlen (prefix)]))
    return FALSE;
  number = g_ascii_strtoull (path + strlen (prefix), &end, 10);
  if (number > G_MAXUINT16)
    return FALSE;
  for (guint i = 0; i < LK_N_LINEAR; i++)
    {
      g_autofree char *candidate = lk_model_linear_path ((guint) number, i);

      if (g_str_equal (candidate, path))
        {
          *layer = (guint) number;
          *role = i;
          return TRUE;
        }
    }
  return FALSE;
}
