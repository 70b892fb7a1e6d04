/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * golden-check FOLDER… [--model FILE] [--device cpu|vulkan|vulkan:N] [--precision NAME] [--base-type TYPE] [--adapter-only] [--json]
 *
 * Compares the engine with numbers another implementation computed. A folder holds golden.safetensors, golden.json and
 * adapter/, and either a base model (config.json, model.safetensors: the layout of a family) or none (the layout of a real
 * model, given by --model). Prints deviation and tolerance of each quantity; exits 1 when one is beyond, 77 when the device does
 * not have the products that --precision (float32, where it is not given) asks for.
 *
 * A real model on a software GPU takes minutes a batch: there one row goes forward and backward once; its logits and
 * log-probabilities meet the golden ones, its loss and gradients those of the CPU, which meets the golden ones elsewhere.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lk-decoder.h"
#include "lk-error.h"
#include "lk-json.h"
#include "lk-safetensors.h"
#include "lk-update.h"

#include "golden-limits.h"

typedef struct
{
  double deviation; /* −1: not measured */
  double tolerance;
  char *worst;      /* tensor or step */
} LkResult;

typedef struct
{
  const char *folder, *model_path, *device;
  LkPrecision precision;
  LkType base_type;
  gboolean adapter_only; /* base-weight gradients are not looked at */
  gboolean real;
  LkSafetensors *golden;
  JsonObject *json;
  gint64 rows, length, vocab;
  gint64 stored_length; /* columns of the golden tensors */
  gint64 only;          /* the one row that is computed; −1: all */
  LkBatch *batch;
  LkBackend *backend;
  JsonObject *norms;    /* golden.json's grad_norms; NULL: it has none */
  guint n_norms;        /* of them compared */
  GHashTable *compared; /* names of the golden gradients that were looked at */
  LkResult results[LK_N_QUANTITIES];
} LkCheck;

static LkResult *
lk_check_result (LkCheck *self, const char *name)
{
  for (guint i = 0; i < LK_N_QUANTITIES; i++)
    if (g_str_equal (lk_quantity_names[i], name))
      return &self->results[i];
  g_assert_not_reached ();
}

static void
lk_check_note (LkCheck *self, const char *quantity, double deviation, const char *where)
{
  LkResult *result = lk_check_result (self, quantity);

  if (!(deviation <= result->deviation)) /* a NaN counts as worst */
    {
      result->deviation = isnan (deviation) ? INFINITY : deviation;
      g_free (result->worst);
      result->worst = g_strdup (where);
    }
}

/* ‖ours − golden‖² and ‖golden‖² */
static void
lk_check_norms (const float *ours, const float *golden, gsize n, double *difference, double *norm)
{
  *difference = *norm = 0;
  for (gsize i = 0; i < n; i++)
    {
      double d = (double) ours[i] - (double) golden[i];
      *difference += d * d;
      *norm += (double) golden[i] * (double) golden[i];
    }
}

/* Of a tensor that is all zero any difference is too much. */
static double
lk_check_ratio (double difference, double norm)
{
  return norm > 0 ? sqrt (difference / norm) : difference > 0 ? INFINITY : 0;
}

static const LkTensorInfo *
lk_check_tensor (LkCheck *self, const char *name, LkType type, GError **error)
{
  const LkTensorInfo *info = lk_safetensors_lookup (self->golden, name);

  if (!info || info->type != type)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is missing or not %s", self->folder, name, lk_type_name (type));
      return NULL;
    }
  return info;
}

/* The same as a matrix of @rows × @cols; −1: any number. */
static const LkTensorInfo *
lk_check_matrix (LkCheck *self, const char *name, LkType type, gint64 rows, gint64 cols, GError **error)
{
  const LkTensorInfo *info = lk_check_tensor (self, name, type, error);

  if (!info || (info->n_dims == 2 && (rows < 0 || (gint64) info->shape[0] == rows) && (cols < 0 || (gint64) info->shape[1] == cols)))
    return info;
  g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “%s” has another shape than it must have", self->folder, name);
  return NULL;
}

