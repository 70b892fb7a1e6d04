/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-progress-page.h"

#include "lk-curves-pane.h"
#include "lk-card-monitor.h"
#include "lk-run.h"
#include "lk-sample-card.h"
#include "widgets/lk-closures.h"
#include "widgets/lk-figure.h"

#define LOG_SECONDS 2

struct _LkProgressPage
{
  GtkWidget parent_instance;

  LkRun *run;
  LkCardMonitor *card;
  GtkAdjustment *columns; /* of all sample cards */
  guint log_timeout;

  GtkWidget *content;
  GtkListBox *samples;
  GtkExpander *log_expander;
  GtkTextView *log;
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_CARD,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkProgressPage, lk_progress_page, GTK_TYPE_WIDGET)

static GtkWidget *
make_sample_cb (gpointer item, gpointer user_data)
{
  return lk_sample_card_new (LK_SAMPLE (item), LK_PROGRESS_PAGE (user_data)->columns);
}

static gboolean
show_log (gpointer data)
{
  LkProgressPage *self = data;
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->log);
  g_autofree char *text = self->run != NULL ? lk_run_read_log (self->run) : g_strdup ("");
  g_autofree char *shown = NULL;
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  shown = gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
  if (g_strcmp0 (shown, text) != 0)
    {
      gtk_text_buffer_set_text (buffer, text, -1);
      gtk_text_buffer_get_end_iter (buffer, &end);
      gtk_text_view_scroll_to_iter (self->log, &end, 0, FALSE, 0, 0);
    }
  return G_SOURCE_CONTINUE;
}

/* The log is read only while somebody looks at it. */
static void
follow_log (LkProgressPage *self)
{
  g_clear_handle_id (&self->log_timeout, g_source_remove);
  if (!gtk_expander_get_expanded (self->log_expander) || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  show_log (self);
  self->log_timeout = g_timeout_add_seconds (LOG_SECONDS, show_log, self);
}

/* The card is watched while a run works on it and somebody looks. */
static void
watch_device (LkProgressPage *self)
{
  g_autofree char *device = NULL;

  if (self->run != NULL && lk_run_is_active (self->run) && gtk_widget_get_mapped (GTK_WIDGET (self)))
    g_object_get (self->run, "device-text", &device, NULL);
  lk_card_monitor_set_device (self->card, device);
}

static void
set_run (LkProgressPage *self, LkRun *run)
{
  if (self->run == run)
    return;
  if (self->run != NULL)
    g_signal_handlers_disconnect_by_data (self->run, self);
  g_set_object (&self->run, run);
  gtk_adjustment_set_value (self->columns, 0);
  gtk_list_box_bind_model (self->samples, run != NULL ? lk_run_get_samples (run) : NULL, make_sample_cb, self, NULL);
  if (run != NULL)
    g_signal_connect_object (run, "notify::active", G_CALLBACK (watch_device), self, G_CONNECT_SWAPPED);
  watch_device (self);
  follow_log (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN]);
}

static gboolean
has_items_cb (gpointer self, GListModel *samples, gint64 step)
{
  return samples != NULL && g_list_model_get_n_items (samples) > 0;
}

static void
lk_progress_page_dispose (GObject *object)
{
  LkProgressPage *self = LK_PROGRESS_PAGE (object);

  g_clear_handle_id (&self->log_timeout, g_source_remove);
  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->run);
  g_clear_object (&self->card);
  g_clear_object (&self->columns);
  G_OBJECT_CLASS (lk_progress_page_parent_class)->dispose (object);
}

static void
lk_progress_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_RUN)
    g_value_set_object (value, LK_PROGRESS_PAGE (object)->run);
  else
    g_value_set_object (value, LK_PROGRESS_PAGE (object)->card);
}

static void
lk_progress_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  set_run (LK_PROGRESS_PAGE (object), g_value_get_object (value));
}

static void
lk_progress_page_class_init (LkProgressPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_RUN);
  g_type_ensure (LK_TYPE_CURVES_PANE);
  g_type_ensure (LK_TYPE_FIGURE);
  object_class->dispose = lk_progress_page_dispose;
  object_class->get_property = lk_progress_page_get_property;
  object_class->set_property = lk_progress_page_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_CARD]
      = g_param_spec_object ("card", NULL, NULL, LK_TYPE_CARD_MONITOR, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-progress-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkProgressPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkProgressPage, samples);
  gtk_widget_class_bind_template_child (widget_class, LkProgressPage, log_expander);
  gtk_widget_class_bind_template_child (widget_class, LkProgressPage, log);
  gtk_widget_class_bind_template_callback (widget_class, follow_log);
  gtk_widget_class_bind_template_callback (widget_class, has_items_cb);
}

static void
lk_progress_page_init (LkProgressPage *self)
{
  self->card = lk_card_monitor_new ();
  self->columns = g_object_ref_sink (gtk_adjustment_new (0, 0, 0, 0, 0, 0));
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "map", G_CALLBACK (watch_device), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (watch_device), NULL);
  g_signal_connect (self, "map", G_CALLBACK (follow_log), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (follow_log), NULL);
}
