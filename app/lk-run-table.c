/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-table.h"

#include <math.h>

#include "lk-words.h"

enum
{
  PROP_0,
  PROP_STEP,
  PROP_LOSS,
  PROP_HELD_OUT,
  PROP_LEARNING_RATE,
  PROP_GRADIENT_NORM,
  PROP_SPEED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

struct _LkRunTableRow
{
  GObject parent_instance;
  double values[N_PROPS]; /* NaN: not measured */
};

G_DEFINE_FINAL_TYPE (LkRunTableRow, lk_run_table_row, G_TYPE_OBJECT)

static void
lk_run_table_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  double number = LK_RUN_TABLE_ROW (object)->values[id];

  switch (id)
    {
    case PROP_STEP: g_value_take_string (value, lk_words_count ((gint64) number)); break;
    case PROP_LOSS: g_value_take_string (value, lk_words_loss (number)); break;
    /* measured now and then: a column of dashes would hide the values */
    case PROP_HELD_OUT: g_value_take_string (value, isnan (number) ? g_strdup ("") : lk_words_loss (number)); break;
    case PROP_SPEED:
      g_value_take_string (value, isnan (number) ? g_strdup ("–") : lk_words_count ((gint64) round (number)));
      break;
    default: g_value_take_string (value, lk_words_small_number (number));
    }
}

static void
lk_run_table_row_class_init (LkRunTableRowClass *klass)
{
  static const char *const names[N_PROPS]
      = { NULL, "step", "loss", "held-out", "learning-rate", "gradient-norm", "speed" };

  G_OBJECT_CLASS (klass)->get_property = lk_run_table_row_get_property;
  for (guint i = 1; i < N_PROPS; i++)
    properties[i] = g_param_spec_string (names[i], NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, properties);
}

static void
lk_run_table_row_init (LkRunTableRow *self)
{
}

struct _LkRunTable
{
  GObject parent_instance;

  LkRun *run;
  guint n;    /* rows that were announced */
  guint kept; /* of them, from the oldest, those that are still as they were */
};

static void lk_run_table_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LkRunTable, lk_run_table, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, lk_run_table_list_model_init))

/* The value at exactly that step; NaN where there is none. */
static double
value_at (LkSeries *series, double step)
{
  guint i = lk_series_find (series, step);

  return i < lk_series_get_n_points (series) && lk_series_get_x (series, i) == step ? lk_series_get_y (series, i) : NAN;
}

static void
fill (LkRun *run, guint i, double values[N_PROPS])
{
  LkRunCurves curves = lk_run_get_curves (run);
  double step = lk_series_get_x (curves.training, i);

  values[PROP_STEP] = step;
  values[PROP_LOSS] = lk_series_get_y (curves.training, i);
  values[PROP_HELD_OUT] = value_at (curves.held_out, step);
  values[PROP_LEARNING_RATE] = value_at (curves.learning_rate, step);
  values[PROP_GRADIENT_NORM] = value_at (curves.gradient_norm, step);
  values[PROP_SPEED] = value_at (curves.speed, step);
}

static GType
get_item_type (GListModel *model)
{
  return LK_TYPE_RUN_TABLE_ROW;
}

static guint
get_n_items (GListModel *model)
{
  return LK_RUN_TABLE (model)->n;
}

static gpointer
get_item (GListModel *model, guint position)
{
  LkRunTable *self = LK_RUN_TABLE (model);
  LkRunTableRow *row;

  if (position >= self->n || self->n > lk_series_get_n_points (lk_run_get_training (self->run)))
    return NULL;
  row = g_object_new (LK_TYPE_RUN_TABLE_ROW, NULL);
  fill (self->run, self->n - 1 - position, row->values);
  return row;
}

static void
lk_run_table_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

/* While a batch is read the curve grows, and is cut where steps are done again: what it never fell below is as it was. */
static void
steps_changed_cb (LkRunTable *self)
{
  self->kept = MIN (self->kept, lk_series_get_n_points (lk_run_get_training (self->run)));
}

/* What is measured after a step belongs to its row, which may stand there by now. */
static void
measured_cb (LkRunTable *self)
{
  LkRunCurves curves = lk_run_get_curves (self->run);
  guint n = lk_series_get_n_points (curves.held_out);

  if (n > 0)
    self->kept = MIN (self->kept, lk_series_find (curves.training, lk_series_get_x (curves.held_out, n - 1)));
}

/* A batch of events was read: new rows stand on top. Steps that are done again change rows that were shown. */
static void
run_changed_cb (LkRunTable *self)
{
  guint before = self->n, kept = self->kept;

  self->n = self->kept = lk_series_get_n_points (lk_run_get_training (self->run));
  if (before > kept || self->n > kept)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, before - kept, self->n - kept);
}

static void
lk_run_table_dispose (GObject *object)
{
  g_clear_object (&LK_RUN_TABLE (object)->run);
  G_OBJECT_CLASS (lk_run_table_parent_class)->dispose (object);
}

static void
lk_run_table_class_init (LkRunTableClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = lk_run_table_dispose;
}

static void
lk_run_table_init (LkRunTable *self)
{
}

LkRunTable *
lk_run_table_new (LkRun *run)
{
  LkRunTable *self = g_object_new (LK_TYPE_RUN_TABLE, NULL);
  LkRunCurves curves = lk_run_get_curves (run);

  self->run = g_object_ref (run);
  self->n = self->kept = lk_series_get_n_points (curves.training);
  g_signal_connect_object (curves.training, "changed", G_CALLBACK (steps_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (curves.held_out, "changed", G_CALLBACK (measured_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (run, "notify::step", G_CALLBACK (run_changed_cb), self, G_CONNECT_SWAPPED);
  return self;
}
