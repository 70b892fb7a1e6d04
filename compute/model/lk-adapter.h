/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LoRA: y = W·x + strength · (alpha/r) · B·(A·dropout(x)) on chosen linear layers. A and B of all modules lie in one flat
 * variable (so that norm and optimizer are one pass), each as a view.
 */
#pragma once

#include "lk-backend.h"
#include "lk-model.h"

G_BEGIN_DECLS

typedef struct
{
  guint rank;
  double alpha;
  gboolean rslora;        /* scale alpha/√r instead of alpha/r */
  double dropout;
  const char *const *targets; /* module names ("q_proj"), path suffixes, or globs with *; each must meet a layer; NULL: all linear layers */
  guint64 seed;           /* of A: U(−1/√in, 1/√in); B is zero */
} LkAdapterConfig;

typedef struct
{
  guint layer;
  LkLinearRole role;
  guint rank;
  double scale;           /* alpha/r or alpha/√r */
  LkVariable *a;          /* [rank, in] */
  LkVariable *b;          /* [out, rank] */
} LkAdapterModule;

typedef struct _LkAdapter LkAdapter;

/* @name prefixes its variables; unique in the model. With @trainable gradients get variables too. No module matched:
 * error naming the pattern and the module names there are. Call lk_backend_prepare afterwards. */
LkAdapter *lk_adapter_new (LkModel *model, const char *name, const LkAdapterConfig *config, GError **error);
/* A file named as GGUF files are, in letters of whatever size. */
gboolean lk_adapter_is_gguf (const char *path);
/* From a PEFT folder, or an adapter as a GGUF file. Wrong shapes or modules: "adapter for another model", naming the tensor. */
LkAdapter *lk_adapter_load (LkModel *model, const char *name, const char *folder, gboolean trainable, GError **error);
LkAdapter *lk_adapter_ref (LkAdapter *self);
void lk_adapter_unref (LkAdapter *self);

const char *lk_adapter_get_name (LkAdapter *self);
guint lk_adapter_get_n_modules (LkAdapter *self);
const LkAdapterModule *lk_adapter_get_module (LkAdapter *self, guint i);
const LkAdapterModule *lk_adapter_find (LkAdapter *self, guint layer, LkLinearRole role); /* NULL: not adapted */
double lk_adapter_get_dropout (LkAdapter *self);
/* Of programs made from now on. What is measured without chance needs 0, whatever the file says. */
void lk_adapter_set_dropout (LkAdapter *self, double dropout);
gint64 lk_adapter_get_n_parameters (LkAdapter *self);
LkVariable *lk_adapter_get_parameters (LkAdapter *self); /* flat [1, n] */
LkVariable *lk_adapter_get_gradients (LkAdapter *self);  /* flat [1, n]; NULL unless trainable */
LkVariable *lk_adapter_get_strength (LkAdapter *self);   /* [1, 1] input, starts at 1; 0 switches it off */
/* Writes a PEFT folder with the values @backend holds, whole or not at all. */
gboolean lk_adapter_save (LkAdapter *self, LkBackend *backend, const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkAdapter, lk_adapter_unref)

G_END_DECLS
