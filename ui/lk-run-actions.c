/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-actions.h"

#include <glib/gi18n-lib.h>

#include "run/lk-extend-dialog.h"

#define UNDO_SECONDS 20

struct _LkRunActions
{
  GObject parent_instance;

  GtkWindow *window; /* not owned */
  AdwToastOverlay *toasts;
  LkRunList *runs;
  LkDraft *draft;
};

G_DEFINE_FINAL_TYPE (LkRunActions, lk_run_actions, G_TYPE_OBJECT)

static void
say (LkRunActions *self, const char *sentence)
{
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);

  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (escaped));
}

static LkRun *
find (LkRunActions *self, GVariant *folder)
{
  return lk_run_list_find (self->runs, g_variant_get_string (folder, NULL));
}

static void
emit (LkRunActions *self, const char *signal, GVariant *folder)
{
  LkRun *run = find (self, folder);

  if (run != NULL)
    g_signal_emit_by_name (self, signal, run);
}

static void
rename_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  emit (user_data, "rename-run", folder);
}

static void
compare_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  emit (user_data, "compare-run", folder);
}

static void
open_folder_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  g_autofree char *uri = g_filename_to_uri (g_variant_get_string (folder, NULL), NULL, NULL);

  if (uri != NULL)
    g_app_info_launch_default_for_uri_async (uri, NULL, NULL, NULL, NULL);
}

/* A draft has one dataset; a command line may have named several. */
static void
say_what_is_left_out (LkRunActions *self, LkRun *run)
{
  const char *const *data = lk_run_get_all_data (run);
  g_autofree char *first = data[0] != NULL && data[1] != NULL ? g_path_get_basename (data[0]) : NULL;
  g_autofree char *sentence = NULL;

  if (first == NULL)
    return;
  sentence = g_strdup_printf (_ ("“%s” learned from several files; this is only “%s”. Choose all of them together to learn from all."),
                              lk_run_get_name (run), first);
  say (self, sentence);
}

/* @adapter NULL: begins with the model alone. */
static void
fill_draft (LkRunActions *self, LkRun *run, const char *adapter)
{
  g_autofree char *name = g_strdup_printf (adapter != NULL ? _ ("%s, continued") : _ ("%s, again"),
                                           lk_run_get_name (run));
  g_autofree char *words = g_strdup_printf (_ ("Begins with what “%s” has learned"), lk_run_get_name (run));
  g_autoptr (GError) error = NULL;
  gboolean loaded;

  g_object_get (self->draft, "loaded", &loaded, NULL);
  if (!loaded)
    {
      say (self, _ ("The engine's settings are not known yet. Try again in a moment."));
      return;
    }
  lk_draft_reset (self->draft);
  lk_draft_set_model (self->draft, lk_run_get_model (run));
  lk_draft_set_data (self->draft, lk_run_get_data (run));
  lk_draft_set_name (self->draft, name);
  lk_draft_set_adapter (self->draft, adapter, adapter != NULL ? words : NULL);
  if (!lk_draft_apply_settings (self->draft, lk_run_get_settings (run), lk_run_get_name (run), &error))
    say (self, error->message);
  say_what_is_left_out (self, run);
  g_signal_emit_by_name (self, "show-draft");
}

static void
clone_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  LkRun *run = find (user_data, folder);

  if (run != NULL)
    fill_draft (user_data, run, NULL);
}

static void
continue_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  LkRun *run = find (user_data, folder);
  g_autofree char *adapter = run != NULL ? lk_run_find_adapter (run) : NULL;

  if (adapter != NULL)
    fill_draft (user_data, run, adapter);
  else if (run != NULL)
    say (user_data, _ ("It has not saved anything yet."));
}

static void
extended_cb (LkRun *run, double length, gpointer user_data)
{
  LkRunActions *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!lk_run_extend (run, length, &error))
    say (self, error->message);
  else
    g_signal_emit_by_name (self, "show-run", run);
}

static void
extend_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  LkRunActions *self = user_data;
  LkRun *run = find (self, folder);

  if (run == NULL)
    return;
  if (lk_run_actions_can_extend (run))
    lk_extend_dialog_show (self->window, run, extended_cb, self);
  else
    say (self, _ ("It can be made longer once it has stopped and something is saved."));
}

/* The folder is moved when the toast is gone, and with it the chance to take it back. */
static void
toast_gone_cb (LkRunActions *self, AdwToast *toast)
{
  g_autoptr (GError) error = NULL;

  if (!lk_run_list_trash (self->runs, g_object_get_data (G_OBJECT (toast), "folder"), &error))
    say (self, error->message);
}

