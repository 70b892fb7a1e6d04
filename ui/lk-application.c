/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-application.h"

#include <glib/gi18n-lib.h>

#include "compat.h"
#include "lk-config.h"
#include "lk-library.h"
#include "lk-paths.h"
#include "lk-settings.h"
#include "lk-system-report.h"
#include "lk-window.h"
#include "preferences/lk-preferences-window.h"

struct _LkApplication
{
  AdwApplication parent_instance;

  LkRunList *runs;
  LkQueue *queue;
  gboolean working; /* something trains: we stay, and the computer stays awake */
  guint inhibited;  /* cookie; 0 also where nobody could be asked */
};

G_DEFINE_FINAL_TYPE (LkApplication, lk_application, ADW_TYPE_APPLICATION)

static LkWindow *
present_window (LkApplication *self)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

  if (window == NULL)
    window = GTK_WINDOW (lk_window_new (self));
  gtk_window_present (window);
  return LK_WINDOW (window);
}

void
lk_application_say_it_goes_on (LkApplication *self)
{
  g_autoptr (GNotification) notification = NULL;
  LkRun *run = lk_run_list_count_active (self->runs) > 0 ? lk_run_list_get_latest (self->runs) : NULL;

  if (!self->working || !lk_settings_get_notifications (lk_settings_get_default ()))
    return;
  if (run != NULL)
    {
      notification = g_notification_new (_ ("The training goes on"));
      g_notification_set_body (notification, _ ("Open Lorikeet again to watch it or to stop it."));
      g_notification_set_default_action_and_target (notification, "app.show-run", "s", lk_run_get_folder (run));
    }
  else
    {
      notification = g_notification_new (_ ("Fine-tunes wait in the queue"));
      g_notification_set_body (notification, _ ("Open Lorikeet again to go on with them."));
    }
  g_application_send_notification (G_APPLICATION (self), "goes-on", notification);
}

static void
quit_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  lk_application_say_it_goes_on (LK_APPLICATION (user_data));
  g_application_quit (G_APPLICATION (user_data));
}

static void
reported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GtkWidget) about = user_data;
  g_autofree char *report = lk_system_report_gather_finish (result);

  lk_compat_about_set_debug_info (about, report);
}

static void
about_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  g_autofree char *toolkit
      = g_strdup_printf ("GTK %u.%u.%u\nlibadwaita %u.%u.%u\n", gtk_get_major_version (), gtk_get_minor_version (),
                         gtk_get_micro_version (), adw_get_major_version (), adw_get_minor_version (), adw_get_micro_version ());
  GtkWidget *about = lk_compat_show_about (gtk_application_get_active_window (GTK_APPLICATION (user_data)));

  lk_compat_about_set_debug_info (about, toolkit);
  lk_system_report_gather_async (toolkit, reported_cb, g_object_ref (about));
}

static void
preferences_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  lk_preferences_window_show (GTK_WINDOW (present_window (LK_APPLICATION (user_data))));
}

static void
show_run_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  LkApplication *self = LK_APPLICATION (user_data);
  LkRun *run = lk_run_list_find (self->runs, g_variant_get_string (parameter, NULL));
  LkWindow *window = present_window (self);

  if (run != NULL)
    lk_window_show_run (window, run);
}

/* Training is why the computer is on: it should not fall asleep over it, and who started it wants to hear of its end, with a
 * window or without. */
static void
update_working (LkApplication *self)
{
  /* what waits in the queue needs somebody to start it */
  gboolean working = lk_run_list_count_active (self->runs) > 0
                     || (self->queue != NULL && g_list_model_get_n_items (G_LIST_MODEL (self->queue)) > 0);

  if (working == self->working)
    return;
  self->working = working;
  if (working)
    {
      g_application_hold (G_APPLICATION (self));
      self->inhibited = gtk_application_inhibit (GTK_APPLICATION (self),
                                                 gtk_application_get_active_window (GTK_APPLICATION (self)),
                                                 GTK_APPLICATION_INHIBIT_SUSPEND, _ ("A model is being trained"));
      return;
    }
  if (self->inhibited != 0)
    gtk_application_uninhibit (GTK_APPLICATION (self), self->inhibited);
  self->inhibited = 0;
  g_application_withdraw_notification (G_APPLICATION (self), "goes-on");
  g_application_release (G_APPLICATION (self));
}

static void
ended_cb (LkApplication *self, LkRun *run)
{
  g_autoptr (GNotification) notification = NULL;
  g_autofree char *title = NULL;
  g_autofree char *body = NULL;
  g_autofree char *trouble = NULL;
  LkRunState state = lk_run_get_state (run);

  if (state == LK_RUN_STOPPED /* the user did that */ || !lk_settings_get_notifications (lk_settings_get_default ()))
    {
      update_working (self);
      return;
    }
  g_object_get (run, "progress-text", &body, "trouble-text", &trouble, NULL);
  title = g_strdup_printf (state == LK_RUN_FINISHED ? _ ("“%s” is trained") : _ ("“%s” was interrupted"),
                           lk_run_get_name (run));
  notification = g_notification_new (title);
  g_notification_set_body (notification, trouble != NULL ? trouble : body);
  g_notification_set_default_action_and_target (notification, "app.show-run", "s", lk_run_get_folder (run));
  g_application_send_notification (G_APPLICATION (self), lk_run_get_folder (run), notification);
  update_working (self);
}

static void
run_added_cb (LkApplication *self, guint position, guint removed, guint added)
{
  for (guint i = 0; i < added; i++)
    {
      g_autoptr (LkRun) run = g_list_model_get_item (G_LIST_MODEL (self->runs), position + i);

      g_signal_connect_object (run, "notify::active", G_CALLBACK (update_working), self, G_CONNECT_SWAPPED);
    }
  update_working (self);
}

