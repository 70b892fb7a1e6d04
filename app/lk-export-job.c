/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-export-job.h"

#include <glib/gi18n-lib.h>

#include "lk-engine-lines.h"
#include "lk-export-name.h"
#include "lk-export-sizes.h"
#include "lk-json.h"
#include "lk-words.h"

struct _LkExportJob
{
  GObject parent_instance;

  LkEngineLines *engine; /* NULL: it is not running */
  gboolean done;
  gboolean cancelled;
  double fraction;
  char *message;
  char *path;
  char *size_text;
  char *verdict;
  char *command;
  char *error;
  gint64 begun; /* monotonic µs */
};

enum
{
  PROP_0,
  PROP_RUNNING,
  PROP_DONE,
  PROP_FRACTION,
  PROP_MESSAGE,
  PROP_TIME_LEFT,
  PROP_PATH,
  PROP_SIZE_TEXT,
  PROP_VERDICT,
  PROP_COMMAND,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkExportJob, lk_export_job, G_TYPE_OBJECT)

static void
forget (LkExportJob *self)
{
  self->done = self->cancelled = FALSE;
  self->fraction = 0;
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->size_text, g_free);
  g_clear_pointer (&self->verdict, g_free);
  g_clear_pointer (&self->command, g_free);
  g_clear_pointer (&self->error, g_free);
}

static void
lk_export_job_dispose (GObject *object)
{
  LkExportJob *self = LK_EXPORT_JOB (object);

  lk_export_job_cancel (self);
  g_clear_object (&self->engine);
  G_OBJECT_CLASS (lk_export_job_parent_class)->dispose (object);
}

static void
lk_export_job_finalize (GObject *object)
{
  LkExportJob *self = LK_EXPORT_JOB (object);

  forget (self);
  G_OBJECT_CLASS (lk_export_job_parent_class)->finalize (object);
}

/* From how long the part that is written took; (transfer full) */
static char *
time_left (LkExportJob *self)
{
  double elapsed = (double) (g_get_monotonic_time () - self->begun) / G_USEC_PER_SEC;
  g_autofree char *words = NULL;

  if (self->engine == NULL || self->fraction < 0.02 || self->fraction >= 1 || elapsed < 3)
    return NULL;
  words = lk_words_duration (elapsed * (1 - self->fraction) / self->fraction);
  return g_strdup_printf (_ ("%s left"), words);
}

