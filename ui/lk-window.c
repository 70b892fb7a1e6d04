/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-window.h"

#include <glib/gi18n-lib.h>

#include "lk-paths.h"
#include "lk-run-actions.h"
#include "lk-settings.h"
#include "lk-sidebar.h"
#include "advisor/lk-advisor-page.h"
#include "datasets/lk-datasets-page.h"
#include "models/lk-models-page.h"
#include "new/lk-new-page.h"
#include "run/lk-chat-page.h"
#include "run/lk-compare-page.h"
#include "run/lk-run-page.h"
#include "welcome/lk-welcome-page.h"

struct _LkWindow
{
  AdwApplicationWindow parent_instance;

  LkRunList *runs;
  LkQueue *queue;
  LkRunActions *actions;
  LkDraft *trying; /* while Try It Now waits for the engine's settings */
  gboolean show_sidebar;

  AdwToastOverlay *toasts;
  GtkRevealer *sidebar_revealer;
  GtkStack *stack;
  LkSidebar *sidebar;
  LkNewPage *new_page;
  LkDatasetsPage *datasets_page;
  LkRunPage *run_page;
  LkComparePage *compare_page;
};

enum
{
  PROP_0,
  PROP_SHOW_SIDEBAR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkWindow, lk_window, ADW_TYPE_APPLICATION_WINDOW)

static void
say (LkWindow *self, const char *sentence)
{
  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (sentence));
}

static void
complaint_cb (LkWindow *self, LkRun *run, const char *sentence)
{
  g_autofree char *escaped = g_markup_escape_text (sentence, -1);

  say (self, escaped);
}

static void
say_error (LkWindow *self, const GError *error)
{
  complaint_cb (self, NULL, error->message);
}

void
lk_window_show_run (LkWindow *self, LkRun *run)
{
  g_return_if_fail (LK_IS_WINDOW (self));

  lk_run_page_set_run (self->run_page, run);
  gtk_stack_set_visible_child_name (self->stack, "run");
  lk_sidebar_mark_run (self->sidebar, run);
}

void
lk_window_show_place (LkWindow *self, const char *name)
{
  g_return_if_fail (LK_IS_WINDOW (self));

  gtk_stack_set_visible_child_name (self->stack, name);
  lk_sidebar_mark_place (self->sidebar, name);
}

void
lk_window_take_files (LkWindow *self, GSList *files)
{
  lk_window_show_place (self, "new");
  lk_new_page_take_files (self->new_page, files);
}

static void
start_draft (LkWindow *self, LkDraft *draft)
{
  g_autofree char *runs_dir = lk_paths_get_runs_dir ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder
      = lk_paths_prepare_runs_dir (runs_dir, &error) ? lk_draft_create_run (draft, runs_dir, &error) : NULL;
  LkRun *run = folder != NULL ? lk_run_list_find (self->runs, folder) : NULL;

  if (run == NULL || !lk_run_start (run, &error))
    {
      if (error != NULL)
        say_error (self, error);
      if (run == NULL)
        return;
    }
  lk_draft_set_adapter (draft, NULL, NULL);
  lk_window_show_run (self, run);
}

static void
start_cb (LkWindow *self)
{
  start_draft (self, lk_new_page_get_draft (self->new_page));
}

static void
queue_cb (LkWindow *self)
{
  g_autoptr (GError) error = NULL;

  if (lk_queue_add (self->queue, lk_new_page_get_draft (self->new_page), &error))
    {
      lk_draft_set_adapter (lk_new_page_get_draft (self->new_page), NULL, NULL);
      say (self, _ ("Added to the queue"));
    }
  else
    say_error (self, error);
}

static void
queue_complaint_cb (LkWindow *self, const char *sentence)
{
  complaint_cb (self, NULL, sentence);
}

static void
try_loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *preset = lk_paths_find_sample_preset ();
  LkDraft *draft = LK_DRAFT (source);

  g_clear_object (&self->trying);
  if (!lk_draft_load_finish (draft, result, &error)
      || (preset != NULL && !lk_draft_apply_preset (draft, preset, &error)))
    say_error (self, error);
  else
    start_draft (self, draft);
}

static void
try_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkWindow *self = LK_WINDOW (widget);
  g_autofree char *model = lk_paths_find_tiny_model ();
  g_autofree char *sample = lk_paths_find_sample ();

  if (model == NULL || sample == NULL || self->trying != NULL)
    return;
  self->trying = lk_draft_new ();
  lk_draft_set_model (self->trying, model);
  lk_draft_set_data (self->trying, sample);
  lk_draft_load_async (self->trying, NULL, try_loaded_cb, g_object_ref (self));
}