/* The row whose last target comes first, without what follows it: causal, so nothing before changes. */
static void
lk_check_choose_row (LkCheck *self, const LkTensorInfo *labels)
{
  gint64 best = G_MAXINT64;

  for (gint64 r = 0; r < self->rows; r++)
    {
      gint64 last = 0, label;

      for (gint64 c = 0; c < self->stored_length; c++)
        {
          memcpy (&label, labels->data + (r * self->stored_length + c) * 8, 8);
          last = label >= 0 ? c : last;
        }
      if (last < best)
        {
          best = last;
          self->only = r;
        }
    }
  self->rows = 1;
  self->length = best + 1;
}

/* Of the row at @from, element @at of the batch. FALSE: no id of the vocabulary. */
static gboolean
lk_check_read_token (LkCheck *self, const LkTensorInfo *ids, const LkTensorInfo *labels, gint64 from, gint64 at, gint64 column)
{
  gint64 id, label = -100;

  memcpy (&id, ids->data + from * 8, 8);
  if (column + 1 < self->length)
    memcpy (&label, labels->data + (from + 1) * 8, 8);
  self->batch->ids[at] = (gint32) id;
  self->batch->positions[at] = (gint32) column;
  self->batch->starts[at] = (gint32) (at - column);
  self->batch->targets[at] = label >= 0 ? (gint32) label : -1;
  self->batch->n_targets += label >= 0;
  return id >= 0 && id < self->vocab && label < self->vocab;
}

/* input_ids and labels (B,T), labels not shifted, become one batch of B sequences. */
static gboolean
lk_check_read_batch (LkCheck *self, GError **error)
{
  const LkTensorInfo *ids = lk_check_matrix (self, "input_ids", LK_TYPE_I64, -1, -1, error);
  const LkTensorInfo *labels
      = ids ? lk_check_matrix (self, "labels", LK_TYPE_I64, (gint64) ids->shape[0], (gint64) ids->shape[1], error) : NULL;

  if (!labels)
    return FALSE;
  self->rows = (gint64) ids->shape[0];
  self->length = self->stored_length = (gint64) ids->shape[1];
  if (self->rows < 1 || self->length < 2 || self->rows > G_MAXINT32 / self->length)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “input_ids” must be one to 2³¹ tokens in rows of two at least", self->folder);
      return FALSE;
    }
  if (self->only >= 0)
    lk_check_choose_row (self, labels);
  self->batch = lk_batch_new ((guint) self->rows, (guint) self->length);
  for (gint64 r = 0; r < self->rows; r++)
    for (gint64 c = 0; c < self->length; c++)
      if (!lk_check_read_token (self, ids, labels, (MAX (self->only, 0) + r) * self->stored_length + c, r * self->length + c, c))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: row %d, column %d of “input_ids” or what “labels” has next is none of the %d tokens",
                       self->folder, (int) r, (int) c, (int) self->vocab);
          return FALSE;
        }
  if (self->batch->n_targets > 0)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “labels” has no targets", self->folder);
  return FALSE;
}

/* Everything one model needs to be trained: decoder, optimizer, both compiled. */
typedef struct
{
  LkDecoder *decoder;
  LkUpdate *update;
  LkExecutable *step, *apply;
} LkRig;

static void
lk_rig_clear (LkRig *self)
{
  lk_executable_free (self->step);
  lk_executable_free (self->apply);
  lk_decoder_free (self->decoder);
  lk_update_free (self->update);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkRig, lk_rig_clear)

static gboolean
lk_rig_init (LkRig *rig, LkCheck *self, LkModel *model, LkAdapter *adapter, LkVariable *parameters, LkVariable *gradients, GError **error)
{
  LkDecoderOptions options = { .purpose = LK_PURPOSE_TRAIN, .tokens = self->batch->n, .longest = (guint) self->length,
                               .adapters = &adapter, .n_adapters = adapter ? 1 : 0 };

  rig->decoder = lk_decoder_new (model, &options, error);
  if (!rig->decoder)
    return FALSE;
  rig->update = lk_update_new (lk_model_get_variables (model), "update", parameters, gradients, parameters->cols);
  return lk_backend_prepare (self->backend, lk_model_get_variables (model), error)
         && (rig->step = lk_backend_compile (self->backend, rig->decoder->program, error))
         && (rig->apply = lk_backend_compile (self->backend, rig->update->program, error));
}

