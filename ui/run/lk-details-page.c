/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-details-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-command-words.h"
#include "lk-draft.h"
#include "lk-run-compare.h"
#include "widgets/lk-closures.h"

#define SAVE_NOTES_MS 800

struct _LkDetailsPage
{
  GtkWidget parent_instance;

  LkRun *run;
  LkDraft *draft; /* the run's recipe beside the engine's defaults; its settings are empty until the engine has answered */
  GPtrArray *rows;   /* of both lists of settings */
  JsonObject *shown; /* the settings that are in them: others when the run has read its recipe again */
  guint save_timeout;
  gboolean filling; /* the notes are the run's, not the user's */

  GtkWidget *content;
  AdwEntryRow *name;
  GtkTextView *notes;
  AdwExpanderRow *changed;
  AdwExpanderRow *settings;
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_MODEL,
  PROP_MODEL_HASH,
  PROP_DATA,
  PROP_DATA_HASH,
  PROP_ADAPTER,
  PROP_COMMAND,
  PROP_RESUME_COMMAND,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkDetailsPage, lk_details_page, GTK_TYPE_WIDGET)

/* A new run like this one. The draft has one dataset; a command line may have named several. */
static char *
make_command (LkDetailsPage *self)
{
  const char *const *data = lk_run_get_all_data (self->run);
  g_auto (GStrv) arguments = lk_draft_to_train_arguments (self->draft);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;

  g_strv_builder_addv (builder, (const char **) arguments);
  for (guint i = 1; data[0] != NULL && data[i] != NULL; i++)
    g_strv_builder_add_many (builder, "--data", data[i], NULL);
  all = g_strv_builder_end (builder);
  return lk_command_words_train (lk_run_get_name (self->run), (const char *const *) all);
}

/* The command that goes on with this run, as one would type it. */
static char *
resume_command (LkDetailsPage *self)
{
  const char *const arguments[] = { "train", "--resume", lk_run_get_folder (self->run), NULL };

  return lk_command_words_join (arguments);
}

static void
copy_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_autofree char *text = NULL;

  g_object_get (widget, g_variant_get_string (parameter, NULL), &text, NULL);
  if (text == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
  gtk_widget_activate_action (widget, "win.toast", "s", _ ("Copied"));
}

static void
add_setting (LkDetailsPage *self, AdwExpanderRow *list, const char *title, const char *subtitle, const char *text)
{
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title", title, "subtitle", subtitle, NULL);
  GtkWidget *value = gtk_label_new (text);

  gtk_label_set_selectable (GTK_LABEL (value), TRUE);
  gtk_label_set_ellipsize (GTK_LABEL (value), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (value, "numeric");
  gtk_widget_add_css_class (value, "secondary");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), value);
  adw_expander_row_add_row (list, row);
  g_object_set_data (G_OBJECT (row), "list", list);
  g_ptr_array_add (self->rows, row);
}

static void
forget_rows (LkDetailsPage *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    {
      GtkWidget *row = g_ptr_array_index (self->rows, i);

      adw_expander_row_remove (g_object_get_data (G_OBJECT (row), "list"), row);
    }
  g_ptr_array_set_size (self->rows, 0);
}

/* As the recipe has them: all that is known without the engine. */
static void
show_recipe (LkDetailsPage *self)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, lk_run_get_settings (self->run));
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      g_autofree char *title = lk_run_words_of_setting (name);
      g_autofree char *text = lk_run_words_of_value (node);

      add_setting (self, self->settings, title, NULL, text);
    }
}

static void
show_option (LkDetailsPage *self, LkOption *option)
{
  g_autofree char *subtitle = NULL;
  g_autofree char *text = lk_option_words_of_value (option);
  g_autofree char *standard = lk_option_words_of_default (option);

  add_setting (self, self->settings, lk_option_get_label (option), lk_option_get_help (option), text);
  if (!lk_option_is_changed (option))
    return;
  subtitle = g_strdup_printf (_ ("Default: %s"), standard);
  add_setting (self, self->changed, lk_option_get_label (option), subtitle, text);
}

