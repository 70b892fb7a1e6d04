/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-model-shape.h"

#include <string.h>

#include "lk-error.h"
#include "lk-model-private.h"
#include "lk-nf4.h"
#include "lk-quant.h"
#include "lk-random.h"

#define LK_SHAPE_TILE 65536 /* elements made once and repeated; whole blocks of any type */
#define LK_SHAPE_DEVIATION 0.02f
#define LK_SHAPE_EPS 1e-5

static const LkModelShape shapes[] = {
  { "lorikeet-tiny", "llama", 2048, 256, 768, 4, 4, 2, 64, 512, 10000, 0, TRUE },
  { "smollm2-135m", "llama", 49152, 576, 1536, 30, 9, 3, 64, 8192, 100000, 0, TRUE },
  { "llama-3.2-1b", "llama", 128256, 2048, 8192, 16, 32, 8, 64, 131072, 500000, 0, TRUE },
  { "llama-3.2-3b", "llama", 128256, 3072, 8192, 28, 24, 8, 128, 131072, 500000, 0, TRUE },
  { "llama-2-7b", "llama", 32000, 4096, 11008, 32, 32, 32, 128, 4096, 10000, 0, FALSE },
  { "llama-3.1-8b", "llama", 128256, 4096, 14336, 32, 32, 8, 128, 131072, 500000, 0, FALSE },
  { "llama-3.1-70b", "llama", 128256, 8192, 28672, 80, 64, 8, 128, 131072, 500000, 0, FALSE },
  { "qwen2.5-7b", "qwen2", 152064, 3584, 18944, 28, 28, 4, 128, 32768, 1000000, 0, FALSE },
  { "gemma-2-9b", "gemma2", 256000, 3584, 14336, 42, 16, 8, 256, 8192, 10000, 4096, TRUE },
  { NULL },
};

const LkModelShape *
lk_model_shapes (void)
{
  return shapes;
}

const LkModelShape *
lk_model_shape_find (const char *name, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (const LkModelShape *shape = shapes; shape->name; shape++)
    {
      if (g_ascii_strcasecmp (shape->name, name) == 0)
        return shape;
      g_string_append_printf (known, "%s%s", known->len ? ", " : "", shape->name);
    }
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "There is no shape “%s”; there are %s", name, known->str);
  return NULL;
}

/* LK_SHAPE_TILE normal numbers. (transfer full) */
static float *
lk_shape_tile (void)
{
  float *values = g_new (float, LK_SHAPE_TILE);
  LkRandom random = lk_random (1, 0x5368);

  for (guint i = 0; i < LK_SHAPE_TILE; i++)
    values[i] = LK_SHAPE_DEVIATION * lk_random_normal (&random);
  return values;
}

static void
lk_shape_repeat (guint8 *to, guint64 size, const guint8 *tile, guint64 tile_size)
{
  for (guint64 at = 0; at < size; at += tile_size)
    memcpy (to + at, tile, MIN (tile_size, size - at));
}

static void
lk_shape_fill_nf4 (const LkVariable *variable, guint8 *to, const float *values)
{
  guint64 n = (guint64) (variable->rows * variable->cols), blocks = (n + LK_NF4_BLOCK - 1) / LK_NF4_BLOCK, side = 0;
  g_autofree guint8 *codes = g_malloc (LK_SHAPE_TILE / 2);
  g_autofree float *scales = g_new (float, blocks);

  for (guint64 b = 0; b < blocks; b++)
    {
      guint64 first = b * LK_NF4_BLOCK % LK_SHAPE_TILE;

      scales[b] = b < LK_SHAPE_TILE / LK_NF4_BLOCK ? lk_nf4_quantise_block (values + first, LK_NF4_BLOCK, codes + first / 2)
                                                   : scales[first / LK_NF4_BLOCK];
    }
  lk_type_side_offset (variable->type, (guint64) variable->rows, (guint64) variable->cols, &side);
  lk_shape_repeat (to, MIN (side, (n + 1) / 2), codes, LK_SHAPE_TILE / 2);
  lk_nf4_quantise_scales (scales, blocks, to + side);
}

