/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-trainer-private.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-run-data.h"
#include "lk-schedule.h"

#define LK_PROBLEMS_TOLD 100 /* problem events; all are counted */
#define LK_EVALUATIONS 12
#define LK_CHECKPOINTS 6
#define LK_DISK_SPARE (64 << 20) /* for events, log and what others write meanwhile */

void
lk_trainer_adapter_config (const LkRecipe *recipe, LkAdapterConfig *config, char ***targets)
{
  const char *text = lk_recipe_get_text (recipe, LK_SETTING_TARGETS);

  *targets = g_str_equal (text, "all") ? NULL : g_strsplit (text, ",", -1);
  for (guint i = 0; *targets && (*targets)[i]; i++)
    g_strstrip ((*targets)[i]);
  *config = (LkAdapterConfig){ .rank = (guint) lk_recipe_get_int (recipe, LK_SETTING_RANK),
                               .alpha = lk_recipe_get_number (recipe, LK_SETTING_ALPHA),
                               .rslora = lk_recipe_get_boolean (recipe, LK_SETTING_RSLORA),
                               .dropout = lk_recipe_get_number (recipe, LK_SETTING_DROPOUT),
                               .targets = (const char *const *) *targets,
                               .seed = (guint64) lk_recipe_get_int (recipe, LK_SETTING_SEED) };
}

void
lk_trainer_step_options (const LkRecipe *recipe, LkModel *model, LkAdapter *adapter, LkBackend *backend,
                         LkTrainData *data, LkTrainStepOptions *options)
{
  const char *recompute = lk_recipe_get_text (recipe, LK_SETTING_RECOMPUTE);
  guint length
      = (guint) MIN (lk_recipe_get_int (recipe, LK_SETTING_LENGTH), lk_model_get_config (model)->context);

  *options = (LkTrainStepOptions){ .model = model, .adapter = adapter, .backend = backend };
  options->length = data ? lk_train_bucket (lk_train_data_get_longest (data), length) : length;
  options->recompute_layers = g_str_equal (recompute, "auto")  ? -1
                              : g_str_equal (recompute, "all") ? G_MAXINT
                                                               : 0;
  options->seed = (guint64) lk_recipe_get_int (recipe, LK_SETTING_SEED);
}

gint64
lk_trainer_count_steps (const LkRecipe *recipe, LkTrainData *data)
{
  gint64 steps = lk_recipe_get_int (recipe, LK_SETTING_STEPS);
  double epochs = lk_recipe_get_number (recipe, LK_SETTING_EPOCHS);

  return steps > 0 ? steps
                   : MAX (1, (gint64) ceil (epochs * (double) lk_train_data_get_steps_per_epoch (data)));
}

static void
lk_trainer_problem (const char *file, guint64 line, const char *reason, gpointer data)
{
  LkTrainer *self = data;
  JsonObject *members;

  if (self->problems_told++ >= LK_PROBLEMS_TOLD)
    return;
  members = json_object_new ();
  json_object_set_string_member (members, "file", file);
  json_object_set_int_member (members, "line", (gint64) line);
  json_object_set_string_member (members, "reason", reason);
  lk_events_write (self->events, "problem", members, NULL);
}

/* The hash of what the recipe was frozen with; changed files are refused, a new recipe gets them. */
static gboolean
lk_trainer_freeze (LkTrainer *self, GError **error)
{
  const char *model = lk_model_get_hash (self->model, error), *data = lk_dataset_get_hash (self->dataset);
  const char *old_model = lk_recipe_get_model_hash (self->recipe),
             *old_data = lk_recipe_get_data_hash (self->recipe);

  if (!model)
    return FALSE;
  if (old_model && !g_str_equal (model, old_model))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                   "%s: “model_sha256” differs: the model %s changed since the run was made",
                   self->folder->recipe, lk_recipe_get_model (self->recipe));
      return FALSE;
    }
  if (old_data && !g_str_equal (data, old_data))
    {
      g_autofree char *files = g_strjoinv ("”, “", (char **) lk_recipe_get_data (self->recipe));

      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                   "%s: “data_sha256” differs: the dataset “%s” changed since the run was made",
                   self->folder->recipe, files);
      return FALSE;
    }
  if (old_model && old_data)
    return TRUE;
  lk_recipe_set_hashes (self->recipe, model, data);
  return lk_recipe_save (self->recipe, self->folder->recipe, error);
}

