/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-merge.h"

#include <string.h>

#include "lk-error.h"
#include "lk-family.h"
#include "lk-file.h"
#include "lk-quant.h"

/* Float bytes of the rows at work. */
#define LK_MERGE_PIECE (8 << 20)

struct _LkMerge
{
  LkModel *model;
  LkAdapter *adapter;
  LkBackend *backend;
  LkParallel *parallel;
};

/* One tensor at work. */
typedef struct
{
  const LkVariable *variable;
  const LkQuantInfo *out;
  gsize out_row;         /* bytes */
  gint64 head_dim;       /* 0: rows stay where they are */
  float plus;            /* added to each value */
  guint rank;            /* 0: nothing to merge */
  float scale;
  const float *a, *b;
  gint64 first;         /* row of the piece's first */
  LkPacked source;      /* the whole tensor */
  float *floats;        /* one row a worker */
  guint8 *bytes;        /* the piece */
} LkMergeTensor;

LkMerge *
lk_merge_new (LkModel *model, LkAdapter *adapter, LkBackend *backend)
{
  LkMerge *self = g_new0 (LkMerge, 1);

  self->model = lk_model_ref (model);
  self->adapter = adapter ? lk_adapter_ref (adapter) : NULL;
  self->backend = lk_backend_ref (backend);
  self->parallel = lk_parallel_new (0);
  return self;
}

void
lk_merge_free (LkMerge *self)
{
  if (!self)
    return;
  lk_parallel_free (self->parallel);
  lk_backend_unref (self->backend);
  g_clear_pointer (&self->adapter, lk_adapter_unref);
  lk_model_unref (self->model);
  g_free (self);
}

/* Row h·d + 2j + s of a paired file is row h·d + s·d/2 + j here. */
static gint64
source_row (const LkMergeTensor *t, gint64 row)
{
  gint64 d = t->head_dim, in_head;

  if (d == 0)
    return row;
  in_head = row % d;
  return row - in_head + in_head % 2 * (d / 2) + in_head / 2;
}

static void
merge_rows (gint64 begin, gint64 end, guint worker, gpointer data)
{
  LkMergeTensor *t = data;
  gint64 cols = t->variable->cols;
  float *row = t->floats + (gsize) worker * 2 * (gsize) cols;
  float *delta = row + cols;

  for (gint64 i = begin; i < end; i++)
    {
      gint64 from = source_row (t, t->first + i);

      lk_packed_read (&t->source, from, 0, cols, row);
      if (t->rank > 0)
        {
          memset (delta, 0, (gsize) cols * sizeof (float));
          for (guint k = 0; k < t->rank; k++)
            {
              const float *a = t->a + (gsize) k * (gsize) cols;
              float b = t->b[from * t->rank + k];

              for (gint64 c = 0; c < cols; c++)
                delta[c] += b * a[c];
            }
          for (gint64 c = 0; c < cols; c++)
            row[c] += t->scale * delta[c];
        }
      for (gint64 c = 0; t->plus != 0 && c < cols; c++)
        row[c] += t->plus;
      t->out->quantise (row, t->bytes + (gsize)i * t->out_row, cols);
    }
}

static float *
read_floats (LkMerge *self, LkVariable *variable, GError **error)
{
  g_autofree float *values = g_malloc (variable->bytes);

  return lk_backend_read (self->backend, variable, 0, values, variable->bytes, error)
             ? g_steal_pointer (&values)
             : NULL;
}

/* The adapter's module for the tensor, if there is one, read back from the backend. */
static gboolean
take_module (LkMerge *self, const LkModelTensor *tensor, LkMergeTensor *t, float **a, float **b,
             GError **error)
{
  const LkAdapterModule *module
      = self->adapter && tensor->role >= 0 && tensor->layer >= 0
            ? lk_adapter_find (self->adapter, (guint) tensor->layer, (LkLinearRole) tensor->role)
            : NULL;
  float strength = 1;

  if (!module)
    return TRUE;
  *a = read_floats (self, module->a, error);
  *b = *a ? read_floats (self, module->b, error) : NULL;
  if (!*b
      || !lk_backend_read (self->backend, lk_adapter_get_strength (self->adapter), 0, &strength,
                           sizeof strength, error))
    return FALSE;
  t->rank = module->rank;
  t->scale = (float) module->scale * strength;
  t->a = *a;
  t->b = *b;
  return TRUE;
}

static gboolean
check_types (const LkModelTensor *tensor, LkType type, LkMergeTensor *t, GError **error)
{
  guint64 out_row;

  t->out = lk_quant_info (type);
  if (!lk_quant_info (tensor->variable->type) || !t->out || !t->out->quantise
      || !lk_type_row_bytes (type, (guint64) tensor->variable->cols, &out_row))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” cannot be written as %s", tensor->hf_name,
                   lk_type_name (type));
      return FALSE;
    }
  t->out_row = out_row;
  return TRUE;
}

gboolean
lk_merge_stream (LkMerge *self, const LkModelTensor *tensor, LkType type, gboolean gguf, LkMergeFunc func,
                 gpointer user_data, GError **error)
{
  const LkModelConfig *config = lk_model_get_config (self->model);
  LkVariable *variable = tensor->variable;
  LkMergeTensor t = { .variable = variable };
  g_autofree float *a = NULL;
  g_autofree float *b = NULL;
  g_autofree float *floats = NULL;
  g_autofree guint8 *bytes = NULL;
  g_autofree guint8 *copy = NULL;
  gint64 rows;

  if (!check_types (tensor, type, &t, error) || !take_module (self, tensor, &t, &a, &b, error))
    return FALSE;
  if (gguf && config->family->gguf_permuted && (tensor->role == LK_LINEAR_Q || tensor->role == LK_LINEAR_K))
    t.head_dim = config->head_dim;
  t.plus = gguf ? tensor->gguf_plus : 0;
  if (!variable->data)
    {
      copy = g_malloc (variable->bytes);
      if (!lk_backend_read (self->backend, variable, 0, copy, variable->bytes, error))
        return FALSE;
    }
  t.source = lk_packed (variable->type, copy ? copy : variable->data, variable->rows, variable->cols);
  rows = CLAMP (LK_MERGE_PIECE / (variable->cols * 4), 1, variable->rows);
  t.floats = floats = g_new (float, 2 * variable->cols * lk_parallel_get_workers (self->parallel));
  t.bytes = bytes = g_malloc ((gsize) rows * t.out_row);
  for (t.first = 0; t.first < variable->rows; t.first += rows)
    {
      gint64 n = MIN (rows, variable->rows - t.first);

      lk_parallel_for (self->parallel, n, 8, merge_rows, &t);
      if (!func (bytes, (gsize) n * t.out_row, user_data, error))
        return FALSE;
      if (variable->mapped)
        lk_file_release (variable->data, variable->bytes);
    }
  return TRUE;
}