/* @data: the tile. */
static gboolean
lk_shape_fill (const LkVariable *variable, guint8 *to, gpointer data, GError **error)
{
  const LkTypeInfo *type = lk_type_info (variable->type);
  gsize size = LK_SHAPE_TILE / type->block_elements * type->block_bytes;
  g_autofree guint8 *blocks = NULL;

  if (variable->type == LK_TYPE_NF4)
    {
      lk_shape_fill_nf4 (variable, to, data);
      return TRUE;
    }
  blocks = g_malloc (size);
  lk_quant_info (variable->type)->quantise (data, blocks, LK_SHAPE_TILE);
  lk_shape_repeat (to, variable->bytes, blocks, size);
  return TRUE;
}

static gboolean
lk_shape_fill_norm (const LkVariable *variable, guint8 *to, gpointer data, GError **error)
{
  float *values = (float *) (void *) to;

  for (gint64 i = 0; i < variable->cols; i++)
    values[i] = *(const float *) data;
  return TRUE;
}

LkVariable *
_lk_model_shape_tensor (LkModel *self, const char *name, gint role, gboolean norm, gint64 rows, gint64 cols, GError **error)
{
  static const float one = 1, zero = 0;
  LkType type = rows == 1 ? LK_TYPE_F32 : role >= 0 ? self->shape_linear : self->shape_table;
  LkVariable *variable = lk_variables_add (self->variables, name, LK_VARIABLE_WEIGHT, type, rows, cols, error);

  if (!variable || (rows == 1 && !norm)) /* biases are zeros */
    return variable;
  variable->fill = norm ? lk_shape_fill_norm : lk_shape_fill;
  variable->fill_data = norm ? (gpointer) (self->config.family->norm_plus_one ? &zero : &one) : self->shape_tile;
  return variable;
}

static gboolean
lk_shape_check_type (LkType type, GError **error)
{
  if (type == LK_TYPE_NF4 || (lk_quant_info (type) && lk_quant_info (type)->quantise))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "Weights of the type %s cannot be made", lk_type_name (type));
  return FALSE;
}

LkVariable *
lk_model_shape_add (LkVariables *variables, const char *name, LkVariableKind kind, LkType type, gint64 rows, gint64 cols, GError **error)
{
  LkVariable *variable;

  if (!lk_shape_check_type (type, error))
    return NULL;
  variable = lk_variables_add (variables, name, kind, type, rows, cols, error);
  if (!variable)
    return NULL;
  variable->fill = lk_shape_fill;
  variable->fill_data = lk_shape_tile ();
  lk_variables_keep (variables, variable->fill_data, g_free);
  return variable;
}

static void
lk_shape_configure (LkModel *self, const LkModelShape *shape)
{
  LkModelConfig *c = &self->config;

  c->family = lk_family_from_hf (shape->family);
  c->name = g_strdup (shape->name);
  c->vocab = shape->vocab;
  c->hidden = shape->hidden;
  c->intermediate = shape->intermediate;
  c->layers = shape->layers;
  c->heads = shape->heads;
  c->kv_heads = shape->kv_heads;
  c->head_dim = c->rotary_dim = shape->head_dim;
  c->context = shape->context;
  c->window = shape->window;
  c->norm_eps = LK_SHAPE_EPS;
  c->tied = shape->tied;
  c->attention_cap = c->family->default_attention_cap;
  c->final_cap = c->family->default_final_cap;
  c->attention_scale = lk_family_gguf_scale (c->family, c->layers, c->hidden, c->heads, c->head_dim);
  lk_rope_config_init (&c->rope, shape->rope_theta);
  lk_rope_config_init (&c->window_rope, c->family->window_rope_theta);
  c->rope.original_context = c->context;
  _lk_model_set_windows (self, c->family->full_every);
}

LkModel *
lk_model_new_of_shape (const LkModelShape *shape, LkType linear, LkType table, GError **error)
{
  g_autoptr (LkModel) self = NULL;

  if (!lk_shape_check_type (linear, error) || !lk_shape_check_type (table, error))
    return NULL;
  self = _lk_model_alloc (shape->name);
  self->shape_linear = linear;
  self->shape_table = table;
  self->shape_tile = lk_shape_tile ();
  lk_variables_keep (self->variables, self->shape_tile, g_free);
  lk_shape_configure (self, shape);
  return _lk_model_check_config (self, error) && _lk_model_bind_weights (self, error) ? g_steal_pointer (&self) : NULL;
}
