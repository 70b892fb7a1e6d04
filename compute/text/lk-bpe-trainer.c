/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pairs are counted anew in each round: a vocabulary of a few thousand over a few thousand distinct pieces takes seconds,
 * and nothing has to be kept up to date.
 */
#include "lk-bpe-trainer.h"

#include <string.h>

#include "lk-byte-level.h"

typedef struct
{
  guint16 *ids;
  guint n;
  guint64 count;
} Word;

struct _LkBpeTrainer
{
  const LkPretokenizer *pre;
  GHashTable *pieces; /* char* → guint64* */
};

LkBpeTrainer *
lk_bpe_trainer_new (const LkPretokenizer *pre)
{
  LkBpeTrainer *self = g_new0 (LkBpeTrainer, 1);

  self->pre = pre;
  self->pieces = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
lk_bpe_trainer_free (LkBpeTrainer *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->pieces);
  g_free (self);
}

static void
count_piece (const char *piece, gsize length, gpointer data)
{
  LkBpeTrainer *self = data;
  g_autofree char *key = g_strndup (piece, length);
  guint64 *count = g_hash_table_lookup (self->pieces, key);

  if (count == NULL)
    {
      count = g_new0 (guint64, 1);
      g_hash_table_insert (self->pieces, g_steal_pointer (&key), count);
    }
  (*count)++;
}

void
lk_bpe_trainer_add (LkBpeTrainer *self, const char *text, gsize length)
{
  lk_pretokenizer_split (self->pre, text, length, count_piece, self);
}

static void
clear_word (gpointer data)
{
  g_free (((Word *) data)->ids);
}

/* Bytes are ids 0 … 255 here; what is merged follows. */
static GArray *
make_words (LkBpeTrainer *self)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (Word));
  GHashTableIter iter;
  gpointer key, value;

  g_array_set_clear_func (words, clear_word);
  g_hash_table_iter_init (&iter, self->pieces);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      gsize n = strlen (key);
      Word word = { g_new (guint16, n + 1), (guint) n, *(guint64 *) value };

      for (gsize i = 0; i < n; i++)
        word.ids[i] = ((guint8 *) key)[i];
      g_array_append_val (words, word);
    }
  return words;
}

/* The most frequent pair as left << 16 | right; FALSE when none occurs twice. The order of words does not matter. */
static gboolean
find_best (GArray *words, guint32 *best)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  GHashTableIter iter;
  gpointer key, value;
  guint64 most = 1;

  for (guint w = 0; w < words->len; w++)
    {
      const Word *word = &g_array_index (words, Word, w);

      for (guint i = 0; i + 1 < word->n; i++)
        {
          gpointer pair = GUINT_TO_POINTER ((guint32) word->ids[i] << 16 | word->ids[i + 1]);
          guint64 *count = g_hash_table_lookup (counts, pair);

          if (count == NULL)
            g_hash_table_insert (counts, pair, count = g_new0 (guint64, 1));
          *count += word->count;
        }
    }
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      guint64 count = *(guint64 *) value;
      guint32 pair = GPOINTER_TO_UINT (key);

      if (count > most || (count == most && most > 1 && pair < *best))
        {
          most = count;
          *best = pair;
        }
    }
  return most > 1;
}

static void
merge (GArray *words, guint32 pair, guint16 id)
{
  for (guint w = 0; w < words->len; w++)
    {
      Word *word = &g_array_index (words, Word, w);
      guint n = 0;

      for (guint i = 0; i < word->n; i++)
        if (i + 1 < word->n && ((guint32) word->ids[i] << 16 | word->ids[i + 1]) == pair)
          {
            word->ids[n++] = id;
            i++;
          }
        else
          word->ids[n++] = word->ids[i];
      word->n = n;
    }
}

void
lk_bpe_trainer_run (LkBpeTrainer *self, const char *const *special, guint size, char ***tokens, char ***merges)
{
  g_autoptr (GArray) words = make_words (self);
  g_autoptr (GPtrArray) spelled = g_ptr_array_new ();  /* by id, without the specials; borrowed from out */
  g_autoptr (GPtrArray) out = g_ptr_array_new ();
  g_autoptr (GPtrArray) rules = g_ptr_array_new ();
  guint n_special = g_strv_length ((char **) special);
  guint32 pair = 0;

  for (guint i = 0; i < n_special; i++)
    g_ptr_array_add (out, g_strdup (special[i]));
  for (guint b = 0; b < 256; b++)
    {
      guint8 byte = (guint8) b;

      g_ptr_array_add (spelled, lk_byte_level_encode (&byte, 1));
      g_ptr_array_add (out, g_ptr_array_index (spelled, b));
    }
  while (out->len < MIN (size, G_MAXUINT16) && find_best (words, &pair))
    {
      const char *left = g_ptr_array_index (spelled, pair >> 16), *right = g_ptr_array_index (spelled, pair & 0xffff);

      g_ptr_array_add (rules, g_strdup_printf ("%s %s", left, right));
      merge (words, pair, (guint16) spelled->len);
      g_ptr_array_add (spelled, g_strconcat (left, right, NULL));
      g_ptr_array_add (out, g_ptr_array_index (spelled, spelled->len - 1));
    }
  g_ptr_array_add (out, NULL);
  g_ptr_array_add (rules, NULL);
  *tokens = (char **) g_ptr_array_free (g_steal_pointer (&out), FALSE);
  *merges = (char **) g_ptr_array_free (g_steal_pointer (&rules), FALSE);
}
