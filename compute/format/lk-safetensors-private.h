/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One safetensors file's header, parsed by a reader of our own: the header may be 100 MB, keys must not be there
 * twice, and a general JSON tree offers neither thrift nor that check.
 */
#pragma once

#include "lk-safetensors.h"

G_BEGIN_DECLS

#define LK_SAFETENSORS_MAX_HEADER 100000000u
#define LK_SAFETENSORS_MAX_TENSORS (1u << 18)
#define LK_SAFETENSORS_MAX_SHARDS 4096u
#define LK_SAFETENSORS_MAX_INDEX (64u << 20) /* bytes */

typedef struct
{
  char *path;
  GArray *tensors;      /* of LkTensorInfo, in the order of their data; names owned */
  GHashTable *metadata; /* char* → char* */
} LkSafetensorsPart;

/* @bytes must stay alive as long as the part. */
LkSafetensorsPart *lk_safetensors_part_parse (GBytes *bytes, const char *path, GError **error);
void lk_safetensors_part_free (LkSafetensorsPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkSafetensorsPart, lk_safetensors_part_free)

/* Element types by their name in the file. */
typedef struct
{
  const char *name;
  LkType type; /* LK_TYPE_INVALID: well known, but not read */
  guint bits;
} LkSafetensorsType;

const LkSafetensorsType *lk_safetensors_type_from_name (const char *name);
/* NULL when the type cannot be written. */
const LkSafetensorsType *lk_safetensors_type_from_type (LkType type);

G_END_DECLS
