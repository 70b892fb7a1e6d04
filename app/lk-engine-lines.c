/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-engine-lines.h"

#include <glib/gi18n-lib.h>
#include <signal.h>

#include "lk-engine.h"
#include "lk-json.h"
#include "lk-paths.h"

struct _LkEngineLines
{
  GObject parent_instance;

  GSubprocess *process;
  GDataInputStream *lines;
  const LkEngineListener *listener;
  GObject *owner; /* NULL: nobody listens any more */
  char *last_words;
};

G_DEFINE_FINAL_TYPE (LkEngineLines, lk_engine_lines, G_TYPE_OBJECT)

static void
lk_engine_lines_finalize (GObject *object)
{
  LkEngineLines *self = LK_ENGINE_LINES (object);

  g_clear_object (&self->process);
  g_clear_object (&self->lines);
  g_clear_object (&self->owner);
  g_free (self->last_words);
  G_OBJECT_CLASS (lk_engine_lines_parent_class)->finalize (object);
}

static void
lk_engine_lines_class_init (LkEngineLinesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_engine_lines_finalize;
}

static void
lk_engine_lines_init (LkEngineLines *self)
{
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkEngineLines) self = user_data;
  g_autoptr (GObject) owner = g_steal_pointer (&self->owner);
  gboolean well;

  g_subprocess_wait_finish (self->process, result, NULL);
  if (owner == NULL)
    return;
  well = g_subprocess_get_if_exited (self->process) && g_subprocess_get_exit_status (self->process) == 0;
  self->listener->ended (owner, well ? NULL : lk_engine_explain_failure (self->last_words, g_subprocess_get_status (self->process)));
}

static void read_line (LkEngineLines *self);

static void
line_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkEngineLines) self = user_data;
  gsize size = 0;
  g_autofree char *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, &size, NULL);
  g_autoptr (JsonNode) node = NULL;

  if (self->owner == NULL)
    return;
  if (line == NULL)
    {
      g_subprocess_wait_async (self->process, NULL, ended_cb, g_object_ref (self));
      return;
    }
  node = lk_json_parse (line, size, _ ("the engine's answer"), NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    self->listener->answer (self->owner, json_node_get_object (node));
  else if (line[0] != 0)
    {
      g_free (self->last_words);
      self->last_words = g_utf8_make_valid (line, -1);
    }
  if (self->owner != NULL) /* who got the answer may have dropped it */
    read_line (self);
}

static void
read_line (LkEngineLines *self)
{
  g_data_input_stream_read_line_async (self->lines, G_PRIORITY_DEFAULT, NULL, line_cb, g_object_ref (self));
}

LkEngineLines *
lk_engine_lines_start (const char *const *arguments, gboolean asks, const LkEngineListener *listener, gpointer owner, GError **error)
{
  g_autofree char *cli = lk_paths_find_cli (error);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;
  GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE;
  LkEngineLines *self;

  if (cli == NULL)
    return NULL;
  g_ptr_array_add (argv, cli);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);
  process = g_subprocess_newv ((const char *const *) argv->pdata, asks ? flags | G_SUBPROCESS_FLAGS_STDIN_PIPE : flags, error);
  if (process == NULL)
    return NULL;
  self = g_object_new (LK_TYPE_ENGINE_LINES, NULL);
  self->process = g_steal_pointer (&process);
  self->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  self->listener = listener;
  self->owner = g_object_ref (owner);
  read_line (self);
  return self;
}

GOutputStream *
lk_engine_lines_get_input (LkEngineLines *self)
{
  return g_subprocess_get_stdin_pipe (self->process);
}

void
lk_engine_lines_stop (LkEngineLines *self)
{
  g_subprocess_send_signal (self->process, SIGTERM);
}

void
lk_engine_lines_drop (LkEngineLines *self, int signal_number)
{
  g_autoptr (GObject) owner = g_steal_pointer (&self->owner);

  if (owner != NULL)
    g_subprocess_send_signal (self->process, signal_number);
}
