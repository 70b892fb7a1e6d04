/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The adapter alone as a GGUF file for llama.cpp's --lora (formats: a.10): NAME.lora_a [rank, in] and NAME.lora_b [out, rank] in float32
 * for each matrix NAME of the base. The file has one alpha, and llama.cpp scales by alpha/rank: B takes what a module's own scale differs.
 */
#include "lk-export-private.h"
#include "lk-family.h"
#include "lk-gguf.h"

static const LkAdapterModule *
module_of (const LkExport *self, const LkModelTensor *tensor)
{
  return tensor->layer >= 0 && tensor->role >= 0
             ? lk_adapter_find (self->adapter, (guint) tensor->layer, (LkLinearRole) tensor->role)
             : NULL;
}

static void
describe (const LkExport *self, LkGgufWriter *writer, double alpha)
{
  const LkModelConfig *config = lk_model_get_config (self->model);
  LkType base_type = lk_model_get_base_type (self->model);
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n);

  lk_gguf_writer_set_string (writer, "general.architecture", config->family->gguf_architecture);
  lk_gguf_writer_set_string (writer, "general.type", "adapter");
  lk_gguf_writer_set_string (writer, "adapter.type", "lora");
  lk_gguf_writer_set_float (writer, "adapter.lora.alpha", alpha);
  lk_gguf_writer_set_int (writer, "general.base_model.count", LK_GGUF_U32, 1);
  lk_gguf_writer_set_string (writer, "general.base_model.0.name", config->name);
  if (base_type != LK_TYPE_INVALID)
    lk_gguf_writer_set_string (writer, "lorikeet.base_type", lk_base_type_name (base_type));
  for (guint i = 0; i < n; i++)
    {
      const LkAdapterModule *module = module_of (self, &tensors[i]);
      g_autofree char *a = g_strconcat (tensors[i].gguf_name, ".lora_a", NULL);
      g_autofree char *b = g_strconcat (tensors[i].gguf_name, ".lora_b", NULL);

      if (!module)
        continue;
      lk_gguf_writer_add_tensor (writer, a, LK_TYPE_F32, (guint64[]){ module->rank, (guint64) module->a->cols }, 2);
      lk_gguf_writer_add_tensor (writer, b, LK_TYPE_F32, (guint64[]){ (guint64) module->b->rows, module->rank }, 2);
    }
}

/* B with its rows where the base's are in a GGUF file, which keeps q and k of some families in adjacent pairs, times @factor. */
static void
arrange (const LkExport *self, const LkAdapterModule *module, float factor, const float *from, float *to)
{
  const LkModelConfig *config = lk_model_get_config (self->model);
  gboolean paired = config->family->gguf_permuted && (module->role == LK_LINEAR_Q || module->role == LK_LINEAR_K);
  gint64 d = paired ? config->head_dim : 1;

  for (gint64 row = 0; row < module->b->rows; row++)
    {
      gint64 in_head = row % d, source = paired ? row - in_head + in_head % 2 * (d / 2) + in_head / 2 : row;

      for (guint k = 0; k < module->rank; k++)
        to[row * module->rank + k] = factor * from[source * module->rank + k];
    }
}

static gboolean
write_module (const LkExport *self, LkGgufWriter *writer, const LkAdapterModule *module, double alpha, GError **error)
{
  g_autofree float *a = g_malloc (module->a->bytes);
  g_autofree float *b = g_malloc (module->b->bytes);
  g_autofree float *arranged = g_malloc (module->b->bytes);

  if (!lk_backend_read (self->backend, module->a, 0, a, module->a->bytes, error)
      || !lk_backend_read (self->backend, module->b, 0, b, module->b->bytes, error))
    return FALSE;
  arrange (self, module, (float) (module->scale * module->rank / alpha), b, arranged);
  return lk_gguf_writer_write (writer, a, module->a->bytes, error) && lk_gguf_writer_write (writer, arranged, module->b->bytes, error);
}

static gboolean
write_file (const LkExport *self, GError **error)
{
  const LkAdapterModule *first = lk_adapter_get_module (self->adapter, 0);
  double scaled = first->scale * first->rank, alpha = scaled != 0 ? scaled : 1; /* llama.cpp takes an alpha of 0 for a scale of 1 */
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (self->path, error);
  guint n, done = 0;
  const LkModelTensor *tensors = lk_model_get_tensors (self->model, &n);

  if (!writer)
    return FALSE;
  describe (self, writer, alpha);
  if (!lk_gguf_writer_begin_data (writer, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      const LkAdapterModule *module = module_of (self, &tensors[i]);

      if (!module)
        continue;
      if (!lk_export_go_on (self, done++ / (double) lk_adapter_get_n_modules (self->adapter), "Writing the adapter", error)
          || !write_module (self, writer, module, alpha, error))
        return FALSE;
    }
  return lk_gguf_writer_finish (writer, error);
}

const LkExportTarget lk_export_lora = {
  .name = "lora-gguf",
  .label = "Adapter for llama.cpp",
  .check = lk_export_check_adapter,
  .size = lk_export_adapter_bytes,
  .write = write_file,
};
