/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-overview-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-length-view.h"
#include "lk-words.h"

struct _LkOverviewPage
{
  GtkWidget parent_instance;

  LkStoredDataset *dataset;
  char *model;
  gboolean showing; /* what is shown is no wish of the user */

  GtkWidget *content, *counting, *count_button, *limit_row;
  AdwPreferencesGroup *rows, *problems, *lengths;
  GtkLabel *length_words;
  GtkProgressBar *progress;
  GtkSpinButton *limit, *held_out;
  AdwActionRow *split;
  LkLengthView *histogram;
  GPtrArray *made; /* rows made from the figures: in pairs with their group */
};

G_DEFINE_FINAL_TYPE (LkOverviewPage, lk_overview_page, GTK_TYPE_WIDGET)

static void
lk_overview_page_dispose (GObject *object)
{
  LkOverviewPage *self = LK_OVERVIEW_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_pointer (&self->made, g_ptr_array_unref);
  g_clear_pointer (&self->model, g_free);
  g_clear_object (&self->dataset);
  G_OBJECT_CLASS (lk_overview_page_parent_class)->dispose (object);
}

static void
row_activated_cb (LkOverviewPage *self, AdwActionRow *row)
{
  g_signal_emit_by_name (self, "show-only", gtk_widget_get_name (GTK_WIDGET (row)));
}

/* A line of figures; with @set it opens these rows. */
static void
add_row (LkOverviewPage *self, AdwPreferencesGroup *group, const char *title, const char *subtitle, gint64 count, const char *set)
{
  g_autofree char *number = lk_words_count (count);
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", title, "use-markup", FALSE, NULL);
  GtkWidget *label = gtk_label_new (number);

  if (subtitle != NULL)
    adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_widget_add_css_class (label, "numeric");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  if (set != NULL && count > 0)
    {
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), g_object_new (GTK_TYPE_IMAGE, "icon-name", "go-next-symbolic",
                                                                     "accessible-role", GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL));
      gtk_widget_set_name (row, set);
      gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
      gtk_widget_set_tooltip_text (row, _ ("List These Rows"));
      g_signal_connect_object (row, "activated", G_CALLBACK (row_activated_cb), self, G_CONNECT_SWAPPED);
    }
  adw_preferences_group_add (group, row);
  g_ptr_array_add (self->made, group);
  g_ptr_array_add (self->made, row);
}

static void
show_rows (LkOverviewPage *self, const LkDatasetFigures *figures)
{
  add_row (self, self->rows, _ ("In the files"), NULL, figures->rows, "all");
  if (figures->of_flag[0] > 0)
    add_row (self, self->rows, _ ("Cannot be used"), _ ("Left out; each row says why."), figures->of_flag[0], "unusable");
  if (figures->of_flag[1] > 0)
    add_row (self, self->rows, _ ("Refused by the model's template"), _ ("Left out; each row says why."), figures->of_flag[1], "refused");
  if (figures->excluded > 0)
    add_row (self, self->rows, _ ("Excluded by you"), _ ("Left out until you restore them."), figures->excluded, "excluded");
  if (figures->edited > 0)
    add_row (self, self->rows, _ ("Edited by you"), _ ("The file stays as it is."), figures->edited, "edited");
  add_row (self, self->rows, _ ("Remain"), figures->used > 0 ? _ ("What a fine-tune learns from and is measured with.")
                                                             : _ ("Nothing to learn from. See which column is what under Files."),
           figures->used, "used");
}

/* Those that only warn: what is left out is among the rows above. */
static void
show_problems (LkOverviewPage *self, const LkDatasetFigures *figures)
{
  guint n = 0;

  for (guint i = 2; i < lk_n_row_flags; i++)
    if (figures->of_flag[i] > 0)
      {
        add_row (self, self->problems, _ (lk_row_flags[i].title), _ (lk_row_flags[i].help), figures->of_flag[i], lk_row_flags[i].name);
        n++;
      }
  adw_preferences_group_set_description (self->problems, n > 0 ? _ ("These rows are learned from unless you exclude them.")
                                                               : _ ("No repeated, contradictory or unfinished rows were found."));
}

static void
show_lengths (LkOverviewPage *self, const LkDatasetFigures *figures)
{
  g_autofree char *median = lk_words_count (figures->median);
  g_autofree char *p95 = lk_words_count (figures->p95);
  g_autofree char *longest = lk_words_count (figures->longest);
  g_autofree char *name = self->model != NULL ? lk_words_name_of_path (self->model) : NULL;
  g_autofree char *counted_by = figures->model != NULL ? lk_words_name_of_path (figures->model) : NULL;
  g_autofree char *description = NULL;
  g_autofree char *words = g_strdup_printf (
      figures->in_tokens ? _ ("Half of the rows have at most %s tokens, 95 %% of them at most %s, the longest has %s.")
                         : _ ("Half of the rows have at most %s characters, 95 %% of them at most %s, the longest has %s."),
      median, p95, longest);
  gboolean again = self->model != NULL && g_strcmp0 (self->model, figures->model) != 0;

  gtk_widget_set_visible (GTK_WIDGET (self->lengths), figures->used > 0);
  if (figures->in_tokens && counted_by != NULL)
    description = g_strdup_printf (_ ("In tokens of %s."), counted_by);
  else if (name != NULL)
    description = g_strdup_printf (_ ("In characters. %s counts in tokens, which are three or four characters of English each."), name);
  else
    description = g_strdup (_ ("In characters. With a model chosen, they can be counted in tokens."));
  adw_preferences_group_set_description (self->lengths, description);
  gtk_label_set_text (self->length_words, words);
  lk_length_view_set_figures (self->histogram, figures, lk_stored_dataset_get_limit (self->dataset));
  gtk_widget_set_visible (self->limit_row, figures->in_tokens);
  gtk_widget_set_visible (self->count_button, again || (self->model != NULL && !figures->in_tokens));
  if (figures->in_tokens)
    {
      add_row (self, self->lengths, _ ("Cut by the limit"), _ ("Their ends are not learned."), figures->cut, "cut");
      if (figures->lost > 0)
        add_row (self, self->lengths, _ ("Nothing to learn within the limit"), _ ("The answer begins behind it."), figures->lost, "lost");
    }
}

