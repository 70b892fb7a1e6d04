/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-curves-pane.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "chart/lk-chart-view.h"
#include "compat.h"
#include "lk-run-table.h"
#include "widgets/lk-closures.h"

#define ZOOM 1.6
#define PICTURE_WIDTH 900
#define PICTURE_HEIGHT 420

struct _LkCurvesPane
{
  GtkWidget parent_instance;

  LkRun *run;
  char *saving; /* what the file dialog is about */

  GtkWidget *content;
  LkPlot *plot;
  GtkStack *stack;
  GtkColumnView *values;
};

enum
{
  PROP_0,
  PROP_RUN,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkCurvesPane, lk_curves_pane, GTK_TYPE_WIDGET)

static void
zoom (LkCurvesPane *self, double factor)
{
  double begin, end, at = lk_plot_get_cursor (self->plot);

  lk_plot_get_range (self->plot, &begin, &end);
  lk_plot_zoom (self->plot, isnan (at) ? (begin + end) / 2 : at, factor);
}

static void
zoom_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkCurvesPane *self = LK_CURVES_PANE (widget);

  if (g_str_has_suffix (name, "in"))
    zoom (self, 1 / ZOOM);
  else if (g_str_has_suffix (name, "out"))
    zoom (self, ZOOM);
  else
    lk_plot_reset (self->plot);
}

static gboolean
save_picture (LkCurvesPane *self, LkRunChart chart, const char *path, GError **error)
{
  LkRunCurves curves = lk_run_get_curves (self->run);
  LkChartSpec spec;
  gboolean ok;

  lk_chart_spec_init (&spec);
  lk_chart_spec_set_run (&spec, chart, &curves);
  lk_plot_apply (self->plot, &spec);
  spec.title = g_strdup (lk_run_get_name (self->run));
  spec.background = TRUE;
  spec.has_cursor = FALSE;
  ok = lk_chart_export (&spec, path, PICTURE_WIDTH, PICTURE_HEIGHT, error);
  lk_chart_spec_clear (&spec);
  return ok;
}

static void
place_chosen_cb (GFile *file, gpointer user_data)
{
  LkCurvesPane *self = LK_CURVES_PANE (user_data);
  g_autofree char *path = g_file_get_path (file);
  g_autoptr (GError) error = NULL;
  LkRunChart chart;
  gboolean ok;

  if (self->run == NULL || path == NULL)
    return;
  if (lk_run_chart_from_name (self->saving, &chart))
    ok = save_picture (self, chart, path, &error);
  else
    {
      LkRunCurves curves = lk_run_get_curves (self->run);

      ok = lk_run_curves_write_csv (&curves, path, &error);
    }
  gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", ok ? _ ("Saved") : error->message);
}

static void
save_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const pictures[] = { "svg", "png", "pdf", NULL };
  static const char *const tables[] = { "csv", NULL };
  LkCurvesPane *self = LK_CURVES_PANE (widget);
  LkRunChart chart;
  gboolean picture;
  g_autofree char *file = NULL;

  if (self->run == NULL)
    return;
  g_free (self->saving);
  self->saving = g_variant_dup_string (parameter, NULL);
  picture = lk_run_chart_from_name (self->saving, &chart);
  file = g_strdup_printf ("%s.%s", lk_run_get_name (self->run), picture ? "svg" : "csv");
  g_strdelimit (file, "/", '-');
  lk_compat_choose_file (GTK_WINDOW (gtk_widget_get_root (widget)), LK_COMPAT_SAVE_FILE,
                         picture ? _ ("Save the Chart") : _ ("Save the Values"),
                         picture ? _ ("Pictures (SVG, PNG, PDF)") : _ ("Comma-separated values"),
                         picture ? pictures : tables, NULL, file, place_chosen_cb, self);
}

static void
setup_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (item, label);
}

static void
bind_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer property)
{
  g_autofree char *text = NULL;

  g_object_get (gtk_list_item_get_item (item), property, &text, NULL);
  gtk_label_set_label (GTK_LABEL (gtk_list_item_get_child (item)), text);
}

