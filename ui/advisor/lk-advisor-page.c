/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-advisor-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "compat.h"
#include "lk-advice.h"

struct _LkAdvisorPage
{
  GtkWidget parent_instance;

  GtkWidget *content, *verdict_box, *go, *again;
  GtkScrolledWindow *scroller;
  GtkBox *questions;
  GtkLabel *verdict_title, *verdict_text;
  GPtrArray *groups; /* of the questions asked so far, in order */
  int frames;        /* to follow for */
};

G_DEFINE_FINAL_TYPE (LkAdvisorPage, lk_advisor_page, GTK_TYPE_WIDGET)

static void ask (LkAdvisorPage *self, guint question);

static void
lk_advisor_page_dispose (GObject *object)
{
  LkAdvisorPage *self = LK_ADVISOR_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_pointer (&self->groups, g_ptr_array_unref);
  G_OBJECT_CLASS (lk_advisor_page_parent_class)->dispose (object);
}

/* What followed an answer is forgotten when it is given anew. */
static void
forget_behind (LkAdvisorPage *self, GtkWidget *group)
{
  while (self->groups->len > 0 && self->groups->pdata[self->groups->len - 1] != group)
    {
      gtk_box_remove (self->questions, self->groups->pdata[self->groups->len - 1]);
      g_ptr_array_set_size (self->groups, self->groups->len - 1);
    }
  gtk_widget_set_visible (self->verdict_box, FALSE);
}

static void
show_verdict (LkAdvisorPage *self, LkVerdict verdict)
{
  const LkVerdictText *text = &lk_verdicts[verdict];

  gtk_label_set_label (self->verdict_title, _ (text->title));
  gtk_label_set_label (self->verdict_text, _ (text->text));
  gtk_widget_set_visible (self->go, text->go);
  gtk_widget_set_visible (self->verdict_box, TRUE);
  lk_compat_announce (GTK_WIDGET (self), _ (text->title));
}

/* To the end, for a few frames: what an answer brought has its place only after the next ones. */
static gboolean
follow_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  LkAdvisorPage *self = LK_ADVISOR_PAGE (widget);
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment (self->scroller);

  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_upper (adjustment));
  return --self->frames > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
follow (LkAdvisorPage *self)
{
  if (self->frames <= 0)
    gtk_widget_add_tick_callback (GTK_WIDGET (self), follow_cb, NULL, NULL);
  self->frames = 8;
}

static void
answered_cb (LkAdvisorPage *self, GtkCheckButton *check)
{
  const LkAnswer *answer = g_object_get_data (G_OBJECT (check), "answer");
  GtkWidget *group = g_object_get_data (G_OBJECT (check), "group");
  GtkLabel *why = g_object_get_data (G_OBJECT (group), "why");

  if (!gtk_check_button_get_active (check))
    return;
  forget_behind (self, group);
  gtk_label_set_label (why, _ (answer->why));
  gtk_widget_set_visible (GTK_WIDGET (why), TRUE);
  gtk_widget_set_visible (self->again, TRUE);
  if (answer->next >= 0)
    ask (self, (guint) answer->next);
  else
    show_verdict (self, answer->verdict);
  follow (self);
}

static GtkWidget *
add_answer (LkAdvisorPage *self, AdwPreferencesGroup *group, const LkAnswer *answer, GtkWidget *first)
{
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "title", _ (answer->text), "use-markup", FALSE, "title-lines", 0, NULL);
  GtkWidget *check = gtk_check_button_new ();

  gtk_widget_set_valign (check, GTK_ALIGN_CENTER);
  gtk_check_button_set_group (GTK_CHECK_BUTTON (check), first != NULL ? GTK_CHECK_BUTTON (first) : NULL);
  g_object_set_data (G_OBJECT (check), "answer", (gpointer) answer);
  g_object_set_data (G_OBJECT (check), "group", group);
  g_signal_connect_object (check, "toggled", G_CALLBACK (answered_cb), self, G_CONNECT_SWAPPED);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), check);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), check);
  adw_preferences_group_add (group, row);
  return first != NULL ? first : check;
}

static void
ask (LkAdvisorPage *self, guint question)
{
  GtkWidget *group = g_object_new (ADW_TYPE_PREFERENCES_GROUP, "title", _ (lk_questions[question].text), NULL);
  GtkWidget *why = gtk_label_new (NULL);
  GtkWidget *first = NULL;

  for (guint i = 0; lk_questions[question].answers[i].text != NULL; i++)
    first = add_answer (self, ADW_PREFERENCES_GROUP (group), &lk_questions[question].answers[i], first);
  gtk_label_set_wrap (GTK_LABEL (why), TRUE);
  gtk_label_set_xalign (GTK_LABEL (why), 0);
  gtk_widget_set_margin_top (why, 9);
  gtk_widget_set_visible (why, FALSE);
  gtk_widget_add_css_class (why, "secondary");
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), why);
  g_object_set_data (G_OBJECT (group), "why", why);
  gtk_box_append (self->questions, group);
  g_ptr_array_add (self->groups, group);
}

static void
again_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkAdvisorPage *self = LK_ADVISOR_PAGE (widget);

  forget_behind (self, NULL);
  gtk_widget_set_visible (self->again, FALSE);
  ask (self, 0);
}

static void
lk_advisor_page_class_init (LkAdvisorPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_advisor_page_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-advisor-page.ui");
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, questions);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, verdict_box);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, verdict_title);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, verdict_text);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, go);
  gtk_widget_class_bind_template_child (widget_class, LkAdvisorPage, again);
  gtk_widget_class_install_action (widget_class, "advisor.again", NULL, again_action);
}

static void
lk_advisor_page_init (LkAdvisorPage *self)
{
  self->groups = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  ask (self, 0);
}
