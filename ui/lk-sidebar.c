/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sidebar.h"

#include <glib/gi18n-lib.h>

#include "lk-run-row.h"

struct _LkSidebar
{
  GtkWidget parent_instance;

  GtkWidget *scroller;
  GtkListBox *list;
  GtkListBoxRow *new_row, *chat_row, *models_row, *datasets_row; /* named as the window's pages are */
  LkRunList *runs;
  guint selection_idle;
  gboolean comparing; /* two or more runs are selected */
};

G_DEFINE_FINAL_TYPE (LkSidebar, lk_sidebar, GTK_TYPE_WIDGET)

static void
lk_sidebar_dispose (GObject *object)
{
  LkSidebar *self = LK_SIDEBAR (object);

  g_clear_object (&self->runs);
  g_clear_pointer (&self->scroller, gtk_widget_unparent);
  g_clear_handle_id (&self->selection_idle, g_source_remove);
  G_OBJECT_CLASS (lk_sidebar_parent_class)->dispose (object);
}

/* Several may be selected, to be compared; who opens one means that one alone. */
static void
select_only (LkSidebar *self, GtkListBoxRow *row)
{
  gtk_list_box_unselect_all (self->list);
  gtk_list_box_select_row (self->list, row);
}

static void
row_activated_cb (LkSidebar *self, GtkListBoxRow *row)
{
  select_only (self, row);
  if (LK_IS_RUN_ROW (row))
    g_signal_emit_by_name (self, "run-chosen", lk_run_row_get_run (LK_RUN_ROW (row)));
  else
    g_signal_emit_by_name (self, "place-chosen", gtk_widget_get_name (GTK_WIDGET (row)));
}

static gboolean
selection_idle_cb (gpointer data)
{
  LkSidebar *self = data;
  g_autoptr (GPtrArray) runs = g_ptr_array_new ();
  gboolean comparing;
  GtkListBoxRow *row;

  self->selection_idle = 0;
  for (int i = 0; (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
    if (LK_IS_RUN_ROW (row) && gtk_list_box_row_is_selected (row))
      g_ptr_array_add (runs, lk_run_row_get_run (LK_RUN_ROW (row)));
  comparing = runs->len >= 2;
  if (comparing)
    g_signal_emit_by_name (self, "runs-compared", runs);
  else if (self->comparing && runs->len == 1)
    g_signal_emit_by_name (self, "run-chosen", runs->pdata[0]);
  self->comparing = comparing;
  return G_SOURCE_REMOVE;
}

/* A click selects before it opens; only what is left of it counts. */
static void
selection_changed_cb (LkSidebar *self)
{
  /* rows that go with the window are no choice of anybody's */
  if (self->selection_idle == 0 && self->runs != NULL)
    self->selection_idle = g_idle_add (selection_idle_cb, self);
}

/* With Control a click adds a row to the selection, or takes it out: a list box that opens rows by one click does not do it. */
static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, LkSidebar *self)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  GtkListBoxRow *row = gtk_list_box_get_row_at_y (self->list, (int) y);

  if (!(state & (GDK_CONTROL_MASK | GDK_SHIFT_MASK)) || !LK_IS_RUN_ROW (row))
    return;
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  lk_sidebar_toggle_run (self, lk_run_row_get_run (LK_RUN_ROW (row)));
}

static void
lk_sidebar_class_init (LkSidebarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_sidebar_dispose;
  g_signal_new ("place-chosen", LK_TYPE_SIDEBAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING);
  g_signal_new ("run-chosen", LK_TYPE_SIDEBAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                LK_TYPE_RUN);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-sidebar.ui");
  gtk_widget_class_bind_template_child (widget_class, LkSidebar, scroller);
  gtk_widget_class_bind_template_child (widget_class, LkSidebar, list);
  gtk_widget_class_bind_template_child (widget_class, LkSidebar, new_row);
  gtk_widget_class_bind_template_child (widget_class, LkSidebar, chat_row);
  gtk_widget_class_bind_template_child (widget_class, LkSidebar, models_row);
  gtk_widget_class_bind_template_child (widget_class, LkSidebar, datasets_row);
  g_signal_new ("runs-compared", LK_TYPE_SIDEBAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_PTR_ARRAY);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, selection_changed_cb);
}

/* 0 for a place, 1 for a run at work, 2 for an earlier one. */
static int
rank (GtkListBoxRow *row)
{
  if (!LK_IS_RUN_ROW (row))
    return 0;
  return lk_run_is_active (lk_run_row_get_run (LK_RUN_ROW (row))) ? 1 : 2;
}

/* Where a place stands among the places. */
static int
position_of (LkSidebar *self, GtkListBoxRow *row)
{
  GtkListBoxRow *const places[] = { self->new_row, self->chat_row, self->models_row, self->datasets_row };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (places[i] == row)
      return (int) i;
  return 0;
}

