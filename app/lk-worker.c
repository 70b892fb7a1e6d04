/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-worker.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"
#include "lk-paths.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct _LkWorker
{
  GObject parent_instance;

  GSubprocess *process;
  gboolean running;
  int wait_status;
};

enum
{
  EXITED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (LkWorker, lk_worker, G_TYPE_OBJECT)

static void
lk_worker_finalize (GObject *object)
{
  LkWorker *self = LK_WORKER (object);

  g_clear_object (&self->process);
  G_OBJECT_CLASS (lk_worker_parent_class)->finalize (object);
}

static void
lk_worker_class_init (LkWorkerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_worker_finalize;
  signals[EXITED] = g_signal_new ("exited", LK_TYPE_WORKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
lk_worker_init (LkWorker *self)
{
}

static void
wait_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkWorker) self = user_data;

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  self->running = FALSE;
  self->wait_status = g_subprocess_get_status (self->process);
  g_signal_emit (self, signals[EXITED], 0, self->wait_status);
}

/* Between fork and exec: only async-signal-safe calls. */
static void
own_session (gpointer data)
{
  setsid ();
}

LkWorker *
lk_worker_start (const char *run_folder, const char *const *arguments, GError **error)
{
  g_autofree char *cli = lk_paths_find_cli (error);
  g_autofree char *log = g_build_filename (run_folder, "log.txt", NULL);
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GError) inner = NULL;
  g_autoptr (LkWorker) self = NULL;
  g_autoptr (GStrvBuilder) line = g_strv_builder_new ();
  g_auto (GStrv) argv = NULL;
  int fd;

  if (cli == NULL)
    return NULL;
  fd = open (log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0)
    {
      lk_error_set_errno (error, errno, _ ("Could not write “%s”"), log);
      return NULL;
    }
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_child_setup (launcher, own_session, NULL, NULL);
  g_subprocess_launcher_take_stdout_fd (launcher, fcntl (fd, F_DUPFD_CLOEXEC, 3));
  g_subprocess_launcher_take_stderr_fd (launcher, fd);
  self = g_object_new (LK_TYPE_WORKER, NULL);
  g_strv_builder_add_many (line, cli, "train", run_folder, NULL);
  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++)
    g_strv_builder_add (line, arguments[i]);
  argv = g_strv_builder_end (line);
  self->process = g_subprocess_launcher_spawnv (launcher, (const char *const *) argv, &inner);
  if (self->process == NULL)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_FAILED, _ ("The training process could not be started: %s"),
                   inner->message);
      return NULL;
    }
  self->running = TRUE;
  g_subprocess_wait_async (self->process, NULL, wait_cb, g_object_ref (self));
  return g_steal_pointer (&self);
}

gboolean
lk_worker_is_running (LkWorker *self)
{
  return self->running;
}

int
lk_worker_get_wait_status (LkWorker *self)
{
  return self->wait_status;
}