static void
colors_cb (LkApplication *self)
{
  const char *chosen = lk_settings_get_color_scheme (lk_settings_get_default ());

  adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                      g_str_equal (chosen, "dark")    ? ADW_COLOR_SCHEME_FORCE_DARK
                                      : g_str_equal (chosen, "light") ? ADW_COLOR_SCHEME_FORCE_LIGHT
                                                                      : ADW_COLOR_SCHEME_DEFAULT);
}

static void
runs_folder_cb (LkApplication *self)
{
  g_autofree char *folder = lk_paths_get_runs_dir ();

  lk_run_list_watch (self->runs, folder);
  lk_queue_set_runs_dir (self->queue, folder);
}

static void
models_folder_cb (LkApplication *self)
{
  lk_library_refresh (lk_library_get_default ());
}

static void
follow_settings (LkApplication *self)
{
  LkSettings *settings = lk_settings_get_default ();

  g_signal_connect_object (settings, "notify::color-scheme", G_CALLBACK (colors_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "notify::runs-folder", G_CALLBACK (runs_folder_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (settings, "notify::models-folder", G_CALLBACK (models_folder_cb), self, G_CONNECT_SWAPPED);
  colors_cb (self);
}

/* New runs go to the folder of Preferences; those elsewhere are listed all the same. */
static void
list_runs (LkApplication *self)
{
  g_auto (GStrv) folders = NULL;
  g_autofree char *folder = NULL;

  lk_settings_get_default (); /* tells of the folders */
  folders = lk_paths_list_runs_dirs ();
  folder = lk_paths_get_runs_dir ();
  self->runs = lk_run_list_new (folder);
  for (guint i = 0; folders[i] != NULL; i++)
    lk_run_list_watch (self->runs, folders[i]);
}

static void
lk_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { .name = "quit", .activate = quit_action },
    { .name = "about", .activate = about_action },
    { .name = "preferences", .activate = preferences_action },
    { .name = "show-run", .activate = show_run_action, .parameter_type = "s" },
  };
  static const struct
  {
    const char *action;
    const char *accelerators[3];
  } keys[] = {
    { "app.quit", { "<Control>q" } },      { "window.close", { "<Control>w" } },
    { "app.preferences", { "<Control>comma" } },
    { "win.new", { "<Control>n" } },       { "win.show-sidebar", { "F9" } },
    { "win.show-page(0)", { "<Alt>1" } },  { "win.show-page(1)", { "<Alt>2" } },
    { "win.show-page(2)", { "<Alt>3" } },  { "win.show-page(3)", { "<Alt>4" } },
  };
  LkApplication *self = LK_APPLICATION (application);
  g_autofree char *folder = NULL;
  g_autofree char *queue_folder = lk_paths_get_queue_dir ();

  G_APPLICATION_CLASS (lk_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (LK_APP_ID);
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), keys[i].action, keys[i].accelerators);
  list_runs (self);
  folder = lk_paths_get_runs_dir ();
  g_signal_connect_object (self->runs, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->runs, "items-changed", G_CALLBACK (run_added_cb), self, G_CONNECT_SWAPPED);
  run_added_cb (self, 0, 0, g_list_model_get_n_items (G_LIST_MODEL (self->runs)));
  self->queue = lk_queue_new (self->runs, queue_folder, folder);
  g_signal_connect_object (self->queue, "items-changed", G_CALLBACK (update_working), self, G_CONNECT_SWAPPED);
  follow_settings (self);
  update_working (self);
  /* selectable labels are read and copied from; all of their text marked at a press of Tab is in the way */
  g_object_set (gtk_settings_get_default (), "gtk-label-select-on-focus", FALSE, NULL);
}

static void
lk_application_activate (GApplication *application)
{
  present_window (LK_APPLICATION (application));
}

static void
lk_application_open (GApplication *application, GFile **files, int n_files, const char *hint)
{
  LkWindow *window = present_window (LK_APPLICATION (application));
  g_autoptr (GSList) list = NULL;

  for (int i = n_files - 1; i >= 0; i--)
    list = g_slist_prepend (list, files[i]);
  lk_window_take_files (window, list);
}

static void
lk_application_shutdown (GApplication *application)
{
  lk_run_list_trash_hidden (LK_APPLICATION (application)->runs);
  G_APPLICATION_CLASS (lk_application_parent_class)->shutdown (application);
}

static void
lk_application_dispose (GObject *object)
{
  g_clear_object (&LK_APPLICATION (object)->queue);
  g_clear_object (&LK_APPLICATION (object)->runs);
  G_OBJECT_CLASS (lk_application_parent_class)->dispose (object);
}

static void
lk_application_class_init (LkApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_application_dispose;
  application_class->startup = lk_application_startup;
  application_class->shutdown = lk_application_shutdown;
  application_class->activate = lk_application_activate;
  application_class->open = lk_application_open;
}

static void
lk_application_init (LkApplication *self)
{
}

LkApplication *
lk_application_new (void)
{
  return g_object_new (LK_TYPE_APPLICATION, "application-id", LK_APP_ID, "flags", G_APPLICATION_HANDLES_OPEN,
                       "resource-base-path", "/org/lorikeet/Lorikeet", NULL);
}

LkRunList *
lk_application_get_runs (LkApplication *self)
{
  return self->runs;
}

LkQueue *
lk_application_get_queue (LkApplication *self)
{
  return self->queue;
}
