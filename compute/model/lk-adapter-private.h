/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "lk-adapter.h"
#include "lk-tensor-file.h"

struct _LkAdapter
{
  gatomicrefcount ref_count;
  LkModel *model;
  char *name;
  GArray *modules;         /* of LkAdapterModule */
  gint *find;              /* layer·LK_N_LINEAR + role → index in modules, −1 */
  LkAdapterConfig config;  /* targets not kept */
  LkVariable *parameters, *gradients, *strength;
  gint64 n_parameters;
};

/* One matrix of @path into its @view of the flat @values. FALSE: a value of it is no number. */
gboolean _lk_adapter_read_half (float *values, const LkVariable *view, const LkTensorInfo *info, const char *path, GError **error);
/* lk_adapter_load of a GGUF file. */
LkAdapter *_lk_adapter_load_gguf (LkModel *model, const char *name, const char *path, gboolean trainable, GError **error);
LkAdapter *_lk_adapter_alloc (LkModel *model, const char *name);
void _lk_adapter_add_module (LkAdapter *self, guint layer, LkLinearRole role, guint rank, double scale);
/* After all modules are known: the flat variables and a view for each matrix. */
void _lk_adapter_allocate (LkAdapter *self, gboolean trainable);
/* Initial content of the flat variable, zeros; views lie in it at their base_offset. The variable set keeps it. */
float *_lk_adapter_initial (LkAdapter *self);