static gboolean
lk_trainer_load (LkTrainer *self, GError **error)
{
  const char *const *paths;

  if (!lk_run_data_freeze (self->folder, self->recipe, error))
    return FALSE;
  paths = lk_recipe_get_data (self->recipe);
  self->backend = lk_backend_new_precise (lk_recipe_get_text (self->recipe, LK_SETTING_DEVICE), lk_recipe_get_precision (self->recipe), error);
  self->model = self->backend ? lk_model_open_as (lk_recipe_get_model (self->recipe), lk_recipe_get_base_type (self->recipe), error)
                              : NULL;
  self->dataset = self->model ? lk_dataset_load (paths, g_strv_length ((char **) paths), error) : NULL;
  if (!self->dataset || !lk_trainer_freeze (self, error))
    return FALSE;
  if (lk_model_get_template_note (self->model)
      && !_lk_trainer_warn (self, error, "%s", lk_model_get_template_note (self->model)))
    return FALSE;
  self->data = lk_train_data_new (self->model, self->dataset, self->recipe, lk_trainer_problem, self, error);
  if (!self->data)
    return FALSE;
  if (self->problems_told > LK_PROBLEMS_TOLD
      && !_lk_trainer_warn (self, error,
                            "%u more rows have problems; “lorikeet-cli inspect --problems” names them all",
                            self->problems_told - LK_PROBLEMS_TOLD))
    return FALSE;
  if (lk_backend_get_notice (self->backend)
      && !_lk_trainer_warn (self, error, "%s", lk_backend_get_notice (self->backend)))
    return FALSE;
  if (lk_recipe_get_number (self->recipe, LK_SETTING_HELD_OUT) > 0
      && lk_train_data_get_n_held_out (self->data) == 0)
    return _lk_trainer_warn (
        self, error, "There are too few rows to hold some out; nothing will tell learning from remembering");
  return TRUE;
}

/* A run may begin with what another one learned. The adapter's file says its rank and scale; a recipe that says another
 * rank would show settings that are not used. */
static gboolean
lk_trainer_load_start (LkTrainer *self, const char *path, GError **error)
{
  gint64 rank = lk_recipe_get_int (self->recipe, LK_SETTING_RANK);

  self->adapter = lk_adapter_load (self->model, "adapter", path, TRUE, error);
  for (guint i = 0; self->adapter && i < lk_adapter_get_n_modules (self->adapter); i++)
    if (lk_adapter_get_module (self->adapter, i)->rank != rank)
      {
        g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                     "%s: “rank” is %" G_GINT64_FORMAT ", and the adapter “%s” to go on from has rank %u",
                     self->folder->recipe, rank, path, lk_adapter_get_module (self->adapter, i)->rank);
        return FALSE;
      }
  return self->adapter != NULL;
}

static gboolean
lk_trainer_make_adapter (LkTrainer *self, char **checkpoint, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) targets = NULL;
  LkAdapterConfig config;

  *checkpoint = self->options->resume || self->again ? lk_checkpoint_newest (self->folder->checkpoints, warnings) : NULL;
  for (guint i = 0; i < warnings->len; i++)
    if (!lk_events_write_warning (self->events, g_ptr_array_index (warnings, i), error))
      return FALSE;
  if (*checkpoint)
    {
      if (!lk_checkpoint_load_state (*checkpoint, self->recipe, &self->state, error))
        return FALSE;
      self->saved_step = self->state.step;
      self->saved_evaluation = self->state.evaluated_step;
      self->adapter = lk_adapter_load (self->model, "adapter", *checkpoint, TRUE, error);
      return self->adapter != NULL;
    }
  if (warnings->len > 0
      && !_lk_trainer_warn (self, error, "No whole checkpoint is left: the run begins from its first step"))
    return FALSE;
  if (lk_recipe_get_adapter (self->recipe))
    return lk_trainer_load_start (self, lk_recipe_get_adapter (self->recipe), error);
  lk_trainer_adapter_config (self->recipe, &config, &targets);
  self->adapter = lk_adapter_new (self->model, "adapter", &config, error);
  return self->adapter != NULL;
}

/* Two plans give the same numbers but for rounding. A run that goes on on the same device keeps its plan, so that not even that differs,
 * unless memory ran out with it or does not suffice now. */
