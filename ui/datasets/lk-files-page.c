/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-files-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>
#include <string.h>

#include "lk-words.h"

/* What a column can be, in the order in which a person thinks of it. */
static const struct
{
  LkColumnRole part;
  const char *title, *subtitle;
} parts[] = {
  { LK_COLUMN_PROMPT, N_ ("Question"), N_ ("What the model is asked.") },
  { LK_COLUMN_ANSWER, N_ ("Answer"), N_ ("What it learns to answer.") },
  { LK_COLUMN_CONTEXT, N_ ("Context"), N_ ("Follows the question; may be empty.") },
  { LK_COLUMN_SYSTEM, N_ ("Instruction to the model"), N_ ("Stands before the question; may be empty.") },
  { LK_COLUMN_TEXT, N_ ("Text"), N_ ("Instead of all the others: learned as it stands.") },
};

struct _LkFilesPage
{
  GtkWidget parent_instance;

  LkStoredDataset *dataset;
  char *shown; /* what the rows were made for: they stay while it is the same */
  gboolean showing;

  GtkWidget *content;
  AdwPreferencesGroup *files, *columns;
  GtkProgressBar *progress;
  GtkDropDown *choices[G_N_ELEMENTS (parts)];
  GPtrArray *made, *names; /* names: the columns of all files, each once */
};

G_DEFINE_FINAL_TYPE (LkFilesPage, lk_files_page, GTK_TYPE_WIDGET)

static void
lk_files_page_dispose (GObject *object)
{
  LkFilesPage *self = LK_FILES_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_pointer (&self->made, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_clear_pointer (&self->shown, g_free);
  g_clear_object (&self->dataset);
  G_OBJECT_CLASS (lk_files_page_parent_class)->dispose (object);
}

static void
weight_cb (GtkSpinButton *spin, LkFilesPage *self)
{
  guint file = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (spin), "file"));

  if (!self->showing)
    lk_stored_dataset_set_weight (self->dataset, file, gtk_spin_button_get_value (spin));
}

static char *
describe_file (const LkSourceFile *file)
{
  g_autofree char *count = lk_words_count (file->rows);
  g_autofree char *rows = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s row", "%s rows", (gulong) file->rows), count);

  if (!lk_mapping_is_empty (file->mapping))
    return g_strdup_printf (_ ("%s · columns as you said"), rows);
  if (file->form == NULL)
    return g_strdup_printf (_ ("%s · not recognised"), rows);
  return g_strdup_printf (_ ("%s · recognised as %s"), rows, file->form);
}

/* Which file it is, the row says. */
static const char *
trouble_of (const LkSourceFile *file)
{
  const char *rest = g_str_has_prefix (file->trouble, file->path) ? file->trouble + strlen (file->path) : file->trouble;

  return g_str_has_prefix (rest, ": ") ? rest + 2 : rest;
}

static void
add_file (LkFilesPage *self, const LkSourceFile *file, guint number)
{
  g_autofree char *name = g_path_get_basename (file->path);
  g_autofree char *shown = g_filename_display_name (name);
  g_autofree char *what = describe_file (file);
  g_autofree char *label = g_strdup_printf (_ ("How often each row of %s is seen in an epoch"), shown);
  g_autofree char *subtitle = file->trouble != NULL ? g_strconcat (what, "\n", trouble_of (file), NULL) : g_strdup (what);
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", shown, "subtitle", subtitle, "use-markup", FALSE, "tooltip-text", file->path,
                                 "subtitle-lines", 0, NULL);
  GtkWidget *spin = gtk_spin_button_new_with_range (0, 100, 0.5);
  GtkWidget *times = gtk_label_new (_ ("times an epoch"));

  gtk_spin_button_set_digits (GTK_SPIN_BUTTON (spin), 1);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), file->weight);
  gtk_widget_set_valign (spin, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (times, "secondary");
  g_object_set_data (G_OBJECT (spin), "file", GUINT_TO_POINTER (number));
  gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_signal_connect_object (spin, "value-changed", G_CALLBACK (weight_cb), self, 0);
  if (file->trouble != NULL)
    adw_action_row_add_prefix (ADW_ACTION_ROW (row), gtk_image_new_from_icon_name ("dialog-warning-symbolic"));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), spin);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), times);
  adw_preferences_group_add (self->files, row);
  g_ptr_array_add (self->made, self->files);
  g_ptr_array_add (self->made, row);
}

