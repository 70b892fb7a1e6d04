/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Is the model that was opened again the one that was meant to be written? Its weights against those made once more from their source, and the
 * numbers of its configuration. A model that is the same in both answers the same, whatever its type has rounded.
 */
#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-export-private.h"
#include "lk-family.h"
#include "lk-quant.h"

/* Numbers are written as float32 or in decimal. */
#define NEAR 1e-6

/* The tensor at work. */
typedef struct
{
  const LkExport *export;
  const LkModelTensor *tensor; /* of the source */
  const LkQuantInfo *meant;
  gsize row_bytes;             /* as @meant */
  LkPacked written;
  gint64 row;                  /* the next one */
  float plus;                  /* what the source's stream has too much */
  double fraction;             /* of the tensors before this one */
  float *a, *b;                /* a row each */
  gboolean differs;
} Comparison;

static gboolean
take_piece (const void *data, gsize size, gpointer user_data, GError **error)
{
  Comparison *c = user_data;
  gint64 cols = c->tensor->variable->cols;

  for (gsize at = 0; at < size && !c->differs; at += c->row_bytes, c->row++)
    {
      c->meant->dequantise ((const guint8 *) data + at, c->a, cols);
      lk_packed_read (&c->written, c->row, 0, cols, c->b);
      for (gint64 i = 0; c->plus != 0 && i < cols; i++)
        c->a[i] -= c->plus;
      c->differs = memcmp (c->a, c->b, (gsize) cols * sizeof (float)) != 0;
    }
  return lk_export_go_on (c->export, c->fraction, "Comparing the weights that were written", error);
}

/* Sets @differs. Rows are in our order in both models; the values that GGUF files have too much are vectors'. */
static gboolean
compare_tensor (const LkExport *self, const LkExportTarget *target, LkMerge *merge, const LkModelTensor *tensor, const LkModelTensor *written,
                double fraction, gboolean *differs, GError **error)
{
  const LkVariable *v = written->variable;
  gint64 cols = tensor->variable->cols;
  LkType type = target->type_of (self, tensor);
  g_autofree float *rows = NULL;
  Comparison c = { .export = self, .tensor = tensor, .meant = lk_quant_info (type), .plus = target->folder ? 0 : tensor->gguf_plus,
                   .fraction = fraction };
  guint64 row_bytes;

  *differs = !v->data || v->rows != tensor->variable->rows || v->cols != cols || !c.meant
             || !lk_type_row_bytes (type, (guint64) cols, &row_bytes);
  if (*differs)
    return TRUE;
  rows = g_new (float, 2 * (gsize) cols);
  c.a = rows;
  c.b = rows + cols;
  c.row_bytes = row_bytes;
  c.written = lk_packed (v->type, v->data, v->rows, v->cols);
  if (!lk_merge_stream (merge, tensor, type, c.plus != 0, take_piece, &c, error))
    return FALSE;
  *differs = c.differs;
  return TRUE;
}

static const LkModelTensor *
find (const LkModelTensor *tensors, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (tensors[i].hf_name, name))
      return &tensors[i];
  return NULL;
}

static gboolean
near (double a, double b)
{
  return fabs (a - b) <= NEAR * MAX (fabs (a), fabs (b));
}

static gboolean
same_rotation (const LkModelConfig *c, const LkRopeConfig *a, const LkRopeConfig *b)
{
  g_autofree double *of_a = lk_rope_divisors (a, c->rotary_dim, FALSE), *of_b = lk_rope_divisors (b, c->rotary_dim, FALSE);
  gboolean same = near (a->theta, b->theta) && near (a->attention_factor, b->attention_factor);

  for (gint64 i = 0; i < c->rotary_dim / 2; i++)
    same = same && near (of_a[i], of_b[i]);
  return same;
}

/* The name of the first number that differs; NULL: none does. */
static const char *
compare_configs (const LkModelConfig *a, const LkModelConfig *b)
{
  const struct
  {
    const char *name;
    double a, b;
  } numbers[] = {
    { "vocabulary", (double) a->vocab, (double) b->vocab },
    { "hidden size", (double) a->hidden, (double) b->hidden },
    { "feed-forward size", (double) a->intermediate, (double) b->intermediate },
    { "number of layers", (double) a->layers, (double) b->layers },
    { "number of heads", (double) a->heads, (double) b->heads },
    { "number of key and value heads", (double) a->kv_heads, (double) b->kv_heads },
    { "size of a head", (double) a->head_dim, (double) b->head_dim },
    { "rotary size", (double) a->rotary_dim, (double) b->rotary_dim },
    { "norms' epsilon", a->norm_eps, b->norm_eps },
    { "attention window", (double) a->window, (double) b->window },
    { "attention scale", a->attention_scale, b->attention_scale },
    { "cap of attention scores", a->attention_cap, b->attention_cap },
    { "cap of logits", a->final_cap, b->final_cap },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!near (numbers[i].a, numbers[i].b))
      return numbers[i].name;
  if (memcmp (a->windowed, b->windowed, (gsize) a->layers) != 0)
    return "layers with a window";
  if (!same_rotation (a, &a->rope, &b->rope) || (a->family->window_rope_theta > 0 && !same_rotation (a, &a->window_rope, &b->window_rope)))
    return "rotary angles";
  return NULL;
}

gboolean
lk_export_compare (const LkExport *self, const LkExportTarget *target, LkModel *written, char **fault, GError **error)
{
  g_autoptr (LkMerge) merge = lk_merge_new (self->model, self->adapter, self->backend);
  guint n, n_written;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n), *others = lk_model_get_tensors (written, &n_written);
  const char *number = compare_configs (lk_model_get_config (self->model), lk_model_get_config (written));

  *fault = number ? g_strdup_printf ("its configuration is another (%s)", number) : NULL;
  for (guint i = 0; i < n && !*fault; i++)
    {
      const LkModelTensor *other = find (others, n_written, tensors[i].hf_name);
      gboolean differs = TRUE;

      if (other && !compare_tensor (self, target, merge, &tensors[i], other, (double) i / n, &differs, error))
        return FALSE;
      if (differs)
        *fault = g_strdup_printf ("the tensor “%s” is not what was to be written",
                                  target->folder ? tensors[i].hf_name : tensors[i].gguf_name);
    }
  return TRUE;
}
