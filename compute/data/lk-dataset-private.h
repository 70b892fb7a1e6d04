/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What reading a file puts into a dataset.
 */
#pragma once

#include "lk-dataset.h"

typedef struct
{
  char *path;
  const char *form; /* of most rows; static */
} LkDataFile;

struct _LkDataset
{
  gatomicrefcount ref_count;
  GArray *files, *rows, *problems; /* LkDataFile, LkRow, LkRowProblem */
  char *hash;
};

void _lk_row_clear (gpointer row);
/* Appends rows and problems of the file @index, whose content is @bytes. */
gboolean _lk_dataset_read_file (LkDataset *self, guint index, GBytes *bytes, GError **error);
