/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sample-columns.h"

#define SPACING 18

struct _LkSampleColumns
{
  GtkWidget parent_instance;
};

G_DEFINE_FINAL_TYPE (LkSampleColumns, lk_sample_columns, GTK_TYPE_WIDGET)

static GtkWidget *
nth_column (LkSampleColumns *self, guint position)
{
  GtkWidget *column = gtk_widget_get_first_child (GTK_WIDGET (self));

  while (column != NULL && position-- > 0)
    column = gtk_widget_get_next_sibling (column);
  return column;
}

/* The width each column needs, and how many there are. */
static int
measure_width (GtkWidget *widget, int *n)
{
  int widest = 0;

  *n = 0;
  for (GtkWidget *column = gtk_widget_get_first_child (widget); column != NULL; column = gtk_widget_get_next_sibling (column))
    {
      int width;

      gtk_widget_measure (column, GTK_ORIENTATION_HORIZONTAL, -1, &width, NULL, NULL, NULL);
      widest = MAX (widest, width);
      (*n)++;
    }
  return widest;
}

static GtkSizeRequestMode
lk_sample_columns_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_CONSTANT_SIZE;
}

static void
lk_sample_columns_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                           int *minimum_baseline, int *natural_baseline)
{
  int n, width = measure_width (widget, &n), tallest = 0;

  for (GtkWidget *column = gtk_widget_get_first_child (widget); orientation == GTK_ORIENTATION_VERTICAL && column != NULL;
       column = gtk_widget_get_next_sibling (column))
    {
      int height;

      gtk_widget_measure (column, GTK_ORIENTATION_VERTICAL, width, &height, NULL, NULL, NULL);
      tallest = MAX (tallest, height);
    }
  *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? tallest : MAX (n * width + (n - 1) * SPACING, 0);
}

static void
lk_sample_columns_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  gboolean right_to_left = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
  int n, i = 0, shared;

  measure_width (widget, &n);
  shared = width - (n - 1) * SPACING;
  for (GtkWidget *column = gtk_widget_get_first_child (widget); column != NULL; column = gtk_widget_get_next_sibling (column), i++)
    {
      /* what does not divide is spread, so that the last one ends where the place does */
      int start = shared * i / n, end = shared * (i + 1) / n;
      GtkAllocation place = { start + i * SPACING, 0, end - start, height };

      if (right_to_left)
        place.x = width - place.x - place.width;
      gtk_widget_size_allocate (column, &place, -1);
    }
}

static void
lk_sample_columns_dispose (GObject *object)
{
  GtkWidget *column;

  while ((column = gtk_widget_get_first_child (GTK_WIDGET (object))) != NULL)
    gtk_widget_unparent (column);
  G_OBJECT_CLASS (lk_sample_columns_parent_class)->dispose (object);
}

static void
lk_sample_columns_class_init (LkSampleColumnsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_sample_columns_dispose;
  widget_class->get_request_mode = lk_sample_columns_get_request_mode;
  widget_class->measure = lk_sample_columns_measure;
  widget_class->size_allocate = lk_sample_columns_size_allocate;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
lk_sample_columns_init (LkSampleColumns *self)
{
}

void
lk_sample_columns_insert (LkSampleColumns *self, guint position, GtkWidget *column)
{
  g_return_if_fail (LK_IS_SAMPLE_COLUMNS (self));

  gtk_widget_insert_before (column, GTK_WIDGET (self), nth_column (self, position));
}

void
lk_sample_columns_remove (LkSampleColumns *self, guint position)
{
  GtkWidget *column;

  g_return_if_fail (LK_IS_SAMPLE_COLUMNS (self));

  column = nth_column (self, position);
  g_return_if_fail (column != NULL);
  gtk_widget_unparent (column);
}
