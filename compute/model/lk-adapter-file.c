/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Adapters from and to PEFT folders.
 */
#include "lk-adapter-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-peft.h"
#include "lk-quant.h"

static gboolean
lk_adapter_add_file_module (LkAdapter *self, const LkPeftModule *file, const char *folder, GError **error)
{
  guint layer;
  LkLinearRole role;
  LkVariable *w;

  w = lk_model_parse_linear_path (file->path, &layer, &role) && layer < lk_model_get_config (self->model)->layers
          ? lk_model_get_layer (self->model, layer)->linear[role]
          : NULL;
  if (!w)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s is an adapter for another model: there is no “%s” in %s", folder, file->path,
                   lk_model_get_path (self->model));
      return FALSE;
    }
  if ((gint64) file->a->shape[1] != w->cols || (gint64) file->b->shape[0] != w->rows)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                   "%s is an adapter for another model: “%s” is for %" G_GUINT64_FORMAT " × %" G_GUINT64_FORMAT ", the model's is %" G_GINT64_FORMAT
                   " × %" G_GINT64_FORMAT,
                   folder, file->path, file->b->shape[0], file->a->shape[1], w->rows, w->cols);
      return FALSE;
    }
  if (lk_adapter_find (self, layer, role))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is there twice", folder, file->path);
      return FALSE;
    }
  _lk_adapter_add_module (self, layer, role, file->r, file->scale);
  return TRUE;
}

gboolean
_lk_adapter_read_half (float *values, const LkVariable *view, const LkTensorInfo *info, const char *path, GError **error)
{
  float *half = values + view->base_offset / sizeof (float);
  gint64 n = view->rows * view->cols;

  lk_quant_info (info->type)->dequantise (info->data, half, n);
  for (gint64 i = 0; i < n; i++)
    if (!isfinite (half[i]))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: value %" G_GINT64_FORMAT " of “%s” is %g", path, i, info->name, half[i]);
        return FALSE;
      }
  return TRUE;
}

gboolean
lk_adapter_is_gguf (const char *path)
{
  gsize length = strlen (path), end = strlen (".gguf");

  return length > end && g_ascii_strcasecmp (path + length - end, ".gguf") == 0 && g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

LkAdapter *
lk_adapter_load (LkModel *model, const char *name, const char *folder, gboolean trainable, GError **error)
{
  g_autoptr (LkAdapter) self = NULL;
  g_autoptr (LkPeft) peft = NULL;
  const LkPeftConfig *config;
  float *values;

  if (lk_adapter_is_gguf (folder))
    return _lk_adapter_load_gguf (model, name, folder, trainable, error);
  self = _lk_adapter_alloc (model, name);
  peft = lk_peft_open (folder, error);
  if (!peft)
    return NULL;
  config = lk_peft_get_config (peft);
  for (guint i = 0; i < lk_peft_get_n_modules (peft); i++)
    if (!lk_adapter_add_file_module (self, lk_peft_get_module (peft, i), folder, error))
      return NULL;
  self->config = (LkAdapterConfig){ .rank = config->r, .alpha = config->alpha, .rslora = config->rslora, .dropout = config->dropout };
  _lk_adapter_allocate (self, trainable);
  values = _lk_adapter_initial (self);
  for (guint i = 0; i < lk_peft_get_n_modules (peft); i++)
    {
      const LkPeftModule *file = lk_peft_get_module (peft, i);
      const LkAdapterModule *module = lk_adapter_get_module (self, i);

      if (!_lk_adapter_read_half (values, module->a, file->a, folder, error) || !_lk_adapter_read_half (values, module->b, file->b, folder, error))
        return NULL;
    }
  return g_steal_pointer (&self);
}

/* The names of the roles that occur. (transfer full) */
static char **
lk_adapter_target_names (LkAdapter *self)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint role = 0; role < LK_N_LINEAR; role++)
    for (guint i = 0; i < lk_adapter_get_n_modules (self); i++)
      if (lk_adapter_get_module (self, i)->role == role)
        {
          g_ptr_array_add (names, g_strdup (lk_linear_role_name (role)));
          break;
        }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* The whole path of each module, where not every layer has the role: then names would match too much. (transfer full) */
static char **
lk_adapter_target_paths (LkAdapter *self)
{
  GPtrArray *paths = g_ptr_array_new ();

  for (guint i = 0; i < lk_adapter_get_n_modules (self); i++)
    g_ptr_array_add (paths, lk_model_linear_path (lk_adapter_get_module (self, i)->layer, lk_adapter_get_module (self, i)->role));
  g_ptr_array_add (paths, NULL);
  return (char **) g_ptr_array_free (paths, FALSE);
}

gboolean
lk_adapter_save (LkAdapter *self, LkBackend *backend, const char *folder, GError **error)
{
  guint n = lk_adapter_get_n_modules (self);
  g_autofree float *values = g_malloc (self->parameters->bytes);
  g_autofree LkPeftMatrices *modules = g_new0 (LkPeftMatrices, n);
  g_auto (GStrv) names = lk_adapter_target_names (self);
  g_auto (GStrv) paths = lk_adapter_target_paths (self);
  gboolean by_name = n == g_strv_length (names) * (guint) lk_model_get_config (self->model)->layers;
  LkPeftConfig config = { .r = self->config.rank, .alpha = self->config.alpha, .rslora = self->config.rslora,
                          .dropout = self->config.dropout, .targets = by_name ? names : paths,
                          .base_model = (char *) lk_model_get_path (self->model) };
  LkType base_type = lk_model_get_base_type (self->model);

  config.base_type = base_type == LK_TYPE_INVALID ? NULL : lk_base_type_name (base_type);
  if (!lk_backend_read (backend, self->parameters, 0, values, self->parameters->bytes, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      const LkAdapterModule *module = lk_adapter_get_module (self, i);

      modules[i] = (LkPeftMatrices){ paths[i], module->rank, (guint64) module->a->cols, (guint64) module->b->rows,
                                     values + module->a->base_offset / sizeof (float), values + module->b->base_offset / sizeof (float) };
      if (module->rank != self->config.rank)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” has rank %u, the others %u; such adapters cannot be written", paths[i],
                       module->rank, self->config.rank);
          return FALSE;
        }
    }
  return lk_peft_write (folder, &config, modules, n, error);
}