static gboolean
lk_trainer_make_plan (LkTrainer *self, const LkTrainStepOptions *options, gboolean resumed, GError **error)
{
  const char *device = lk_backend_get_description (self->backend);
  g_autoptr (GError) local_error = NULL;
  LkTrainStepOptions wanted = *options;
  LkTrainPlan plan;
  LkRung last = { 0 };
  gboolean failed = FALSE;

  if (g_strcmp0 (device, self->plan_device) == 0)
    {
      last = (LkRung){ self->plan.rows, self->plan.recompute_layers, self->plan.beside > 0 };
      failed = self->short_of_memory;
    }
  if (failed)
    {
      wanted.behind = last;
      wanted.failed = lk_train_plan_allocated (&self->plan);
    }
  else if (last.rows == 0 && resumed && g_str_equal (device, self->state.device))
    last = (LkRung){ (guint) self->state.rows, (guint) self->state.recompute_layers, FALSE };
  if (!failed && last.rows > 0)
    {
      wanted.rows = last.rows;
      wanted.recompute_layers = (gint) last.recompute_layers;
      if (last.table_beside) /* the rung before it differs in nothing else */
        wanted.behind = (LkRung){ last.rows, last.recompute_layers, FALSE };
      if (lk_train_plan_make (&wanted, &plan, &local_error))
        {
          self->plan = plan;
          return TRUE;
        }
      if (!g_error_matches (local_error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      wanted = *options;
    }
  if (!lk_train_plan_make (&wanted, &plan, error))
    return FALSE;
  self->plan = plan;
  return TRUE;
}

/* What the run was on until now, where the device or the plan is another one: its numbers may differ from here on. */
static const char *
lk_trainer_before (LkTrainer *self, const char *plan_device, const char *device, gboolean resumed)
{
  if (plan_device && !g_str_equal (device, plan_device))
    return plan_device;
  return resumed
                 && (!g_str_equal (device, self->state.device) || self->plan.rows != self->state.rows
                     || self->plan.recompute_layers != self->state.recompute_layers)
             ? self->state.device
             : NULL;
}

/* A driver or a build that knows the device's matrix units, or another setting, rounds otherwise from here on. */
static gboolean
lk_trainer_keep_products (LkTrainer *self, GError **error)
{
  const char *products = lk_backend_get_products (self->backend);
  g_autofree char *before = g_strdup (self->state.products);

  g_strlcpy (self->state.products, products, sizeof self->state.products);
  return before[0] == 0 || g_str_equal (before, products)
         || _lk_trainer_warn (self, error, "The run multiplied %s until now and multiplies %s from here on; its numbers are rounded otherwise",
                              before, products);
}

static gboolean
lk_trainer_make_step (LkTrainer *self, gboolean resumed, GError **error)
{
  const char *device = lk_backend_get_description (self->backend), *before;
  g_autofree char *plan_device = NULL;
  LkTrainStepOptions options;

  self->planned = FALSE;
  lk_trainer_step_options (self->recipe, self->model, self->adapter, self->backend, self->data, &options);
  if (!lk_trainer_make_plan (self, &options, resumed, error))
    return FALSE;
  plan_device = g_steal_pointer (&self->plan_device);
  self->plan_device = g_strdup (device);
  self->planned = TRUE;
  self->short_of_memory = FALSE;
  self->step = lk_train_step_new (&options, &self->plan, error);
  if (!self->step)
    return FALSE;
  before = lk_trainer_before (self, plan_device, device, resumed);
  if (before
      && !_lk_trainer_warn (self, error,
                            "The run goes on with another device or less memory than before (%s, then %s); "
                            "from here on its numbers may differ in the last digits",
                            before, device))
    return FALSE;
  if (!lk_trainer_keep_products (self, error))
    return FALSE;
  g_strlcpy (self->state.device, device, sizeof self->state.device);
  self->state.rows = self->plan.rows;
  self->state.recompute_layers = self->plan.recompute_layers;
  self->held_out = lk_train_data_held_out (self->data, lk_train_step_get_capacity (self->step));
  return TRUE;
}

static void
lk_trainer_schedule (LkTrainer *self)
{
  self->steps_per_epoch = lk_train_data_get_steps_per_epoch (self->data);
  self->steps = lk_trainer_count_steps (self->recipe, self->data);
  self->warmup = lk_schedule_warmup (lk_recipe_get_number (self->recipe, LK_SETTING_WARMUP), self->steps);
  self->patience = lk_recipe_get_int (self->recipe, LK_SETTING_PATIENCE);
  self->eval_interval = lk_recipe_get_int (self->recipe, LK_SETTING_EVAL_INTERVAL);
  self->checkpoint_interval = lk_recipe_get_int (self->recipe, LK_SETTING_CHECKPOINT_INTERVAL);
  if (self->eval_interval == 0)
    self->eval_interval = MAX (1, self->steps / LK_EVALUATIONS);
  if (self->checkpoint_interval == 0)
    self->checkpoint_interval = MAX (1, self->steps / LK_CHECKPOINTS);
}

/* Said now rather than after an hour: adapter and two moments in each checkpoint kept and in the one being
 * written, best and last. */
static gboolean
lk_trainer_check_disk (LkTrainer *self, GError **error)
{
  guint64 adapter = (guint64) lk_adapter_get_n_parameters (self->adapter) * sizeof (float);
  guint64 checkpoints = (guint64) lk_recipe_get_int (self->recipe, LK_SETTING_KEEP_CHECKPOINTS) + 2;
  guint64 needed = adapter * (3 * checkpoints + 3) + LK_DISK_SPARE, available;
  g_autofree char *need = g_format_size_full (needed, G_FORMAT_SIZE_IEC_UNITS), *have = NULL;

  if (!lk_free_space (self->folder->path, &available, error))
    return FALSE;
  if (available >= needed)
    return TRUE;
  have = g_format_size_full (available, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, LK_ERROR, LK_ERROR_NO_SPACE,
               "The run needs %s on the disk for its checkpoints, and %s are free at “%s”", need, have,
               self->folder->path);
  return FALSE;
}

static gboolean
lk_trainer_write_plan (LkTrainer *self, GError **error)
{
  const LkTrainPlan *plan = lk_train_step_get_plan (self->step);
  g_autofree char *way = lk_train_plan_describe (plan, lk_train_step_get_capacity (self->step) / plan->rows,
                                                 (guint) lk_model_get_config (self->model)->layers);
  JsonObject *members = json_object_new ();

  json_object_set_int_member (members, "steps", self->steps);
  json_object_set_double_member (members, "epochs", (double) self->steps / (double) self->steps_per_epoch);
  json_object_set_int_member (members, "train_rows", lk_train_data_get_n_train (self->data));
  json_object_set_int_member (members, "held_out_rows", lk_train_data_get_n_held_out (self->data));
  json_object_set_int_member (members, "problems", lk_train_data_get_n_problems (self->data));
  json_object_set_int_member (members, "train_tokens", lk_train_data_get_tokens (self->data));
  json_object_set_int_member (members, "target_tokens", lk_train_data_get_targets (self->data));
  json_object_set_int_member (members, "trainable_parameters", lk_adapter_get_n_parameters (self->adapter));
  json_object_set_int_member (members, "parameters", lk_model_get_config (self->model)->parameters);
  json_object_set_int_member (members, "memory_bytes", (gint64) lk_train_plan_total (plan));
  json_object_set_int_member (members, "tokens_at_once", lk_train_step_get_capacity (self->step));
  json_object_set_int_member (members, "recompute_layers", plan->recompute_layers);
  json_object_set_string_member (members, "way", way);
  json_object_set_string_member (members, "device", lk_backend_get_description (self->backend));
  json_object_set_string_member (members, "products", lk_backend_get_products (self->backend));
  json_object_set_string_member (members, "model", lk_model_get_config (self->model)->name);
  return lk_events_write (self->events, "plan", members, error);
}

/* All is there to go on: the recipe says for how long, from now on. It is read anew, as a name or a note may have come meanwhile. */
static gboolean
lk_trainer_lengthen (LkTrainer *self, GError **error)
{
  const LkTrainerOptions *o = self->options;
  g_autoptr (LkRecipe) now = o->longer && !self->lengthened ? lk_recipe_load (self->folder->recipe, error) : NULL;

  if (!o->longer || self->lengthened)
    return TRUE;
  self->lengthened = now && lk_recipe_set (now, o->longer_setting, o->longer, error) && lk_recipe_save (now, self->folder->recipe, error);
  return self->lengthened;
}

void
_lk_trainer_release (LkTrainer *self)
{
  if (self->options->sample_release)
    self->options->sample_release (self->options->sample_data);
  g_clear_pointer (&self->held_out, g_array_unref);
  g_clear_pointer (&self->step, lk_train_step_free);
  g_clear_pointer (&self->data, lk_train_data_free);
  g_clear_pointer (&self->adapter, lk_adapter_unref);
  g_clear_pointer (&self->dataset, lk_dataset_unref);
  g_clear_pointer (&self->model, lk_model_unref);
  g_clear_pointer (&self->backend, lk_backend_unref);
}

gboolean
_lk_trainer_prepare (LkTrainer *self, GError **error)
{
  g_autofree char *checkpoint = NULL;
  JsonObject *members;

  if (!lk_events_write_state (self->events, "preparing", NULL, error) || !lk_trainer_load (self, error)
      || !lk_trainer_make_adapter (self, &checkpoint, error)
      || !lk_trainer_make_step (self, checkpoint != NULL, error) || !lk_trainer_check_disk (self, error)
      || (checkpoint
          && !lk_checkpoint_load_optimizer (checkpoint, lk_train_step_get_update (self->step), self->backend,
                                            error)))
    return FALSE;
  lk_trainer_schedule (self);
  if (!lk_trainer_lengthen (self, error) || !lk_trainer_write_plan (self, error)
      || (self->options->sample_setup && lk_recipe_get_int (self->recipe, LK_SETTING_SAMPLES) > 0
          && !self->options->sample_setup (self->model, self->adapter, self->backend,
                                           self->options->sample_data, error)))
    return FALSE;
  if (!checkpoint && lk_events_is_fresh (self->events) && !self->again)
    return TRUE;
  members = json_object_new ();
  json_object_set_int_member (members, "step", self->state.step);
  return lk_events_write (self->events, "resume", members, error);
}