static void
new_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_window_show_place (LK_WINDOW (widget), "new");
}

static void
show_place_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_window_show_place (LK_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

static void
open_dataset_cb (LkWindow *self, LkStoredDataset *dataset)
{
  lk_window_show_place (self, "datasets");
  lk_datasets_page_open (self->datasets_page, dataset, lk_draft_get_model (lk_new_page_get_draft (self->new_page)));
}

static void
use_model_cb (LkWindow *self, const char *path)
{
  lk_draft_set_model (lk_new_page_get_draft (self->new_page), path);
  lk_window_show_place (self, "new");
}

static void
use_dataset_cb (LkWindow *self, const char *path)
{
  LkDraft *draft = lk_new_page_get_draft (self->new_page);

  if (g_strcmp0 (lk_draft_get_data (draft), path) == 0)
    lk_draft_renew_data (draft);
  else
    lk_draft_set_data (draft, path);
  lk_window_show_place (self, "new");
}

static void
show_page_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkWindow *self = LK_WINDOW (widget);

  if (g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "run") == 0)
    lk_run_page_show_page (self->run_page, (guint) g_variant_get_int32 (parameter));
}

static void
toast_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  complaint_cb (LK_WINDOW (widget), NULL, g_variant_get_string (parameter, NULL));
}

static void
run_chosen_cb (LkWindow *self, LkRun *run)
{
  lk_window_show_run (self, run);
}

/* A run that is shown, alone or beside others, may have been deleted. */
static void
runs_changed_cb (LkWindow *self)
{
  const char *page = gtk_stack_get_visible_child_name (self->stack);
  LkRun *shown = lk_run_page_get_run (self->run_page), *next = NULL;

  if (g_strcmp0 (page, "compare") == 0)
    {
      if (lk_compare_page_keep_listed (self->compare_page, self->runs, &next) >= 2)
        return;
    }
  else if (shown == NULL || g_strcmp0 (page, "run") != 0 || lk_run_list_contains (self->runs, shown))
    return;
  if (next == NULL)
    next = lk_run_list_get_latest (self->runs);
  if (next != NULL)
    {
      lk_window_show_run (self, next);
      return;
    }
  lk_run_page_set_run (self->run_page, NULL);
  gtk_stack_set_visible_child_name (self->stack, "welcome");
  lk_sidebar_mark_nothing (self->sidebar);
}

static void
rename_run_cb (LkWindow *self, LkRun *run)
{
  lk_window_show_run (self, run);
  lk_run_page_rename (self->run_page);
}

static void
compare_run_cb (LkWindow *self, LkRun *run)
{
  lk_sidebar_toggle_run (self->sidebar, run);
}

static void
show_draft_cb (LkWindow *self)
{
  lk_window_show_place (self, "new");
}

static void
runs_compared_cb (LkWindow *self, GPtrArray *runs)
{
  lk_compare_page_set_runs (self->compare_page, runs);
  gtk_stack_set_visible_child_name (self->stack, "compare");
}

/* Closing stops nothing, which is worth saying to whom it concerns. */
static gboolean
lk_window_close_request (GtkWindow *window)
{
  lk_application_say_it_goes_on (LK_APPLICATION (gtk_window_get_application (window)));
  return GTK_WINDOW_CLASS (lk_window_parent_class)->close_request (window);
}

static void
lk_window_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_boolean (value, LK_WINDOW (object)->show_sidebar);
}

static void
lk_window_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkWindow *self = LK_WINDOW (object);

  if (self->show_sidebar == g_value_get_boolean (value))
    return;
  self->show_sidebar = g_value_get_boolean (value);
  g_object_notify_by_pspec (object, pspec);
}

static void
lk_window_dispose (GObject *object)
{
  LkWindow *self = LK_WINDOW (object);

  g_clear_object (&self->trying);
  g_clear_object (&self->queue);
  g_clear_object (&self->actions);
  g_clear_object (&self->runs);
  G_OBJECT_CLASS (lk_window_parent_class)->dispose (object);
}

