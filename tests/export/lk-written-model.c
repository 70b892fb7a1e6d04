/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-written-model.h"

#include "lk-export.h"
#include "lk-file.h"
#include "lk-test-model.h"

static void
export_as (LkWrittenModel *self, const char *form, const char *type, const char *path)
{
  LkExport export = { .model = self->model, .backend = self->backend, .path = path, .type = type };
  g_autoptr (GError) error = NULL;

  lk_export_run (&export, lk_export_find_target (form, NULL), &error);
  g_assert_no_error (error);
}

void
lk_written_model_init (LkWrittenModel *self, const char *type)
{
  self->model = lk_test_model_open ();
  self->backend = lk_backend_new_cpu (2);
  self->folder = g_dir_make_tmp ("lorikeet-written-XXXXXX", NULL);
  self->hf = g_build_filename (self->folder, "hf", NULL);
  self->gguf = g_build_filename (self->folder, "model.gguf", NULL);
  if (!self->model)
    return;
  export_as (self, "hf", type, self->hf);
  export_as (self, "gguf", "F32", self->gguf);
}

void
lk_written_model_clear (LkWrittenModel *self)
{
  lk_remove_recursively (self->folder, NULL);
  g_clear_pointer (&self->backend, lk_backend_unref);
  g_clear_pointer (&self->model, lk_model_unref);
  g_free (self->folder);
  g_free (self->hf);
  g_free (self->gguf);
}
