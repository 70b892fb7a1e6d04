/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-card-monitor.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <math.h>

#include "lk-card-sensors.h"
#include "lk-words.h"

#define SECONDS 2

struct _LkCardMonitor
{
  GObject parent_instance;

  char *device;
  guint timeout;
  GCancellable *reading_now; /* NULL: no thread reads */
  LkCardReading reading;
};

enum
{
  PROP_0,
  PROP_LOAD_TEXT,
  PROP_MEMORY_TEXT,
  PROP_TEMPERATURE_TEXT,
  PROP_POWER_TEXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkCardMonitor, lk_card_monitor, G_TYPE_OBJECT)

static char *
memory_text (const LkCardReading *reading)
{
  g_autofree char *used = NULL;
  g_autofree char *total = NULL;

  if (!(reading->memory_used >= 0))
    return NULL;
  used = lk_words_bytes ((guint64) reading->memory_used);
  if (!(reading->memory_total > 0))
    return g_steal_pointer (&used);
  total = lk_words_bytes ((guint64) reading->memory_total);
  return g_strdup_printf (_ ("%s of %s"), used, total);
}

static void
lk_card_monitor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const LkCardReading *reading = &LK_CARD_MONITOR (object)->reading;

  switch (id)
    {
    case PROP_LOAD_TEXT:
      g_value_take_string (value, isnan (reading->load) ? NULL : g_strdup_printf ("%.0f %%", reading->load));
      break;
    case PROP_MEMORY_TEXT: g_value_take_string (value, memory_text (reading)); break;
    case PROP_TEMPERATURE_TEXT:
      g_value_take_string (value, isnan (reading->temperature) ? NULL : g_strdup_printf ("%.0f °C", reading->temperature));
      break;
    case PROP_POWER_TEXT:
      g_value_take_string (value, isnan (reading->power) ? NULL : g_strdup_printf ("%.0f W", reading->power));
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
take_reading (LkCardMonitor *self, LkCardReading reading)
{
  self->reading = reading;
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

static void
read_thread (GTask *task, gpointer source, gpointer device, GCancellable *cancellable)
{
  LkCardReading *reading = g_new (LkCardReading, 1);

  lk_card_sensors_read ("/sys", device, reading);
  g_task_return_pointer (task, reading, g_free);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  LkCardMonitor *self = LK_CARD_MONITOR (source);
  g_autofree LkCardReading *reading = g_task_propagate_pointer (G_TASK (result), NULL);

  /* of another device, or too late */
  if (reading == NULL || g_task_get_cancellable (G_TASK (result)) != self->reading_now)
    return;
  g_clear_object (&self->reading_now);
  take_reading (self, *reading);
}

static gboolean
tick_cb (gpointer data)
{
  LkCardMonitor *self = data;
  g_autoptr (GTask) task = NULL;

  if (self->reading_now != NULL)
    return G_SOURCE_CONTINUE;
  self->reading_now = g_cancellable_new ();
  task = g_task_new (self, self->reading_now, read_cb, NULL);
  g_task_set_task_data (task, g_strdup (self->device), g_free);
  g_task_run_in_thread (task, read_thread);
  return G_SOURCE_CONTINUE;
}

static void
lk_card_monitor_finalize (GObject *object)
{
  LkCardMonitor *self = LK_CARD_MONITOR (object);

  g_clear_handle_id (&self->timeout, g_source_remove);
  g_clear_object (&self->reading_now);
  g_clear_pointer (&self->device, g_free);
  G_OBJECT_CLASS (lk_card_monitor_parent_class)->finalize (object);
}

static void
lk_card_monitor_class_init (LkCardMonitorClass *klass)
{
  static const char *const names[N_PROPS] = { NULL, "load-text", "memory-text", "temperature-text", "power-text" };

  G_OBJECT_CLASS (klass)->finalize = lk_card_monitor_finalize;
  G_OBJECT_CLASS (klass)->get_property = lk_card_monitor_get_property;
  for (guint i = 1; i < N_PROPS; i++)
    properties[i] = g_param_spec_string (names[i], NULL, NULL, NULL,
                                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, properties);
}

static void
lk_card_monitor_init (LkCardMonitor *self)
{
  self->reading = (LkCardReading){ NAN, NAN, NAN, NAN, NAN };
}

LkCardMonitor *
lk_card_monitor_new (void)
{
  return g_object_new (LK_TYPE_CARD_MONITOR, NULL);
}

void
lk_card_monitor_set_device (LkCardMonitor *self, const char *name)
{
  if (g_strcmp0 (self->device, name) == 0)
    return;
  g_free (self->device);
  self->device = g_strdup (name);
  g_clear_handle_id (&self->timeout, g_source_remove);
  g_clear_object (&self->reading_now);
  take_reading (self, (LkCardReading){ NAN, NAN, NAN, NAN, NAN });
  if (name == NULL)
    return;
  self->timeout = g_timeout_add_seconds (SECONDS, tick_cb, self);
  tick_cb (self);
}