static gboolean
lk_rig_loss (LkRig *rig, LkCheck *self, double *loss, GError **error)
{
  float sums[2];

  if (!lk_backend_clear (self->backend, rig->decoder->loss, error)
      || !lk_decoder_write_batch (rig->decoder, self->backend, self->batch, error) || !lk_executable_run (rig->step, error)
      || !lk_backend_read (self->backend, rig->decoder->loss, 0, sums, sizeof sums, error))
    return FALSE;
  *loss = (double) sums[0] / (double) sums[1];
  return TRUE;
}

static gboolean
lk_rig_apply (LkRig *rig, LkCheck *self, gint64 step, GError **error)
{
  LkUpdateInput input = { .learning_rate = json_object_get_double_member (self->json, "lr"), .eps = json_object_get_double_member (self->json, "eps"),
                          .weight_decay = json_object_get_double_member (self->json, "weight_decay"), .step = step,
                          .n_targets = self->batch->n_targets };
  JsonArray *betas = json_object_get_array_member (self->json, "betas");

  input.beta1 = json_array_get_double_element (betas, 0);
  input.beta2 = json_array_get_double_element (betas, 1);
  return lk_update_write (rig->update, self->backend, &input, error) && lk_executable_run (rig->apply, error);
}

/* Losses of the optimizer steps and the one after them. */
static gboolean
lk_check_losses (LkCheck *self, LkRig *rig, const char *quantity, const char *after, double first, GError **error)
{
  JsonArray *golden = json_object_get_array_member (self->json, quantity);
  guint n = json_array_get_length (golden);
  double loss = first;

  for (guint s = 0; s <= n; s++)
    {
      double wanted = s < n ? json_array_get_double_element (golden, s) : json_object_get_double_member (self->json, after);
      g_autofree char *where = s < n ? g_strdup_printf ("step %u", s) : g_strdup ("after the last step");

      if (s > 0 && (!lk_rig_apply (rig, self, s, error) || !lk_rig_loss (rig, self, &loss, error)))
        return FALSE;
      lk_check_note (self, quantity, fabs (loss - wanted) / fabs (wanted), where);
    }
  return TRUE;
}

/* Reads the gradient of @variable, divided by the number of targets. (transfer full) */
static float *
lk_check_gradient (LkCheck *self, LkVariable *variable, GError **error)
{
  gsize n = (gsize) (variable->rows * variable->cols);
  g_autofree float *values = g_new (float, n);

  if (!lk_backend_read (self->backend, variable->gradient, 0, values, n * sizeof (float), error))
    return NULL;
  for (gsize i = 0; i < n; i++)
    values[i] /= (float) self->batch->n_targets;
  return g_steal_pointer (&values);
}

/* Compares with the golden tensor @name: a real model's file has some, a tiny one's all. @sums gathers the squares. */
static gboolean
lk_check_one_gradient (LkCheck *self, LkVariable *variable, const char *name, const char *quantity, double sums[2], GError **error)
{
  g_autofree float *ours = lk_check_gradient (self, variable, error);
  const LkTensorInfo *golden = NULL;
  gsize n = (gsize) (variable->rows * variable->cols);
  double difference, norm;

  if (!ours || ((!self->real || lk_safetensors_lookup (self->golden, name)) && !(golden = lk_check_tensor (self, name, LK_TYPE_F32, error))))
    return FALSE;
  if (golden)
    {
      g_autofree float *values = g_memdup2 (golden->data, golden->size);

      if (golden->size != n * sizeof (float))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “%s” has another shape than the model's", self->folder, name);
          return FALSE;
        }
      lk_check_norms (ours, values, n, &difference, &norm);
      lk_check_note (self, quantity, lk_check_ratio (difference, norm), name);
      g_hash_table_add (self->compared, g_strdup (name));
      sums[0] += difference;
      sums[1] += norm;
    }
  if (self->norms && g_str_has_prefix (name, "grad."))
    {
      double wanted = json_object_get_double_member_with_default (self->norms, name + strlen ("grad."), NAN);

      lk_check_norms (ours, ours, n, &difference, &norm);
      lk_check_note (self, "grad_norms", fabs (sqrt (norm) - wanted) / wanted, name);
      self->n_norms++;
    }
  return TRUE;
}

