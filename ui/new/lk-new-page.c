/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-new-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>
#include <string.h>

#include "compat.h"
#include "lk-command-words.h"
#include "lk-dataset-store.h"
#include "lk-estimate.h"
#include "lk-inspection.h"
#include "lk-paths.h"
#include "lk-memory-bar.h"
#include "lk-preview-card.h"
#include "lk-remedy.h"
#include "lk-settings-form.h"
#include "lk-settings.h"
#include "widgets/lk-banner.h"
#include "widgets/lk-closures.h"

struct _LkNewPage
{
  GtkWidget parent_instance;

  LkDraft *draft;
  LkEstimate *estimate;
  LkRemedy *remedy;
  LkInspection *model;
  LkInspection *data;
  char *trouble;
  guint import;       /* the one in which files chosen here become one dataset; 0: none */
  gboolean opening;   /* asked for to look into it */
  gboolean stale;     /* the data changed while it was not shown */

  GtkWidget *content;
  GtkListBox *preview;
  GtkWidget *name_row;
  GtkWidget *open_row, *import_row;
  LkSettingsForm *form;
  LkMemoryBar *memory;
  GtkLabel *changes;
  AdwPreferencesGroup *waiting;
  GtkListBox *waiting_list;
  LkQueue *queue;
};

enum
{
  PROP_0,
  PROP_DRAFT,
  PROP_ESTIMATE,
  PROP_REMEDY,
  PROP_MODEL_INSPECTION,
  PROP_DATA_INSPECTION,
  PROP_TROUBLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkNewPage, lk_new_page, GTK_TYPE_WIDGET)

static GtkWindow *
window_of (LkNewPage *self)
{
  return GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
}

static void
remember_folder (GFile *file)
{
  g_autoptr (GFile) parent = g_file_get_parent (file);
  g_autofree char *path = parent != NULL ? g_file_get_path (parent) : NULL;

  if (path != NULL)
    g_object_set (lk_settings_get_default (), "last-folder", path, NULL);
}

static void
model_chosen_cb (GFile *file, gpointer user_data)
{
  LkNewPage *self = LK_NEW_PAGE (user_data);
  g_autofree char *path = g_file_get_path (file);

  lk_draft_set_model (self->draft, path);
  remember_folder (file);
}

/* Whether the store's import, which may be another page's by now, is the one begun here. */
static gboolean
is_importing (LkNewPage *self)
{
  return self->import != 0 && self->import == lk_dataset_store_get_import (lk_dataset_store_get_default ());
}

static void
imported_cb (LkNewPage *self, LkStoredDataset *dataset)
{
  if (!is_importing (self))
    return;
  self->import = 0;
  lk_draft_set_data (self->draft, lk_stored_dataset_get_path (dataset));
  if (self->opening)
    g_signal_emit_by_name (self, "open-dataset", dataset);
}

static void
import_cb (LkNewPage *self)
{
  LkDatasetStore *store = lk_dataset_store_get_default ();
  g_autofree char *message = NULL;

  g_object_get (lk_dataset_store_get_job (store), "message", &message, NULL);
  gtk_widget_set_visible (self->import_row, is_importing (self) && lk_dataset_store_is_importing (store));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->import_row), message != NULL ? message : "");
  if (is_importing (self) && !lk_dataset_store_is_importing (store) && lk_dataset_store_get_error (store) != NULL)
    {
      self->import = 0;
      gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", lk_dataset_store_get_error (store));
    }
}

/* Several files become one dataset first. */
static void
take_data (LkNewPage *self, const char *const *paths)
{
  self->import = 0;
  self->opening = FALSE;
  if (paths[0] != NULL && paths[1] != NULL)
    self->import = lk_dataset_store_import (lk_dataset_store_get_default (), paths);
  else if (paths[0] != NULL)
    lk_draft_set_data (self->draft, paths[0]);
  import_cb (self); /* which may have failed at once */
}

static void
data_chosen_cb (GListModel *files, gpointer user_data)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  for (guint i = 0; i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (files, i);

      remember_folder (file);
      if (g_file_peek_path (file) != NULL)
        g_strv_builder_add (builder, g_file_peek_path (file));
    }
  paths = g_strv_builder_end (builder);
  take_data (LK_NEW_PAGE (user_data), (const char *const *) paths);
}

static void
choose (LkNewPage *self, LkCompatFileKind kind, const char *title, const char *filter,
        const char *const *suffixes, LkCompatFileFunc chosen)
{
  g_autofree char *folder = NULL;

  g_object_get (lk_settings_get_default (), "last-folder", &folder, NULL);
  lk_compat_choose_file (window_of (self), kind, title, filter, suffixes, folder, NULL, chosen, self);
}