static void
lk_window_class_init (LkWindowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_SIDEBAR);
  g_type_ensure (LK_TYPE_WELCOME_PAGE);
  g_type_ensure (LK_TYPE_NEW_PAGE);
  g_type_ensure (LK_TYPE_ADVISOR_PAGE);
  g_type_ensure (LK_TYPE_DATASETS_PAGE);
  g_type_ensure (LK_TYPE_MODELS_PAGE);
  g_type_ensure (LK_TYPE_CHAT_PAGE);
  g_type_ensure (LK_TYPE_RUN_PAGE);
  g_type_ensure (LK_TYPE_COMPARE_PAGE);
  object_class->dispose = lk_window_dispose;
  object_class->get_property = lk_window_get_property;
  object_class->set_property = lk_window_set_property;
  GTK_WINDOW_CLASS (klass)->close_request = lk_window_close_request;
  properties[PROP_SHOW_SIDEBAR]
      = g_param_spec_boolean ("show-sidebar", NULL, NULL, TRUE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-window.ui");
  gtk_widget_class_bind_template_child (widget_class, LkWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, sidebar_revealer);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, sidebar);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, new_page);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, datasets_page);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, run_page);
  gtk_widget_class_bind_template_callback (widget_class, lk_window_show_place);
  gtk_widget_class_bind_template_callback (widget_class, use_dataset_cb);
  gtk_widget_class_bind_template_callback (widget_class, use_model_cb);
  gtk_widget_class_bind_template_callback (widget_class, open_dataset_cb);
  gtk_widget_class_bind_template_child (widget_class, LkWindow, compare_page);
  gtk_widget_class_bind_template_callback (widget_class, run_chosen_cb);
  gtk_widget_class_bind_template_callback (widget_class, runs_compared_cb);
  gtk_widget_class_bind_template_callback (widget_class, start_cb);
  gtk_widget_class_bind_template_callback (widget_class, queue_cb);
  gtk_widget_class_install_property_action (widget_class, "win.show-sidebar", "show-sidebar");
  gtk_widget_class_install_action (widget_class, "win.new", NULL, new_action);
  gtk_widget_class_install_action (widget_class, "win.show-place", "s", show_place_action);
  gtk_widget_class_install_action (widget_class, "win.try", NULL, try_action);
  gtk_widget_class_install_action (widget_class, "win.show-page", "i", show_page_action);
  gtk_widget_class_install_action (widget_class, "win.toast", "s", toast_action);
}

static void
lk_window_init (LkWindow *self)
{
  g_autofree char *model = lk_paths_find_tiny_model ();
  g_autofree char *sample = lk_paths_find_sample ();

  self->show_sidebar = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.try", model != NULL && sample != NULL);
}

LkWindow *
lk_window_new (LkApplication *application)
{
  LkSettings *settings = lk_settings_get_default ();
  LkWindow *self = g_object_new (LK_TYPE_WINDOW, "application", application, NULL);
  const GBindingFlags both = G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE;
  g_autofree char *runs_dir = lk_paths_get_runs_dir ();
  g_autoptr (GError) error = NULL;

  g_object_bind_property (settings, "window-width", self, "default-width", both);
  g_object_bind_property (settings, "window-height", self, "default-height", both);
  g_object_bind_property (settings, "window-maximized", self, "maximized", both);
  g_object_bind_property (settings, "show-sidebar", self, "show-sidebar", both);
  self->runs = g_object_ref (lk_application_get_runs (application));
  g_signal_connect_object (self->runs, "complaint", G_CALLBACK (complaint_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->runs, "items-changed", G_CALLBACK (runs_changed_cb), self,
                           G_CONNECT_SWAPPED);
  self->queue = g_object_ref (lk_application_get_queue (application));
  g_signal_connect_object (self->queue, "complaint", G_CALLBACK (queue_complaint_cb), self, G_CONNECT_SWAPPED);
  lk_new_page_set_queue (self->new_page, self->queue);
  lk_new_page_set_runs (self->new_page, self->runs);
  self->actions = lk_run_actions_new (GTK_WINDOW (self), self->toasts, self->runs,
                                      lk_new_page_get_draft (self->new_page));
  g_signal_connect_object (self->actions, "show-run", G_CALLBACK (lk_window_show_run), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->actions, "rename-run", G_CALLBACK (rename_run_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->actions, "compare-run", G_CALLBACK (compare_run_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->actions, "show-draft", G_CALLBACK (show_draft_cb), self, G_CONNECT_SWAPPED);
  lk_sidebar_set_runs (self->sidebar, self->runs);
  if (lk_run_list_get_latest (self->runs) != NULL)
    lk_window_show_run (self, lk_run_list_get_latest (self->runs));
  if (!lk_paths_prepare_runs_dir (runs_dir, &error))
    say_error (self, error);
  return self;
}
