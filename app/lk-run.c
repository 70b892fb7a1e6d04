/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-private.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"
#include "lk-json.h"
#include "lk-sample.h"
#include "lk-words.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECIPE_LIMIT (16 * 1024 * 1024)
#define LOG_TAIL (64 * 1024)
#define ENOUGH_STEPS 5 /* before a pace is one: the first steps also make what the later ones use */

enum
{
  PROP_0,
  PROP_FOLDER,
  PROP_NAME,
  PROP_MODEL_NAME,
  PROP_DATA_NAME,
  PROP_CREATED,
  PROP_CREATED_TEXT,
  PROP_STATE,
  PROP_STATE_TEXT,
  PROP_ACTIVE,
  PROP_PAUSED,
  PROP_STEP,
  PROP_STEPS,
  PROP_CHECKPOINT_STEP,
  PROP_FRACTION,
  PROP_PROGRESS_TEXT,
  PROP_SUMMARY,
  PROP_LOSS,
  PROP_HELD_OUT_LOSS,
  PROP_BEST_LOSS,
  PROP_LOSS_TEXT,
  PROP_HELD_OUT_TEXT,
  PROP_BEST_TEXT,
  PROP_LEARNING_RATE_TEXT,
  PROP_GRADIENT_NORM_TEXT,
  PROP_SPEED_TEXT,
  PROP_MEMORY_TEXT,
  PROP_DATA_TEXT,
  PROP_DEVICE_TEXT,
  PROP_WARNING,
  PROP_CAN_STOP,
  PROP_CAN_PAUSE,
  PROP_CAN_CONTINUE,
  PROP_CAN_RESUME,
  PROP_HAS_ADAPTER,
  PROP_TROUBLE,
  PROP_TROUBLE_TEXT,
  PROP_PROBLEMS_TITLE,
  PROP_PROBLEMS_TEXT,
  PROP_TRAINING,
  PROP_HELD_OUT,
  PROP_LEARNING_RATE,
  PROP_GRADIENT_NORM,
  PROP_SPEED,
  PROP_SAMPLES,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkRun, lk_run, G_TYPE_OBJECT)

GType
lk_run_state_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { LK_RUN_PREPARING, "LK_RUN_PREPARING", "preparing" },
    { LK_RUN_RUNNING, "LK_RUN_RUNNING", "running" },
    { LK_RUN_PAUSED, "LK_RUN_PAUSED", "paused" },
    { LK_RUN_STOPPING, "LK_RUN_STOPPING", "stopping" },
    { LK_RUN_STOPPED, "LK_RUN_STOPPED", "stopped" },
    { LK_RUN_FINISHED, "LK_RUN_FINISHED", "finished" },
    { LK_RUN_FAILED, "LK_RUN_FAILED", "failed" },
    { LK_RUN_INTERRUPTED, "LK_RUN_INTERRUPTED", "interrupted" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("LkRunState", values));
  return type;
}

static const char *
state_text (LkRun *self)
{
  static const char *const texts[] = { N_ ("Getting ready"), N_ ("Running"), N_ ("Paused"), N_ ("Stopping"),
                                       N_ ("Stopped"), N_ ("Finished"), N_ ("Failed"), N_ ("Interrupted") };

  return _ (texts[self->state]);
}

