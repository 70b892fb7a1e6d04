/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the two ways of recording a matrix product share: lk-op-matmul.c unpacks B inside the product, lk-op-packed.c unpacks both
 * sides before it.
 */
#pragma once

#include "lk-matmul-plan.h"
#include "lk-op-gpu.h"

G_BEGIN_DECLS

/* Rows [begin, begin + n) of B as packed in its file. */
typedef struct
{
  gint64 begin, n;
} LkMatmulPart;

guint64 lk_op_matmul_row_bytes (const LkOpMatmul *product);
/* Rows of B's numbers begin where a kernel can read four at once; @ld and @offset as shaders/quant counts. */
gboolean lk_op_matmul_has_quads (LkType type, guint32 ld, guint32 offset);
/* Binds the rows of @part; returns where they begin in the binding, @first: units of B before the binding, wrapping. */
guint32 lk_op_matmul_bind_b (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product, const LkMatmulPart *part, guint32 *first);
/* Binds what stands on B's side, which all parts share; returns where it begins. */
guint32 lk_op_matmul_bind_side (LkGpuTask *task, LkGpuDispatch *d, const LkOpMatmul *product);
/* Adds up what the work groups of a contraction cut into @parts made; C is dense. */
gboolean lk_op_matmul_record_sum (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, LkGpuSlice partial, guint parts,
                                  guint32 c_offset, gboolean accumulate, GError **error);

/* Whether the product's sides are unpacked first: on matrix units, where it is large enough and its working memory allows it. */
gboolean lk_op_matmul_is_packed (LkGpuTask *task, const LkOpMatmul *product);
gboolean lk_op_matmul_packed (LkGpuTask *task, const LkNode *node, const LkOpMatmul *product, GError **error);

G_END_DECLS