/* A gradient in the golden file that the model has no tensor for was not looked at. */
static gboolean
lk_check_all_compared (LkCheck *self, const char *prefix, GError **error)
{
  for (guint i = 0; i < lk_safetensors_get_n_tensors (self->golden); i++)
    {
      const char *name = lk_safetensors_get_tensor (self->golden, i)->name;

      if (g_str_has_prefix (name, prefix) && !g_hash_table_contains (self->compared, name))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: golden.safetensors has “%s”, for which there is no tensor here", self->folder,
                       name);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
lk_check_adapter_gradients (LkCheck *self, LkAdapter *adapter, GError **error)
{
  double sums[2] = { 0, 0 };

  for (guint i = 0; i < lk_adapter_get_n_modules (adapter); i++)
    {
      const LkAdapterModule *module = lk_adapter_get_module (adapter, i);
      g_autofree char *path = lk_model_linear_path (module->layer, module->role);
      g_autofree char *a = g_strdup_printf ("grad.base_model.model.%s.lora_A.weight", path);
      g_autofree char *b = g_strdup_printf ("grad.base_model.model.%s.lora_B.weight", path);

      if (!lk_check_one_gradient (self, module->a, a, "grad.worst", sums, error)
          || !lk_check_one_gradient (self, module->b, b, "grad.worst", sums, error))
        return FALSE;
    }
  lk_check_note (self, "grad.all", lk_check_ratio (sums[0], sums[1]), "all tensors together");
  if (self->norms && json_object_get_size (self->norms) != self->n_norms)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “grad_norms” has %u members for the adapter's %u matrices", self->folder,
                   json_object_get_size (self->norms), self->n_norms);
      return FALSE;
    }
  return lk_check_all_compared (self, "grad.", error);
}

/* Rows of the batch whose logits are stored: all of them, or those of "positions" in the rows computed, of which *first is the
 * number of the first. (transfer full) */
static gint32 *
lk_check_logit_rows (LkCheck *self, guint *n, guint *first, GError **error)
{
  const LkTensorInfo *positions;
  gint32 *rows;

  *first = 0;
  if (!self->real)
    {
      *n = self->batch->n;
      rows = g_new (gint32, *n);
      for (guint i = 0; i < *n; i++)
        rows[i] = (gint32) i;
      return rows;
    }
  positions = lk_check_matrix (self, "positions", LK_TYPE_I64, -1, 2, error);
  if (!positions)
    return NULL;
  *n = 0;
  rows = g_new (gint32, positions->shape[0] + 1);
  for (guint i = 0; i < positions->shape[0]; i++)
    {
      gint64 pair[2];

      memcpy (pair, positions->data + i * 16, 16);
      if (pair[0] < 0 || pair[1] < 0 || pair[1] >= self->stored_length || (self->only < 0 && pair[0] >= self->rows))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: number %u of “positions” lies in no row", self->folder, i);
          g_free (rows);
          return NULL;
        }
      if (self->only >= 0 && pair[0] != self->only)
        continue;
      *first = *n == 0 ? i : *first; /* positions of one row stand together */
      rows[(*n)++] = (gint32) ((self->only >= 0 ? 0 : pair[0] * self->length) + pair[1]);
    }
  return rows;
}

static gboolean
lk_check_compare_logits (LkCheck *self, LkDecoder *decoder, const char *name, guint first, GError **error)
{
  const LkTensorInfo *golden = lk_check_tensor (self, name, LK_TYPE_F32, error);
  g_autofree float *ours = g_malloc (decoder->logits->bytes);
  g_autofree float *values = NULL;
  double difference, norm;

  if (!golden || !lk_backend_read (self->backend, decoder->logits, 0, ours, decoder->logits->bytes, error))
    return FALSE;
  if (self->only < 0 ? golden->size != decoder->logits->bytes : golden->size < decoder->logits->bytes)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “%s” has another shape than the model's logits", self->folder, name);
      return FALSE;
    }
  values = g_memdup2 (golden->data + first * decoder->logits->bytes / (gsize) decoder->logits->rows, decoder->logits->bytes);
  lk_check_norms (ours, values, decoder->logits->bytes / sizeof (float), &difference, &norm);
  lk_check_note (self, name, lk_check_ratio (difference, norm), name);
  return TRUE;
}

