/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-row.h"

#include "lk-run-actions.h"
#include "widgets/lk-closures.h"
#include "widgets/lk-sparkline.h"

struct _LkRunRow
{
  GtkListBoxRow parent_instance;

  LkRun *run;
  GtkWidget *menu; /* while it is open */
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

/* What to do may have been chosen but not begun: the menu goes when that is over. */
static gboolean
drop_menu_cb (gpointer data)
{
  LkRunRow *self = data;

  g_clear_pointer (&self->menu, gtk_widget_unparent);
  return G_SOURCE_REMOVE;
}

static void
menu_closed_cb (LkRunRow *self)
{
  g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, drop_menu_cb, g_object_ref (self), g_object_unref);
}

static void
show_menu (LkRunRow *self, double x, double y)
{
  g_autoptr (GMenuModel) model = lk_run_actions_make_menu (self->run);

  g_clear_pointer (&self->menu, gtk_widget_unparent);
  self->menu = gtk_popover_menu_new_from_model (model);
  gtk_widget_set_parent (self->menu, GTK_WIDGET (self));
  gtk_popover_set_has_arrow (GTK_POPOVER (self->menu), FALSE);
  gtk_widget_set_halign (self->menu, GTK_ALIGN_START);
  gtk_popover_set_position (GTK_POPOVER (self->menu), GTK_POS_BOTTOM);
  gtk_popover_set_pointing_to (GTK_POPOVER (self->menu), &(GdkRectangle){ (int) x, (int) y, 1, 1 });
  g_signal_connect_object (self->menu, "closed", G_CALLBACK (menu_closed_cb), self, G_CONNECT_SWAPPED);
  gtk_popover_popup (GTK_POPOVER (self->menu));
}

static void
pressed_cb (LkRunRow *self, int n_press, double x, double y, GtkGestureClick *gesture)
{
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  show_menu (self, x, y);
}

static void
menu_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  show_menu (LK_RUN_ROW (widget), 24, gtk_widget_get_height (widget));
}

static void
lk_run_row_dispose (GObject *object)
{
  g_clear_pointer (&LK_RUN_ROW (object)->menu, gtk_widget_unparent);
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
  gtk_widget_class_install_action (widget_class, "row.menu", NULL, menu_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Menu, 0, "row.menu", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F10, GDK_SHIFT_MASK, "row.menu", NULL);
}

static void
lk_run_row_init (LkRunRow *self)
{
  GtkGesture *click = gtk_gesture_click_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (click, "pressed", G_CALLBACK (pressed_cb), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
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
