/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-compare.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "lk-json.h"
#include "lk-option.h"
#include "lk-words.h"

char *
lk_run_words_of_setting (const char *name)
{
  char *words = g_strdup (name);

  g_strdelimit (words, "_-", ' ');
  words[0] = g_ascii_toupper (words[0]);
  return words;
}

char *
lk_run_words_of_value (JsonNode *node)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return node == NULL || JSON_NODE_HOLDS_NULL (node) ? g_strdup ("–") : lk_json_to_string (node, FALSE);
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      return g_strdup (json_node_get_string (node)[0] != 0 ? json_node_get_string (node) : "–");
    case G_TYPE_BOOLEAN:
      return g_strdup (lk_option_words_of_boolean (json_node_get_boolean (node)));
    default:
      return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.6g", json_node_get_double (node)));
    }
}

static void
difference_free (gpointer data)
{
  LkRunDifference *self = data;

  g_free (self->name);
  g_strfreev (self->values);
  g_free (self);
}

/* Takes @name and the @values. */
static LkRunDifference *
add (GPtrArray *table, char *name, char **values)
{
  LkRunDifference *line = g_new0 (LkRunDifference, 1);

  line->name = name;
  line->values = values;
  line->best = -1;
  g_ptr_array_add (table, line);
  return line;
}

static gboolean
all_same (char **values)
{
  for (guint i = 1; values[0] != NULL && values[i] != NULL; i++)
    if (!g_str_equal (values[0], values[i]))
      return FALSE;
  return TRUE;
}

static void
add_if_different (GPtrArray *table, char *name, char **values)
{
  if (!all_same (values))
    {
      add (table, name, values);
      return;
    }
  g_free (name);
  g_strfreev (values);
}

static char **
words_of_property (GPtrArray *runs, const char *property)
{
  char **values = g_new0 (char *, runs->len + 1);

  for (guint i = 0; i < runs->len; i++)
    {
      g_object_get (g_ptr_array_index (runs, i), property, &values[i], NULL);
      if (values[i] == NULL)
        values[i] = g_strdup ("–");
    }
  return values;
}

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Every setting that any of the runs has, sorted: recipes of different engines have different ones. */
static GPtrArray *
collect_names (GPtrArray *runs)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < runs->len; i++)
    {
      JsonObjectIter iter;
      const char *name;

      json_object_iter_init (&iter, lk_run_get_settings (g_ptr_array_index (runs, i)));
      while (json_object_iter_next (&iter, &name, NULL))
        if (g_hash_table_add (seen, (gpointer) name))
          g_ptr_array_add (names, (gpointer) name);
    }
  qsort (names->pdata, names->len, sizeof (gpointer), compare_names);
  return names;
}

static void
add_settings (GPtrArray *table, GPtrArray *runs)
{
  g_autoptr (GPtrArray) names = collect_names (runs);

  for (guint n = 0; n < names->len; n++)
    {
      const char *name = g_ptr_array_index (names, n);
      char **values = g_new0 (char *, runs->len + 1);

      for (guint i = 0; i < runs->len; i++)
        values[i] = lk_run_words_of_value (
            json_object_get_member (lk_run_get_settings (g_ptr_array_index (runs, i)), name));
      add_if_different (table, lk_run_words_of_setting (name), values);
    }
}

static void
add_results (GPtrArray *table, GPtrArray *runs)
{
  LkRunDifference *best = add (table, g_strdup (_ ("Best held-out loss")), words_of_property (runs, "best-text"));
  double least = INFINITY;

  for (guint i = 0; i < runs->len; i++)
    if (lk_run_get_best_loss (g_ptr_array_index (runs, i)) < least)
      {
        least = lk_run_get_best_loss (g_ptr_array_index (runs, i));
        best->best = (int) i;
      }
  best->result = TRUE;
  add (table, g_strdup (_ ("Last training loss")), words_of_property (runs, "loss-text"))->result = TRUE;
  add (table, g_strdup (_ ("How it went")), words_of_property (runs, "progress-text"))->result = TRUE;
}

GPtrArray *
lk_run_compare (GPtrArray *runs)
{
  GPtrArray *table = g_ptr_array_new_with_free_func (difference_free);

  add_if_different (table, g_strdup (_ ("Model")), words_of_property (runs, "model-name"));
  add_if_different (table, g_strdup (_ ("Dataset")), words_of_property (runs, "data-name"));
  add_settings (table, runs);
  add_results (table, runs);
  return table;
}