static const char *
sample_of (LkFilesPage *self, const char *name)
{
  GPtrArray *files = lk_stored_dataset_get_files (self->dataset);

  for (guint i = 0; i < files->len; i++)
    {
      const LkSourceFile *file = files->pdata[i];

      for (guint k = 0; k < file->columns->len; k++)
        if (g_str_equal (file->columns->pdata[k], name) && ((char *) file->samples->pdata[k])[0] != 0)
          return file->samples->pdata[k];
    }
  return NULL;
}

/* The chosen column's first text helps to see whether it is the right one. */
static void
show_sample (LkFilesPage *self, guint part, AdwActionRow *row)
{
  guint chosen = gtk_drop_down_get_selected (self->choices[part]);
  const char *sample = chosen > 0 && chosen <= self->names->len ? sample_of (self, self->names->pdata[chosen - 1]) : NULL;
  g_autofree char *words = sample != NULL ? lk_words_shorten (sample, 70) : NULL;
  g_autofree char *quoted = words != NULL ? g_strdup_printf (_ ("For example: %s"), words) : NULL;

  adw_action_row_set_subtitle (row, quoted != NULL ? quoted : _ (parts[part].subtitle));
}

static void
choice_cb (GtkDropDown *choice, GParamSpec *pspec, LkFilesPage *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (self->choices[i] == choice)
      show_sample (self, i, g_object_get_data (G_OBJECT (choice), "row"));
}

static void
add_choice (LkFilesPage *self, guint part, GtkStringList *titles, const char *chosen)
{
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", _ (parts[part].title), "use-markup", FALSE, NULL);
  GtkWidget *choice = gtk_drop_down_new (g_object_ref (G_LIST_MODEL (titles)), NULL);
  guint position;

  self->choices[part] = GTK_DROP_DOWN (choice);
  gtk_widget_set_valign (choice, GTK_ALIGN_CENTER);
  for (position = 0; chosen != NULL && position < self->names->len && !g_str_equal (self->names->pdata[position], chosen); position++)
    ;
  gtk_drop_down_set_selected (GTK_DROP_DOWN (choice), chosen != NULL && position < self->names->len ? position + 1 : 0);
  g_object_set_data (G_OBJECT (choice), "row", row);
  g_signal_connect_object (choice, "notify::selected", G_CALLBACK (choice_cb), self, 0);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), choice);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), choice);
  adw_preferences_group_add (self->columns, row);
  show_sample (self, part, ADW_ACTION_ROW (row));
  g_ptr_array_add (self->made, self->columns);
  g_ptr_array_add (self->made, row);
}

static void
add_columns (LkFilesPage *self)
{
  GPtrArray *files = lk_stored_dataset_get_files (self->dataset);
  const LkSourceFile *first = files->len > 0 ? files->pdata[0] : NULL;
  g_autoptr (GtkStringList) titles = gtk_string_list_new ((const char *const[]){ _ ("None"), NULL });
  g_autoptr (LkMapping) guess = NULL;

  g_ptr_array_set_size (self->names, 0);
  for (guint i = 0; i < files->len; i++)
    {
      const LkSourceFile *file = files->pdata[i];

      for (guint k = 0; k < file->columns->len; k++)
        if (!g_ptr_array_find_with_equal_func (self->names, file->columns->pdata[k], g_str_equal, NULL))
          {
            g_ptr_array_add (self->names, g_strdup (file->columns->pdata[k]));
            gtk_string_list_append (titles, file->columns->pdata[k]);
          }
    }
  gtk_widget_set_visible (GTK_WIDGET (self->columns), self->names->len > 0);
  if (self->names->len == 0)
    return;
  if (first != NULL && !lk_mapping_is_empty (first->mapping))
    guess = lk_mapping_copy (first->mapping);
  else
    {
      g_ptr_array_add (self->names, NULL);
      guess = lk_mapping_guess ((const char *const *) self->names->pdata);
      g_ptr_array_remove_index (self->names, self->names->len - 1);
    }
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    add_choice (self, i, titles, guess->columns[parts[i].part]);
}

