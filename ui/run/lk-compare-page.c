/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-compare-page.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

#include "chart/lk-chart-view.h"
#include "lk-run-compare.h"
#include "lk-words.h"

#define REFRESH_SECONDS 1
#define LABEL_LENGTH 30

struct _LkComparePage
{
  GtkWidget parent_instance;

  GPtrArray *runs;
  guint refresh_source;

  GtkWidget *content;
  AdwWindowTitle *title;
  LkPlot *plot;
  LkChartView *chart;
  GtkDropDown *which;
  GtkGrid *table;
};

G_DEFINE_FINAL_TYPE (LkComparePage, lk_compare_page, GTK_TYPE_WIDGET)

/* The curves of the drop-down, in its order. */
static LkSeries *
series_of (LkRun *run, guint which)
{
  LkRunCurves curves = lk_run_get_curves (run);
  LkSeries *const all[]
      = { curves.held_out, curves.training, curves.learning_rate, curves.gradient_norm, curves.speed };

  return all[MIN (which, G_N_ELEMENTS (all) - 1)];
}

static void
show_curves (LkComparePage *self)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) series = g_ptr_array_new ();

  for (guint i = 0; i < self->runs->len; i++)
    {
      LkRun *run = g_ptr_array_index (self->runs, i);

      g_ptr_array_add (labels, lk_words_shorten (lk_run_get_name (run), LABEL_LENGTH));
      g_ptr_array_add (series, series_of (run, gtk_drop_down_get_selected (self->which)));
    }
  lk_plot_reset (self->plot);
  lk_chart_view_set_lines (self->chart, labels, series);
}

static void
put_label (LkComparePage *self, const char *text, int column, int row, const char *const *classes)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (label), 14);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 24);
  gtk_label_set_selectable (GTK_LABEL (label), column > 0);
  gtk_widget_set_valign (label, GTK_ALIGN_START);
  gtk_widget_set_can_focus (label, FALSE);
  for (guint i = 0; classes != NULL && classes[i] != NULL; i++)
    gtk_widget_add_css_class (label, classes[i]);
  gtk_grid_attach (self->table, label, column, row, 1, 1);
}

static void
put_heading (LkComparePage *self, const char *text, int row)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_margin_top (label, row > 1 ? 12 : 0);
  gtk_widget_add_css_class (label, "heading");
  gtk_grid_attach (self->table, label, 0, row, (int) self->runs->len + 1, 1);
}

static void
put_line (LkComparePage *self, const LkRunDifference *line, int row)
{
  put_label (self, line->name, 0, row, (const char *const[]){ "secondary", NULL });
  for (guint i = 0; i < self->runs->len; i++)
    {
      g_autofree char *best = NULL;

      if (line->best == (int) i)
        best = g_strdup_printf (_ ("%s, the best"), line->values[i]);
      put_label (self, best != NULL ? best : line->values[i], (int) i + 1, row,
                 best != NULL ? (const char *const[]){ "numeric", "lk-best", NULL } : (const char *const[]){ "numeric", NULL });
    }
}

static void
show_table (LkComparePage *self)
{
  g_autoptr (GPtrArray) lines = lk_run_compare (self->runs);
  GtkWidget *child;
  gboolean any = FALSE;
  int row = 1;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->table))) != NULL)
    gtk_grid_remove (self->table, child);
  for (guint i = 0; i < self->runs->len; i++)
    put_label (self, lk_run_get_name (g_ptr_array_index (self->runs, i)), (int) i + 1, 0,
               (const char *const[]){ "heading", NULL });
  put_heading (self, _ ("What Came of Them"), row++);
  for (guint i = 0; i < lines->len; i++)
    if (((LkRunDifference *) g_ptr_array_index (lines, i))->result)
      put_line (self, g_ptr_array_index (lines, i), row++);
  put_heading (self, _ ("How They Differ"), row++);
  for (guint i = 0; i < lines->len; i++)
    if (!((LkRunDifference *) g_ptr_array_index (lines, i))->result)
      {
        put_line (self, g_ptr_array_index (lines, i), row++);
        any = TRUE;
      }
  if (!any)
    put_label (self, _ ("They were made with the same model, data and settings."), 0, row, NULL);
}

