/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How many rows, how long, and what is wrong with how many.
 */
#include "lk-row-store-private.h"

#define LK_LENGTH_MOST ((gint64) 1 << 40) /* beyond what a row can hold: only damaged files say more */

static gboolean
lk_store_count (LkRowStore *self, const LkRowFilter *filter, LkRowStats *stats, GError **error)
{
  g_autoptr (LkStatement) statement = _lk_store_prepare (
      self,
      "SELECT count(*), total(problems & 3 != 0), total(excluded != 0 AND problems & 3 = 0), total(edited IS NOT NULL), total(" LK_SQL_USED "), "
      "total(" LK_SQL_USED " AND tokens > ?1 AND first < ?1), total(" LK_SQL_USED " AND tokens IS NOT NULL AND first >= ?1), "
      "total(" LK_SQL_USED " AND tokens IS NOT NULL), total(iif(" LK_SQL_USED ", tokens, 0)), total(iif(" LK_SQL_USED ", targets, 0)), "
      "total(excluded = 0 AND problems & 1), total(excluded = 0 AND problems & 2), total(excluded = 0 AND problems & 4), "
      "total(excluded = 0 AND problems & 8), total(excluded = 0 AND problems & 16), total(excluded = 0 AND problems & 32) FROM rows",
      error);
  gint64 *const slots[] = { &stats->rows,   &stats->unusable, &stats->excluded, &stats->edited, &stats->used,
                            &stats->cut,    &stats->lost,     &stats->counted,  &stats->tokens, &stats->targets };
  gboolean row = FALSE;

  if (!statement)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, filter->limit);
  if (!_lk_store_step (self, statement, &row, error) || !row)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (slots); i++)
    *slots[i] = sqlite3_column_int64 (statement, (int) i);
  for (guint i = 0; i < lk_n_row_flags; i++)
    stats->of_flag[i] = sqlite3_column_int64 (statement, (int) (G_N_ELEMENTS (slots) + i));
  return TRUE;
}

static int
lk_compare_lengths (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

/* A round number of 1, 2 or 5 with zeros, so that LK_LENGTH_BINS of them reach @most. */
static gint64
lk_bin_width (gint64 most)
{
  gint64 power = 1;

  while (TRUE)
    {
      static const gint64 steps[] = { 1, 2, 5 };

      for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
        if (steps[i] * power * LK_LENGTH_BINS > most)
          return steps[i] * power;
      power *= 10;
    }
}

/* The last bin takes the longest hundredth with it, so that one long row does not press all others into the first. */
static void
lk_store_bins (LkRowStats *stats, const gint64 *lengths, guint n)
{
  gint64 most = n ? lengths[(guint) ((double) (n - 1) * 0.99)] : 0;

  stats->bin_width = lk_bin_width (most);
  for (guint i = 0; i < n; i++)
    stats->bins[MIN (lengths[i] / stats->bin_width, LK_LENGTH_BINS - 1)]++;
}

gint64
lk_length_of_percent (const gint64 *lengths, guint n, guint percent)
{
  return lengths[((guint64) n * percent + 99) / 100 - 1];
}

static gboolean
lk_store_lengths (LkRowStore *self, LkRowStats *stats, GError **error)
{
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (LkStatement) statement = NULL;
  const gint64 *v;
  gboolean row = TRUE;

  stats->in_tokens = stats->used > 0 && stats->counted == stats->used;
  statement = _lk_store_prepare (self,
                                 stats->in_tokens ? "SELECT tokens FROM rows WHERE " LK_SQL_USED
                                                  : "SELECT characters FROM rows WHERE " LK_SQL_USED,
                                 error);
  while (statement && row)
    {
      gint64 length;

      if (!_lk_store_step (self, statement, &row, error))
        return FALSE;
      length = row ? CLAMP (sqlite3_column_int64 (statement, 0), 0, LK_LENGTH_MOST) : 0;
      if (row)
        g_array_append_val (lengths, length);
    }
  g_array_sort (lengths, lk_compare_lengths);
  v = (const gint64 *) (void *) lengths->data;
  if (lengths->len > 0)
    {
      stats->shortest = v[0];
      stats->median = lk_length_of_percent (v, lengths->len, 50);
      stats->p95 = lk_length_of_percent (v, lengths->len, 95);
      stats->longest = v[lengths->len - 1];
    }
  lk_store_bins (stats, v, lengths->len);
  return statement != NULL;
}

gboolean
lk_row_store_measure (LkRowStore *self, const LkRowFilter *filter, LkRowStats *stats, GError **error)
{
  LkRowFilter held_out = { .set = LK_ROWS_HELD_OUT, .fraction = filter->fraction, .seed = filter->seed };
  g_autoptr (GArray) ids = NULL;

  *stats = (LkRowStats){ 0 };
  if (!lk_store_count (self, filter, stats, error) || !lk_store_lengths (self, stats, error))
    return FALSE;
  ids = filter->fraction > 0 ? lk_row_store_find (self, &held_out, NULL, error) : NULL;
  stats->held_out = ids ? ids->len : 0;
  return ids || filter->fraction <= 0;
}
