/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Adapters from GGUF files, as llama.cpp's --lora takes them: tensors NAME.lora_a [rank, in] and NAME.lora_b [out, rank] for the matrix
 * NAME of the base, the scale alpha/rank with one alpha for all. Rows of B lie as the base's rows do in a GGUF file.
 */
#include "lk-adapter-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-family.h"
#include "lk-gguf.h"
#include "lk-peft.h"
#include "lk-quant.h"

typedef struct
{
  const LkTensorInfo *a, *b;
} Pair;

static gboolean
check_word (LkGguf *gguf, const char *key, const char *wanted, const char *what, GError **error)
{
  const char *found = NULL;

  if (!lk_gguf_get_string (gguf, key, &found, error))
    return FALSE;
  if (g_strcmp0 (found, wanted) == 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: %s: “%s” is “%s”, not “%s”", lk_gguf_get_path (gguf), what, key,
               found ? found : "missing", wanted);
  return FALSE;
}

static gboolean
check_header (LkGguf *gguf, LkModel *model, GError **error)
{
  return check_word (gguf, "general.type", "adapter", "this is no adapter", error)
         && check_word (gguf, "adapter.type", "lora", "this is no LoRA adapter", error)
         && check_word (gguf, "general.architecture", lk_model_get_config (model)->family->gguf_architecture,
                        "this is an adapter for another model", error);
}

static const LkTensorInfo *
lookup (LkGguf *gguf, const char *name, const char *end)
{
  g_autofree char *whole = g_strconcat (name, end, NULL);

  return lk_gguf_lookup (gguf, whole);
}

/* FALSE where the file has only one of both, or of another shape. */
static gboolean
check_pair (LkGguf *gguf, const LkModelTensor *tensor, const Pair *pair, GError **error)
{
  const LkTensorInfo *a = pair->a, *b = pair->b;

  if (!a || !b)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: of “%s” only one of the two matrices is there", lk_gguf_get_path (gguf),
                 tensor->gguf_name);
  else if (a->n_dims != 2 || b->n_dims != 2 || a->shape[0] != b->shape[1] || a->shape[0] == 0
           || a->shape[1] != (guint64) tensor->variable->cols || b->shape[0] != (guint64) tensor->variable->rows)
    g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                 "%s is an adapter for another model: “%s” has not the shape of this model's %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT,
                 lk_gguf_get_path (gguf), tensor->gguf_name, tensor->variable->rows, tensor->variable->cols);
  else if (a->shape[0] > LK_LORA_MAX_RANK)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” has rank %" G_GUINT64_FORMAT ", more than %d", lk_gguf_get_path (gguf),
                 tensor->gguf_name, a->shape[0], LK_LORA_MAX_RANK);
  else if (!lk_quant_info (a->type) || !lk_quant_info (b->type))
    g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is stored as %s and %s, which adapters are not", lk_gguf_get_path (gguf),
                 tensor->gguf_name, lk_type_name (a->type), lk_type_name (b->type));
  else
    return TRUE;
  return FALSE;
}

/* Missing, as 0, means that B·A is added as it is (llama.cpp). */
static gboolean
get_alpha (LkGguf *gguf, double *alpha, GError **error)
{
  *alpha = 0;
  if (!lk_gguf_get_double (gguf, "adapter.lora.alpha", alpha, error))
    return FALSE;
  if (isfinite (*alpha))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “adapter.lora.alpha” is %g", lk_gguf_get_path (gguf), *alpha);
  return FALSE;
}

/* The pairs of the file in the order of the modules that they become. */
static gboolean
add_modules (LkAdapter *self, LkGguf *gguf, double alpha, GArray *pairs, GError **error)
{
  guint n, used = 0;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n);

  for (guint i = 0; i < n; i++)
    {
      Pair pair = { lookup (gguf, tensors[i].gguf_name, ".lora_a"), lookup (gguf, tensors[i].gguf_name, ".lora_b") };

      if (tensors[i].layer < 0 || tensors[i].role < 0 || (!pair.a && !pair.b))
        continue;
      if (!check_pair (gguf, &tensors[i], &pair, error))
        return FALSE;
      _lk_adapter_add_module (self, (guint) tensors[i].layer, (LkLinearRole) tensors[i].role, (guint) pair.a->shape[0],
                              alpha == 0 ? 1 : alpha / (double) pair.a->shape[0]);
      g_array_append_val (pairs, pair);
      used += 2;
    }
  if (used == 0 || used != lk_gguf_get_n_tensors (gguf))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: %u of its %u tensors belong to linear layers of %s; the others cannot be used",
                   lk_gguf_get_path (gguf), used, lk_gguf_get_n_tensors (gguf), lk_model_get_path (self->model));
      return FALSE;
    }
  return TRUE;
}

/* Row h·d + s·d/2 + j here is row h·d + 2j + s of the file. */
static void
put_rows_back (float *values, const LkVariable *b, gint64 head_dim)
{
  float *rows = values + b->base_offset / sizeof (float);
  gsize width = (gsize) b->cols;
  g_autofree float *copy = g_memdup2 (rows, (gsize) b->rows * width * sizeof (float));

  for (gint64 row = 0; row < b->rows; row++)
    {
      gint64 in_head = row % head_dim, j = in_head % (head_dim / 2), s = in_head / (head_dim / 2);

      memcpy (rows + (gsize) row * width, copy + (gsize) (row - in_head + 2 * j + s) * width, width * sizeof (float));
    }
}

LkAdapter *
_lk_adapter_load_gguf (LkModel *model, const char *name, const char *path, gboolean trainable, GError **error)
{
  g_autoptr (LkAdapter) self = _lk_adapter_alloc (model, name);
  g_autoptr (LkGguf) gguf = lk_gguf_open (path, error);
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  const LkModelConfig *config = lk_model_get_config (model);
  double alpha;
  float *values;

  if (!gguf || !check_header (gguf, model, error) || !get_alpha (gguf, &alpha, error)
      || !add_modules (self, gguf, alpha, pairs, error))
    return NULL;
  self->config = (LkAdapterConfig){ .rank = lk_adapter_get_module (self, 0)->rank };
  self->config.alpha = lk_adapter_get_module (self, 0)->scale * self->config.rank;
  _lk_adapter_allocate (self, trainable);
  values = _lk_adapter_initial (self);
  for (guint i = 0; i < pairs->len; i++)
    {
      const Pair *pair = &g_array_index (pairs, Pair, i);
      const LkAdapterModule *module = lk_adapter_get_module (self, i);

      if (!_lk_adapter_read_half (values, module->a, pair->a, path, error) || !_lk_adapter_read_half (values, module->b, pair->b, path, error))
        return NULL;
      if (config->family->gguf_permuted && (module->role == LK_LINEAR_Q || module->role == LK_LINEAR_K))
        put_rows_back (values, module->b, config->head_dim);
    }
  return g_steal_pointer (&self);
}
