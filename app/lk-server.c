/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-server.h"

#include "lk-engine.h"
#include "lk-paths.h"
#include "lk-settings.h"

#include <glib/gstdio.h>
#include <gio/gunixsocketaddress.h>
#include <signal.h>
#include <sys/prctl.h>

#define KNOCK_MS 100

struct _LkServer
{
  GObject parent_instance;

  GSubprocess *process;
  GCancellable *cancellable;
  char *folder; /* ours alone, so nobody else can stand in for the socket */
  char *socket_path;
  char *error;
  gboolean ready;
  guint knock;
};

enum
{
  PROP_0,
  PROP_READY,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkServer, lk_server, G_TYPE_OBJECT)

static void
lk_server_dispose (GObject *object)
{
  LkServer *self = LK_SERVER (object);

  g_clear_handle_id (&self->knock, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  if (self->process != NULL)
    g_subprocess_send_signal (self->process, SIGTERM);
  g_clear_object (&self->process);
  if (self->socket_path != NULL)
    g_unlink (self->socket_path);
  if (self->folder != NULL)
    g_rmdir (self->folder);
  g_clear_pointer (&self->folder, g_free);
  G_OBJECT_CLASS (lk_server_parent_class)->dispose (object);
}

static void
lk_server_finalize (GObject *object)
{
  LkServer *self = LK_SERVER (object);

  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->socket_path, g_free);
  g_clear_pointer (&self->error, g_free);
  G_OBJECT_CLASS (lk_server_parent_class)->finalize (object);
}

static void
lk_server_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkServer *self = LK_SERVER (object);

  switch (id)
    {
    case PROP_READY: g_value_set_boolean (value, self->ready); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_server_class_init (LkServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_server_dispose;
  object_class->finalize = lk_server_finalize;
  object_class->get_property = lk_server_get_property;
  properties[PROP_READY] = g_param_spec_boolean ("ready", NULL, NULL, FALSE, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_server_init (LkServer *self)
{
  self->cancellable = g_cancellable_new ();
}

static void
fail (LkServer *self, const char *sentence)
{
  g_clear_handle_id (&self->knock, g_source_remove);
  self->ready = FALSE;
  g_free (self->error);
  self->error = g_strdup (sentence);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_READY]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkServer) self = user_data;
  g_autoptr (GBytes) complaint = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *sentence = NULL;

  if (!g_subprocess_communicate_finish (G_SUBPROCESS (source), result, NULL, &complaint, &error)
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (complaint != NULL)
    text = g_strndup (g_bytes_get_data (complaint, NULL), g_bytes_get_size (complaint));
  sentence = lk_engine_explain_failure (text, g_subprocess_get_status (G_SUBPROCESS (source)));
  fail (self, sentence);
}

static void
knocked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkServer) self = user_data;
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, NULL);

  if (connection == NULL || self->ready || self->error != NULL)
    return;
  g_clear_handle_id (&self->knock, g_source_remove);
  self->ready = TRUE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_READY]);
}

static gboolean
knock_cb (gpointer data)
{
  LkServer *self = data;
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GSocketAddress) address = NULL;

  if (!g_file_test (self->socket_path, G_FILE_TEST_EXISTS))
    return G_SOURCE_CONTINUE;
  client = g_socket_client_new ();
  address = g_unix_socket_address_new (self->socket_path);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (address), self->cancellable, knocked_cb,
                                 g_object_ref (self));
  return G_SOURCE_CONTINUE;
}

/* Between fork and exec. The kernel tells the server when the window is gone. */
static void
end_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static void
start (LkServer *self, const char *model, const char *adapter)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *named = adapter != NULL ? g_strconcat ("tuned=", adapter, NULL) : NULL;
  g_autofree char *cli = lk_paths_find_cli (&error);
  const char *argv[] = { cli, "serve", "--model", model, "--socket", NULL, "--device", NULL, NULL, NULL, NULL };

  self->folder = cli != NULL ? g_dir_make_tmp ("lorikeet-XXXXXX", &error) : NULL;
  if (self->folder == NULL)
    {
      fail (self, error->message);
      return;
    }
  self->socket_path = g_build_filename (self->folder, "chat.sock", NULL);
  argv[5] = self->socket_path;
  argv[7] = lk_settings_get_device (lk_settings_get_default ());
  if (named != NULL)
    {
      argv[8] = "--adapter";
      argv[9] = named;
    }
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_child_setup (launcher, end_with_parent, NULL, NULL);
  self->process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  if (self->process == NULL)
    {
      fail (self, error->message);
      return;
    }
  g_subprocess_communicate_async (self->process, NULL, self->cancellable, ended_cb, g_object_ref (self));
  self->knock = g_timeout_add (KNOCK_MS, knock_cb, self);
}

LkServer *
lk_server_new (const char *model, const char *adapter)
{
  LkServer *self = g_object_new (LK_TYPE_SERVER, NULL);

  start (self, model, adapter);
  return self;
}

const char *
lk_server_get_socket_path (LkServer *self)
{
  return self->socket_path;
}

gboolean
lk_server_is_ready (LkServer *self)
{
  return self->ready;
}

const char *
lk_server_get_error (LkServer *self)
{
  return self->error;
}
