/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-gguf-recipe.h"

#include "lk-family.h"

enum
{
  RULE_NONE,
  RULE_MORE,  /* Q4_K_M, Q5_K_M */
  RULE_FIRST, /* Q4_K_S */
};

#define SAME(id, number)                                                                                     \
  {                                                                                                          \
#id, number, LK_TYPE_##id, LK_TYPE_##id, LK_TYPE_##id, RULE_NONE                                                       \
  }
#define WITH_HEAD(id, number)                                                                                \
  {                                                                                                          \
#id, number, LK_TYPE_##id, LK_TYPE_Q6_K, LK_TYPE_##id, RULE_NONE                                                       \
  }

static const LkGgufRecipe recipes[] = {
  SAME (F16, 1),
  SAME (F32, 0),
  SAME (BF16, 32),
  SAME (Q8_0, 7),
  WITH_HEAD (Q4_0, 2),
  WITH_HEAD (Q4_1, 3),
  WITH_HEAD (Q5_0, 8),
  WITH_HEAD (Q5_1, 9),
  { "Q4_K_S", 14, LK_TYPE_Q4_K, LK_TYPE_Q6_K, LK_TYPE_Q5_K, RULE_FIRST },
  { "Q4_K_M", 15, LK_TYPE_Q4_K, LK_TYPE_Q6_K, LK_TYPE_Q6_K, RULE_MORE },
  { "Q5_K_S", 16, LK_TYPE_Q5_K, LK_TYPE_Q6_K, LK_TYPE_Q5_K, RULE_NONE },
  { "Q5_K_M", 17, LK_TYPE_Q5_K, LK_TYPE_Q6_K, LK_TYPE_Q6_K, RULE_MORE },
  SAME (Q6_K, 18),
};

const LkGgufRecipe *
lk_gguf_recipe_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (recipes); i++)
    if (g_ascii_strcasecmp (recipes[i].name, name) == 0)
      return &recipes[i];
  return NULL;
}

const char *const *
lk_gguf_recipe_names (void)
{
  static const char *names[G_N_ELEMENTS (recipes) + 1];

  for (guint i = 0; i < G_N_ELEMENTS (recipes); i++)
    names[i] = recipes[i].name;
  return names;
}

/* What stands in when a row is not a whole number of blocks. */
static LkType
fall_back (LkType type, gint64 cols)
{
  static const struct
  {
    LkType from, to;
  } steps[] = {
    { LK_TYPE_Q4_K, LK_TYPE_Q5_0 },
    { LK_TYPE_Q5_K, LK_TYPE_Q5_1 },
    { LK_TYPE_Q6_K, LK_TYPE_Q8_0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (type == steps[i].from && cols % lk_type_info (type)->block_elements != 0)
      type = steps[i].to;
  return cols % lk_type_info (type)->block_elements == 0 ? type : LK_TYPE_F16;
}

static gboolean
wants_more (const LkGgufRecipe *self, const LkModelTensor *tensor, gint64 n)
{
  gint64 i = tensor->layer;
  gboolean v = tensor->role == LK_LINEAR_V || tensor->role == LK_LINEAR_QKV;

  if (!v && tensor->role != LK_LINEAR_DOWN)
    return FALSE;
  if (self->rule == RULE_MORE)
    return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
  return self->rule == RULE_FIRST && i < (v ? 4 : n / 8);
}

/* The models that llama-quantize takes for one of 70 billion weights, by their layers: in those eight heads share a v, so that more bits
 * of it cost little. */
static gboolean
is_70b (const LkModelConfig *config)
{
  static const struct
  {
    const char *architecture;
    gboolean shared; /* with as many v as heads it is one of 65 billion */
  } table[] = { { "llama", TRUE }, { "qwen2", FALSE } };

  for (guint i = 0; config->layers == 80 && i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (config->family->gguf_architecture, table[i].architecture))
      return !table[i].shared || config->heads != config->kv_heads;
  return FALSE;
}

LkType
lk_gguf_recipe_type (const LkGgufRecipe *self, const LkModelConfig *config, const LkModelTensor *tensor)
{
  gint64 cols = tensor->variable->cols;
  gboolean head
      = g_str_equal (tensor->gguf_name, config->tied ? lk_embedding_names.gguf : lk_head_names.gguf);

  if (tensor->variable->rows == 1)
    return LK_TYPE_F32;
  if (head)
    return cols % lk_type_info (self->base)->block_elements ? fall_back (LK_TYPE_Q8_0, cols)
                                                            : fall_back (self->head, cols);
  if (wants_more (self, tensor, config->layers))
    return fall_back (self->more, cols);
  if (tensor->role == LK_LINEAR_V && self->base == LK_TYPE_Q4_K && is_70b (config))
    return fall_back (LK_TYPE_Q5_K, cols);
  return fall_back (self->base, cols);
}