static gboolean
lk_check_logits (LkCheck *self, LkModel *model, LkAdapter *adapter, GError **error)
{
  static const float strengths[] = { 0.0f, 1.0f };
  static const char *const names[] = { "base_logits", "logits" };
  LkDecoderOptions options = { .purpose = LK_PURPOSE_LOGITS, .tokens = self->batch->n, .longest = (guint) self->length,
                               .adapters = &adapter, .n_adapters = 1 };
  guint first;
  g_autofree gint32 *rows = lk_check_logit_rows (self, &options.n_logits, &first, error);
  g_autoptr (LkDecoder) decoder = rows ? lk_decoder_new (model, &options, error) : NULL;
  g_autoptr (LkExecutable) executable = NULL;

  if (!decoder || !lk_backend_prepare (self->backend, lk_model_get_variables (model), error)
      || !(executable = lk_backend_compile (self->backend, decoder->program, error))
      || !lk_decoder_write_batch (decoder, self->backend, self->batch, error)
      || !lk_backend_write (self->backend, decoder->rows, 0, rows, options.n_logits * sizeof (gint32), error))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (!lk_backend_write (self->backend, lk_adapter_get_strength (adapter), 0, &strengths[i], sizeof (float), error)
        || !lk_executable_run (executable, error) || !lk_check_compare_logits (self, decoder, names[i], first, error))
      return FALSE;
  return TRUE;
}

/* logprobs (B,T): column t is the prediction made at t − 1. */
static gboolean
lk_check_logprobs (LkCheck *self, LkModel *model, LkAdapter *adapter, GError **error)
{
  LkDecoderOptions options = { .purpose = LK_PURPOSE_SCORE, .tokens = self->batch->n, .longest = (guint) self->length,
                               .adapters = &adapter, .n_adapters = 1 };
  const LkTensorInfo *golden = lk_check_matrix (self, "logprobs", LK_TYPE_F32, self->only < 0 ? self->rows : -1, self->stored_length, error);
  g_autoptr (LkDecoder) decoder = golden ? lk_decoder_new (model, &options, error) : NULL;
  g_autoptr (LkExecutable) executable = NULL;
  g_autofree float *ours = g_new0 (float, (gsize) self->batch->n + 1);
  g_autofree float *values = golden ? g_memdup2 (golden->data, golden->size) : NULL;
  double difference, norm;

  if (!decoder || !lk_backend_prepare (self->backend, lk_model_get_variables (model), error)
      || !(executable = lk_backend_compile (self->backend, decoder->program, error))
      || !lk_decoder_write_batch (decoder, self->backend, self->batch, error) || !lk_executable_run (executable, error)
      || !lk_backend_read (self->backend, decoder->logprobs, 0, ours + 1, self->batch->n * sizeof (float), error))
    return FALSE;
  if (self->only >= (gint64) golden->shape[0])
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "%s: “logprobs” has fewer rows than “input_ids”", self->folder);
      return FALSE;
    }
  lk_check_norms (ours, values + MAX (self->only, 0) * self->stored_length, self->batch->n, &difference, &norm);
  lk_check_note (self, "logprobs", lk_check_ratio (difference, norm), "logprobs");
  return TRUE;
}

