/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compat.h"

#include <glib/gi18n-lib.h>

#include "lk-config.h"

typedef struct
{
  LkCompatAnswerFunc answered;
  LkCompatFileFunc chosen;
  LkCompatFilesFunc several_chosen;
  gpointer user_data;
  LkCompatFileKind kind;
} Pending;

static Pending *
pending_new (gpointer user_data)
{
  Pending *pending = g_new0 (Pending, 1);

  pending->user_data = user_data;
  return pending;
}

#if ADW_CHECK_VERSION(1, 5, 0)

static void
response_cb (AdwAlertDialog *dialog, const char *response, gpointer user_data)
{
  Pending *pending = user_data;

  pending->answered (g_str_equal (response, "agree"), pending->user_data);
  g_free (pending);
}

void
lk_compat_ask (GtkWindow *parent, const char *heading, const char *body, const char *verb,
               gboolean destructive, LkCompatAnswerFunc answered, gpointer user_data)
{
  AdwAlertDialog *dialog = ADW_ALERT_DIALOG (adw_alert_dialog_new (heading, body));
  Pending *pending = pending_new (user_data);

  pending->answered = answered;
  adw_alert_dialog_add_responses (dialog, "cancel", _ ("_Cancel"), "agree", verb, NULL);
  adw_alert_dialog_set_response_appearance (dialog, "agree",
                                            destructive ? ADW_RESPONSE_DESTRUCTIVE : ADW_RESPONSE_SUGGESTED);
  adw_alert_dialog_set_close_response (dialog, "cancel");
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), pending);
  adw_dialog_present (ADW_DIALOG (dialog), GTK_WIDGET (parent));
}

GtkWidget *
lk_compat_show_about (GtkWindow *parent)
{
  AdwAboutDialog *about = ADW_ABOUT_DIALOG (adw_about_dialog_new ());

  adw_about_dialog_set_application_name (about, "Lorikeet");
  adw_about_dialog_set_application_icon (about, LK_APP_ID);
  adw_about_dialog_set_version (about, LK_VERSION);
  adw_about_dialog_set_developer_name (about, _ ("The Lorikeet developers"));
  adw_about_dialog_set_license_type (about, GTK_LICENSE_GPL_3_0);
  adw_about_dialog_set_comments (about, _ ("Teaches language models new things, on your own computer."));
  adw_about_dialog_set_debug_info_filename (about, "lorikeet-system-report.txt");
  adw_dialog_present (ADW_DIALOG (about), GTK_WIDGET (parent));
  return GTK_WIDGET (about);
}

void
lk_compat_about_set_debug_info (GtkWidget *about, const char *debug_info)
{
  adw_about_dialog_set_debug_info (ADW_ABOUT_DIALOG (about), debug_info);
}

#else

static void
response_cb (AdwMessageDialog *dialog, const char *response, gpointer user_data)
{
  Pending *pending = user_data;

  pending->answered (g_str_equal (response, "agree"), pending->user_data);
  g_free (pending);
}

void
lk_compat_ask (GtkWindow *parent, const char *heading, const char *body, const char *verb,
               gboolean destructive, LkCompatAnswerFunc answered, gpointer user_data)
{
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (adw_message_dialog_new (parent, heading, body));
  Pending *pending = pending_new (user_data);

  pending->answered = answered;
  adw_message_dialog_add_responses (dialog, "cancel", _ ("_Cancel"), "agree", verb, NULL);
  adw_message_dialog_set_response_appearance (
      dialog, "agree", destructive ? ADW_RESPONSE_DESTRUCTIVE : ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), pending);
  gtk_window_present (GTK_WINDOW (dialog));
}

GtkWidget *
lk_compat_show_about (GtkWindow *parent)
{
  AdwAboutWindow *about = ADW_ABOUT_WINDOW (adw_about_window_new ());

  adw_about_window_set_application_name (about, "Lorikeet");
  adw_about_window_set_application_icon (about, LK_APP_ID);
  adw_about_window_set_version (about, LK_VERSION);
  adw_about_window_set_developer_name (about, _ ("The Lorikeet developers"));
  adw_about_window_set_license_type (about, GTK_LICENSE_GPL_3_0);
  adw_about_window_set_comments (about, _ ("Teaches language models new things, on your own computer."));
  adw_about_window_set_debug_info_filename (about, "lorikeet-system-report.txt");
  gtk_window_set_transient_for (GTK_WINDOW (about), parent);
  gtk_window_set_modal (GTK_WINDOW (about), TRUE);
  gtk_window_present (GTK_WINDOW (about));
  return GTK_WIDGET (about);
}

void
lk_compat_about_set_debug_info (GtkWidget *about, const char *debug_info)
{
  adw_about_window_set_debug_info (ADW_ABOUT_WINDOW (about), debug_info);
}

#endif

static GListStore *
make_filters (const char *filter_name, const char *const *suffixes)
{
  GListStore *filters = g_list_store_new (GTK_TYPE_FILE_FILTER);
  g_autoptr (GtkFileFilter) wanted = gtk_file_filter_new ();
  g_autoptr (GtkFileFilter) all = gtk_file_filter_new ();

  if (filter_name == NULL)
    return filters;
  gtk_file_filter_set_name (wanted, filter_name);
  for (guint i = 0; suffixes[i] != NULL; i++)
    gtk_file_filter_add_suffix (wanted, suffixes[i]);
  gtk_file_filter_set_name (all, _ ("All Files"));
  gtk_file_filter_add_pattern (all, "*");
  g_list_store_append (filters, wanted);
  g_list_store_append (filters, all);
  return filters;
}

#if GTK_CHECK_VERSION(4, 10, 0)

