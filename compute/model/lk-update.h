/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The optimizer as a program: gradient norm, clipping, AdamW over flat parameters, gradients cleared. One read-back.
 */
#pragma once

#include "lk-backend.h"

G_BEGIN_DECLS

typedef struct
{
  double learning_rate, beta1, beta2, eps, weight_decay;
  double max_norm;    /* 0: no clipping */
  gint64 step;        /* 1, 2, … */
  double n_targets;   /* gradients are sums; they are divided by this */
} LkUpdateInput;

typedef struct _LkUpdate LkUpdate;
struct _LkUpdate
{
  LkProgram *program;
  LkVariable *hyper;   /* F32 input */
  LkVariable *m, *v;   /* flat moments, F32 */
  LkVariable *norm;    /* F32 [1, 2]: gradient norm before clipping; 1 when it was finite and the update applied, else 0 */
};

/* torch's AdamW: decoupled decay p·(1 − lr·wd) on the first @n_decayed elements. A non-finite norm changes nothing but
 * clears the gradients. */
LkUpdate *lk_update_new (LkVariables *variables, const char *name, LkVariable *parameters, LkVariable *gradients, gint64 n_decayed);
void lk_update_free (LkUpdate *self);
gboolean lk_update_write (LkUpdate *self, LkBackend *backend, const LkUpdateInput *input, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkUpdate, lk_update_free)

G_END_DECLS