static char *
progress_text (LkRun *self)
{
  g_autofree char *step = lk_words_count (self->step);
  g_autofree char *steps = lk_words_count (self->steps);
  g_autofree char *time = NULL;

  switch (self->state)
    {
    case LK_RUN_PREPARING:
      return g_strdup (_ ("Getting the model and the data ready…"));
    case LK_RUN_RUNNING:
      if (self->step == 0)
        return g_strdup (_ ("Starting…"));
      if (self->step >= self->steps)
        return g_strdup_printf (_ ("Step %s of %s · almost done"), step, steps);
      time = lk_words_duration (self->seconds_left);
      return g_strdup_printf (_ ("Step %s of %s · %s left"), step, steps, time);
    case LK_RUN_PAUSED:
      return g_strdup_printf (_ ("Paused at step %s of %s"), step, steps);
    case LK_RUN_STOPPING:
      return g_strdup (_ ("Finishing the step and saving…"));
    case LK_RUN_STOPPED:
      return g_strdup_printf (_ ("Stopped and saved at step %s of %s"), step, steps);
    case LK_RUN_FINISHED:
      time = lk_words_duration (self->active_seconds);
      return self->active_seconds > 0 ? g_strdup_printf (_ ("Finished %s steps in %s"), steps, time)
                                  : g_strdup_printf (_ ("Finished %s steps"), steps);
    case LK_RUN_FAILED:
    case LK_RUN_INTERRUPTED:
      return self->step == 0 ? g_strdup (_ ("Ended before the first step"))
                             : g_strdup_printf (_ ("Ended at step %s of %s"), step, steps);
    }
  return g_strdup ("");
}

static double
fraction (LkRun *self)
{
  if (self->state == LK_RUN_FINISHED)
    return 1;
  return self->steps > 0 ? CLAMP ((double) self->step / (double) self->steps, 0, 1) : 0;
}

/* "62 % · 1.310" while it runs; the best held-out loss afterwards, or how it ended. */
static char *
summary (LkRun *self)
{
  double shown = isfinite (self->best_loss) ? self->best_loss : self->held_out_loss;
  g_autofree char *loss = lk_words_loss (isfinite (shown) ? shown : self->loss);

  switch (self->state)
    {
    case LK_RUN_RUNNING:
    case LK_RUN_PAUSED:
    case LK_RUN_STOPPING:
      return isfinite (self->loss) ? g_strdup_printf ("%.0f %% · %s", floor (fraction (self) * 100), loss)
                                   : g_strdup (state_text (self));
    case LK_RUN_STOPPED:
    case LK_RUN_FINISHED:
      return isfinite (shown) || isfinite (self->loss) ? g_strdup_printf ("%s · %s", state_text (self), loss)
                                                       : g_strdup (state_text (self));
    default:
      return g_strdup (state_text (self));
    }
}

static char *
best_text (LkRun *self)
{
  g_autofree char *loss = lk_words_loss (self->best_loss);
  g_autofree char *step = lk_words_count (self->best_step);

  if (!isfinite (self->best_loss))
    return g_strdup ("–");
  return g_strdup_printf (_ ("%s at step %s"), loss, step);
}

/* "parrot", and of several each: "mails, chats" */
static char *
data_name (LkRun *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  for (guint i = 0; self->data[i] != NULL; i++)
    {
      g_autofree char *name = lk_words_name_of_dataset (self->data[i]);

      g_strv_builder_add (builder, name);
    }
  names = g_strv_builder_end (builder);
  return g_strjoinv (", ", names);
}

static char *
data_text (LkRun *self)
{
  g_autofree char *learned = lk_words_count (self->train_rows);
  g_autofree char *held_out = lk_words_count (self->held_out_rows);

  if (self->train_rows == 0)
    return g_strdup ("–");
  return g_strdup_printf (_ ("%s + %s held out"), learned, held_out);
}

static char *
speed_text (LkRun *self)
{
  g_autofree char *count = NULL;

  if (!isfinite (self->speed))
    return g_strdup ("–");
  count = lk_words_count ((gint64) round (self->speed));
  return g_strdup_printf (_ ("%s tokens/s"), count);
}

static const char *
trouble (LkRun *self)
{
  if (self->state == LK_RUN_FAILED)
    return _ ("Training failed");
  if (self->state == LK_RUN_INTERRUPTED)
    return _ ("Training was interrupted");
  return NULL;
}

