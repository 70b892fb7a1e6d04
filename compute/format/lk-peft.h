/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LoRA adapters as PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors (formats: f). What
 * this program does not do (DoRA, biases, saved modules, other methods) is refused by name rather than left out.
 */
#pragma once

#include "lk-safetensors.h"

G_BEGIN_DECLS

/* More is a damaged file or a slip of the hand. */
#define LK_LORA_MAX_RANK 4096

typedef struct
{
  guint r;
  double alpha, dropout;
  gboolean rslora;
  char **targets;     /* module names; NULL when the file holds a pattern */
  char *base_model;   /* what the file says; never opened by itself. NULL: nothing */
  const char *base_type; /* what the base's linear weights were held as while it was trained: metadata of the tensors' file,
                          * "lorikeet.base_type", borrowed; NULL: as stored, or not said */
} LkPeftConfig;

typedef struct
{
  char *path;               /* "model.layers.0.self_attn.q_proj" */
  const LkTensorInfo *a;    /* [r, in] */
  const LkTensorInfo *b;    /* [out, r] */
  guint r;
  double scale;             /* alpha/r or alpha/√r, with this module's own rank and alpha */
} LkPeftModule;

typedef struct _LkPeft LkPeft;

LkPeft *lk_peft_open (const char *folder, GError **error);
void lk_peft_free (LkPeft *self);
const LkPeftConfig *lk_peft_get_config (LkPeft *self);
guint lk_peft_get_n_modules (LkPeft *self);
const LkPeftModule *lk_peft_get_module (LkPeft *self, guint i);

/* One module to write. */
typedef struct
{
  const char *path;
  guint r;
  guint64 in, out;
  const float *a, *b;       /* r·in, out·r */
} LkPeftMatrices;

/* Writes the folder whole or not at all, over an older one. */
gboolean lk_peft_write (const char *folder, const LkPeftConfig *config, const LkPeftMatrices *modules, guint n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkPeft, lk_peft_free)

G_END_DECLS
