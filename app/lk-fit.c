/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-fit.h"

#include <glib/gi18n-lib.h>

#include "lk-json.h"
#include "lk-words.h"

static const struct
{
  const char *name;
  const char *words;
  gboolean trains;
} methods[] = {
  { "chat", N_ ("chat"), FALSE },
  { "qlora", N_ ("QLoRA"), TRUE },
  { "lora", N_ ("LoRA"), TRUE },
};

/* The one called so; NULL when the answer has none. (transfer none) */
static JsonObject *
find (JsonObject *answer, const char *name)
{
  JsonArray *list = NULL;

  lk_json_get_array (answer, "methods", "estimate", &list, NULL);
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      JsonNode *node = json_array_get_element (list, i);

      if (JSON_NODE_HOLDS_OBJECT (node) && g_strcmp0 (lk_json_peek_string (json_node_get_object (node), "method", NULL), name) == 0)
        return json_node_get_object (node);
    }
  return NULL;
}

/* "chat 14.2 MB, QLoRA 46.9 MB": those that fit, or those that do not. (transfer full) */
static char *
list_methods (JsonObject *answer, gboolean fitting)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      JsonObject *method = find (answer, methods[i].name);
      g_autofree char *size = method != NULL ? lk_words_bytes ((guint64) MAX (0, lk_json_peek_int (method, "total_bytes", 0))) : NULL;

      if (method != NULL && lk_json_peek_boolean (method, "fits", FALSE) == fitting)
        {
          g_string_append (text, text->len > 0 ? ", " : "");
          /* “QLoRA 410 MB” */
          g_string_append_printf (text, _ ("%s %s"), _ (methods[i].words), size);
        }
    }
  return g_string_free (text, FALSE);
}

GStrv
lk_fit_arguments (const char *path, const char *device)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *option = g_strconcat ("--device=", device, NULL);

  g_strv_builder_add_many (builder, "estimate", "--json", "--methods", "--model", path, NULL);
  if (!g_str_equal (device, "auto"))
    g_strv_builder_add (builder, option);
  return g_strv_builder_end (builder);
}

char *
lk_fit_words (JsonObject *answer)
{
  g_autofree char *fitting = list_methods (answer, TRUE);
  g_autofree char *large = list_methods (answer, FALSE);

  if (fitting[0] == 0 && large[0] == 0)
    return NULL;
  if (large[0] == 0)
    return g_strdup_printf (_ ("Fits here for: %s"), fitting);
  if (fitting[0] == 0)
    return g_strdup_printf (_ ("Too large here for: %s"), large);
  return g_strdup_printf (_ ("Fits here for: %s. Too large for: %s"), fitting, large);
}

gboolean
lk_fit_can_train (JsonObject *answer)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      JsonObject *method = methods[i].trains ? find (answer, methods[i].name) : NULL;

      if (method != NULL && lk_json_peek_boolean (method, "fits", FALSE))
        return TRUE;
    }
  return FALSE;
}