static char *
trouble_text (LkRun *self)
{
  g_autofree char *step = lk_words_count (self->checkpoint_step);
  g_autofree char *rest = NULL;

  if (trouble (self) == NULL)
    return NULL;
  rest = self->checkpoint_step >= 0
             ? g_strdup_printf (_ ("Everything up to step %s is saved."), step)
             : g_strdup (_ ("Nothing was saved yet; it can be started again from the beginning."));
  if (self->state == LK_RUN_INTERRUPTED && self->last_heard > 0)
    {
      g_autofree char *when = lk_words_date ((gint64) self->last_heard);

      return g_strdup_printf (_ ("Last sign of life: %s. The training process ended: %s. %s"), when, self->exit_text, rest);
    }
  if (self->state == LK_RUN_INTERRUPTED)
    return g_strdup_printf (_ ("The training process ended: %s. %s"), self->exit_text, rest);
  return g_strdup_printf ("%s %s", self->message != NULL ? self->message : _ ("The engine did not say why."),
                          rest);
}

static char *
problems_title (LkRun *self)
{
  g_autofree char *count = lk_words_count (self->problem_count);

  if (self->problem_count == 0)
    return NULL;
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s row could not be used", "%s rows could not be used",
                                       (gulong) self->problem_count),
                          count);
}

static gboolean
can (LkRun *self, guint id)
{
  switch (id)
    {
    case PROP_CAN_STOP: return lk_run_is_active (self) && self->state != LK_RUN_STOPPING;
    case PROP_CAN_PAUSE: return self->state == LK_RUN_RUNNING;
    case PROP_CAN_CONTINUE: return self->state == LK_RUN_PAUSED;
    case PROP_CAN_RESUME:
      return self->state == LK_RUN_STOPPED || self->state == LK_RUN_FAILED
             || self->state == LK_RUN_INTERRUPTED;
    default: return FALSE;
    }
}

static void
get_words (LkRun *self, guint id, GValue *value)
{
  switch (id)
    {
    case PROP_MODEL_NAME: g_value_take_string (value, lk_words_name_of_path (self->model)); break;
    case PROP_DATA_NAME: g_value_take_string (value, data_name (self)); break;
    case PROP_CREATED_TEXT: g_value_take_string (value, lk_words_date (self->created)); break;
    case PROP_STATE_TEXT: g_value_set_string (value, state_text (self)); break;
    case PROP_PROGRESS_TEXT: g_value_take_string (value, progress_text (self)); break;
    case PROP_SUMMARY: g_value_take_string (value, summary (self)); break;
    case PROP_LOSS_TEXT: g_value_take_string (value, lk_words_loss (self->loss)); break;
    case PROP_HELD_OUT_TEXT: g_value_take_string (value, lk_words_loss (self->held_out_loss)); break;
    case PROP_BEST_TEXT: g_value_take_string (value, best_text (self)); break;
    case PROP_LEARNING_RATE_TEXT:
      g_value_take_string (value, lk_words_small_number (self->learning_rate));
      break;
    case PROP_GRADIENT_NORM_TEXT:
      g_value_take_string (value, lk_words_small_number (self->gradient_norm));
      break;
    case PROP_SPEED_TEXT: g_value_take_string (value, speed_text (self)); break;
    case PROP_MEMORY_TEXT:
      g_value_take_string (value, self->memory_bytes > 0 ? lk_words_bytes ((guint64)self->memory_bytes)
                                                         : g_strdup ("–"));
      break;
    case PROP_DATA_TEXT: g_value_take_string (value, data_text (self)); break;
    case PROP_DEVICE_TEXT: g_value_set_string (value, self->device != NULL ? self->device : "–"); break;
    case PROP_WARNING: g_value_set_string (value, self->warning); break;
    case PROP_TROUBLE: g_value_set_string (value, trouble (self)); break;
    case PROP_TROUBLE_TEXT: g_value_take_string (value, trouble_text (self)); break;
    case PROP_PROBLEMS_TITLE: g_value_take_string (value, problems_title (self)); break;
    case PROP_PROBLEMS_TEXT: g_value_set_string (value, self->problems->str); break;
    default: break;
    }
}