/* The heads over the numbers, which stand on the right; GTK has no word for it. */
static void
align_heads (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget))
    {
      gtk_widget_set_hexpand (widget, TRUE);
      gtk_label_set_xalign (GTK_LABEL (widget), 1);
    }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    align_heads (child);
}

static void
add_columns (LkCurvesPane *self)
{
  static const struct
  {
    const char *title, *property;
  } columns[] = {
    { N_ ("Step"), "step" },
    { N_ ("Training Loss"), "loss" },
    { N_ ("Held-out Loss"), "held-out" },
    { N_ ("Learning Rate"), "learning-rate" },
    { N_ ("Gradient Norm"), "gradient-norm" },
    { N_ ("Tokens/s"), "speed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
      g_autoptr (GtkColumnViewColumn) column = NULL;

      g_signal_connect (factory, "setup", G_CALLBACK (setup_cell_cb), NULL);
      g_signal_connect (factory, "bind", G_CALLBACK (bind_cell_cb), (gpointer) columns[i].property);
      column = gtk_column_view_column_new (_ (columns[i].title), factory);
      gtk_column_view_column_set_expand (column, TRUE);
      gtk_column_view_append_column (self->values, column);
    }
  align_heads (gtk_widget_get_first_child (GTK_WIDGET (self->values)));
}

/* The table is made only while somebody looks at it. */
static void
show_values (LkCurvesPane *self)
{
  gboolean shown = g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "values") == 0;
  g_autoptr (GtkSelectionModel) model = NULL;

  if (shown && self->run != NULL)
    model = GTK_SELECTION_MODEL (gtk_no_selection_new (G_LIST_MODEL (lk_run_table_new (self->run))));
  gtk_column_view_set_model (self->values, model);
}

static void
set_run (LkCurvesPane *self, LkRun *run)
{
  if (!g_set_object (&self->run, run))
    return;
  lk_plot_reset (self->plot);
  show_values (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN]);
}

static char *
page_name_cb (gpointer self, gboolean values)
{
  return g_strdup (values ? "values" : "charts");
}

static void
lk_curves_pane_dispose (GObject *object)
{
  LkCurvesPane *self = LK_CURVES_PANE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->run);
  g_clear_pointer (&self->saving, g_free);
  G_OBJECT_CLASS (lk_curves_pane_parent_class)->dispose (object);
}

static void
lk_curves_pane_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, LK_CURVES_PANE (object)->run);
}

static void
lk_curves_pane_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  set_run (LK_CURVES_PANE (object), g_value_get_object (value));
}

static void
lk_curves_pane_class_init (LkCurvesPaneClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_RUN);
  g_type_ensure (LK_TYPE_PLOT);
  g_type_ensure (LK_TYPE_CHART_VIEW);
  object_class->dispose = lk_curves_pane_dispose;
  object_class->get_property = lk_curves_pane_get_property;
  object_class->set_property = lk_curves_pane_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-curves-pane.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkCurvesPane, content);
  gtk_widget_class_bind_template_child (widget_class, LkCurvesPane, plot);
  gtk_widget_class_bind_template_child (widget_class, LkCurvesPane, stack);
  gtk_widget_class_bind_template_child (widget_class, LkCurvesPane, values);
  gtk_widget_class_bind_template_callback (widget_class, page_name_cb);
  gtk_widget_class_bind_template_callback (widget_class, show_values);
  gtk_widget_class_install_action (widget_class, "curves.zoom-in", NULL, zoom_action);
  gtk_widget_class_install_action (widget_class, "curves.zoom-out", NULL, zoom_action);
  gtk_widget_class_install_action (widget_class, "curves.zoom-all", NULL, zoom_action);
  gtk_widget_class_install_action (widget_class, "curves.save", "s", save_action);
}

static void
update_actions (LkCurvesPane *self)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "curves.zoom-out", lk_plot_is_zoomed (self->plot));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "curves.zoom-all", lk_plot_is_zoomed (self->plot));
}

static void
lk_curves_pane_init (LkCurvesPane *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  add_columns (self);
  g_signal_connect_object (self->plot, "notify::zoomed", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
  update_actions (self);
}