static void
choose_model_file_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "gguf", "safetensors", NULL };

  choose (LK_NEW_PAGE (widget), LK_COMPAT_OPEN_FILE, _ ("Choose a Model"), _ ("Models"), suffixes, model_chosen_cb);
}

static void
choose_model_folder_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  choose (LK_NEW_PAGE (widget), LK_COMPAT_OPEN_FOLDER, _ ("Choose a Model Folder"), NULL, NULL, model_chosen_cb);
}

static void
choose_data_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "jsonl", "json", "csv", "txt", NULL };

  g_autofree char *folder = NULL;

  g_object_get (lk_settings_get_default (), "last-folder", &folder, NULL);
  lk_compat_choose_files (window_of (LK_NEW_PAGE (widget)), _ ("Choose the Files of a Dataset"), _ ("Datasets"),
                          suffixes, folder, data_chosen_cb, widget);
}

/* Into the dataset's own view: a file becomes an imported dataset for that. */
static void
open_data_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkNewPage *self = LK_NEW_PAGE (widget);
  const char *data = lk_draft_get_data (self->draft);
  g_autoptr (LkStoredDataset) imported = lk_dataset_store_open (lk_dataset_store_get_default (), data);
  const char *const files[] = { data, NULL };

  if (imported != NULL)
    {
      g_signal_emit_by_name (self, "open-dataset", imported);
      return;
    }
  if (data == NULL)
    return;
  self->opening = TRUE;
  self->import = lk_dataset_store_import (lk_dataset_store_get_default (), files);
  import_cb (self); /* which may have failed at once */
}

static void
cancel_import_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LK_NEW_PAGE (widget)->import = 0;
  lk_dataset_store_cancel (lk_dataset_store_get_default ());
}

static void
use_tiny_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_autofree char *path = lk_paths_find_tiny_model ();

  lk_draft_set_model (LK_NEW_PAGE (widget)->draft, path);
}

static void
use_sample_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_autofree char *path = lk_paths_find_sample ();

  lk_draft_set_data (LK_NEW_PAGE (widget)->draft, path);
}

static void
forget_adapter_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_draft_set_adapter (LK_NEW_PAGE (widget)->draft, NULL, NULL);
}

static void
agreed_cb (gboolean agreed, gpointer user_data)
{
  if (agreed)
    g_signal_emit_by_name (user_data, "start");
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkNewPage *self = LK_NEW_PAGE (widget);
  gboolean known = FALSE, fits = FALSE;
  g_autofree char *text = NULL;

  g_object_get (self->estimate, "known", &known, "fits", &fits, "memory-text", &text, NULL);
  if (!known || fits)
    g_signal_emit_by_name (self, "start");
  else
    lk_compat_ask (window_of (self), _ ("Start Although It Does Not Fit?"), text, _ ("_Start Anyway"), FALSE,
                   agreed_cb, self);
}

static void
remedy_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_remedy_apply (LK_NEW_PAGE (widget)->remedy);
}

/* The same run as one would type it. */
static void
copy_command_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkNewPage *self = LK_NEW_PAGE (widget);
  g_auto (GStrv) arguments = lk_draft_to_train_arguments (self->draft);
  g_autofree char *command = lk_command_words_train (lk_draft_get_name (self->draft), (const char *const *) arguments);

  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), command);
  gtk_widget_activate_action (widget, "win.toast", "s", _ ("Copied: the same fine-tune as a command"));
}

static void
queue_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_signal_emit_by_name (widget, "queue");
}

/* What is not as it comes, for the list beside Start. */
static void
show_changes (LkNewPage *self)
{
  GListModel *settings = lk_draft_get_settings (self->draft);
  g_autoptr (GString) text = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (settings); i++)
    {
      g_autoptr (LkOption) option = g_list_model_get_item (settings, i);
      g_autofree char *value = lk_option_words_of_value (option);
      g_autofree char *standard = lk_option_words_of_default (option);

      if (!lk_option_is_changed (option))
        continue;
      /* “Rank: 32 instead of 16” */
      g_string_append (text, n > 0 ? "\n" : "");
      g_string_append_printf (text, _ ("%s: %s instead of %s"), lk_option_get_label (option), value, standard);
      n++;
    }
  gtk_label_set_text (self->changes, n > 0 ? text->str : _ ("Every setting is as it comes."));
}

