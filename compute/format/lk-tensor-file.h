/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What GGUF and safetensors files have in common: named tensors in mapped memory.
 */
#pragma once

#include <gio/gio.h>

#include "lk-type.h"

G_BEGIN_DECLS

#define LK_MAX_DIMS 4

typedef struct
{
  const char *name;             /* owned by the file */
  LkType type;                  /* LK_TYPE_INVALID in safetensors: a type we do not read (F8_E4M3 …) */
  guint n_dims;                 /* 0 in safetensors: a scalar, one element */
  guint64 shape[LK_MAX_DIMS];   /* outermost first, as PyTorch prints it: a linear layer is [out, in] */
  const guint8 *data;           /* mapped; valid as long as the file; may be unaligned in safetensors */
  gsize size;                   /* bytes; always the checked product of shape and type; inside the file */
  guint64 offset;               /* absolute, in its file: for messages */
} LkTensorInfo;

G_END_DECLS
