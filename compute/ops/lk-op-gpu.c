/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-op-gpu.h"

#include "lk-error.h"

#include <string.h>

/* Devices take 65535 work groups in each direction at least. */
#define MAX_GROUPS 65535

LkGpuDispatch
lk_op_dispatch (const LkNode *node, LkKernel kernel)
{
  return (LkGpuDispatch){ .kernel = kernel, .label = node->operation->name };
}

guint64
lk_op_bind_bytes (LkGpuTask *task, LkGpuDispatch *dispatch, LkGpuSlice slice, LkGpuAccess access)
{
  guint64 shift = slice.offset % lk_gpu_device_get_snapshot (task->device)->min_storage_buffer_alignment;

  slice.offset -= shift;
  slice.size += shift;
  slice.size += slice.size % 2; /* kernels read bytes in pairs */
  dispatch->bindings[dispatch->n_bindings].slice = slice;
  dispatch->bindings[dispatch->n_bindings].access = access;
  dispatch->n_bindings++;
  return shift;
}

guint32
lk_op_bind_slice (LkGpuTask *task, LkGpuDispatch *dispatch, LkGpuSlice slice, LkGpuAccess access)
{
  return (guint32) (lk_op_bind_bytes (task, dispatch, slice, access) / sizeof (float));
}

guint32
lk_op_bind (LkGpuTask *task, LkGpuDispatch *dispatch, LkTensorId id, LkGpuAccess access)
{
  return lk_op_bind_slice (task, dispatch, lk_gpu_task_slice (task, id), access);
}

guint32
lk_op_groups (guint64 n, guint per_group)
{
  return (guint32) MIN ((n + per_group - 1) / per_group, MAX_GROUPS);
}

gboolean
lk_op_check_type (LkType type, gboolean side, GError **error)
{
  static const LkType known[]
    = { LK_TYPE_F32,  LK_TYPE_F16,  LK_TYPE_BF16, LK_TYPE_Q4_0,   LK_TYPE_Q4_1,   LK_TYPE_Q5_0, LK_TYPE_Q5_1,     LK_TYPE_Q8_0, LK_TYPE_Q2_K,
        LK_TYPE_Q3_K, LK_TYPE_Q4_K, LK_TYPE_Q5_K, LK_TYPE_Q6_K,   LK_TYPE_IQ4_NL, LK_TYPE_IQ4_XS, LK_TYPE_TQ1_0, LK_TYPE_TQ2_0,
        LK_TYPE_MXFP4, LK_TYPE_NF4,  LK_TYPE_NF4_PLAIN };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (known[i] == type && (side || lk_type_info (type)->side_bytes == 0))
      return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "Weights of type %s cannot be used on a graphics card yet.", lk_type_name (type));
  return FALSE;
}

guint
lk_op_row_unit (LkType type)
{
  return lk_type_info (type)->block_bytes % 2 ? 1 : 2;
}

gboolean
lk_op_record (LkGpuTask *task, LkGpuDispatch *dispatch, gconstpointer push, gsize push_size, guint32 groups_x,
              guint32 groups_y, double flops, GError **error)
{
  if (push_size)
    memcpy (dispatch->push, push, push_size);
  dispatch->push_size = (guint) push_size;
  dispatch->groups[0] = groups_x;
  dispatch->groups[1] = groups_y;
  dispatch->groups[2] = MAX (dispatch->groups[2], 1);
  dispatch->flops = flops;
  dispatch->bytes = 0;
  for (guint i = 0; i < dispatch->n_bindings; i++)
    dispatch->bytes += (double) dispatch->bindings[i].slice.size;
  return lk_gpu_recorder_dispatch (task->recorder, dispatch, error);
}

gboolean
lk_op_record_rows (LkGpuTask *task, LkGpuDispatch *dispatch, guint32 *push, gsize push_size, guint32 groups_x, gint64 rows,
                   double row_flops, GError **error)
{
  for (gint64 first = 0; first < rows; first += LK_OP_ROWS_A_DISPATCH)
    {
      gint64 end = MIN (first + LK_OP_ROWS_A_DISPATCH, rows);

      push[0] = (guint32) first;
      push[1] = (guint32) end;
      if (!lk_op_record (task, dispatch, push, push_size, groups_x, 1, (double) (end - first) * row_flops, error))
        return FALSE;
    }
  return TRUE;
}