static void
load_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_new_page_load (LK_NEW_PAGE (widget));
}

static void
update_actions (LkNewPage *self)
{
  g_autofree char *tiny = lk_paths_find_tiny_model ();
  g_autofree char *sample = lk_paths_find_sample ();

  gtk_widget_action_set_enabled (GTK_WIDGET (self), "new.start",
                                 lk_draft_is_ready (self->draft) && !lk_inspection_has_error (self->model)
                                     && !lk_inspection_has_error (self->data));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "new.copy-command", lk_draft_is_ready (self->draft));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "new.queue",
                                 lk_draft_is_ready (self->draft) && !lk_inspection_has_error (self->model)
                                     && !lk_inspection_has_error (self->data));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "new.use-tiny", tiny != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "new.use-sample", sample != NULL);
}

static void
model_changed_cb (LkNewPage *self)
{
  const char *model = lk_draft_get_model (self->draft);

  lk_inspection_look_at_model (self->model, model);
  if (model != NULL)
    g_object_set (lk_settings_get_default (), "last-model", model, NULL);
}

static void
data_changed_cb (LkNewPage *self)
{
  self->stale = FALSE;
  /* a model that cannot be used is no fault of the data */
  gboolean alone = lk_inspection_has_error (self->model);

  lk_inspection_look_at_data (self->data, lk_draft_get_data (self->draft),
                              alone ? NULL : lk_draft_get_model (self->draft));
}

/* What is said of the data is of its rows: looked at again, but not while nobody looks. */
static void
rows_changed_cb (LkNewPage *self, LkStoredDataset *dataset)
{
  if (g_strcmp0 (lk_stored_dataset_get_path (dataset), lk_draft_get_data (self->draft)) != 0)
    return;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    lk_draft_renew_data (self->draft);
  else
    self->stale = TRUE;
}

static void
lk_new_page_map (GtkWidget *widget)
{
  LkNewPage *self = LK_NEW_PAGE (widget);

  GTK_WIDGET_CLASS (lk_new_page_parent_class)->map (widget);
  lk_estimate_renew_time (self->estimate);
  if (self->stale)
    lk_draft_renew_data (self->draft);
}

static void
model_error_cb (LkNewPage *self)
{
  if (lk_inspection_has_error (self->model))
    data_changed_cb (self);
  update_actions (self);
}

static GtkWidget *
make_preview_cb (gpointer item, gpointer user_data)
{
  return lk_preview_card_new (LK_PREVIEW_ROW (item));
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkNewPage) self = user_data;
  g_autoptr (GError) error = NULL;

  lk_draft_load_finish (LK_DRAFT (source), result, &error);
  g_free (self->trouble);
  self->trouble = error != NULL ? g_strdup (error->message) : NULL;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TROUBLE]);
}

void
lk_new_page_load (LkNewPage *self)
{
  lk_draft_load_async (self->draft, NULL, loaded_cb, g_object_ref (self));
}

static gboolean
looks_like_model (GFile *file)
{
  g_autofree char *path = g_file_get_path (file);
  g_autofree char *config = g_build_filename (path != NULL ? path : "", "config.json", NULL);

  return path != NULL
         && (g_str_has_suffix (path, ".gguf") || g_str_has_suffix (path, ".safetensors")
             || g_file_test (config, G_FILE_TEST_IS_REGULAR));
}

void
lk_new_page_take_files (LkNewPage *self, GSList *files)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  for (GSList *link = files; link != NULL; link = link->next)
    if (looks_like_model (link->data))
      model_chosen_cb (link->data, self);
    else if (g_file_peek_path (link->data) != NULL)
      g_strv_builder_add (builder, g_file_peek_path (link->data));
  paths = g_strv_builder_end (builder);
  if (paths[0] != NULL)
    take_data (self, (const char *const *) paths);
}

static gboolean
drop_cb (LkNewPage *self, const GValue *value)
{
  lk_new_page_take_files (self, g_value_get_boxed (value));
  return g_value_get_boxed (value) != NULL;
}

static void
lk_new_page_dispose (GObject *object)
{
  LkNewPage *self = LK_NEW_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->queue);
  g_clear_object (&self->remedy);
  g_clear_object (&self->estimate);
  g_clear_object (&self->draft);
  g_clear_object (&self->model);
  g_clear_object (&self->data);
  G_OBJECT_CLASS (lk_new_page_parent_class)->dispose (object);
}

