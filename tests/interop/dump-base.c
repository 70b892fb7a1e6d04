/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dump-base MODEL TYPE OUT.safetensors
 *
 * The linear weights of a model as they are held with --base-type TYPE: for each tensor its rows' bytes, what stands on its side,
 * and what is read from both, "<name>.codes", "<name>.side" and "<name>.values".
 */
#include <stdio.h>

#include "lk-backend.h"
#include "lk-model.h"
#include "lk-quant.h"
#include "lk-safetensors.h"

static guint64
side_of (const LkVariable *v)
{
  guint64 side = 0;

  g_assert_true (lk_type_side_offset (v->type, (guint64) v->rows, (guint64) v->cols, &side));
  return side;
}

static void
describe (LkSafetensorsWriter *writer, const LkVariable *v)
{
  g_autofree char *codes = g_strconcat (v->name, ".codes", NULL);
  g_autofree char *side = g_strconcat (v->name, ".side", NULL);
  g_autofree char *values = g_strconcat (v->name, ".values", NULL);
  guint64 shape[] = { (guint64) v->rows, (guint64) v->cols }, begin = side_of (v), left = v->bytes - begin;

  lk_safetensors_writer_add_tensor (writer, codes, LK_TYPE_U8, &begin, 1);
  lk_safetensors_writer_add_tensor (writer, side, LK_TYPE_U8, &left, 1);
  lk_safetensors_writer_add_tensor (writer, values, LK_TYPE_F32, shape, 2);
}

static gboolean
write_one (LkSafetensorsWriter *writer, LkBackend *backend, LkVariable *v, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (v->bytes);
  g_autofree float *values = g_new (float, v->rows *v->cols);
  guint64 begin = side_of (v);
  LkPacked packed = lk_packed (v->type, bytes, v->rows, v->cols);

  if (!lk_backend_read (backend, v, 0, bytes, v->bytes, error))
    return FALSE;
  lk_packed_read (&packed, 0, 0, v->rows * v->cols, values);
  return lk_safetensors_writer_write (writer, bytes, begin, error)
         && lk_safetensors_writer_write (writer, bytes + begin, v->bytes - begin, error)
         && lk_safetensors_writer_write (writer, values, (gsize) (v->rows * v->cols) * sizeof (float), error);
}

static gboolean
dump (const char *path, const char *name, const char *out, GError **error)
{
  LkType type;
  g_autoptr (LkBackend) backend = lk_backend_new_cpu (0);
  g_autoptr (LkModel) model = lk_base_type_parse (name, &type, error) ? lk_model_open_as (path, type, error) : NULL;
  g_autoptr (LkSafetensorsWriter) writer = model ? lk_safetensors_writer_new (out, error) : NULL;
  const LkModelTensor *tensors;
  guint n;

  if (!writer || !lk_backend_prepare (backend, lk_model_get_variables (model), error))
    return FALSE;
  tensors = lk_model_get_tensors (model, &n);
  for (guint i = 0; i < n; i++)
    if (tensors[i].role >= 0)
      describe (writer, tensors[i].variable);
  if (!lk_safetensors_writer_begin_data (writer, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (tensors[i].role >= 0 && !write_one (writer, backend, tensors[i].variable, error))
      return FALSE;
  return lk_safetensors_writer_finish (writer, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 4)
    {
      fprintf (stderr, "dump-base MODEL TYPE OUT.safetensors\n");
      return 2;
    }
  if (dump (argv[1], argv[2], argv[3], &error))
    return 0;
  fprintf (stderr, "dump-base: %s\n", error->message);
  return 1;
}