static void
show_split (LkOverviewPage *self, const LkDatasetFigures *figures)
{
  g_autofree char *learned = lk_words_count (figures->used - figures->held_out);
  g_autofree char *held = lk_words_count (figures->held_out);
  g_autofree char *words = g_strdup_printf (_ ("%s rows are learned from, %s are held out."), learned, held);

  adw_action_row_set_subtitle (self->split, words);
  gtk_widget_set_name (GTK_WIDGET (self->split), "held-out");
}

static void
show (LkOverviewPage *self)
{
  const LkDatasetFigures *figures = self->dataset != NULL ? lk_stored_dataset_peek (self->dataset) : NULL;

  for (guint i = 0; i < self->made->len; i += 2)
    adw_preferences_group_remove (self->made->pdata[i], self->made->pdata[i + 1]);
  g_ptr_array_set_size (self->made, 0);
  gtk_widget_set_visible (self->content, figures != NULL);
  if (figures == NULL)
    return;
  self->showing = TRUE;
  show_rows (self, figures);
  show_problems (self, figures);
  show_lengths (self, figures);
  show_split (self, figures);
  gtk_spin_button_set_value (self->limit, (double) lk_stored_dataset_get_limit (self->dataset));
  gtk_spin_button_set_value (self->held_out, 100 * lk_stored_dataset_get_held_out (self->dataset));
  self->showing = FALSE;
}

static void
job_cb (LkOverviewPage *self)
{
  LkDataJob *job = self->dataset != NULL ? lk_stored_dataset_get_job (self->dataset) : NULL;
  gboolean running = job != NULL && lk_data_job_is_running (job);

  gtk_widget_set_visible (self->counting, running);
  gtk_widget_set_sensitive (self->count_button, !running && job != NULL && !lk_stored_dataset_is_busy (self->dataset));
  if (running)
    gtk_progress_bar_set_fraction (self->progress, lk_data_job_get_fraction (job));
}

static void
limits_cb (LkOverviewPage *self)
{
  if (!self->showing && self->dataset != NULL)
    lk_stored_dataset_set_limits (self->dataset, gtk_spin_button_get_value_as_int (self->limit),
                                  gtk_spin_button_get_value (self->held_out) / 100);
}

static void
count_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkOverviewPage *self = LK_OVERVIEW_PAGE (widget);

  if (self->dataset != NULL && self->model != NULL)
    lk_stored_dataset_count (self->dataset, self->model);
}

static void
cancel_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkOverviewPage *self = LK_OVERVIEW_PAGE (widget);

  lk_data_job_cancel (lk_stored_dataset_get_job (self->dataset));
  lk_stored_dataset_load (self->dataset);
}

static void
lk_overview_page_class_init (LkOverviewPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_LENGTH_VIEW);
  G_OBJECT_CLASS (klass)->dispose = lk_overview_page_dispose;
  g_signal_new ("show-only", LK_TYPE_OVERVIEW_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-overview-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, counting);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, count_button);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, limit_row);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, rows);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, problems);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, lengths);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, length_words);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, progress);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, limit);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, held_out);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, split);
  gtk_widget_class_bind_template_child (widget_class, LkOverviewPage, histogram);
  gtk_widget_class_bind_template_callback (widget_class, limits_cb);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_install_action (widget_class, "overview.count", NULL, count_action);
  gtk_widget_class_install_action (widget_class, "overview.cancel", NULL, cancel_action);
}

static void
lk_overview_page_init (LkOverviewPage *self)
{
  self->made = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  show (self);
}

void
lk_overview_page_set_dataset (LkOverviewPage *self, LkStoredDataset *dataset, const char *model)
{
  if (self->dataset != NULL)
    {
      g_signal_handlers_disconnect_by_func (self->dataset, show, self);
      g_signal_handlers_disconnect_by_func (self->dataset, job_cb, self);
      g_signal_handlers_disconnect_by_func (lk_stored_dataset_get_job (self->dataset), job_cb, self);
    }
  g_set_object (&self->dataset, dataset);
  g_free (self->model);
  self->model = g_strdup (model);
  if (dataset != NULL)
    {
      g_signal_connect_object (dataset, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (dataset, "notify::busy", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (lk_stored_dataset_get_job (dataset), "notify", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
    }
  show (self);
  job_cb (self);
}
