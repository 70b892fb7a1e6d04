/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernels: shaders/kernels.def lists each one once, the build compiles shaders/<name>.comp and embeds it.
 * A kernel becomes a pipeline for given specialization constants when it is first used, and is kept by the
 * device.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LK_GPU_MAX_BINDINGS 12
#define LK_GPU_MAX_CONSTANTS 18
#define LK_GPU_MAX_PUSH 128

typedef enum
{
#define LK_KERNEL(NAME, name, n_bindings, push_bytes) LK_KERNEL_##NAME,
#define LK_KERNEL_MATRIX LK_KERNEL
#include "kernels.def"
#undef LK_KERNEL
#undef LK_KERNEL_MATRIX
  LK_N_KERNELS
} LkKernel;

typedef struct
{
  const char *name;
  guint n_bindings; /* storage buffers 0 … n-1 of set 0 */
  guint push_bytes;
  const guint32 *code; /* SPIR-V */
  gsize code_bytes;
} LkKernelInfo;

/* Never NULL for a member of the enumeration. */
const LkKernelInfo *lk_kernel_info (LkKernel kernel);
/* FALSE for kernels that the compiler of this build did not know. */
gboolean lk_kernel_is_built (LkKernel kernel);

G_END_DECLS
