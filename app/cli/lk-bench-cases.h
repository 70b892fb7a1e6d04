/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The operations of a training step, and those of writing answers, each as a small program of its own with made inputs: what “bench
 * kernels” measures.
 */
#pragma once

#include "lk-backend.h"
#include "lk-model-shape.h"

G_BEGIN_DECLS

/* Whose sizes the operations have. */
typedef struct
{
  const LkModelShape *shape;
  gint64 tokens; /* rows of a batch, one sequence */
  gint64 square; /* products of so many rows, columns and elements each sum; 0: the shape's */
} LkBenchSizes;

typedef struct _LkBenchCase LkBenchCase;
struct _LkBenchCase
{
  const char *name; /* "matmul" */
  gboolean typed;   /* measured with the weights in every type that can be made */
  LkType type;      /* of the weights otherwise; LK_TYPE_INVALID: there are none */
  /* Appends forward nodes (with what the backward half begins with) to @program. */
  gboolean (*build) (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error);
};

/* Ends with one without a name. */
const LkBenchCase *lk_bench_cases (void);
/* Forward and backward half. NULL with an error where the sizes are no whole number of blocks. (transfer full) */
LkProgram *lk_bench_case_build (const LkBenchCase *self, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error);

G_END_DECLS
