/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One GGUF file: metadata copied from a GGUF or made from a folder, the adapter merged into the weights.
 */
#include <math.h>

#include "lk-error.h"
#include "lk-export-gguf.h"
#include "lk-export-private.h"
#include "lk-family.h"
#include "lk-gguf-recipe.h"

static const LkGgufRecipe *
recipe_of (const LkExport *self, GError **error)
{
  const char *const *names = lk_gguf_recipe_names ();
  gint i = lk_export_find_type (self, names, error);

  return i < 0 ? NULL : lk_gguf_recipe_find (names[i]);
}

static guint64
size (const LkExport *self)
{
  const LkGgufRecipe *recipe = recipe_of (self, NULL);
  guint64 bytes = lk_export_text_bytes (self->model, 64), one; /* text, type, score, and the merge that makes it */
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n);

  for (guint i = 0; recipe && i < n; i++)
    {
      LkType type = lk_gguf_recipe_type (recipe, lk_model_get_config (self->model), &tensors[i]);

      if (lk_type_bytes (type, (guint64) tensors[i].variable->rows, (guint64) tensors[i].variable->cols,
                         &one))
        bytes += one;
    }
  return bytes;
}

/* Tensors the model does not list: rope_freqs and what else a GGUF may hold, byte for byte. */
static gboolean
is_extra (const LkTensorInfo *info, const LkModelTensor *tensors, guint n)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (tensors[i].gguf_name, info->name))
      return FALSE;
  return TRUE;
}

/* The file at work. */
typedef struct
{
  const LkExport *export;
  LkGgufWriter *writer;
  double done, all; /* bytes */
} GgufWork;

static gboolean
take_piece (const void *data, gsize bytes, gpointer user_data, GError **error)
{
  GgufWork *work = user_data;

  work->done += (double) bytes;
  return lk_export_go_on (work->export, work->done / work->all, "Writing the weights", error)
         && lk_gguf_writer_write (work->writer, data, bytes, error);
}

/* Tensors of a folder's rotary scaling, one divisor a pair. */
static const struct
{
  LkRopeType type;
  gboolean stretched;
  const char *name;
} rope_tensors[] = {
  { LK_ROPE_LLAMA3, FALSE, "rope_freqs.weight" },
  { LK_ROPE_LONGROPE, TRUE, "rope_factors_long.weight" },
  { LK_ROPE_LONGROPE, FALSE, "rope_factors_short.weight" },
};

static gboolean
write_divisors (GgufWork *work, const LkModelConfig *config, gboolean stretched, GError **error)
{
  g_autofree double *divisors = lk_rope_divisors (&config->rope, config->rotary_dim, stretched);

  for (gint64 i = 0; i < config->rotary_dim / 2; i++)
    {
      float divisor = (float) divisors[i];

      if (!lk_gguf_writer_write (work->writer, &divisor, sizeof divisor, error))
        return FALSE;
    }
  return TRUE;
}

static void
describe_tensors (GgufWork *work, const LkGgufRecipe *recipe)
{
  LkGguf *from = lk_model_get_gguf (work->export->model);
  const LkModelConfig *config = lk_model_get_config (work->export->model);
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (work->export->model, &n);
  guint64 half = (guint64) config->rotary_dim / 2, bytes;

  for (guint i = 0; i < n; i++)
    {
      guint64 shape[2] = { (guint64) tensors[i].variable->rows, (guint64) tensors[i].variable->cols };
      gboolean vector = shape[0] == 1 && tensors[i].role < 0;
      LkType type = lk_gguf_recipe_type (recipe, config, &tensors[i]);

      lk_gguf_writer_add_tensor (work->writer, tensors[i].gguf_name, type, vector ? shape + 1 : shape,
                                 vector ? 1 : 2);
      if (lk_type_bytes (type, shape[0], shape[1], &bytes))
        work->all += (double) bytes;
    }
  for (guint i = 0; from && i < lk_gguf_get_n_tensors (from); i++)
    {
      const LkTensorInfo *info = lk_gguf_get_tensor (from, i);

      if (is_extra (info, tensors, n))
        lk_gguf_writer_add_tensor (work->writer, info->name, info->type, info->shape, info->n_dims);
    }
  for (guint i = 0; !from && i < G_N_ELEMENTS (rope_tensors); i++)
    if (rope_tensors[i].type == config->rope.type)
      lk_gguf_writer_add_tensor (work->writer, rope_tensors[i].name, LK_TYPE_F32, &half, 1);
}

