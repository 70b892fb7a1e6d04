/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bench-rows FILE: imports FILE (500,000 rows, say) in the Datasets place, walks through its rows, and prints how long that took, how much
 * memory it took, and for how long the main loop ever did nothing else. A display is needed: xvfb-run. LORIKEET_DATA_HOME should be a
 * folder of its own.
 */
#include <adwaita.h>
#include <string.h>
#include <sys/resource.h>

#include "datasets/lk-datasets-page.h"
#include "lk-resources.h"

#define BEAT_MS 4
#define STEPS 400 /* of scrolling through all rows */

typedef struct
{
  GMainLoop *loop;
  LkDatasetsPage *page;
  gint64 began, beat;     /* microseconds */
  gint64 worst, over[2];  /* longest pause; how many above 50 and 100 ms */
  guint step, frames;
  GtkAdjustment *adjustment;
} Bench;

/* The source of the highest priority: when it is late, the loop was busy with one thing. */
static gboolean
beat_cb (gpointer data)
{
  Bench *bench = data;
  gint64 now = g_get_monotonic_time (), pause = now - bench->beat - BEAT_MS * 1000;

  bench->beat = now;
  bench->worst = MAX (bench->worst, pause);
  bench->over[0] += pause > 50000;
  bench->over[1] += pause > 100000;
  return G_SOURCE_CONTINUE;
}

static void
report (Bench *bench, const char *what)
{
  struct rusage own, children;

  getrusage (RUSAGE_SELF, &own);
  getrusage (RUSAGE_CHILDREN, &children);
  g_print ("%s: %.1f s, longest pause of the main loop %.1f ms (%" G_GINT64_FORMAT " above 50 ms, %" G_GINT64_FORMAT
           " above 100 ms), window %.0f MB, largest engine process so far %.0f MB\n",
           what, (double) (g_get_monotonic_time () - bench->began) / 1e6, (double) bench->worst / 1000.0, bench->over[0], bench->over[1],
           (double) own.ru_maxrss / 1024.0, (double) children.ru_maxrss / 1024.0);
  bench->worst = bench->over[0] = bench->over[1] = 0;
  bench->began = bench->beat = g_get_monotonic_time ();
}

static GtkWidget *
find_child (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_child (child, type);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static gboolean
scroll_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  Bench *bench = data;
  double end = gtk_adjustment_get_upper (bench->adjustment) - gtk_adjustment_get_page_size (bench->adjustment);

  if (bench->step++ < STEPS)
    {
      gtk_adjustment_set_value (bench->adjustment, end * bench->step / STEPS);
      return G_SOURCE_CONTINUE;
    }
  g_print ("%u frames from the first to the last row\n", STEPS);
  report (bench, "scrolling");
  g_main_loop_quit (bench->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
begin_scrolling_cb (gpointer data)
{
  Bench *bench = data;
  GtkWidget *list = find_child (GTK_WIDGET (bench->page), GTK_TYPE_LIST_VIEW);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (gtk_list_view_get_model (GTK_LIST_VIEW (list))));

  if (n == 0)
    return G_SOURCE_CONTINUE;
  g_print ("%u rows are listed\n", n);
  report (bench, "opening");
  bench->adjustment = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (list));
  gtk_widget_add_tick_callback (list, scroll_cb, bench, NULL);
  return G_SOURCE_REMOVE;
}

static void
imported_cb (Bench *bench)
{
  GtkWidget *views = find_child (GTK_WIDGET (bench->page), ADW_TYPE_VIEW_STACK);

  report (bench, "import");
  adw_view_stack_set_visible_child_name (ADW_VIEW_STACK (views), "rows");
  g_timeout_add (50, begin_scrolling_cb, bench);
}

static void
failed_cb (Bench *bench)
{
  const char *error = lk_dataset_store_get_error (lk_dataset_store_get_default ());

  if (error != NULL)
    g_error ("%s", error);
}

int
main (int argc, char **argv)
{
  Bench bench = { 0 };
  GtkWidget *window;
  const char *files[] = { argc > 1 ? argv[1] : NULL, NULL };

  if (argc != 2 || !gtk_init_check ())
    return 77;
  adw_init ();
  g_resources_register (lk_resources_get_resource ());
  bench.loop = g_main_loop_new (NULL, FALSE);
  window = gtk_window_new ();
  bench.page = g_object_new (LK_TYPE_DATASETS_PAGE, NULL);
  gtk_window_set_default_size (GTK_WINDOW (window), 1000, 760);
  gtk_window_set_child (GTK_WINDOW (window), GTK_WIDGET (bench.page));
  gtk_window_present (GTK_WINDOW (window));
  g_signal_connect_swapped (lk_dataset_store_get_default (), "imported", G_CALLBACK (imported_cb), &bench);
  g_signal_connect_swapped (lk_dataset_store_get_default (), "notify::error", G_CALLBACK (failed_cb), &bench);
  g_timeout_add_full (G_PRIORITY_HIGH, BEAT_MS, beat_cb, &bench, NULL);
  bench.began = bench.beat = g_get_monotonic_time ();
  lk_datasets_page_take_files (bench.page, files);
  g_main_loop_run (bench.loop);
  gtk_window_destroy (GTK_WINDOW (window));
  return 0;
}
