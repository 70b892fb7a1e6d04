/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What each use of a model would need of memory: to chat with it, and to fine-tune it as each method does that this engine has.
 */
#pragma once

#include "lk-generator.h"
#include "lk-trainer.h"

G_BEGIN_DECLS

/* QLoRA trains an adapter on weights of few bits, LoRA one on 16 or 32; there is no LoRA of a file that is quantised. */
typedef struct
{
  const char *name; /* "chat", "qlora", "lora" */
  guint64 total_bytes, in_place_bytes;
  gboolean fits;
} LkEstimateMethod;

/* Opens the model, its weights as @base_type. (transfer full) */
typedef LkModel *(*LkEstimateOpen) (LkType base_type, GError **error);

/* Of the recipe's settings but for the form of the weights, which a method decides; @limit: bytes that may be allocated.
 * NULL and @error where the model cannot be used. (transfer full) (element-type LkEstimateMethod) */
GArray *lk_estimate_methods (LkEstimateOpen open, const LkRecipe *recipe, LkBackend *backend, guint64 limit, GError **error);

G_END_DECLS
