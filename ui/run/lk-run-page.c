/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "compat.h"
#include "lk-chat-page.h"
#include "lk-details-page.h"
#include "lk-export-page.h"
#include "lk-progress-page.h"
#include "widgets/lk-banner.h"
#include "widgets/lk-closures.h"

#define CHART_WIDTH 900
#define CHART_HEIGHT 420

struct _LkRunPage
{
  GtkWidget parent_instance;

  LkRun *run;
  gboolean smooth;
  gboolean log_scale;

  GtkWidget *content;
  AdwViewStack *stack;
  LkProgressPage *progress;
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_SMOOTH,
  PROP_LOG_SCALE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkRunPage, lk_run_page, GTK_TYPE_WIDGET)

static void
command_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRunPage *self = LK_RUN_PAGE (widget);

  if (self->run != NULL)
    lk_run_command (self->run, g_variant_get_string (parameter, NULL));
}

static void
resume_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRunPage *self = LK_RUN_PAGE (widget);
  g_autoptr (GError) error = NULL;

  if (self->run != NULL && !lk_run_start (self->run, &error))
    gtk_widget_activate_action (widget, "win.toast", "s", error->message);
}

static void
open_folder_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRunPage *self = LK_RUN_PAGE (widget);
  g_autofree char *uri
      = self->run != NULL ? g_filename_to_uri (lk_run_get_folder (self->run), NULL, NULL) : NULL;

  if (uri != NULL)
    g_app_info_launch_default_for_uri_async (uri, NULL, NULL, NULL, NULL);
}

static void
chart_place_cb (GFile *file, gpointer user_data)
{
  LkRunPage *self = LK_RUN_PAGE (user_data);
  g_autofree char *path = g_file_get_path (file);
  g_autofree char *sentence = NULL;
  g_autoptr (GError) error = NULL;
  LkChartSpec spec;

  lk_chart_view_get_spec (lk_progress_page_get_chart (self->progress),
                          self->run != NULL ? lk_run_get_name (self->run) : "", &spec);
  if (lk_chart_export (&spec, path, CHART_WIDTH, CHART_HEIGHT, &error))
    sentence = g_strdup (_ ("The chart is saved"));
  lk_chart_spec_clear (&spec);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s",
                              sentence != NULL ? sentence : error->message);
}

static void
save_chart_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const suffixes[] = { "svg", "png", "pdf", NULL };
  LkRunPage *self = LK_RUN_PAGE (widget);
  g_autofree char *file
      = g_strdup_printf ("%s.svg", self->run != NULL ? lk_run_get_name (self->run) : "Chart");

  g_strdelimit (file, "/", '-');
  lk_compat_choose_file (GTK_WINDOW (gtk_widget_get_root (widget)), LK_COMPAT_SAVE_FILE, _ ("Save the Chart"),
                         _ ("Pictures (SVG, PNG, PDF)"), suffixes, NULL, file, chart_place_cb, self);
}

static char *
resume_label_cb (gpointer self, gint64 step)
{
  return g_strdup (step > 0 ? _ ("Resume") : _ ("Try Again"));
}

/* A run that was stopped by its user is no trouble, but it wants to be resumed from the header. */
static gboolean
offer_resume_cb (gpointer self, gboolean can_resume, const char *trouble)
{
  return can_resume && trouble == NULL;
}

static void
lk_run_page_dispose (GObject *object)
{
  LkRunPage *self = LK_RUN_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->run);
  G_OBJECT_CLASS (lk_run_page_parent_class)->dispose (object);
}

static void
lk_run_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkRunPage *self = LK_RUN_PAGE (object);

  switch (id)
    {
    case PROP_RUN: g_value_set_object (value, self->run); break;
    case PROP_SMOOTH: g_value_set_boolean (value, self->smooth); break;
    case PROP_LOG_SCALE: g_value_set_boolean (value, self->log_scale); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_run_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkRunPage *self = LK_RUN_PAGE (object);

  switch (id)
    {
    case PROP_RUN: lk_run_page_set_run (self, g_value_get_object (value)); break;
    case PROP_SMOOTH: self->smooth = g_value_get_boolean (value); break;
    case PROP_LOG_SCALE: self->log_scale = g_value_get_boolean (value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_run_page_class_init (LkRunPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_RUN);
  g_type_ensure (LK_TYPE_BANNER);
  g_type_ensure (LK_TYPE_PROGRESS_PAGE);
  g_type_ensure (LK_TYPE_CHAT_PAGE);
  g_type_ensure (LK_TYPE_EXPORT_PAGE);
  g_type_ensure (LK_TYPE_DETAILS_PAGE);
  object_class->dispose = lk_run_page_dispose;
  object_class->get_property = lk_run_page_get_property;
  object_class->set_property = lk_run_page_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_SMOOTH]
      = g_param_spec_boolean ("smooth", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_LOG_SCALE]
      = g_param_spec_boolean ("log-scale", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-run-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkRunPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkRunPage, stack);
  gtk_widget_class_bind_template_child (widget_class, LkRunPage, progress);
  gtk_widget_class_bind_template_callback (widget_class, resume_label_cb);
  gtk_widget_class_bind_template_callback (widget_class, offer_resume_cb);
  gtk_widget_class_install_action (widget_class, "run.command", "s", command_action);
  gtk_widget_class_install_action (widget_class, "run.resume", NULL, resume_action);
  gtk_widget_class_install_action (widget_class, "run.save-chart", NULL, save_chart_action);
  gtk_widget_class_install_property_action (widget_class, "run.smooth", "smooth");
  gtk_widget_class_install_property_action (widget_class, "run.log-scale", "log-scale");
  gtk_widget_class_install_action (widget_class, "run.open-folder", NULL, open_folder_action);
}

static void
update_actions (LkRunPage *self)
{
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "run.command",
                                 self->run != NULL && lk_run_is_active (self->run));
}

static void
lk_run_page_init (LkRunPage *self)
{
  /* the losses of single steps jump; the trend is what people look for */
  self->smooth = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
lk_run_page_set_run (LkRunPage *self, LkRun *run)
{
  g_return_if_fail (LK_IS_RUN_PAGE (self));

  if (self->run == run)
    return;
  if (self->run != NULL)
    g_signal_handlers_disconnect_by_data (self->run, self);
  g_set_object (&self->run, run);
  if (run != NULL)
    g_signal_connect_object (run, "notify::active", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
  update_actions (self);
  adw_view_stack_set_visible_child_name (self->stack, "progress");
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN]);
}

LkRun *
lk_run_page_get_run (LkRunPage *self)
{
  return self->run;
}

void
lk_run_page_show_page (LkRunPage *self, guint page)
{
  static const char *const names[] = { "progress", "chat", "export", "details" };

  if (page < G_N_ELEMENTS (names))
    adw_view_stack_set_visible_child_name (self->stack, names[page]);
}
