/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The adapter alone, as PEFT keeps it.
 */
#include "lk-error.h"
#include "lk-export-private.h"

gboolean
lk_export_check_adapter (const LkExport *self, GError **error)
{
  if (!self->adapter)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "There is no adapter to export");
  return self->adapter != NULL;
}

guint64
lk_export_adapter_bytes (const LkExport *self)
{
  return (guint64) lk_adapter_get_n_parameters (self->adapter) * sizeof (float) + (1 << 16);
}

static gboolean
write_adapter (const LkExport *self, GError **error)
{
  return lk_export_go_on (self, 0, "Writing the adapter", error)
         && lk_adapter_save (self->adapter, self->backend, self->path, error)
         && lk_export_go_on (self, 1, "Written", error);
}

const LkExportTarget lk_export_adapter = {
  .name = "adapter",
  .label = "Adapter for PEFT",
  .folder = TRUE,
  .check = lk_export_check_adapter,
  .size = lk_export_adapter_bytes,
  .write = write_adapter,
};