/* The same row on the CPU: what loss and gradients are held against where one row stands for the batch. */
static gboolean
lk_check_against_cpu (LkCheck *self, LkAdapter *adapter, double loss, GError **error)
{
  LkCheck cpu = *self;
  g_autofree char *folder = g_build_filename (self->folder, "adapter", NULL);
  g_autoptr (LkModel) model = lk_model_open_as (self->model_path, self->base_type, error);
  g_autoptr (LkAdapter) twin = model ? lk_adapter_load (model, "golden", folder, TRUE, error) : NULL;
  g_autoptr (LkBackend) backend = lk_backend_new_cpu (0);
  g_auto (LkRig) rig = { 0 };
  double wanted, sums[2] = { 0, 0 };

  cpu.backend = backend;
  if (!twin || !lk_rig_init (&rig, &cpu, model, twin, lk_adapter_get_parameters (twin), lk_adapter_get_gradients (twin), error)
      || !lk_rig_loss (&rig, &cpu, &wanted, error))
    return FALSE;
  lk_check_note (self, "losses", fabs (loss - wanted) / wanted, "one row, against the CPU");
  for (guint i = 0; i < 2 * lk_adapter_get_n_modules (adapter); i++)
    {
      const LkAdapterModule *a = lk_adapter_get_module (adapter, i / 2), *b = lk_adapter_get_module (twin, i / 2);
      g_autofree float *ours = lk_check_gradient (self, i % 2 ? a->b : a->a, error);
      g_autofree float *theirs = ours ? lk_check_gradient (&cpu, i % 2 ? b->b : b->a, error) : NULL;
      double difference, norm;

      if (!theirs)
        return FALSE;
      lk_check_norms (ours, theirs, (gsize) (i % 2 ? a->b->rows * a->b->cols : a->a->rows * a->a->cols), &difference, &norm);
      lk_check_note (self, "grad.worst", lk_check_ratio (difference, norm), i % 2 ? a->b->name : a->a->name);
      sums[0] += difference;
      sums[1] += norm;
    }
  lk_check_note (self, "grad.all", lk_check_ratio (sums[0], sums[1]), "one row, against the CPU");
  return TRUE;
}

static gboolean
lk_check_adapter (LkCheck *self, GError **error)
{
  g_autoptr (LkModel) model = lk_model_open_as (self->model_path, self->base_type, error);
  g_autofree char *folder = g_build_filename (self->folder, "adapter", NULL);
  g_autoptr (LkAdapter) adapter = model ? lk_adapter_load (model, "golden", folder, TRUE, error) : NULL;
  g_auto (LkRig) rig = { 0 };
  double loss;

  if (!adapter)
    return FALSE;
  lk_adapter_set_dropout (adapter, 0); /* the numbers come from a model in evaluation mode */
  self->vocab = lk_model_get_config (model)->vocab;
  if (!lk_check_read_batch (self, error)
      || !lk_rig_init (&rig, self, model, adapter, lk_adapter_get_parameters (adapter), lk_adapter_get_gradients (adapter), error)
      || !lk_check_logits (self, model, adapter, error) || (self->real && !lk_check_logprobs (self, model, adapter, error))
      || !lk_rig_loss (&rig, self, &loss, error))
    return FALSE;
  if (self->only >= 0)
    return lk_check_against_cpu (self, adapter, loss, error);
  return lk_check_adapter_gradients (self, adapter, error) && lk_check_losses (self, &rig, "losses", "loss_after", loss, error);
}

static gboolean
lk_check_full (LkCheck *self, GError **error)
{
  g_autoptr (LkModel) model = lk_model_open_as (self->model_path, self->base_type, error);
  g_auto (LkRig) rig = { 0 };
  LkBaseTraining training;
  double loss, sums[2] = { 0, 0 };
  guint n;
  const LkModelTensor *tensors;

  if (!model || !lk_model_train_base (model, &training, error)
      || !lk_rig_init (&rig, self, model, NULL, training.parameters, training.gradients, error) || !lk_rig_loss (&rig, self, &loss, error))
    return FALSE;
  tensors = lk_model_get_tensors (model, &n);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strconcat ("full.", tensors[i].hf_name, NULL);

      if (!lk_check_one_gradient (self, tensors[i].variable, name, "full.worst", sums, error))
        return FALSE;
    }
  if (!lk_check_all_compared (self, "full.", error))
    return FALSE;
  return lk_check_losses (self, &rig, "full_losses", "full_loss_after", loss, error);
}

