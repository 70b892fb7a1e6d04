/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ready-made 4-bit checkpoints of bitsandbytes (formats: g.4): beside a weight's codes stand its scales, their tables and a JSON text
 * that describes them. Read as they are: the values are those bitsandbytes gives. What other quantisers wrote is refused by name.
 */
#include "lk-model-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-nf4.h"
#include "lk-nf4-state.h"

typedef struct
{
  LkTensorInfo codes, scales, nested, map, values; /* nested, map: with double quantisation */
  LkType type;
  float mean;
} LkStored;

static gboolean
fill (const LkVariable *variable, guint8 *to, gpointer data, GError **error)
{
  const LkStored *stored = data;
  guint64 begin = 0;
  float *side;

  lk_type_side_offset (variable->type, (guint64) variable->rows, (guint64) variable->cols, &begin);
  side = (float *) (void *) (to + begin);
  memset (to, 0, variable->bytes);
  memcpy (to, stored->codes.data, stored->codes.size);
  memcpy (side, stored->values.data, stored->values.size);
  if (stored->type == LK_TYPE_NF4_PLAIN)
    memcpy (side + LK_NF4_MAP, stored->scales.data, stored->scales.size);
  else
    {
      memcpy (side + LK_NF4_MAP, stored->map.data, stored->map.size);
      side[LK_NF4_MEAN] = stored->mean;
      for (gsize at = 0; at < stored->scales.size; at += LK_NF4_NESTED)
        {
          float *nest = side + LK_NF4_NESTS + at / LK_NF4_NESTED * 65;

          memcpy (nest, stored->nested.data + at / LK_NF4_NESTED * 4, 4);
          memcpy (nest + 1, stored->scales.data + at, MIN (LK_NF4_NESTED, stored->scales.size - at));
        }
    }
  lk_file_release (stored->codes.data, stored->codes.size);
  return TRUE;
}

/* The tensor @name + @suffix of @n elements. */
static gboolean
take (LkModel *self, const char *name, const char *suffix, LkType type, guint64 n, LkTensorInfo *out, GError **error)
{
  g_autofree char *whole = g_strconcat (name, suffix, NULL);
  const LkTensorInfo *info = _lk_model_lookup (self, whole);

  if (info && info->type == type && info->size == n * lk_type_info (type)->block_bytes)
    {
      *out = *info;
      return TRUE;
    }
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” must be %" G_GUINT64_FORMAT " elements of %s, and is %s", self->path, whole, n,
               lk_type_name (type), info ? "not" : "missing");
  return FALSE;
}

static gboolean
read_state (LkModel *self, const LkTensorInfo *info, gint64 rows, gint64 cols, gboolean nested, float *mean, GError **error)
{
  g_autofree char *source = g_strdup_printf ("%s: “%s”", self->path, info->name);
  LkNf4State state = { 0 };

  if (info->type == LK_TYPE_U8 && !lk_nf4_state_parse ((const char *) info->data, info->size, source, &state, error))
    return FALSE;
  *mean = (float) state.nested_offset;
  if (state.shape[0] == rows && state.shape[1] == cols && state.block == LK_NF4_BLOCK && (!nested || state.nested_block == LK_NF4_NESTED))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "%s must describe %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT " elements in blocks of %d (scales: of %d)", source, rows, cols,
               LK_NF4_BLOCK, LK_NF4_NESTED);
  return FALSE;
}

static gboolean
read_parts (LkModel *self, const char *name, gint64 rows, gint64 cols, LkStored *stored, GError **error)
{
  g_autofree char *nested_name = g_strconcat (name, ".nested_absmax", NULL);
  g_autofree char *state_name = g_strconcat (name, ".quant_state.bitsandbytes__nf4", NULL);
  const LkTensorInfo *state = _lk_model_lookup (self, state_name);
  gboolean nested = _lk_model_lookup (self, nested_name) != NULL;
  guint64 n = (guint64) rows * (guint64) cols, blocks = (n + LK_NF4_BLOCK - 1) / LK_NF4_BLOCK;

  if (!state)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                   "%s: “%s” is stored as U8 but is no NF4 of bitsandbytes (“%s” is missing); FP4 and other kinds cannot be read", self->path, name,
                   state_name);
      return FALSE;
    }
  stored->type = nested ? LK_TYPE_NF4 : LK_TYPE_NF4_PLAIN;
  return read_state (self, state, rows, cols, nested, &stored->mean, error)
         && take (self, name, "", LK_TYPE_U8, (n + 1) / 2, &stored->codes, error)
         && take (self, name, ".quant_map", LK_TYPE_F32, 16, &stored->values, error)
         && take (self, name, ".absmax", nested ? LK_TYPE_U8 : LK_TYPE_F32, blocks, &stored->scales, error)
         && (!nested
             || (take (self, name, ".nested_absmax", LK_TYPE_F32, (blocks + LK_NF4_NESTED - 1) / LK_NF4_NESTED, &stored->nested, error)
                 && take (self, name, ".nested_quant_map", LK_TYPE_F32, 256, &stored->map, error)));
}

LkVariable *
_lk_model_bitsandbytes (LkModel *self, const char *name, gint64 rows, gint64 cols, GError **error)
{
  LkStored stored = { .mean = 0 };
  LkVariable *variable;

  if (self->base_type != LK_TYPE_INVALID)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is stored as NF4 and cannot be held as %s", self->path, name,
                   lk_base_type_name (self->base_type));
      return NULL;
    }
  if (!read_parts (self, name, rows, cols, &stored, error))
    return NULL;
  variable = lk_variables_add (self->variables, name, LK_VARIABLE_WEIGHT, stored.type, rows, cols, error);
  if (!variable)
    return NULL;
  variable->fill = fill;
  variable->fill_data = g_memdup2 (&stored, sizeof stored);
  lk_variables_keep (self->variables, variable->fill_data, g_free);
  return variable;
}

/* quantization_config of config.json. */
gboolean
_lk_model_check_quantisation (LkModel *self, const char *source, GError **error)
{
  JsonObject *config = NULL;
  const char *method = NULL;
  gboolean eight = FALSE;

  if (!json_object_has_member (self->hf_config, "quantization_config") || json_object_get_null_member (self->hf_config, "quantization_config"))
    return TRUE;
  if (!lk_json_get_object (self->hf_config, "quantization_config", source, &config, error)
      || !lk_json_get_string (config, "quant_method", source, &method, error)
      || !lk_json_get_boolean (config, "load_in_8bit", source, &eight, error))
    return FALSE;
  if (g_strcmp0 (method, "bitsandbytes") == 0 && !eight)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "%s: the weights were quantised by %s%s, which cannot be read; take the model as it was published, in 16 bits, "
               "and hold it as nf4, or a GGUF of it",
               source, method ? method : "an unnamed method", eight ? " to 8 bits (LLM.int8)" : "");
  return FALSE;
}
