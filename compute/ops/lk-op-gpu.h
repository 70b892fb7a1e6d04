/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the operations' record functions share: building a dispatch, binding tensors that may be views, and
 * the one matrix product of the GPU (shaders/matmul.glsl, compute/gpu/lk-matmul-plan.h).
 */
#pragma once

#include "lk-backend-gpu.h"

G_BEGIN_DECLS

/* A dispatch of @kernel in the name of the node's operation; nothing bound. */
LkGpuDispatch lk_op_dispatch (const LkNode *node, LkKernel kernel);
/* Adds the next binding. A view may begin between the boundaries a device can bind at: then the binding
 * begins at the boundary before it, and the return value, where the view begins within it in bytes or floats,
 * goes to the kernel. */
guint64 lk_op_bind_bytes (LkGpuTask *task, LkGpuDispatch *dispatch, LkGpuSlice slice, LkGpuAccess access);
guint32 lk_op_bind_slice (LkGpuTask *task, LkGpuDispatch *dispatch, LkGpuSlice slice, LkGpuAccess access);
guint32 lk_op_bind (LkGpuTask *task, LkGpuDispatch *dispatch, LkTensorId id, LkGpuAccess access);
/* Work groups of @per_group elements for @n, at most as many as any device takes: kernels stride. */
guint32 lk_op_groups (guint64 n, guint per_group);
/* A dispatch's rows where one thread adds up all of them: llvmpipe leaves a kernel's loops after 65535 rounds and says nothing, and no device
 * should be kept from the screen for long. */
#define LK_OP_ROWS_A_DISPATCH 60000
/* Records @dispatch as often as @rows need it, each time for no more rows than that. @push begins with two uints, the first row and the one
 * behind the last, which are filled in here; @row_flops is one row's work. */
gboolean lk_op_record_rows (LkGpuTask *task, LkGpuDispatch *dispatch, guint32 *push, gsize push_size, guint32 groups_x, gint64 rows,
                            double row_flops, GError **error);
/* FALSE and LK_ERROR_UNSUPPORTED when shaders/quant has no file for @type, or, where the kernel cannot see what stands on a
 * matrix's side, the type has one. */
gboolean lk_op_check_type (LkType type, gboolean side, GError **error);
/* Bytes in which shaders/quant counts where rows of @type begin: 2, and 1 where blocks have an odd number of them. */
guint lk_op_row_unit (LkType type);
/* Records it with the push constants in @push; groups in direction z are the dispatch's own, at least one. bytes become the sum
 * of what is bound. */
gboolean lk_op_record (LkGpuTask *task, LkGpuDispatch *dispatch, gconstpointer push, gsize push_size,
                       guint32 groups_x, guint32 groups_y, double flops, GError **error);

/* Where dropout's mask falls; its numbers belong to the place in the float matrix it falls on. */
typedef enum
{
  LK_OP_DROPOUT_NONE,
  LK_OP_DROPOUT_A,       /* not with a_transposed */
  LK_OP_DROPOUT_B,       /* not with b_transposed */
  LK_OP_DROPOUT_PRODUCT,
} LkOpDropout;

/* Gradients of a sum of losses lie about here below activations; 16-bit floats hold both when those are raised by this
 * power of two, up to 1023 of a gradient. */
#define LK_OP_GRADIENT_SCALE 64.0f

/* What the number of rows in counts[0] − begin limits. */
typedef enum
{
  LK_OP_LIMIT_NONE,
  LK_OP_LIMIT_M,
  LK_OP_LIMIT_K,
} LkOpLimit;

/* A product of low rank that is added to another: C += alpha·strength·left·right, both dense float rows; left [m, rank], right
 * stored as the other's B is. */
typedef struct
{
  gint64 rank;
  LkGpuSlice left, right;
  float alpha;
  LkGpuSlice strength; /* one float */
} LkOpLowRank;

#define LK_OP_MOST_LOW 4

/* C[m, n] (=|+=) alpha·strength·op(A)[m, k]·op(B)[k, n]; C and A dense float rows. */
typedef struct
{
  gint64 m, n, k;
  LkGpuSlice a;
  gboolean a_transposed; /* stored [k, m] */
  LkGpuSlice b;          /* with its side behind the rows, where the type has one */
  LkType b_type;
  gboolean b_transposed; /* stored [n, k] */
  LkGpuSlice c;
  gboolean accumulate;
  float alpha;
  LkGpuSlice strength;   /* one float; no buffer: 1 */
  LkOpDropout dropout;
  float dropout_p;
  guint site;
  LkGpuSlice random;
  LkOpLimit limit;
  LkGpuSlice counts;
  guint32 counts_begin;
  LkGpuSlice scratch;    /* lk_matmul_plan_scratch() bytes, in which sides are unpacked and a long contraction is cut between work groups */
  LkOpLowRank low[LK_OP_MOST_LOW]; /* where n_low > 0 the product has no strength, dropout or limit of its own */
  guint n_low;
  float a_scale;         /* power of two A is multiplied by before it becomes 16-bit; 0: 1 */
} LkOpMatmul;

/* Cuts the product where B passes what one binding holds or the work passes what one dispatch may take. */
gboolean lk_op_matmul (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, GError **error);

G_END_DECLS