/* What golden.json must hold, by its kind: a number, or a list of them. */
static gboolean
lk_check_members (LkCheck *self, const char *path, GError **error)
{
  static const struct
  {
    const char *name;
    guint least;   /* numbers in the list; 0: a number */
    gboolean tiny; /* of the tiny families only */
  } members[] = { { "lr", 0, FALSE }, { "eps", 0, FALSE }, { "weight_decay", 0, FALSE }, { "betas", 2, FALSE }, { "losses", 1, FALSE },
                  { "loss_after", 0, FALSE }, { "full_losses", 1, TRUE }, { "full_loss_after", 0, TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      JsonArray *list = NULL;
      double number = NAN;
      gboolean ok = members[i].least == 0 ? lk_json_get_double (self->json, members[i].name, path, &number, error)
                                          : lk_json_get_array (self->json, members[i].name, path, &list, error);

      if (!ok)
        return FALSE;
      for (guint k = 0; list && k < json_array_get_length (list); k++)
        {
          JsonNode *node = json_array_get_element (list, k);

          number = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : NAN;
          if (isnan (number))
            break;
        }
      if (members[i].tiny && (self->real || self->adapter_only))
        continue;
      if (isnan (number) || (members[i].least > 0 && (!list || json_array_get_length (list) < members[i].least)))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is missing, too short or holds what is no number", path, members[i].name);
          return FALSE;
        }
    }
  return TRUE;
}

/* By layout, by what is computed and by what it is computed with. */
static void
lk_check_set_tolerances (LkCheck *self)
{
  const LkDevicePlan *plan = lk_backend_get_device_plan (self->backend);
  g_autofree char *family = g_path_get_basename (self->folder);

  for (guint i = 0; i < LK_N_QUANTITIES; i++)
    self->results[i] = (LkResult){ -1, lk_quantity_tolerance (i, family, self->real, plan), NULL };
  if (self->adapter_only)
    lk_check_result (self, "full.worst")->tolerance = lk_check_result (self, "full_losses")->tolerance = 0;
  if (self->only >= 0)
    lk_check_result (self, "grad_norms")->tolerance = 0; /* they are of the whole batch */
}

static gboolean
lk_check_run (LkCheck *self, const char *model_path, GError **error)
{
  g_autofree char *golden = g_build_filename (self->folder, "golden.safetensors", NULL);
  g_autofree char *json = g_build_filename (self->folder, "golden.json", NULL);
  g_autofree char *own = g_build_filename (self->folder, "model.safetensors", NULL);

  self->model_path = g_file_test (own, G_FILE_TEST_EXISTS) ? self->folder : model_path;
  if (!self->model_path)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "%s holds no base model: give it with --model", self->folder);
      return FALSE;
    }
  self->golden = lk_safetensors_open (golden, error);
  if (!self->golden)
    return FALSE;
  self->real = lk_safetensors_lookup (self->golden, "positions") != NULL;
  self->compared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->json = lk_json_load_object (json, 64 << 20, error);
  if (!self->json || !lk_check_members (self, json, error) || !lk_json_get_object (self->json, "grad_norms", json, &self->norms, error))
    return FALSE;
  self->backend = lk_backend_new_precise (self->device, self->precision, error);
  if (!self->backend)
    return FALSE;
  self->only = self->real && strstr (lk_backend_get_description (self->backend), "llvmpipe") ? 0 : -1;
  lk_check_set_tolerances (self);
  return lk_check_adapter (self, error) && (self->real || self->adapter_only || lk_check_full (self, error));
}

static gboolean
lk_check_passed (LkCheck *self)
{
  for (guint i = 0; i < LK_N_QUANTITIES; i++)
    if (self->results[i].tolerance > 0 && !(self->results[i].deviation >= 0 && self->results[i].deviation <= self->results[i].tolerance))
      return FALSE;
  return TRUE;
}

static void
lk_check_print (LkCheck *self)
{
  printf ("%s on %s, products in %s\n", self->folder, lk_backend_get_description (self->backend), lk_backend_get_products (self->backend));
  for (guint i = 0; i < LK_N_QUANTITIES; i++)
    if (self->results[i].tolerance > 0)
      printf ("  %-12s %9.2e  of %7.1e  %s  %s\n", lk_quantity_names[i], self->results[i].deviation, self->results[i].tolerance,
              self->results[i].deviation <= self->results[i].tolerance ? "ok    " : "BEYOND", self->results[i].worst ? self->results[i].worst : "");
}

