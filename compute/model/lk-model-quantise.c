/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Weights quantised on load: a matrix of floats in a mapped file becomes blocks when a backend asks for its content, piece by
 * piece on all cores. What was read is given back to the system at once, so that neither the file nor a second copy stays in
 * memory.
 */
#include "lk-model-private.h"

#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-nf4.h"
#include "lk-parallel.h"
#include "lk-quant.h"

#define LK_QUANTISE_PIECE (G_GINT64_CONSTANT (8) << 20) /* elements between two releases; whole blocks of any type */
#define LK_QUANTISE_GRAIN 16384                         /* elements one worker takes at a time; likewise */

const char *const lk_base_type_names[] = { "stored", "nf4", "q8_0", "q4_0", NULL };
static const LkType base_types[] = { LK_TYPE_INVALID, LK_TYPE_NF4, LK_TYPE_Q8_0, LK_TYPE_Q4_0 };

typedef struct
{
  LkTensorInfo info;
  LkType type;
  gint64 rows, cols, head_dim;
} LkQuantiseSource;

/* One matrix at work. */
typedef struct
{
  const LkQuantiseSource *source;
  guint8 *to;
  float *scales; /* NF4: one a block */
  gint64 first, n;
} LkQuantiseJob;

gboolean
lk_base_type_parse (const char *name, LkType *type, GError **error)
{
  g_autofree char *names = NULL;

  *type = LK_TYPE_INVALID;
  for (guint i = 0; lk_base_type_names[i]; i++)
    if (!name || g_ascii_strcasecmp (lk_base_type_names[i], name) == 0)
      {
        *type = base_types[i];
        return TRUE;
      }
  names = g_strjoinv (", ", (char **) lk_base_type_names);
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "The base's weights can be held as %s, not as “%s”", names, name);
  return FALSE;
}

const char *
lk_base_type_name (LkType type)
{
  for (guint i = 0; lk_base_type_names[i]; i++)
    if (base_types[i] == type)
      return lk_base_type_names[i];
  return NULL;
}

/* Elements [first, first + n) of the matrix as the model has it. */
static void
lk_quantise_read (const LkQuantiseSource *source, gint64 first, gint64 n, float *out)
{
  const LkQuantInfo *in = lk_quant_info (source->info.type);
  gsize size = lk_type_info (source->info.type)->block_bytes;
  gint64 half = source->head_dim / 2;

  while (n > 0)
    {
      gint64 row = first / source->cols, col = first % source->cols;
      gint64 take = source->head_dim > 0 ? MIN (n, source->cols - col) : n;

      if (source->head_dim > 0) /* as in lk_model_unpermute */
        row = row - row % source->head_dim + 2 * (row % half) + row % source->head_dim / half;
      in->dequantise (source->info.data + (gsize) (row * source->cols + col) * size, out, take);
      first += take;
      out += take;
      n -= take;
    }
}

static void
lk_quantise_range (gint64 begin, gint64 end, guint worker, gpointer data)
{
  const LkQuantiseJob *job = data;
  const LkQuantiseSource *source = job->source;
  const LkTypeInfo *type = lk_type_info (source->type);
  float values[2048];

  for (gint64 at = job->first + begin; at < job->first + end; at += (gint64) G_N_ELEMENTS (values))
    {
      gint64 n = MIN ((gint64) G_N_ELEMENTS (values), job->first + end - at);

      lk_quantise_read (source, at, n, values);
      if (!job->scales)
        lk_quant_info (source->type)->quantise (values, job->to + (gsize) (at / type->block_elements) * type->block_bytes, n);
      for (gint64 i = 0; job->scales && i < n; i += LK_NF4_BLOCK)
        job->scales[(at + i) / LK_NF4_BLOCK]
            = lk_nf4_quantise_block (values + i, (guint) MIN (LK_NF4_BLOCK, n - i), job->to + (at + i) / 2);
    }
}

static gboolean
lk_quantise_fill (const LkVariable *variable, guint8 *to, gpointer data, GError **error)
{
  const LkQuantiseSource *source = data;
  gint64 n = source->rows * source->cols, blocks = (n + LK_NF4_BLOCK - 1) / LK_NF4_BLOCK;
  g_autofree float *scales = source->type == LK_TYPE_NF4 ? g_new (float, blocks) : NULL;
  g_autoptr (LkParallel) parallel = lk_parallel_new (0);
  LkQuantiseJob job = { .source = source, .to = to, .scales = scales };
  guint64 side = 0;

  for (job.first = 0; job.first < n; job.first += LK_QUANTISE_PIECE)
    {
      job.n = MIN (LK_QUANTISE_PIECE, n - job.first);
      lk_parallel_for (parallel, job.n, LK_QUANTISE_GRAIN, lk_quantise_range, &job);
      lk_file_release (source->info.data, source->info.size);
    }
  if (scales)
    {
      lk_type_side_offset (source->type, (guint64) source->rows, (guint64) source->cols, &side);
      lk_nf4_quantise_scales (scales, (guint64) blocks, to + side);
    }
  return TRUE;
}

LkVariable *
_lk_model_quantised (LkModel *self, const char *name, const LkTensorInfo *info, LkType type, gint64 head_dim, GError **error)
{
  LkVariable *variable
      = lk_variables_add (self->variables, name, LK_VARIABLE_WEIGHT, type, (gint64) info->shape[0], (gint64) info->shape[1], error);
  LkQuantiseSource *source;

  if (!variable)
    {
      g_prefix_error (error, "%s, held as %s: ", self->path, lk_base_type_name (type));
      return NULL;
    }
  source = g_new0 (LkQuantiseSource, 1);
  *source = (LkQuantiseSource){ *info, type, variable->rows, variable->cols, head_dim };
  lk_variables_keep (self->variables, source, g_free);
  variable->fill = lk_quantise_fill;
  variable->fill_data = source;
  return variable;
}
