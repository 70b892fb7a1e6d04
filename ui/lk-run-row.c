/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-row.h"

#include "widgets/lk-closures.h"
#include "widgets/lk-sparkline.h"

struct _LkRunRow
{
  GtkListBoxRow parent_instance;

  LkRun *run;
};

enum
{
  PROP_0,
  PROP_RUN,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkRunRow, lk_run_row, GTK_TYPE_LIST_BOX_ROW)

static const char *
state_icon (gpointer self, LkRunState state)
{
  static const char *const icons[] = {
    [LK_RUN_PREPARING] = "content-loading-symbolic",   [LK_RUN_RUNNING] = "media-playback-start-symbolic",
    [LK_RUN_PAUSED] = "media-playback-pause-symbolic", [LK_RUN_STOPPING] = "media-playback-stop-symbolic",
    [LK_RUN_STOPPED] = "media-playback-stop-symbolic", [LK_RUN_FINISHED] = "object-select-symbolic",
    [LK_RUN_FAILED] = "dialog-warning-symbolic",       [LK_RUN_INTERRUPTED] = "dialog-warning-symbolic",
  };

  return icons[state];
}

static char *
icon_name_cb (gpointer self, LkRunState state)
{
  return g_strdup (state_icon (self, state));
}

static char **
state_classes_cb (gpointer self, LkRunState state)
{
  const char *classes[] = { "lk-mark", NULL, NULL };

  if (state == LK_RUN_RUNNING)
    classes[1] = "accent";
  else if (state == LK_RUN_FINISHED)
    classes[1] = "success";
  else if (state == LK_RUN_FAILED || state == LK_RUN_INTERRUPTED)
    classes[1] = "warning";
  else
    classes[1] = "secondary";
  return g_strdupv ((char **) classes);
}

static void
update_accessible_name (LkRunRow *self)
{
  g_autofree char *summary = NULL;
  g_autofree char *name = NULL;

  g_object_get (self->run, "summary", &summary, NULL);
  name = g_strdup_printf ("%s, %s", lk_run_get_name (self->run), summary);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
lk_run_row_dispose (GObject *object)
{
  g_clear_object (&LK_RUN_ROW (object)->run);
  G_OBJECT_CLASS (lk_run_row_parent_class)->dispose (object);
}

static void
lk_run_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, LK_RUN_ROW (object)->run);
}

static void
lk_run_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  g_set_object (&LK_RUN_ROW (object)->run, g_value_get_object (value));
}

static void
lk_run_row_class_init (LkRunRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_RUN);
  g_type_ensure (LK_TYPE_SPARKLINE);
  object_class->dispose = lk_run_row_dispose;
  object_class->get_property = lk_run_row_get_property;
  object_class->set_property = lk_run_row_set_property;
  properties[PROP_RUN]
      = g_param_spec_object ("run", NULL, NULL, LK_TYPE_RUN,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-run-row.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, icon_name_cb);
  gtk_widget_class_bind_template_callback (widget_class, state_classes_cb);
}

static void
lk_run_row_init (LkRunRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
lk_run_row_new (LkRun *run)
{
  LkRunRow *self = g_object_new (LK_TYPE_RUN_ROW, "run", run, NULL);

  g_signal_connect_object (run, "notify::summary", G_CALLBACK (update_accessible_name), self,
                           G_CONNECT_SWAPPED);
  update_accessible_name (self);
  return GTK_WIDGET (self);
}

LkRun *
lk_run_row_get_run (LkRunRow *self)
{
  return self->run;
}
