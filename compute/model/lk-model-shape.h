/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Models without files: the sizes of well-known ones as data, with weights that are made. What a run of such a model needs of memory and
 * time can be told without a download; it has neither tokenizer nor template.
 */
#pragma once

#include "lk-model.h"

G_BEGIN_DECLS

/* Sizes as their makers' config.json gives them. */
typedef struct
{
  const char *name;   /* "llama-3.1-8b" */
  const char *family; /* model_type */
  gint64 vocab, hidden, intermediate, layers, heads, kv_heads, head_dim, context;
  double rope_theta;
  gint64 window; /* of the layers that have one; 0: none has */
  gboolean tied;
} LkModelShape;

/* Ends with one without a name. */
const LkModelShape *lk_model_shapes (void);
/* NULL and an error that lists them for another name. */
const LkModelShape *lk_model_shape_find (const char *name, GError **error);
/* Linear weights as @linear, embedding and head as @table, the rest F32. Weights are made when a backend prepares them: normal numbers of
 * deviation 0.02, the same in each matrix; norms are 1. */
LkModel *lk_model_new_of_shape (const LkModelShape *shape, LkType linear, LkType table, GError **error);

/* A variable with such content: F32, or a type that can be quantised to. For measurements of single operations. */
LkVariable *lk_model_shape_add (LkVariables *variables, const char *name, LkVariableKind kind, LkType type, gint64 rows, gint64 cols,
                                GError **error);

G_END_DECLS