/* @error: why the folder could not be compared, or NULL. */
static void
lk_check_print_json (LkCheck *self, const GError *error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *top = json_object_new ();
  g_autofree char *text = NULL;

  json_node_take_object (node, top);
  json_object_set_string_member (top, "folder", self->folder);
  json_object_set_string_member (top, "device", self->device);
  json_object_set_boolean_member (top, "passed", !error && lk_check_passed (self));
  if (self->backend)
    {
      json_object_set_string_member (top, "device_name", lk_backend_get_description (self->backend));
      json_object_set_string_member (top, "products", lk_backend_get_products (self->backend));
    }
  if (error)
    json_object_set_string_member (top, "error", error->message);
  for (guint i = 0; !error && i < LK_N_QUANTITIES; i++)
    if (self->results[i].tolerance > 0)
      {
        JsonObject *one = json_object_new ();

        json_object_set_double_member (one, "deviation", isfinite (self->results[i].deviation) ? self->results[i].deviation : G_MAXDOUBLE);
        json_object_set_double_member (one, "tolerance", self->results[i].tolerance);
        json_object_set_string_member (one, "worst_tensor", self->results[i].worst ? self->results[i].worst : "");
        json_object_set_object_member (top, lk_quantity_names[i], one);
      }
  text = lk_json_to_string (node, FALSE);
  puts (text);
}

static void
lk_check_clear (LkCheck *self)
{
  for (guint i = 0; i < LK_N_QUANTITIES; i++)
    g_free (self->results[i].worst);
  lk_batch_free (self->batch);
  g_clear_pointer (&self->backend, lk_backend_unref);
  g_clear_pointer (&self->json, json_object_unref);
  g_clear_pointer (&self->compared, g_hash_table_unref);
  g_clear_pointer (&self->golden, lk_safetensors_unref);
}

int
main (int argc, char **argv)
{
  g_autofree char *model = NULL;
  g_autofree char *device = g_strdup ("cpu");
  g_autofree char *base_type = NULL;
  g_autofree char *precision_name = g_strdup (lk_precision_names[LK_PRECISION_FLOAT32]);
  gboolean json = FALSE, adapter_only = FALSE, failed = FALSE, skipped = FALSE;
  LkType type = LK_TYPE_INVALID;
  LkPrecision precision = LK_PRECISION_FLOAT32;
  const GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_FILENAME, &model, "The base of folders that hold none", "FILE" },
    { "device", 0, 0, G_OPTION_ARG_STRING, &device, "cpu, vulkan or vulkan:N", "DEVICE" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &precision_name, "What a graphics card multiplies: float32 (default), auto, float16 …", "NAME" },
    { "base-type", 0, 0, G_OPTION_ARG_STRING, &base_type, "Hold linear weights as nf4, q8_0 or q4_0", "TYPE" },
    { "adapter-only", 0, 0, G_OPTION_ARG_NONE, &adapter_only, "There are no golden numbers of base weights", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "One JSON object a folder", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("FOLDER… - compare the engine with golden numbers");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C"); /* the numbers of JSON */
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !lk_base_type_parse (base_type, &type, &error)
      || !lk_precision_parse (precision_name, &precision, &error) || argc < 2)
    {
      fprintf (stderr, "golden-check: %s\n", error ? error->message : "no folder given");
      return 2;
    }
  for (int i = 1; i < argc; i++)
    {
      LkCheck check = { .folder = argv[i], .device = device, .precision = precision, .base_type = type, .adapter_only = adapter_only };
      g_autoptr (GError) check_error = NULL;

      if (!lk_check_run (&check, model, &check_error))
        fprintf (stderr, "golden-check: %s: %s\n", argv[i], check_error->message);
      if (json)
        lk_check_print_json (&check, check_error);
      else if (!check_error)
        lk_check_print (&check);
      if (!check.backend && precision > LK_PRECISION_FLOAT32 && g_error_matches (check_error, LK_ERROR, LK_ERROR_UNSUPPORTED))
        skipped = TRUE;
      else
        failed |= check_error || !lk_check_passed (&check);
      lk_check_clear (&check);
    }
  return failed ? 1 : skipped ? 77 : 0;
}