static gboolean
refresh_cb (gpointer data)
{
  LkComparePage *self = data;

  self->refresh_source = 0;
  show_table (self);
  return G_SOURCE_REMOVE;
}

static void
run_changed_cb (LkComparePage *self)
{
  if (self->refresh_source == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    self->refresh_source = g_timeout_add_seconds (REFRESH_SECONDS, refresh_cb, self);
}

static void
forget_runs (LkComparePage *self)
{
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  for (guint i = 0; i < self->runs->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->runs, i), self);
  g_ptr_array_set_size (self->runs, 0);
}

static void
lk_compare_page_dispose (GObject *object)
{
  LkComparePage *self = LK_COMPARE_PAGE (object);

  forget_runs (self);
  g_clear_pointer (&self->content, gtk_widget_unparent);
  G_OBJECT_CLASS (lk_compare_page_parent_class)->dispose (object);
}

static void
lk_compare_page_finalize (GObject *object)
{
  g_clear_pointer (&LK_COMPARE_PAGE (object)->runs, g_ptr_array_unref);
  G_OBJECT_CLASS (lk_compare_page_parent_class)->finalize (object);
}

static void
lk_compare_page_class_init (LkComparePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_PLOT);
  g_type_ensure (LK_TYPE_CHART_VIEW);
  G_OBJECT_CLASS (klass)->dispose = lk_compare_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = lk_compare_page_finalize;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-compare-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkComparePage, content);
  gtk_widget_class_bind_template_child (widget_class, LkComparePage, title);
  gtk_widget_class_bind_template_child (widget_class, LkComparePage, plot);
  gtk_widget_class_bind_template_child (widget_class, LkComparePage, chart);
  gtk_widget_class_bind_template_child (widget_class, LkComparePage, which);
  gtk_widget_class_bind_template_child (widget_class, LkComparePage, table);
  gtk_widget_class_bind_template_callback (widget_class, show_curves);
}

static void
lk_compare_page_init (LkComparePage *self)
{
  self->runs = g_ptr_array_new_with_free_func (g_object_unref);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
lk_compare_page_set_runs (LkComparePage *self, GPtrArray *runs)
{
  g_autofree char *title = NULL;

  g_return_if_fail (LK_IS_COMPARE_PAGE (self));

  forget_runs (self);
  for (guint i = 0; i < runs->len; i++)
    {
      LkRun *run = g_ptr_array_index (runs, i);

      g_ptr_array_add (self->runs, g_object_ref (run));
      g_signal_connect_object (run, "notify::progress-text", G_CALLBACK (run_changed_cb), self, G_CONNECT_SWAPPED);
    }
  title = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u fine-tune", "%u fine-tunes", runs->len), runs->len);
  adw_window_title_set_subtitle (self->title, title);
  show_curves (self);
  show_table (self);
}

guint
lk_compare_page_keep_listed (LkComparePage *self, LkRunList *list, LkRun **first)
{
  g_autoptr (GPtrArray) left = g_ptr_array_new_with_free_func (g_object_unref);

  g_return_val_if_fail (LK_IS_COMPARE_PAGE (self), 0);

  for (guint i = 0; i < self->runs->len; i++)
    if (lk_run_list_contains (list, g_ptr_array_index (self->runs, i)))
      g_ptr_array_add (left, g_object_ref (g_ptr_array_index (self->runs, i)));
  *first = left->len > 0 ? g_ptr_array_index (left, 0) : NULL;
  if (left->len < self->runs->len)
    lk_compare_page_set_runs (self, left);
  return left->len;
}