static int
sort_cb (GtkListBoxRow *a, GtkListBoxRow *b, gpointer user_data)
{
  gint64 first, second;

  if (rank (a) != rank (b))
    return rank (a) - rank (b);
  if (rank (a) == 0)
    return position_of (user_data, a) - position_of (user_data, b);
  first = lk_run_get_created (lk_run_row_get_run (LK_RUN_ROW (a)));
  second = lk_run_get_created (lk_run_row_get_run (LK_RUN_ROW (b)));
  return first > second ? -1 : first < second;
}

static void
header_cb (GtkListBoxRow *row, GtkListBoxRow *before, gpointer user_data)
{
  static const char *const titles[] = { NULL, N_ ("Running"), N_ ("Earlier") };
  GtkWidget *header = NULL;

  if (rank (row) > 0 && (before == NULL || rank (before) != rank (row)))
    {
      header = gtk_label_new (_ (titles[rank (row)]));
      gtk_label_set_xalign (GTK_LABEL (header), 0);
      gtk_widget_add_css_class (header, "lk-sidebar-heading");
    }
  gtk_list_box_row_set_header (row, header);
}

static void
lk_sidebar_init (LkSidebar *self)
{
  GtkGesture *click = gtk_gesture_click_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_list_box_set_sort_func (self->list, sort_cb, self, NULL);
  gtk_list_box_set_header_func (self->list, header_cb, self, NULL);
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (click), GTK_PHASE_CAPTURE);
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->list), GTK_EVENT_CONTROLLER (click));
}

static void
active_changed_cb (LkSidebar *self)
{
  gtk_list_box_invalidate_sort (self->list);
  gtk_list_box_invalidate_headers (self->list);
}

static GtkListBoxRow *
find_row (LkSidebar *self, LkRun *run)
{
  GtkListBoxRow *row;

  for (int i = 0; (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
    if (LK_IS_RUN_ROW (row) && lk_run_row_get_run (LK_RUN_ROW (row)) == run)
      return row;
  return NULL;
}

static gboolean
is_listed (LkSidebar *self, LkRun *run)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->runs));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (LkRun) other = g_list_model_get_item (G_LIST_MODEL (self->runs), i);

      if (other == run)
        return TRUE;
    }
  return FALSE;
}

/* The list keeps its own order, so positions say nothing: rows of runs that went are dropped, new ones are
 * added. */
static void
runs_changed_cb (LkSidebar *self, guint position, guint removed, guint added)
{
  GtkListBoxRow *row;

  for (int i = 0; removed > 0 && (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL;)
    if (LK_IS_RUN_ROW (row) && !is_listed (self, lk_run_row_get_run (LK_RUN_ROW (row))))
      gtk_list_box_remove (self->list, GTK_WIDGET (row));
    else
      i++;
  for (guint i = 0; i < added; i++)
    {
      g_autoptr (LkRun) run = g_list_model_get_item (G_LIST_MODEL (self->runs), position + i);

      g_signal_connect_object (run, "notify::active", G_CALLBACK (active_changed_cb), self,
                               G_CONNECT_SWAPPED);
      gtk_list_box_append (self->list, lk_run_row_new (run));
    }
  active_changed_cb (self);
}

void
lk_sidebar_set_runs (LkSidebar *self, LkRunList *runs)
{
  g_return_if_fail (self->runs == NULL);

  self->runs = g_object_ref (runs);
  g_signal_connect_object (runs, "items-changed", G_CALLBACK (runs_changed_cb), self, G_CONNECT_SWAPPED);
  runs_changed_cb (self, 0, 0, g_list_model_get_n_items (G_LIST_MODEL (runs)));
}

void
lk_sidebar_mark_run (LkSidebar *self, LkRun *run)
{
  select_only (self, find_row (self, run));
}

void
lk_sidebar_mark_place (LkSidebar *self, const char *name)
{
  GtkListBoxRow *row;

  gtk_list_box_unselect_all (self->list); /* not every page has a row */
  for (int i = 0; (row = gtk_list_box_get_row_at_index (self->list, i)) != NULL; i++)
    if (!LK_IS_RUN_ROW (row) && g_str_equal (gtk_widget_get_name (GTK_WIDGET (row)), name))
      gtk_list_box_select_row (self->list, row);
}

void
lk_sidebar_mark_nothing (LkSidebar *self)
{
  gtk_list_box_unselect_all (self->list);
}

void
lk_sidebar_toggle_run (LkSidebar *self, LkRun *run)
{
  GtkListBoxRow *row = find_row (self, run);

  if (row == NULL)
    return;
  if (gtk_list_box_row_is_selected (row))
    gtk_list_box_unselect_row (self->list, row);
  else
    gtk_list_box_select_row (self->list, row);
}