static void
chosen_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pending *pending = user_data;
  GtkFileDialog *dialog = GTK_FILE_DIALOG (source);
  g_autoptr (GFile) file = NULL;

  if (pending->kind == LK_COMPAT_OPEN_FILE)
    file = gtk_file_dialog_open_finish (dialog, result, NULL);
  else if (pending->kind == LK_COMPAT_OPEN_FOLDER)
    file = gtk_file_dialog_select_folder_finish (dialog, result, NULL);
  else
    file = gtk_file_dialog_save_finish (dialog, result, NULL);
  if (file != NULL)
    pending->chosen (file, pending->user_data);
  g_free (pending);
}

void
lk_compat_choose_file (GtkWindow *parent, LkCompatFileKind kind, const char *title, const char *filter_name,
                       const char *const *suffixes, const char *folder, const char *name,
                       LkCompatFileFunc chosen, gpointer user_data)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();
  g_autoptr (GListStore) filters = make_filters (filter_name, suffixes);
  g_autoptr (GFile) start = folder != NULL && folder[0] != 0 ? g_file_new_for_path (folder) : NULL;
  Pending *pending = pending_new (user_data);

  pending->chosen = chosen;
  pending->kind = kind;
  gtk_file_dialog_set_title (dialog, title);
  if (filter_name != NULL)
    gtk_file_dialog_set_filters (dialog, G_LIST_MODEL (filters));
  if (start != NULL)
    gtk_file_dialog_set_initial_folder (dialog, start);
  if (name != NULL)
    gtk_file_dialog_set_initial_name (dialog, name);
  if (kind == LK_COMPAT_OPEN_FILE)
    gtk_file_dialog_open (dialog, parent, NULL, chosen_cb, pending);
  else if (kind == LK_COMPAT_OPEN_FOLDER)
    gtk_file_dialog_select_folder (dialog, parent, NULL, chosen_cb, pending);
  else
    gtk_file_dialog_save (dialog, parent, NULL, chosen_cb, pending);
}

static void
several_chosen_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pending *pending = user_data;
  g_autoptr (GListModel) files = gtk_file_dialog_open_multiple_finish (GTK_FILE_DIALOG (source), result, NULL);

  if (files != NULL && g_list_model_get_n_items (files) > 0)
    pending->several_chosen (files, pending->user_data);
  g_free (pending);
}

void
lk_compat_choose_files (GtkWindow *parent, const char *title, const char *filter_name, const char *const *suffixes,
                        const char *folder, LkCompatFilesFunc chosen, gpointer user_data)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();
  g_autoptr (GListStore) filters = make_filters (filter_name, suffixes);
  g_autoptr (GFile) start = folder != NULL && folder[0] != 0 ? g_file_new_for_path (folder) : NULL;
  Pending *pending = pending_new (user_data);

  pending->several_chosen = chosen;
  gtk_file_dialog_set_title (dialog, title);
  gtk_file_dialog_set_filters (dialog, G_LIST_MODEL (filters));
  if (start != NULL)
    gtk_file_dialog_set_initial_folder (dialog, start);
  gtk_file_dialog_open_multiple (dialog, parent, NULL, several_chosen_cb, pending);
}

#else

static void
chosen_cb (GtkNativeDialog *dialog, int response, gpointer user_data)
{
  Pending *pending = user_data;
  g_autoptr (GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT && pending->several_chosen != NULL)
    {
      g_autoptr (GListModel) files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));

      if (g_list_model_get_n_items (files) > 0)
        pending->several_chosen (files, pending->user_data);
    }
  else if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (file != NULL)
    pending->chosen (file, pending->user_data);
  g_free (pending);
  g_object_unref (dialog);
}

static void
show_chooser (GtkFileChooserNative *dialog, const char *filter_name, const char *const *suffixes, const char *folder,
              Pending *pending)
{
  g_autoptr (GListStore) filters = make_filters (filter_name, suffixes);
  g_autoptr (GFile) start = folder != NULL && folder[0] != 0 ? g_file_new_for_path (folder) : NULL;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (filters)); i++)
    {
      g_autoptr (GtkFileFilter) filter = g_list_model_get_item (G_LIST_MODEL (filters), i);

      gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
    }
  if (start != NULL)
    gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (dialog), start, NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect (dialog, "response", G_CALLBACK (chosen_cb), pending);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

void
lk_compat_choose_file (GtkWindow *parent, LkCompatFileKind kind, const char *title, const char *filter_name,
                       const char *const *suffixes, const char *folder, const char *name,
                       LkCompatFileFunc chosen, gpointer user_data)
{
  static const GtkFileChooserAction actions[]
      = { GTK_FILE_CHOOSER_ACTION_OPEN, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, GTK_FILE_CHOOSER_ACTION_SAVE };
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (title, parent, actions[kind], NULL, NULL);
  Pending *pending = pending_new (user_data);

  pending->chosen = chosen;
  pending->kind = kind;
  if (name != NULL)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  show_chooser (dialog, filter_name, suffixes, folder, pending);
}

void
lk_compat_choose_files (GtkWindow *parent, const char *title, const char *filter_name, const char *const *suffixes,
                        const char *folder, LkCompatFilesFunc chosen, gpointer user_data)
{
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new (title, parent, GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  Pending *pending = pending_new (user_data);

  pending->several_chosen = chosen;
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (dialog), TRUE);
  show_chooser (dialog, filter_name, suffixes, folder, pending);
}

#endif

void
lk_compat_announce (GtkWidget *widget, const char *message)
{
#if GTK_CHECK_VERSION(4, 14, 0)
  gtk_accessible_announce (GTK_ACCESSIBLE (widget), message, GTK_ACCESSIBLE_ANNOUNCEMENT_PRIORITY_MEDIUM);
#endif
}
