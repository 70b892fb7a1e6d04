/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-data-job.h"

#include <glib/gi18n-lib.h>
#include <signal.h>

#include "lk-engine.h"
#include "lk-json.h"
#include "lk-paths.h"

struct _LkDataJob
{
  GObject parent_instance;

  GSubprocess *process;
  GDataInputStream *lines;
  double fraction;
  char *message, *error, *last_words, *path;
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
  g_free (self->last_words);
  g_free (self->path);
  G_OBJECT_CLASS (lk_data_job_parent_class)->finalize (object);
}

static void
lk_data_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDataJob *self = LK_DATA_JOB (object);

  switch (id)
    {
    case PROP_RUNNING: g_value_set_boolean (value, self->process != NULL); break;
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
finish (LkDataJob *self, char *error)
{
  g_free (self->error);
  self->error = error;
  g_clear_object (&self->process);
  g_clear_object (&self->lines);
  notify_all (self);
  g_signal_emit (self, ended_signal, 0, error == NULL);
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkDataJob) self = user_data;
  GSubprocess *process = G_SUBPROCESS (source);

  g_subprocess_wait_finish (process, result, NULL);
  if (process != self->process)
    return;
  if (g_subprocess_get_if_exited (process) && g_subprocess_get_exit_status (process) == 0)
    finish (self, NULL);
  else
    finish (self, lk_engine_explain_failure (self->last_words, g_subprocess_get_status (process)));
}

static void read_line (LkDataJob *self);

static void
take_event (LkDataJob *self, JsonObject *event)
{
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

static void
line_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkDataJob) self = user_data;
  gsize size = 0;
  g_autofree char *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, &size, NULL);
  g_autoptr (JsonNode) node = NULL;

  if (G_DATA_INPUT_STREAM (source) != self->lines)
    return;
  if (line == NULL)
    {
      g_subprocess_wait_async (self->process, NULL, ended_cb, g_object_ref (self));
      return;
    }
  node = lk_json_parse (line, size, _ ("the engine's answer"), NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    take_event (self, json_node_get_object (node));
  else if (line[0] != 0)
    {
      g_free (self->last_words);
      self->last_words = g_utf8_make_valid (line, -1);
    }
  if (self->lines != NULL) /* whoever was notified may have cancelled it */
    read_line (self);
}

static void
read_line (LkDataJob *self)
{
  g_data_input_stream_read_line_async (self->lines, G_PRIORITY_DEFAULT, NULL, line_cb, g_object_ref (self));
}

void
lk_data_job_start (LkDataJob *self, const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *cli = lk_paths_find_cli (&error);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  lk_data_job_cancel (self);
  self->fraction = 0;
  g_clear_pointer (&self->error, g_free);
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->last_words, g_free);
  g_clear_pointer (&self->path, g_free);
  g_ptr_array_add (argv, cli);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, (gpointer) "--json");
  g_ptr_array_add (argv, NULL);
  if (cli != NULL)
    self->process = g_subprocess_newv ((const char *const *) argv->pdata,
                                       G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error);
  if (self->process == NULL)
    {
      finish (self, g_strdup (error->message));
      return;
    }
  self->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  read_line (self);
  notify_all (self);
}

void
lk_data_job_cancel (LkDataJob *self)
{
  g_return_if_fail (LK_IS_DATA_JOB (self));

  if (self->process == NULL)
    return;
  g_subprocess_send_signal (self->process, SIGTERM);
  g_clear_object (&self->process);
  g_clear_object (&self->lines);
  notify_all (self);
}

gboolean
lk_data_job_is_running (LkDataJob *self)
{
  return self->process != NULL;
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
