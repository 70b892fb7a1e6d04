/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-rouge.h"

/* Words as quarks of one table, so that comparing them is comparing numbers. */
static GArray *
split_words (const char *text, GHashTable *ids)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree char *lower = g_utf8_strdown (text, -1);
  const char *p = lower;

  while (*p)
    {
      const char *begin;
      char *word;
      guint id;

      while (*p && !g_ascii_isalnum (*p))
        p++;
      begin = p;
      while (g_ascii_isalnum (*p))
        p++;
      if (p == begin)
        break;
      word = g_strndup (begin, (gsize) (p - begin));
      id = GPOINTER_TO_UINT (g_hash_table_lookup (ids, word));
      if (id == 0)
        {
          id = g_hash_table_size (ids) + 1;
          g_hash_table_insert (ids, word, GUINT_TO_POINTER (id));
        }
      else
        g_free (word);
      g_array_append_val (words, id);
    }
  return words;
}

static guint
common_length (GArray *a, GArray *b)
{
  g_autofree guint *row = g_new0 (guint, b->len + 1);

  for (guint i = 0; i < a->len; i++)
    {
      guint diagonal = 0;

      for (guint j = 0; j < b->len; j++)
        {
          guint above = row[j + 1];

          row[j + 1] = g_array_index (a, guint, i) == g_array_index (b, guint, j) ? diagonal + 1
                                                                                  : MAX (row[j], above);
          diagonal = above;
        }
    }
  return row[b->len];
}

double
lk_rouge_l (const char *reference, const char *answer)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) a = split_words (reference, ids);
  g_autoptr (GArray) b = split_words (answer, ids);
  double common, precision, recall;

  if (a->len == 0 || b->len == 0)
    return 0;
  common = common_length (a, b);
  precision = common / b->len;
  recall = common / a->len;
  return common > 0 ? 2 * precision * recall / (precision + recall) : 0;
}