static void
show_draft (LkDetailsPage *self)
{
  GListModel *settings = lk_draft_get_settings (self->draft);
  g_autofree char *changed = NULL;

  forget_rows (self);
  for (guint i = 0; i < g_list_model_get_n_items (settings); i++)
    {
      g_autoptr (LkOption) option = g_list_model_get_item (settings, i);

      show_option (self, option);
    }
  g_object_get (self->draft, "changed-text", &changed, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->changed), changed != NULL);
  adw_expander_row_set_subtitle (self->changed, changed != NULL ? changed : "");
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_COMMAND]);
}

/* Where the engine does not answer, or has other settings by now, the recipe is shown as it is. */
static void
show_settings (LkDetailsPage *self)
{
  JsonObject *settings = lk_run_get_settings (self->run);

  g_clear_pointer (&self->shown, json_object_unref);
  self->shown = json_object_ref (settings);
  lk_draft_reset (self->draft);
  if (g_list_model_get_n_items (lk_draft_get_settings (self->draft)) > 0
      && lk_draft_apply_settings (self->draft, settings, lk_run_get_name (self->run), NULL))
    {
      show_draft (self);
      return;
    }
  forget_rows (self);
  gtk_widget_set_visible (GTK_WIDGET (self->changed), FALSE);
  show_recipe (self);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkDetailsPage) self = user_data;
  LkDraft *draft = LK_DRAFT (source);

  if (lk_draft_load_finish (draft, result, NULL) && draft == self->draft && self->run != NULL)
    show_settings (self);
}

static void
notify_facts (LkDetailsPage *self)
{
  for (guint i = PROP_MODEL; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

/* A worker that gets ready writes into the recipe what it takes the run to be made of, and one that makes a run longer its new length. */
static void
run_changed_cb (LkDetailsPage *self)
{
  if (self->run == NULL || self->shown == lk_run_get_settings (self->run) || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  show_settings (self);
  notify_facts (self);
}

static void
load_draft (LkDetailsPage *self)
{
  g_set_object (&self->draft, NULL);
  self->draft = lk_draft_new ();
  if (self->run == NULL)
    return;
  lk_draft_set_model (self->draft, lk_run_get_model (self->run));
  lk_draft_set_data (self->draft, lk_run_get_data (self->run));
  lk_draft_set_adapter (self->draft, lk_run_get_fact (self->run, "adapter"), NULL);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    lk_draft_load_async (self->draft, NULL, loaded_cb, g_object_ref (self));
}

static void
save_notes (LkDetailsPage *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->notes);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  GtkTextIter start, end;

  if (self->save_timeout == 0 || self->run == NULL)
    return;
  g_clear_handle_id (&self->save_timeout, g_source_remove);
  gtk_text_buffer_get_bounds (buffer, &start, &end);
  text = gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
  if (!lk_run_write_notes (self->run, text, &error))
    gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
}

static gboolean
save_notes_cb (gpointer data)
{
  save_notes (data);
  return G_SOURCE_REMOVE;
}

static void
notes_changed_cb (LkDetailsPage *self)
{
  if (self->filling)
    return;
  g_clear_handle_id (&self->save_timeout, g_source_remove);
  self->save_timeout = g_timeout_add (SAVE_NOTES_MS, save_notes_cb, self);
}

static void
rename_cb (LkDetailsPage *self)
{
  g_autoptr (GError) error = NULL;

  if (self->run == NULL)
    return;
  if (lk_run_rename (self->run, gtk_editable_get_text (GTK_EDITABLE (self->name)), &error))
    {
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_COMMAND]);
      return;
    }
  gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
  gtk_editable_set_text (GTK_EDITABLE (self->name), lk_run_get_name (self->run));
}

static void
mapped_cb (LkDetailsPage *self)
{
  run_changed_cb (self);
  if (self->run != NULL && g_list_model_get_n_items (lk_draft_get_settings (self->draft)) == 0)
    lk_draft_load_async (self->draft, NULL, loaded_cb, g_object_ref (self));
}