static gboolean
write_extras (GgufWork *work, GError **error)
{
  LkModel *model = work->export->model;
  LkGguf *from = lk_model_get_gguf (model);
  const LkModelConfig *config = lk_model_get_config (model);
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (model, &n);

  for (guint i = 0; from && i < lk_gguf_get_n_tensors (from); i++)
    {
      const LkTensorInfo *info = lk_gguf_get_tensor (from, i);

      if (is_extra (info, tensors, n) && !lk_gguf_writer_write (work->writer, info->data, info->size, error))
        return FALSE;
    }
  for (guint i = 0; !from && i < G_N_ELEMENTS (rope_tensors); i++)
    if (rope_tensors[i].type == config->rope.type && !write_divisors (work, config, rope_tensors[i].stretched, error))
      return FALSE;
  return TRUE;
}

/* What a GGUF file is understood to mean where it has no words of its own: layers with a window and the scale of attention follow from
 * architecture and size. A model that is different would be another one when it is read back. */
static gboolean
check_model (const LkExport *self, GError **error)
{
  const LkModelConfig *c = lk_model_get_config (self->model);
  gboolean window = c->window > 0 || c->family->gguf_window > 0;
  double scale = lk_family_gguf_scale (c->family, c->layers, c->hidden, c->heads, c->head_dim);

  for (gint64 l = 0; l < c->layers; l++)
    if (c->windowed[l] != (window && lk_family_is_windowed (l, c->family->full_every)))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
                     "“%s”: which of its layers have a window cannot be said in a GGUF file; export it as a Hugging Face folder",
                     lk_model_get_path (self->model));
        return FALSE;
      }
  if (fabs (c->attention_scale - scale) <= 1e-6 * scale)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "“%s”: its query_pre_attn_scalar cannot be said in a GGUF file; export it as a Hugging Face folder", lk_model_get_path (self->model));
  return FALSE;
}

static gboolean
write_metadata (const LkExport *self, LkGgufWriter *writer, const LkGgufRecipe *recipe, GError **error)
{
  LkGguf *from = lk_model_get_gguf (self->model);

  if (from)
    for (guint i = 0; i < lk_gguf_get_n_keys (from); i++)
      lk_gguf_writer_copy_key (writer, from, lk_gguf_get_key (from, i));
  else if (!lk_gguf_make_metadata (self->model, writer, error))
    return FALSE;
  lk_gguf_make_template_keys (self->model, writer);
  lk_gguf_writer_set_int (writer, "general.file_type", LK_GGUF_U32, recipe->file_type);
  lk_gguf_writer_set_int (writer, "general.quantization_version", LK_GGUF_U32, 2);
  return TRUE;
}

static gboolean
write_file (const LkExport *self, GError **error)
{
  const LkGgufRecipe *recipe = recipe_of (self, error);
  g_autoptr (LkGgufWriter) writer = recipe ? lk_gguf_writer_new (self->path, error) : NULL;
  g_autoptr (LkMerge) merge = lk_merge_new (self->model, self->adapter, self->backend);
  const LkModelConfig *config = lk_model_get_config (self->model);
  GgufWork work = { self, writer };
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n);

  if (!writer || !write_metadata (self, writer, recipe, error))
    return FALSE;
  describe_tensors (&work, recipe);
  if (!lk_gguf_writer_begin_data (writer, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!lk_merge_stream (merge, &tensors[i], lk_gguf_recipe_type (recipe, config, &tensors[i]), TRUE, take_piece, &work, error))
      return FALSE;
  return write_extras (&work, error) && lk_gguf_writer_finish (writer, error);
}

static LkType
type_of (const LkExport *self, const LkModelTensor *tensor)
{
  return lk_gguf_recipe_type (recipe_of (self, NULL), lk_model_get_config (self->model), tensor);
}

const LkExportTarget lk_export_gguf = {
  .name = "gguf",
  .label = "One GGUF file",
  .merged = TRUE,
  .types = lk_gguf_recipe_names,
  .check = check_model,
  .size = size,
  .write = write_file,
  .type_of = type_of,
};
