/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by the passes over a program: gradients, memory plan, backends.
 */
#pragma once

#include "lk-program.h"

struct _LkProgram
{
  gatomicrefcount ref_count;
  char *name;
  LkVariables *variables;
  GPtrArray *tensors;       /* of LkTensor, [0] NULL */
  GArray *nodes;            /* of LkNode */
  GHashTable *by_variable;  /* LkVariable → id */
  GHashTable *seeds;        /* tensor → gradient already made in the forward pass */
  gint layer;
};

void _lk_gradients_set_copy (void (*builder) (LkProgram *program, LkTensorId from, LkTensorId to, gboolean add));