static void
lk_new_page_finalize (GObject *object)
{
  LkNewPage *self = LK_NEW_PAGE (object);

  g_clear_pointer (&self->trouble, g_free);
  G_OBJECT_CLASS (lk_new_page_parent_class)->finalize (object);
}

static void
lk_new_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkNewPage *self = LK_NEW_PAGE (object);

  switch (id)
    {
    case PROP_DRAFT: g_value_set_object (value, self->draft); break;
    case PROP_ESTIMATE: g_value_set_object (value, self->estimate); break;
    case PROP_REMEDY: g_value_set_object (value, self->remedy); break;
    case PROP_MODEL_INSPECTION: g_value_set_object (value, self->model); break;
    case PROP_DATA_INSPECTION: g_value_set_object (value, self->data); break;
    case PROP_TROUBLE: g_value_set_string (value, self->trouble); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* "Fits" and "does not fit" differ by their sign as well as their words. */
static char *
fit_icon_cb (gpointer self, gboolean known, gboolean fits, const char *error, const char *model_error, const char *data_error)
{
  const char *const errors[] = { error, model_error, data_error };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    if (errors[i] != NULL && errors[i][0] != 0)
      return g_strdup ("dialog-warning-symbolic");
  if (!known)
    return g_strdup ("dialog-information-symbolic");
  return g_strdup (fits ? "object-select-symbolic" : "dialog-warning-symbolic");
}

/* What stands in the bar; why a model or a dataset cannot be used is said at its row. */
static char *
fit_text_cb (gpointer self, const char *trouble, const char *model_error, const char *data_error, const char *memory_text)
{
  if (trouble != NULL && trouble[0] != 0)
    return g_strdup (_ ("The engine does not answer"));
  if (model_error != NULL && model_error[0] != 0)
    return g_strdup (_ ("This model cannot be used; its row says why"));
  if (data_error != NULL && data_error[0] != 0)
    return g_strdup (_ ("This dataset cannot be used; its row says why"));
  return g_strdup (memory_text);
}

static gboolean
has_rows_cb (gpointer self, guint n)
{
  return n > 0;
}

static void
install_actions (GtkWidgetClass *widget_class)
{
  gtk_widget_class_install_action (widget_class, "new.forget-adapter", NULL, forget_adapter_action);
  gtk_widget_class_install_action (widget_class, "new.choose-model-file", NULL, choose_model_file_action);
  gtk_widget_class_install_action (widget_class, "new.choose-model-folder", NULL, choose_model_folder_action);
  gtk_widget_class_install_action (widget_class, "new.choose-data", NULL, choose_data_action);
  gtk_widget_class_install_action (widget_class, "new.use-tiny", NULL, use_tiny_action);
  gtk_widget_class_install_action (widget_class, "new.use-sample", NULL, use_sample_action);
  gtk_widget_class_install_action (widget_class, "new.open-data", NULL, open_data_action);
  gtk_widget_class_install_action (widget_class, "new.cancel-import", NULL, cancel_import_action);
  gtk_widget_class_install_action (widget_class, "new.start", NULL, start_action);
  gtk_widget_class_install_action (widget_class, "new.queue", NULL, queue_action);
  gtk_widget_class_install_action (widget_class, "new.remedy", NULL, remedy_action);
  gtk_widget_class_install_action (widget_class, "new.copy-command", NULL, copy_command_action);
  gtk_widget_class_install_action (widget_class, "new.load", NULL, load_action);
}

static void
lk_new_page_class_init (LkNewPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  g_type_ensure (LK_TYPE_BANNER);
  g_type_ensure (LK_TYPE_MEMORY_BAR);
  g_type_ensure (LK_TYPE_SETTINGS_FORM);
  object_class->dispose = lk_new_page_dispose;
  object_class->finalize = lk_new_page_finalize;
  object_class->get_property = lk_new_page_get_property;
  widget_class->map = lk_new_page_map;
  properties[PROP_DRAFT] = g_param_spec_object ("draft", NULL, NULL, LK_TYPE_DRAFT, flags);
  properties[PROP_ESTIMATE] = g_param_spec_object ("estimate", NULL, NULL, LK_TYPE_ESTIMATE, flags);
  properties[PROP_REMEDY] = g_param_spec_object ("remedy", NULL, NULL, LK_TYPE_REMEDY, flags);
  properties[PROP_MODEL_INSPECTION]
      = g_param_spec_object ("model-inspection", NULL, NULL, LK_TYPE_INSPECTION, flags);
  properties[PROP_DATA_INSPECTION]
      = g_param_spec_object ("data-inspection", NULL, NULL, LK_TYPE_INSPECTION, flags);
  properties[PROP_TROUBLE] = g_param_spec_string ("trouble", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  g_signal_new ("open-dataset", LK_TYPE_NEW_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                LK_TYPE_STORED_DATASET);
  g_signal_new ("queue", LK_TYPE_NEW_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("start", LK_TYPE_NEW_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-new-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, preview);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, name_row);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, open_row);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, import_row);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, form);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, memory);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, changes);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, waiting);
  gtk_widget_class_bind_template_child (widget_class, LkNewPage, waiting_list);
  gtk_widget_class_bind_template_callback (widget_class, fit_icon_cb);
  gtk_widget_class_bind_template_callback (widget_class, fit_text_cb);
  gtk_widget_class_bind_template_callback (widget_class, has_rows_cb);
  install_actions (widget_class);
}

