/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dataset file that is a table, by the first byte with tabs or as CSV. Every record is used or reported.
 */
#include "lk-dataset.h"
#include "lk-fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = lk_fuzz_file (size && data[0] == '\t' ? "rows.tsv" : "rows.csv", data, size);
  GError *error = NULL;
  g_autoptr (LkDataset) dataset = lk_dataset_load (&path, 1, &error);

  if (!dataset)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  g_assert_cmpuint (lk_dataset_get_n_rows (dataset), >, 0);
  for (guint i = 0; i < lk_dataset_get_n_problems (dataset); i++)
    g_assert_true (g_utf8_validate (lk_dataset_get_problem (dataset, i)->reason, -1, NULL));
  lk_fuzz_accepted (data, size);
  return 0;
}
