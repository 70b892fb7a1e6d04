/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dataset file. Every row is used or reported, and the split uses every row once.
 */
#include "lk-dataset.h"
#include "lk-fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = lk_fuzz_file ("rows.jsonl", data, size);
  GError *error = NULL;
  g_autoptr (LkDataset) dataset = lk_dataset_load (&path, 1, &error);
  g_autoptr (GArray) train = NULL, held_out = NULL;

  if (!dataset)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  g_assert_cmpuint (lk_dataset_get_n_rows (dataset), >, 0);
  for (guint i = 0; i < lk_dataset_get_n_rows (dataset); i++)
    {
      const LkRow *row = lk_dataset_get_row (dataset, i);

      g_assert_true (row->kind == LK_ROW_TEXT || row->messages);
      g_assert_true (row->kind == LK_ROW_MESSAGES || g_utf8_validate (row->text, -1, NULL));
    }
  for (guint i = 0; i < lk_dataset_get_n_problems (dataset); i++)
    g_assert_true (g_utf8_validate (lk_dataset_get_problem (dataset, i)->reason, -1, NULL));
  lk_dataset_split (dataset, 0.25, 2, 1, &train, &held_out);
  g_assert_cmpuint (train->len + held_out->len, ==, lk_dataset_get_n_rows (dataset));
  lk_fuzz_accepted (data, size);
  return 0;
}