static void
set_run (LkDetailsPage *self, LkRun *run)
{
  g_autofree char *notes = run != NULL ? lk_run_read_notes (run) : g_strdup ("");

  if (self->run == run)
    return;
  save_notes (self);
  if (self->run != NULL)
    g_signal_handlers_disconnect_by_func (self->run, run_changed_cb, self);
  g_set_object (&self->run, run);
  forget_rows (self);
  load_draft (self);
  if (run != NULL)
    {
      show_settings (self);
      /* all of a run's properties are notified together */
      g_signal_connect_object (run, "notify::steps", G_CALLBACK (run_changed_cb), self, G_CONNECT_SWAPPED);
    }
  self->filling = TRUE;
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->notes), notes, -1);
  self->filling = FALSE;
  gtk_editable_set_text (GTK_EDITABLE (self->name), run != NULL ? lk_run_get_name (run) : "");
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN]);
  notify_facts (self);
}

static void
lk_details_page_dispose (GObject *object)
{
  LkDetailsPage *self = LK_DETAILS_PAGE (object);

  if (self->content != NULL)
    save_notes (self);
  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->draft);
  g_clear_pointer (&self->shown, json_object_unref);
  g_clear_object (&self->run);
  G_OBJECT_CLASS (lk_details_page_parent_class)->dispose (object);
}

static void
lk_details_page_finalize (GObject *object)
{
  g_clear_pointer (&LK_DETAILS_PAGE (object)->rows, g_ptr_array_unref);
  G_OBJECT_CLASS (lk_details_page_parent_class)->finalize (object);
}

/* "SHA-256 ab12…" of what the recipe was frozen with. */
static char *
hash_of (LkDetailsPage *self, const char *member)
{
  const char *hash = lk_run_get_fact (self->run, member);

  return hash != NULL ? g_strdup_printf ("SHA-256 %s", hash) : NULL;
}

static void
lk_details_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDetailsPage *self = LK_DETAILS_PAGE (object);

  if (id == PROP_RUN)
    g_value_set_object (value, self->run);
  if (id == PROP_RUN || self->run == NULL)
    return;
  switch (id)
    {
    case PROP_MODEL: g_value_set_string (value, lk_run_get_model (self->run)); break;
    case PROP_MODEL_HASH: g_value_take_string (value, hash_of (self, "model_sha256")); break;
    case PROP_DATA: g_value_take_string (value, g_strjoinv ("\n", (char **) lk_run_get_all_data (self->run))); break;
    case PROP_DATA_HASH: g_value_take_string (value, hash_of (self, "data_sha256")); break;
    case PROP_ADAPTER: g_value_set_string (value, lk_run_get_fact (self->run, "adapter")); break;
    case PROP_COMMAND: g_value_take_string (value, make_command (self)); break;
    case PROP_RESUME_COMMAND: g_value_take_string (value, resume_command (self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_details_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  set_run (LK_DETAILS_PAGE (object), g_value_get_object (value));
}

static void
lk_details_page_class_init (LkDetailsPageClass *klass)
{
  static const char *const words[N_PROPS] = { [PROP_MODEL] = "model",
                                              [PROP_MODEL_HASH] = "model-hash",
                                              [PROP_DATA] = "data",
                                              [PROP_DATA_HASH] = "data-hash",
                                              [PROP_ADAPTER] = "adapter",
                                              [PROP_COMMAND] = "command",
                                              [PROP_RESUME_COMMAND] = "resume-command" };
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_RUN);
  object_class->dispose = lk_details_page_dispose;
  object_class->finalize = lk_details_page_finalize;
  object_class->get_property = lk_details_page_get_property;
  object_class->set_property = lk_details_page_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  for (guint i = PROP_MODEL; i < N_PROPS; i++)
    properties[i] = g_param_spec_string (words[i], NULL, NULL, NULL,
                                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-details-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, name);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, notes);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, changed);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, settings);
  gtk_widget_class_bind_template_callback (widget_class, rename_cb);
  gtk_widget_class_bind_template_callback (widget_class, notes_changed_cb);
  gtk_widget_class_install_action (widget_class, "details.copy", "s", copy_action);
}

static void
lk_details_page_init (LkDetailsPage *self)
{
  self->rows = g_ptr_array_new ();
  self->draft = lk_draft_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "map", G_CALLBACK (mapped_cb), NULL);
}

void
lk_details_page_edit_name (LkDetailsPage *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->name));
  gtk_editable_select_region (GTK_EDITABLE (self->name), 0, -1);
}
