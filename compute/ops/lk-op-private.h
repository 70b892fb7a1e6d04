/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared by the operation files.
 */
#pragma once

#include <math.h>
#include <string.h>

#include "lk-backend-cpu.h"
#include "lk-backend-gpu.h"
#include "lk-cpu-gemm.h"
#include "lk-ops.h"

/* Bytes of all inputs and outputs once: the least a node moves. */
static inline double
lk_node_bytes (LkProgram *program, const LkNode *node)
{
  double bytes = 0;

  for (guint i = 0; i < node->n_in; i++)
    if (node->in[i])
      bytes += (double) lk_program_get_tensor (program, node->in[i])->bytes;
  for (guint i = 0; i < node->n_out; i++)
    if (node->out[i])
      bytes += (double) lk_program_get_tensor (program, node->out[i])->bytes;
  return bytes;
}

/* A cost of @per_element operations for each element of output 0. */
static inline void
lk_cost_elementwise (LkProgram *program, const LkNode *node, double per_element, LkCost *cost)
{
  LkTensor *out = lk_program_get_tensor (program, node->out[0] ? node->out[0] : node->out[1]);

  cost->flops = per_element * (double) out->rows * (double) out->cols;
  cost->bytes = lk_node_bytes (program, node);
}

static inline LkTensor *
lk_task_tensor (LkCpuTask *task, LkTensorId id)
{
  return lk_program_get_tensor (task->program, id);
}

/* Rows a chunk, so that a chunk is some 64 KiB of floats. */
static inline gint64
lk_row_grain (gint64 cols)
{
  return MAX (1, 16384 / MAX (cols, 1));
}
