/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-engine.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"
#include "lk-json.h"
#include "lk-paths.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

char *
lk_engine_describe_exit (int wait_status)
{
  if (WIFSIGNALED (wait_status))
    switch (WTERMSIG (wait_status))
      {
      case SIGKILL:
        return g_strdup (_ ("it was killed, perhaps because the computer ran out of memory"));
      case SIGTERM:
      case SIGINT:
      case SIGHUP:
        return g_strdup (_ ("it was asked to end from outside"));
      case SIGSEGV:
      case SIGBUS:
      case SIGABRT:
      case SIGILL:
      case SIGFPE:
        return g_strdup ("crashed");
      default:
        return g_strdup_printf (_ ("signal %d ended it"), WTERMSIG (wait_status));
      }
  return g_strdup_printf (_ ("its exit code was %d"), WEXITSTATUS (wait_status));
}

char *
lk_engine_explain_failure (const char *standard_error, int wait_status)
{
  g_auto (GStrv) lines = g_strsplit (standard_error != NULL ? standard_error : "", "\n", -1);
  g_autofree char *how = NULL;

  for (guint i = g_strv_length (lines); i > 0; i--)
    {
      static const char *const prefixes[] = { "lorikeet-cli: ", "error: ", "Error: " };
      const char *line = g_strstrip (lines[i - 1]);

      if (line[0] == 0)
        continue;
      for (guint p = 0; p < G_N_ELEMENTS (prefixes); p++)
        if (g_str_has_prefix (line, prefixes[p]))
          line += strlen (prefixes[p]);
      return g_utf8_make_valid (line, -1);
    }
  how = lk_engine_describe_exit (wait_status);
  return g_strdup_printf (_ ("The engine ended: %s."), how);
}

/* What the process wrote, when it ended well; NULL when @task has been answered with what went wrong. */
static GBytes *
take_output (GSubprocess *process, GAsyncResult *result, GTask *task)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) output = NULL;
  g_autoptr (GBytes) complaint = NULL;

  if (!g_subprocess_communicate_finish (process, result, &output, &complaint, &error))
    {
      g_subprocess_force_exit (process);
      g_task_return_error (task, g_steal_pointer (&error));
      return NULL;
    }
  if (!g_subprocess_get_if_exited (process) || g_subprocess_get_exit_status (process) != 0)
    {
      g_autofree char *text = g_strndup (g_bytes_get_data (complaint, NULL), g_bytes_get_size (complaint));
      g_autofree char *sentence = lk_engine_explain_failure (text, g_subprocess_get_status (process));

      g_task_return_new_error (task, LK_ERROR, LK_ERROR_FAILED, "%s", sentence);
      return NULL;
    }
  return g_steal_pointer (&output);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GBytes) output = take_output (G_SUBPROCESS (source), result, task);
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  if (output == NULL)
    return;
  node = lk_json_parse (g_bytes_get_data (output, NULL), g_bytes_get_size (output), _ ("the engine's answer"),
                        &error);
  if (node == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      json_node_unref (node);
      g_task_return_new_error (task, LK_ERROR, LK_ERROR_BAD_FILE, _ ("The engine's answer is not what was asked for."));
    }
  else
    g_task_return_pointer (task, node, (GDestroyNotify) json_node_unref);
}

static void
done_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GBytes) output = take_output (G_SUBPROCESS (source), result, task);

  if (output != NULL)
    g_task_return_boolean (task, TRUE);
}

/* Takes @task. @input may be NULL. */
static void
start (const char *const *arguments, GBytes *input, GAsyncReadyCallback ended, GTask *task)
{
  g_autoptr (GTask) owned = task;
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *cli = lk_paths_find_cli (&error);
  GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE;

  if (cli == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_ptr_array_add (argv, cli);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);
  if (input != NULL)
    flags |= G_SUBPROCESS_FLAGS_STDIN_PIPE;
  process = g_subprocess_newv ((const char *const *) argv->pdata, flags, &error);
  if (process == NULL)
    {
      g_task_return_new_error (task, LK_ERROR, LK_ERROR_FAILED, _ ("The engine could not be started: %s"),
                               error->message);
      return;
    }
  g_subprocess_communicate_async (process, input, g_task_get_cancellable (task), ended,
                                  g_steal_pointer (&owned));
}

void
lk_engine_call_async (const char *const *arguments, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, lk_engine_call_async);
  start (arguments, NULL, answered_cb, task);
}

JsonNode *
lk_engine_call_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
lk_engine_do_async (const char *const *arguments, const char *input, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GBytes) bytes = input != NULL ? g_bytes_new (input, strlen (input)) : NULL;

  g_task_set_source_tag (task, lk_engine_do_async);
  start (arguments, bytes, done_cb, task);
}

gboolean
lk_engine_do_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