static void
lk_export_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkExportJob *self = LK_EXPORT_JOB (object);

  switch (id)
    {
    case PROP_RUNNING: g_value_set_boolean (value, self->engine != NULL); break;
    case PROP_DONE: g_value_set_boolean (value, self->done); break;
    case PROP_FRACTION: g_value_set_double (value, self->fraction); break;
    case PROP_MESSAGE: g_value_set_string (value, self->message); break;
    case PROP_TIME_LEFT: g_value_take_string (value, time_left (self)); break;
    case PROP_COMMAND: g_value_set_string (value, self->command); break;
    case PROP_PATH: g_value_set_string (value, self->path); break;
    case PROP_SIZE_TEXT: g_value_set_string (value, self->size_text); break;
    case PROP_VERDICT: g_value_set_string (value, self->verdict); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_export_job_class_init (LkExportJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_export_job_dispose;
  object_class->finalize = lk_export_job_finalize;
  object_class->get_property = lk_export_job_get_property;
  properties[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  properties[PROP_DONE] = g_param_spec_boolean ("done", NULL, NULL, FALSE, flags);
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, flags);
  properties[PROP_MESSAGE] = g_param_spec_string ("message", NULL, NULL, NULL, flags);
  properties[PROP_TIME_LEFT] = g_param_spec_string ("time-left", NULL, NULL, NULL, flags);
  properties[PROP_COMMAND] = g_param_spec_string ("command", NULL, NULL, NULL, flags);
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);
  properties[PROP_SIZE_TEXT] = g_param_spec_string ("size-text", NULL, NULL, NULL, flags);
  properties[PROP_VERDICT] = g_param_spec_string ("verdict", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_export_job_init (LkExportJob *self)
{
}

LkExportJob *
lk_export_job_new (void)
{
  return g_object_new (LK_TYPE_EXPORT_JOB, NULL);
}

static void
notify_all (LkExportJob *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
set_text (char **slot, JsonObject *event, const char *member)
{
  const char *text = NULL;

  if (lk_json_get_string (event, member, "export", &text, NULL) && text != NULL)
    {
      g_free (*slot);
      *slot = g_strdup (text);
    }
}

static void
apply_verified (LkExportJob *self, JsonObject *event)
{
  gboolean matches = FALSE;

  lk_json_get_boolean (event, "matches", "export", &matches, NULL);
  g_free (self->verdict);
  self->verdict
      = g_strdup (matches ? _ ("Opened again and asked: it answers as the trained model does.")
                          : _ ("Opened again and asked: it does not answer as the trained model does."));
  set_text (&self->verdict, event, "message");
}

static void
apply_event (gpointer owner, JsonObject *event)
{
  LkExportJob *self = owner;
  const char *name = NULL;
  gint64 bytes = 0;

  lk_json_get_string (event, "event", "export", &name, NULL);
  if (g_strcmp0 (name, "progress") == 0)
    {
      lk_json_get_double (event, "fraction", "export", &self->fraction, NULL);
      self->fraction = CLAMP (self->fraction, 0, 1);
      set_text (&self->message, event, "message");
    }
  else if (g_strcmp0 (name, "verified") == 0)
    apply_verified (self, event);
  else if (g_strcmp0 (name, "error") == 0)
    set_text (&self->error, event, "message");
  else if (g_strcmp0 (name, "done") == 0)
    {
      self->done = TRUE;
      self->fraction = 1;
      set_text (&self->path, event, "path");
      lk_json_get_int (event, "bytes", "export", &bytes, NULL);
      g_free (self->size_text);
      self->size_text = bytes > 0 ? lk_words_bytes ((guint64) bytes) : NULL;
    }
  notify_all (self);
}

static void
ended (gpointer owner, char *error)
{
  LkExportJob *self = owner;
  g_autofree char *why = error;

  g_clear_object (&self->engine);
  if (self->cancelled)
    forget (self);
  else if (why != NULL)
    {
      self->done = FALSE;
      if (self->error == NULL)
        self->error = g_steal_pointer (&why);
    }
  else if (!self->done && self->error == NULL)
    self->error = g_strdup (_ ("The engine ended without saying that the export is complete."));
  notify_all (self);
}

static const LkEngineListener listener = { apply_event, ended };

void
lk_export_job_start (LkExportJob *self, const LkExportWish *wish)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  const char *const fixed[] = { "export", wish->run, "--format", wish->format, "-o", wish->path, "--json" };
  g_autofree char *modelfile = wish->modelfile ? lk_export_name_modelfile (wish->path) : NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (LK_IS_EXPORT_JOB (self));

  if (self->engine != NULL)
    return;
  forget (self);
  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++)
    g_ptr_array_add (arguments, (gpointer) fixed[i]);
  if (wish->type != NULL)
    {
      g_ptr_array_add (arguments, (gpointer) "--type");
      g_ptr_array_add (arguments, (gpointer) wish->type);
    }
  if (wish->modelfile)
    g_ptr_array_add (arguments, (gpointer) "--modelfile");
  g_ptr_array_add (arguments, NULL);
  self->begun = g_get_monotonic_time ();
  self->engine = lk_engine_lines_start ((const char *const *) arguments->pdata, FALSE, &listener, self, &error);
  if (self->engine == NULL)
    self->error = g_strdup (error->message);
  else
    {
      self->message = g_strdup (_ ("Starting…"));
      self->path = g_strdup (wish->path);
      self->command = lk_export_make_command (wish->format, wish->path, wish->base, modelfile, wish->rank);
    }
  notify_all (self);
}

void
lk_export_job_cancel (LkExportJob *self)
{
  g_return_if_fail (LK_IS_EXPORT_JOB (self));

  if (self->engine == NULL)
    return;
  self->cancelled = TRUE;
  lk_engine_lines_stop (self->engine);
}

const char *
lk_export_job_get_path (LkExportJob *self)
{
  return self->path;
}