static void
use_last_model (LkNewPage *self)
{
  g_autofree char *path = lk_settings_get_last_model (lk_settings_get_default ());

  if (path[0] != 0 && g_file_test (path, G_FILE_TEST_EXISTS))
    lk_draft_set_model (self->draft, path);
}

static void
lk_new_page_init (LkNewPage *self)
{
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  self->draft = lk_draft_new ();
  self->estimate = lk_estimate_new (self->draft);
  self->remedy = lk_remedy_new (self->draft, self->estimate);
  self->model = lk_inspection_new ();
  self->data = lk_inspection_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->draft, "changed", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->draft, "changed", G_CALLBACK (show_changes), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->draft, "notify::model", G_CALLBACK (model_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->draft, "notify::model", G_CALLBACK (data_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->draft, "notify::data", G_CALLBACK (data_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->model, "notify::error", G_CALLBACK (model_error_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->data, "notify::error", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
  lk_settings_form_set_draft (self->form, self->draft);
  lk_memory_bar_set_estimate (self->memory, self->estimate);
  g_object_bind_property (self->draft, "name", self->name_row, "text",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  gtk_list_box_bind_model (self->preview, lk_inspection_get_rows (self->data), make_preview_cb, NULL, NULL);
  g_signal_connect_object (lk_dataset_store_get_default (), "imported", G_CALLBACK (imported_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (lk_dataset_store_get_default (), "rows-changed", G_CALLBACK (rows_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (lk_dataset_store_get_default (), "notify", G_CALLBACK (import_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (lk_dataset_store_get_job (lk_dataset_store_get_default ()), "notify",
                           G_CALLBACK (import_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (drop, "drop", G_CALLBACK (drop_cb), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  use_last_model (self);
  update_actions (self);
  lk_new_page_load (self);
}

LkDraft *
lk_new_page_get_draft (LkNewPage *self)
{
  return self->draft;
}

static void
remove_cb (GtkButton *button, LkQueue *queue)
{
  lk_queue_remove (queue, g_object_get_data (G_OBJECT (button), "run"));
}

static GtkWidget *
make_waiting_cb (gpointer item, gpointer user_data)
{
  LkNewPage *self = LK_NEW_PAGE (user_data);
  const char *name = lk_queued_run_get_name (item);
  g_autofree char *label = g_strdup_printf (_ ("Take “%s” out of the Queue"), name);
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", name, "use-markup", FALSE, NULL);
  GtkWidget *button = gtk_button_new_from_icon_name ("user-trash-symbolic");

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_object_set_data_full (G_OBJECT (button), "run", g_object_ref (item), g_object_unref);
  g_signal_connect_object (button, "clicked", G_CALLBACK (remove_cb), self->queue, 0);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  return row;
}

static void
queue_changed_cb (LkNewPage *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->waiting), g_list_model_get_n_items (G_LIST_MODEL (self->queue)) > 0);
}

void
lk_new_page_set_runs (LkNewPage *self, LkRunList *runs)
{
  lk_estimate_set_runs (self->estimate, G_LIST_MODEL (runs));
  g_signal_connect_object (runs, "ended", G_CALLBACK (lk_estimate_renew_time), self->estimate, G_CONNECT_SWAPPED);
}

void
lk_new_page_set_queue (LkNewPage *self, LkQueue *queue)
{
  g_return_if_fail (self->queue == NULL);

  self->queue = g_object_ref (queue);
  gtk_list_box_bind_model (self->waiting_list, G_LIST_MODEL (queue), make_waiting_cb, self, NULL);
  g_signal_connect_object (queue, "notify::n-items", G_CALLBACK (queue_changed_cb), self, G_CONNECT_SWAPPED);
  queue_changed_cb (self);
}