/* What the rows depend on, but for the weights, which their own spin buttons hold. */
static char *
describe_all (LkFilesPage *self)
{
  GPtrArray *files = lk_stored_dataset_get_files (self->dataset);
  GString *text = g_string_new (lk_stored_dataset_get_path (self->dataset));

  for (guint i = 0; i < files->len; i++)
    {
      const LkSourceFile *file = files->pdata[i];
      g_autofree char *what = describe_file (file);

      g_string_append_printf (text, "\n%s\n%s\n%s", file->path, what, file->trouble != NULL ? file->trouble : "");
      for (guint k = 0; k < LK_N_COLUMNS; k++)
        g_string_append_printf (text, "\n%s", file->mapping->columns[k] != NULL ? file->mapping->columns[k] : "");
    }
  return g_string_free (text, FALSE);
}

static void
show (LkFilesPage *self)
{
  const LkDatasetFigures *figures = self->dataset != NULL ? lk_stored_dataset_peek (self->dataset) : NULL;
  g_autofree char *now = figures != NULL ? describe_all (self) : NULL;
  GPtrArray *files;

  if (g_strcmp0 (now, self->shown) == 0)
    return;
  g_free (self->shown);
  self->shown = g_steal_pointer (&now);
  for (guint i = 0; i < self->made->len; i += 2)
    adw_preferences_group_remove (self->made->pdata[i], self->made->pdata[i + 1]);
  g_ptr_array_set_size (self->made, 0);
  memset (self->choices, 0, sizeof self->choices);
  gtk_widget_set_visible (self->content, figures != NULL);
  if (figures == NULL)
    return;
  self->showing = TRUE;
  files = lk_stored_dataset_get_files (self->dataset);
  for (guint i = 0; i < files->len; i++)
    add_file (self, files->pdata[i], i);
  add_columns (self);
  self->showing = FALSE;
}

static void
job_cb (LkFilesPage *self)
{
  LkDataJob *job = self->dataset != NULL ? lk_stored_dataset_get_job (self->dataset) : NULL;
  gboolean running = job != NULL && lk_data_job_is_running (job);
  gboolean can = !running && self->dataset != NULL && !lk_stored_dataset_is_busy (self->dataset);

  gtk_widget_set_visible (GTK_WIDGET (self->progress), running);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "files.read-again", can);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "files.recognise", can);
  if (running)
    gtk_progress_bar_set_fraction (self->progress, lk_data_job_get_fraction (job));
}

static void
read_again_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkFilesPage *self = LK_FILES_PAGE (widget);
  g_autoptr (LkMapping) mapping = lk_mapping_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      guint chosen = self->choices[i] != NULL ? gtk_drop_down_get_selected (self->choices[i]) : 0;

      if (chosen > 0 && chosen <= self->names->len)
        mapping->columns[parts[i].part] = g_strdup (self->names->pdata[chosen - 1]);
    }
  if (lk_mapping_check (mapping, &error))
    lk_stored_dataset_import_again (self->dataset, mapping);
  else
    gtk_widget_activate_action (widget, "win.toast", "s", _ ("Say which column holds the questions and which the answers, or which holds the text."));
}

static void
recognise_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_stored_dataset_import_again (LK_FILES_PAGE (widget)->dataset, NULL);
}

static void
lk_files_page_class_init (LkFilesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_files_page_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-files-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkFilesPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkFilesPage, files);
  gtk_widget_class_bind_template_child (widget_class, LkFilesPage, columns);
  gtk_widget_class_bind_template_child (widget_class, LkFilesPage, progress);
  gtk_widget_class_install_action (widget_class, "files.read-again", NULL, read_again_action);
  gtk_widget_class_install_action (widget_class, "files.recognise", NULL, recognise_action);
}

static void
lk_files_page_init (LkFilesPage *self)
{
  self->made = g_ptr_array_new ();
  self->names = g_ptr_array_new_with_free_func (g_free);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
lk_files_page_set_dataset (LkFilesPage *self, LkStoredDataset *dataset)
{
  if (self->dataset != NULL)
    {
      g_signal_handlers_disconnect_by_func (self->dataset, show, self);
      g_signal_handlers_disconnect_by_func (self->dataset, job_cb, self);
      g_signal_handlers_disconnect_by_func (lk_stored_dataset_get_job (self->dataset), job_cb, self);
    }
  g_set_object (&self->dataset, dataset);
  if (dataset != NULL)
    {
      g_signal_connect_object (dataset, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (dataset, "notify::busy", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (lk_stored_dataset_get_job (dataset), "notify", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
    }
  g_free (self->shown);
  self->shown = g_strdup (""); /* like nothing there is, so that rows of another dataset, or of none any more, go */
  show (self);
  job_cb (self);
}