static void
lk_run_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkRun *self = LK_RUN (object);

  switch (id)
    {
    case PROP_FOLDER: g_value_set_string (value, self->folder); break;
    case PROP_NAME: g_value_set_string (value, self->name); break;
    case PROP_CREATED: g_value_set_int64 (value, self->created); break;
    case PROP_STATE: g_value_set_enum (value, (int) self->state); break;
    case PROP_ACTIVE: g_value_set_boolean (value, lk_run_is_active (self)); break;
    case PROP_PAUSED: g_value_set_boolean (value, self->state == LK_RUN_PAUSED); break;
    case PROP_STEP: g_value_set_int64 (value, self->step); break;
    case PROP_STEPS: g_value_set_int64 (value, self->steps); break;
    case PROP_CHECKPOINT_STEP: g_value_set_int64 (value, self->checkpoint_step); break;
    case PROP_FRACTION: g_value_set_double (value, fraction (self)); break;
    case PROP_LOSS: g_value_set_double (value, self->loss); break;
    case PROP_HELD_OUT_LOSS: g_value_set_double (value, self->held_out_loss); break;
    case PROP_BEST_LOSS: g_value_set_double (value, self->best_loss); break;
    case PROP_CAN_STOP:
    case PROP_CAN_PAUSE:
    case PROP_CAN_CONTINUE:
    case PROP_CAN_RESUME: g_value_set_boolean (value, can (self, id)); break;
    case PROP_HAS_ADAPTER: g_value_set_boolean (value, self->has_adapter); break;
    case PROP_TRAINING: g_value_set_object (value, self->training); break;
    case PROP_HELD_OUT: g_value_set_object (value, self->held_out); break;
    case PROP_LEARNING_RATE: g_value_set_object (value, self->rates); break;
    case PROP_GRADIENT_NORM: g_value_set_object (value, self->norms); break;
    case PROP_SPEED: g_value_set_object (value, self->speeds); break;
    case PROP_SAMPLES: g_value_set_object (value, self->samples); break;
    default:
      if (G_VALUE_HOLDS_STRING (value))
        get_words (self, id, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_run_dispose (GObject *object)
{
  LkRun *self = LK_RUN (object);

  g_cancellable_cancel (self->cancellable);
  if (self->reader != NULL)
    g_signal_handlers_disconnect_by_data (self->reader, self);
  if (self->worker != NULL)
    g_signal_handlers_disconnect_by_data (self->worker, self);
  g_clear_object (&self->reader);
  g_clear_object (&self->worker);
  G_OBJECT_CLASS (lk_run_parent_class)->dispose (object);
}

static void
lk_run_finalize (GObject *object)
{
  LkRun *self = LK_RUN (object);

  g_clear_object (&self->training);
  g_clear_object (&self->held_out);
  g_clear_object (&self->rates);
  g_clear_object (&self->norms);
  g_clear_object (&self->speeds);
  g_clear_object (&self->samples);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->settings, json_object_unref);
  g_clear_pointer (&self->recipe, json_object_unref);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->data, g_strfreev);
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->detail, g_free);
  g_clear_pointer (&self->warning, g_free);
  g_ptr_array_unref (self->warnings);
  g_clear_pointer (&self->device, g_free);
  g_clear_pointer (&self->exit_text, g_free);
  g_string_free (self->problems, TRUE);
  G_OBJECT_CLASS (lk_run_parent_class)->finalize (object);
}