static void
delete_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  LkRunActions *self = user_data;
  g_autoptr (LkRun) run = find (self, folder);
  g_autofree char *sentence = NULL;
  g_autofree char *escaped = NULL;
  g_autoptr (GError) error = NULL;
  AdwToast *toast;

  if (run == NULL)
    return;
  g_object_ref (run);
  if (!lk_run_list_hide (self->runs, run, &error))
    {
      say (self, error->message);
      return;
    }
  sentence = g_strdup_printf (_ ("“%s” deleted"), lk_run_get_name (run));
  escaped = g_markup_escape_text (sentence, -1);
  toast = adw_toast_new (escaped);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  adw_toast_set_action_name (toast, "runs.undo-delete");
  adw_toast_set_action_target (toast, "s", lk_run_get_folder (run));
  adw_toast_set_timeout (toast, UNDO_SECONDS);
  g_object_set_data_full (G_OBJECT (toast), "folder", g_strdup (lk_run_get_folder (run)), g_free);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (toast_gone_cb), self, G_CONNECT_SWAPPED);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
undo_delete_action (GSimpleAction *action, GVariant *folder, gpointer user_data)
{
  LkRunActions *self = user_data;

  if (lk_run_list_unhide (self->runs, g_variant_get_string (folder, NULL)))
    emit (self, "show-run", folder);
}

static void
lk_run_actions_dispose (GObject *object)
{
  LkRunActions *self = LK_RUN_ACTIONS (object);

  g_clear_object (&self->toasts);
  g_clear_object (&self->runs);
  g_clear_object (&self->draft);
  G_OBJECT_CLASS (lk_run_actions_parent_class)->dispose (object);
}

static void
lk_run_actions_class_init (LkRunActionsClass *klass)
{
  static const char *const of_runs[] = { "show-run", "rename-run", "compare-run" };

  G_OBJECT_CLASS (klass)->dispose = lk_run_actions_dispose;
  for (guint i = 0; i < G_N_ELEMENTS (of_runs); i++)
    g_signal_new (of_runs[i], LK_TYPE_RUN_ACTIONS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, LK_TYPE_RUN);
  g_signal_new ("show-draft", LK_TYPE_RUN_ACTIONS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
lk_run_actions_init (LkRunActions *self)
{
}

LkRunActions *
lk_run_actions_new (GtkWindow *window, AdwToastOverlay *toasts, LkRunList *runs, LkDraft *draft)
{
  static const GActionEntry entries[] = {
    { .name = "rename", .activate = rename_action, .parameter_type = "s" },
    { .name = "clone", .activate = clone_action, .parameter_type = "s" },
    { .name = "continue", .activate = continue_action, .parameter_type = "s" },
    { .name = "extend", .activate = extend_action, .parameter_type = "s" },
    { .name = "compare", .activate = compare_action, .parameter_type = "s" },
    { .name = "open-folder", .activate = open_folder_action, .parameter_type = "s" },
    { .name = "delete", .activate = delete_action, .parameter_type = "s" },
    { .name = "undo-delete", .activate = undo_delete_action, .parameter_type = "s" },
  };
  LkRunActions *self = g_object_new (LK_TYPE_RUN_ACTIONS, NULL);
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();

  self->window = window;
  self->toasts = g_object_ref (toasts);
  self->runs = g_object_ref (runs);
  self->draft = g_object_ref (draft);
  g_action_map_add_action_entries (G_ACTION_MAP (group), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (window), "runs", G_ACTION_GROUP (group));
  return self;
}

gboolean
lk_run_actions_can_extend (LkRun *run)
{
  gint64 checkpoint;

  g_object_get (run, "checkpoint-step", &checkpoint, NULL);
  return !lk_run_is_active (run) && checkpoint >= 0;
}

static void
append (GMenu *menu, LkRun *run, const char *label, const char *action)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target (item, action, "s", lk_run_get_folder (run));
  g_menu_append_item (menu, item);
}

GMenuModel *
lk_run_actions_make_menu (LkRun *run)
{
  GMenu *menu = g_menu_new ();
  g_autoptr (GMenu) more = g_menu_new ();
  g_autoptr (GMenu) end = g_menu_new ();

  append (more, run, _ ("_Rename…"), "runs.rename");
  append (more, run, _ ("_Compare"), "runs.compare");
  append (more, run, _ ("Cl_one…"), "runs.clone");
  if (lk_run_get_has_adapter (run))
    append (more, run, _ ("Con_tinue from This…"), "runs.continue");
  if (lk_run_actions_can_extend (run))
    append (more, run, _ ("Train _Longer…"), "runs.extend");
  append (end, run, _ ("_Open Folder"), "runs.open-folder");
  if (!lk_run_is_active (run))
    append (end, run, _ ("_Delete"), "runs.delete");
  g_menu_append_section (menu, NULL, G_MENU_MODEL (more));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (end));
  return G_MENU_MODEL (menu);
}
