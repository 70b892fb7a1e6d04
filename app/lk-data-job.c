/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-data-job.h"

#include <signal.h>

#include "lk-engine-lines.h"
#include "lk-json.h"

struct _LkDataJob
{
  GObject parent_instance;

  LkEngineLines *engine; /* NULL: it is not running */
  double fraction;
  char *message, *error, *path;
};

enum
{
  PROP_0,
  PROP_RUNNING,
  PROP_FRACTION,
  PROP_MESSAGE,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint ended_signal;

G_DEFINE_FINAL_TYPE (LkDataJob, lk_data_job, G_TYPE_OBJECT)

static void
lk_data_job_dispose (GObject *object)
{
  lk_data_job_cancel (LK_DATA_JOB (object));
  G_OBJECT_CLASS (lk_data_job_parent_class)->dispose (object);
}

static void
lk_data_job_finalize (GObject *object)
{
  LkDataJob *self = LK_DATA_JOB (object);

  g_free (self->message);
  g_free (self->error);
  g_free (self->path);
  G_OBJECT_CLASS (lk_data_job_parent_class)->finalize (object);
}

static void
lk_data_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDataJob *self = LK_DATA_JOB (object);

  switch (id)
    {
    case PROP_RUNNING: g_value_set_boolean (value, self->engine != NULL); break;
    case PROP_FRACTION: g_value_set_double (value, self->fraction); break;
    case PROP_MESSAGE: g_value_set_string (value, self->message); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_data_job_class_init (LkDataJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_data_job_dispose;
  object_class->finalize = lk_data_job_finalize;
  object_class->get_property = lk_data_job_get_property;
  properties[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, flags);
  properties[PROP_MESSAGE] = g_param_spec_string ("message", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  ended_signal = g_signal_new ("ended", LK_TYPE_DATA_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

static void
lk_data_job_init (LkDataJob *self)
{
}

LkDataJob *
lk_data_job_new (void)
{
  return g_object_new (LK_TYPE_DATA_JOB, NULL);
}

static void
notify_all (LkDataJob *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
ended (gpointer owner, char *error)
{
  LkDataJob *self = owner;

  g_free (self->error);
  self->error = error;
  g_clear_object (&self->engine);
  notify_all (self);
  g_signal_emit (self, ended_signal, 0, error == NULL);
}

static void
take_event (gpointer owner, JsonObject *event)
{
  LkDataJob *self = owner;
  const char *path = lk_json_peek_string (event, "path", NULL);

  if (path != NULL)
    {
      g_free (self->path);
      self->path = g_strdup (path);
    }
  self->fraction = CLAMP (lk_json_peek_double (event, "fraction", self->fraction), 0, 1);
  g_free (self->message);
  self->message = g_strdup (lk_json_peek_string (event, "message", NULL));
  notify_all (self);
}

static const LkEngineListener listener = { take_event, ended };

void
lk_data_job_start (LkDataJob *self, const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = g_ptr_array_new ();

  lk_data_job_cancel (self);
  self->fraction = 0;
  g_clear_pointer (&self->error, g_free);
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->path, g_free);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (all, (gpointer) arguments[i]);
  g_ptr_array_add (all, (gpointer) "--json");
  g_ptr_array_add (all, NULL);
  self->engine = lk_engine_lines_start ((const char *const *) all->pdata, FALSE, &listener, self, &error);
  if (self->engine == NULL)
    ended (self, g_strdup (error->message));
  else
    notify_all (self);
}

void
lk_data_job_cancel (LkDataJob *self)
{
  g_return_if_fail (LK_IS_DATA_JOB (self));

  if (self->engine == NULL)
    return;
  lk_engine_lines_drop (self->engine, SIGTERM);
  g_clear_object (&self->engine);
  notify_all (self);
}

gboolean
lk_data_job_is_running (LkDataJob *self)
{
  return self->engine != NULL;
}

double
lk_data_job_get_fraction (LkDataJob *self)
{
  return self->fraction;
}

const char *
lk_data_job_get_error (LkDataJob *self)
{
  return self->error;
}

const char *
lk_data_job_get_path (LkDataJob *self)
{
  return self->path;
}
