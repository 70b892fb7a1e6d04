/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>
#include <string.h>

#include "lk-chat-page.h"
#include "lk-details-page.h"
#include "lk-export-page.h"
#include "lk-progress-page.h"
#include "lk-run-actions.h"
#include "widgets/lk-banner.h"
#include "widgets/lk-closures.h"

struct _LkRunPage
{
  GtkWidget parent_instance;

  LkRun *run;

  GtkWidget *content;
  AdwViewStack *stack;
  LkDetailsPage *details;
};

enum
{
  PROP_0,
  PROP_RUN,
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

/* "run.clone" does "runs.clone" with the run that is shown. */
static void
forward_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkRunPage *self = LK_RUN_PAGE (widget);
  g_autofree char *action = g_strconcat ("runs.", name + strlen ("run."), NULL);

  if (self->run != NULL)
    gtk_widget_activate_action (widget, action, "s", lk_run_get_folder (self->run));
}

static const char *const forwarded[]
    = { "run.rename", "run.clone", "run.continue", "run.extend", "run.open-folder", "run.delete" };

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
  g_value_set_object (value, LK_RUN_PAGE (object)->run);
}

static void
lk_run_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  lk_run_page_set_run (LK_RUN_PAGE (object), g_value_get_object (value));
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
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-run-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkRunPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkRunPage, stack);
  gtk_widget_class_bind_template_child (widget_class, LkRunPage, details);
  gtk_widget_class_bind_template_callback (widget_class, resume_label_cb);
  gtk_widget_class_bind_template_callback (widget_class, offer_resume_cb);
  gtk_widget_class_install_action (widget_class, "run.command", "s", command_action);
  gtk_widget_class_install_action (widget_class, "run.resume", NULL, resume_action);
  for (guint i = 0; i < G_N_ELEMENTS (forwarded); i++)
    gtk_widget_class_install_action (widget_class, forwarded[i], NULL, forward_action);
}

static void
update_actions (LkRunPage *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  gboolean active = self->run != NULL && lk_run_is_active (self->run);

  gtk_widget_action_set_enabled (widget, "run.command", active);
  gtk_widget_action_set_enabled (widget, "run.delete", self->run != NULL && !active);
  gtk_widget_action_set_enabled (widget, "run.continue", self->run != NULL && lk_run_get_has_adapter (self->run));
  gtk_widget_action_set_enabled (widget, "run.extend", self->run != NULL && lk_run_actions_can_extend (self->run));
}

static void
lk_run_page_init (LkRunPage *self)
{
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
    {
      g_signal_connect_object (run, "notify::active", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (run, "notify::has-adapter", G_CALLBACK (update_actions), self, G_CONNECT_SWAPPED);
    }
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

void
lk_run_page_rename (LkRunPage *self)
{
  adw_view_stack_set_visible_child_name (self->stack, "details");
  lk_details_page_edit_name (self->details);
}