static void
install_words (void)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  static const struct
  {
    guint id;
    const char *name;
  } words[] = {
    { PROP_FOLDER, "folder" },
    { PROP_NAME, "name" },
    { PROP_MODEL_NAME, "model-name" },
    { PROP_DATA_NAME, "data-name" },
    { PROP_CREATED_TEXT, "created-text" },
    { PROP_STATE_TEXT, "state-text" },
    { PROP_PROGRESS_TEXT, "progress-text" },
    { PROP_SUMMARY, "summary" },
    { PROP_LOSS_TEXT, "loss-text" },
    { PROP_HELD_OUT_TEXT, "held-out-text" },
    { PROP_BEST_TEXT, "best-text" },
    { PROP_LEARNING_RATE_TEXT, "learning-rate-text" },
    { PROP_GRADIENT_NORM_TEXT, "gradient-norm-text" },
    { PROP_SPEED_TEXT, "speed-text" },
    { PROP_MEMORY_TEXT, "memory-text" },
    { PROP_DATA_TEXT, "data-text" },
    { PROP_DEVICE_TEXT, "device-text" },
    { PROP_WARNING, "warning" },
    { PROP_TROUBLE, "trouble" },
    { PROP_TROUBLE_TEXT, "trouble-text" },
    { PROP_PROBLEMS_TITLE, "problems-title" },
    { PROP_PROBLEMS_TEXT, "problems-text" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    properties[words[i].id] = g_param_spec_string (words[i].name, NULL, NULL, NULL, flags);
}

static void
lk_run_class_init (LkRunClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_run_dispose;
  object_class->finalize = lk_run_finalize;
  object_class->get_property = lk_run_get_property;
  install_words ();
  properties[PROP_CREATED] = g_param_spec_int64 ("created", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  properties[PROP_STATE]
      = g_param_spec_enum ("state", NULL, NULL, LK_TYPE_RUN_STATE, LK_RUN_PREPARING, flags);
  properties[PROP_ACTIVE] = g_param_spec_boolean ("active", NULL, NULL, FALSE, flags);
  properties[PROP_PAUSED] = g_param_spec_boolean ("paused", NULL, NULL, FALSE, flags);
  properties[PROP_STEP] = g_param_spec_int64 ("step", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_STEPS] = g_param_spec_int64 ("steps", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_CHECKPOINT_STEP]
      = g_param_spec_int64 ("checkpoint-step", NULL, NULL, -1, G_MAXINT64, -1, flags);
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, flags);
  properties[PROP_LOSS] = g_param_spec_double ("loss", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[PROP_HELD_OUT_LOSS]
      = g_param_spec_double ("held-out-loss", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[PROP_BEST_LOSS]
      = g_param_spec_double ("best-loss", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[PROP_CAN_STOP] = g_param_spec_boolean ("can-stop", NULL, NULL, FALSE, flags);
  properties[PROP_CAN_PAUSE] = g_param_spec_boolean ("can-pause", NULL, NULL, FALSE, flags);
  properties[PROP_CAN_CONTINUE] = g_param_spec_boolean ("can-continue", NULL, NULL, FALSE, flags);
  properties[PROP_CAN_RESUME] = g_param_spec_boolean ("can-resume", NULL, NULL, FALSE, flags);
  properties[PROP_HAS_ADAPTER] = g_param_spec_boolean ("has-adapter", NULL, NULL, FALSE, flags);
  properties[PROP_TRAINING] = g_param_spec_object ("training", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_HELD_OUT] = g_param_spec_object ("held-out", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_LEARNING_RATE]
      = g_param_spec_object ("learning-rate", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_GRADIENT_NORM]
      = g_param_spec_object ("gradient-norm", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_SPEED] = g_param_spec_object ("speed", NULL, NULL, LK_TYPE_SERIES, flags);
  properties[PROP_SAMPLES] = g_param_spec_object ("samples", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  g_signal_new ("ended", LK_TYPE_RUN, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("complaint", LK_TYPE_RUN, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING);
}

static void
lk_run_init (LkRun *self)
{
  self->training = lk_series_new ();
  self->held_out = lk_series_new ();
  self->rates = lk_series_new ();
  self->norms = lk_series_new ();
  self->speeds = lk_series_new ();
  self->samples = g_list_store_new (LK_TYPE_SAMPLE);
  self->problems = g_string_new (NULL);
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  self->cancellable = g_cancellable_new ();
  _lk_run_reset (self);
}

void
_lk_run_notify_all (LkRun *self)
{
  g_autofree char *adapter = lk_run_find_adapter (self);
  gboolean had_adapter = self->has_adapter;

  self->has_adapter = adapter != NULL;
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = PROP_NAME; i < PROP_TRAINING; i++)
    if (i != PROP_HAS_ADAPTER || self->has_adapter != had_adapter) /* pages begin anew with it */
      g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
events_cb (LkRunReader *reader, GPtrArray *events, gpointer user_data)
{
  LkRun *self = LK_RUN (user_data);

  for (guint i = 0; i < events->len; i++)
    _lk_run_apply_event (self, g_ptr_array_index (events, i));
  _lk_run_notify_all (self);
}

static void
restarted_cb (LkRunReader *reader, gpointer user_data)
{
  _lk_run_reset (LK_RUN (user_data));
}

/* The texts of @list, which may be NULL. */
static GStrv
texts_of (JsonArray *list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      JsonNode *node = json_array_get_element (list, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_strv_builder_add (builder, json_node_get_string (node));
    }
  return g_strv_builder_end (builder);
}

/* Takes @data. An imported dataset among it is by now a copy in the run's folder, and @datasets says in the same order where each copy came
 * from: that is what people know, and what stays when the run is deleted. */
static GStrv
origins_of (LkRun *self, GStrv data, char **datasets)
{
  gboolean all = g_strv_length (data) == g_strv_length (datasets);

  for (guint i = 0, k = 0; data[i] != NULL && datasets[k] != NULL; i++)
    {
      g_autofree char *folder = g_path_get_dirname (data[i]);

      if (!all && !g_str_equal (folder, self->folder))
        continue;
      g_free (data[i]);
      data[i] = g_strdup (datasets[k++]);
    }
  return data;
}

gboolean
_lk_run_load_recipe (LkRun *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "recipe.json", NULL);
  g_autoptr (JsonObject) recipe = lk_json_load_object (path, RECIPE_LIMIT, error);
  g_autoptr (GDateTime) created = NULL;
  const char *name = NULL, *date = NULL, *model = "";
  JsonArray *data = NULL, *datasets = NULL;
  g_auto (GStrv) origins = NULL;
  JsonObject *settings = NULL;
  struct stat info;

  if (recipe == NULL || !lk_json_get_string (recipe, "name", path, &name, error)
      || !lk_json_get_string (recipe, "created", path, &date, error)
      || !lk_json_get_string (recipe, "model", path, &model, error)
      || !lk_json_get_array (recipe, "data", path, &data, error)
      || !lk_json_get_array (recipe, "datasets", path, &datasets, error)
      || !lk_json_get_object (recipe, "settings", path, &settings, error))
    return FALSE;
  g_free (self->name);
  g_free (self->model);
  g_strfreev (self->data);
  g_clear_pointer (&self->settings, json_object_unref);
  self->name = name != NULL && name[0] != 0 ? g_strdup (name) : lk_words_name_of_path (self->folder);
  self->model = g_strdup (model);
  origins = texts_of (datasets);
  self->data = origins_of (self, texts_of (data), origins);
  self->settings = settings != NULL ? json_object_ref (settings) : json_object_new ();
  g_clear_pointer (&self->recipe, json_object_unref);
  self->recipe = json_object_ref (recipe);
  created = date != NULL ? g_date_time_new_from_iso8601 (date, NULL) : NULL;
  if (created != NULL)
    self->created = g_date_time_to_unix (created);
  else if (stat (path, &info) == 0)
    self->created = info.st_mtime;
  return TRUE;
}

LkRun *
lk_run_new (const char *folder, GError **error)
{
  g_autoptr (LkRun) self = g_object_new (LK_TYPE_RUN, NULL);
  g_autofree char *events = g_build_filename (folder, "events.jsonl", NULL);

  self->folder = g_strdup (folder);
  if (!_lk_run_load_recipe (self, error))
    return NULL;
  self->reader = lk_run_reader_new (events);
  g_signal_connect (self->reader, "events", G_CALLBACK (events_cb), self);
  g_signal_connect (self->reader, "restarted", G_CALLBACK (restarted_cb), self);
  return g_steal_pointer (&self);
}

void
lk_run_poll (LkRun *self)
{
  G_GNUC_UNUSED g_autoptr (LkRun) keep = g_object_ref (self);

  lk_run_reader_poll (self->reader);
  _lk_run_check_worker (self);
}

const char *
lk_run_get_folder (LkRun *self)
{
  return self->folder;
}

const char *
lk_run_get_name (LkRun *self)
{
  return self->name;
}

LkRunState
lk_run_get_state (LkRun *self)
{
  return self->state;
}

gboolean
lk_run_is_active (LkRun *self)
{
  return self->state == LK_RUN_PREPARING || self->state == LK_RUN_RUNNING || self->state == LK_RUN_PAUSED
         || self->state == LK_RUN_STOPPING;
}

gint64
lk_run_get_created (LkRun *self)
{
  return self->created;
}

gint64
lk_run_get_changed (LkRun *self)
{
  g_autofree char *events = g_build_filename (self->folder, "events.jsonl", NULL);
  struct stat info;

  return stat (events, &info) == 0 ? info.st_mtime : self->created;
}

gint64
lk_run_get_step (LkRun *self)
{
  return self->step;
}

gint64
lk_run_get_steps (LkRun *self)
{
  return self->steps;
}

gboolean
lk_run_get_has_adapter (LkRun *self)
{
  return self->has_adapter;
}

double
lk_run_get_best_loss (LkRun *self)
{
  return self->best_loss;
}

gint64
lk_run_get_trainable_parameters (LkRun *self)
{
  return self->trainable;
}

const char *
lk_run_get_device (LkRun *self)
{
  return self->device;
}

double
lk_run_get_seconds_per_token (LkRun *self)
{
  gboolean enough = lk_series_get_n_points (self->training) >= ENOUGH_STEPS && self->trained_tokens > 0 && self->active_seconds > 0;

  return enough ? self->active_seconds / self->trained_tokens : NAN;
}

const char *
lk_run_get_model (LkRun *self)
{
  return self->model;
}

const char *
lk_run_get_data (LkRun *self)
{
  return self->data[0];
}

const char *const *
lk_run_get_all_data (LkRun *self)
{
  return (const char *const *) self->data;
}

JsonObject *
lk_run_get_settings (LkRun *self)
{
  return self->settings;
}

const char *
lk_run_get_fact (LkRun *self, const char *member)
{
  return lk_json_peek_string (self->recipe, member, NULL);
}

GListModel *
lk_run_get_samples (LkRun *self)
{
  return G_LIST_MODEL (self->samples);
}

LkRunCurves
lk_run_get_curves (LkRun *self)
{
  return (LkRunCurves){ .training = self->training,
                        .held_out = self->held_out,
                        .learning_rate = self->rates,
                        .gradient_norm = self->norms,
                        .speed = self->speeds };
}

LkSeries *
lk_run_get_training (LkRun *self)
{
  return self->training;
}

LkSeries *
lk_run_get_held_out (LkRun *self)
{
  return self->held_out;
}

char *
lk_run_find_adapter (LkRun *self)
{
  /* the best one may be that of step 0, which has not learned anything yet */
  const char *places[] = { self->best_step > 0 ? "best" : "last", self->best_step > 0 ? "last" : "best" };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *adapter = g_build_filename (self->folder, "adapter", places[i], NULL);
      g_autofree char *config = g_build_filename (adapter, "adapter_config.json", NULL);

      if (g_file_test (config, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&adapter);
    }
  return NULL;
}

char *
lk_run_read_log (LkRun *self)
{
  g_autofree char *path = g_build_filename (self->folder, "log.txt", NULL);
  g_autofree char *buffer = NULL;
  struct stat info;
  ssize_t got = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    return g_strdup ("");
  if (fstat (fd, &info) == 0 && S_ISREG (info.st_mode))
    {
      buffer = g_malloc (LOG_TAIL);
      got = pread (fd, buffer, LOG_TAIL, info.st_size > LOG_TAIL ? info.st_size - LOG_TAIL : 0);
    }
  close (fd);
  return got > 0 ? g_utf8_make_valid (buffer, got) : g_strdup ("");
}
