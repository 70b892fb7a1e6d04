/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs one operation (or a few) as a program on a backend, with random inputs between guard bytes, and checks results:
 * one backend against the other, gradients against finite differences.
 */
#pragma once

#include "lk-backend.h"
#include "lk-ops.h"

G_BEGIN_DECLS

#define LK_CASE_MAX_INPUTS 12

/* Puts @view in the middle of a variable of its own, with guard bytes on both sides; before a backend prepares @variables. */
void lk_guard_add (LkVariables *variables, LkVariable *view);
/* Guard bytes around @view, zeros in it. */
void lk_guard_fill (LkVariable *view, LkBackend *backend);
/* Fails the test when one of @view's guard bytes was touched; @test is what the message calls it. */
void lk_guard_check (LkVariable *view, LkBackend *backend, const char *test);

typedef struct
{
  const char *name;
  LkType type;           /* F32, a block type (random values are quantised), or I32 */
  gint64 rows, cols;
  gboolean gradient;     /* F32 only: ask for it and compare it with finite differences */
  float scale;           /* of the random values; 0: 1 */
  const gint32 *values;  /* I32: its content */
} LkCaseInput;

typedef struct _LkCase LkCase;
struct _LkCase
{
  const char *name;
  LkCaseInput inputs[LK_CASE_MAX_INPUTS];
  /* Builds the operation; @in are the inputs' tensors. Returns the tensor whose random projection is the loss. */
  LkTensorId (*build) (LkProgram *program, const LkTensorId *in, const LkCase *self);
  double tolerance;      /* of finite differences, relative to the gradient's norm; 0: 2e-3 */
  double backend_tolerance; /* of one backend against the other, relative norm; 0: 1e-5 */
};

/* Runs forward and backward on @backend; fills @output (rows·cols of the result) and gradients of the inputs that ask. All
 * arrays are allocated here, freed with lk_case_result_clear. Fails the test when a guard byte was touched. */
typedef struct
{
  float *output;
  gsize n_output;
  float *gradients[LK_CASE_MAX_INPUTS];
  gsize n_gradients[LK_CASE_MAX_INPUTS];
} LkCaseResult;
void lk_case_run (const LkCase *self, LkBackend *backend, LkCaseResult *result);
void lk_case_result_clear (LkCaseResult *self);

/* Central differences of a sample of elements of each input that asks for a gradient. */
void lk_case_check_gradients (const LkCase *self, LkBackend *backend);
/* ‖a − b‖/‖b‖ of output and gradients. */
void lk_case_compare (const LkCase *self, LkBackend *a, LkBackend *b);

/* The table of cases: every operation, odd shapes. NULL name ends it. */
extern const LkCase lk_cases[];
/* Attention in the shapes that tell kernels for matrix units apart: for comparisons only. */
extern const LkCase lk_matrix_cases[];
/* One of them: of so many queries some see nothing. */
#define LK_GAP_CASE "attention with gaps"
#define LK_GAP_ROWS 150

static inline gboolean
lk_gap_row_is_empty (gint64 i)
{
  return i % 7 == 3;
}

/* More rows than a loop of a software device has rounds: for comparisons only, as differences drown in such sums. */
extern const LkCase lk_long_cases[];

G_END_DECLS
