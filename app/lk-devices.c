/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-devices.h"

#include <glib/gi18n-lib.h>

#include "lk-engine.h"
#include "lk-error.h"
#include "lk-json.h"

struct _LkDevice
{
  GObject parent_instance;

  char *id;
  char *name;
  char *note;
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_NOTE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkDevice, lk_device, G_TYPE_OBJECT)

static void
lk_device_finalize (GObject *object)
{
  LkDevice *self = LK_DEVICE (object);

  g_free (self->id);
  g_free (self->name);
  g_free (self->note);
  G_OBJECT_CLASS (lk_device_parent_class)->finalize (object);
}

static void
lk_device_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDevice *self = LK_DEVICE (object);

  g_value_set_string (value, id == PROP_NAME ? self->name : self->note);
}

static void
lk_device_class_init (LkDeviceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = lk_device_finalize;
  object_class->get_property = lk_device_get_property;
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_NOTE] = g_param_spec_string ("note", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_device_init (LkDevice *self)
{
}

/* Returns whether it is @chosen. */
static gboolean
add (GListStore *list, const char *id, const char *name, const char *note, const char *chosen)
{
  g_autoptr (LkDevice) self = g_object_new (LK_TYPE_DEVICE, NULL);

  self->id = g_strdup (id);
  self->name = g_strdup (name);
  self->note = g_strdup (note);
  g_list_store_append (list, self);
  return g_str_equal (id, chosen);
}

/* What “auto” takes, in words. */
static const char *
automatic_note (JsonObject *answer, JsonArray *devices)
{
  const char *taken = lk_json_peek_string (answer, "auto", "");

  for (guint i = 0; i < json_array_get_length (devices); i++)
    {
      JsonNode *node = json_array_get_element (devices, i);
      JsonObject *device = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

      if (device != NULL && g_str_equal (lk_json_peek_string (device, "device", "?"), taken))
        return lk_json_peek_string (device, "name", NULL);
    }
  return NULL;
}

GListModel *
lk_devices_read (JsonObject *answer, const char *chosen)
{
  GListStore *list = g_list_store_new (LK_TYPE_DEVICE);
  JsonArray *devices = NULL;
  g_autofree char *note = NULL;
  const char *taken;
  gboolean found;

  lk_json_get_array (answer, "devices", "devices", &devices, NULL);
  taken = devices != NULL ? automatic_note (answer, devices) : NULL;
  note = taken != NULL ? g_strdup_printf (_ ("The best there is: now %s."), taken) : g_strdup (_ ("The best there is."));
  found = add (list, "auto", _ ("Automatic"), note, chosen);
  for (guint i = 0; devices != NULL && i < json_array_get_length (devices); i++)
    {
      JsonNode *node = json_array_get_element (devices, i);
      JsonObject *device = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *id = device != NULL ? lk_json_peek_string (device, "device", NULL) : NULL;
      gboolean usable = device != NULL && lk_json_peek_boolean (device, "usable", FALSE);

      if (id == NULL || !usable)
        continue;
      if (add (list, id, g_str_equal (id, "cpu") ? _ ("Processor") : lk_json_peek_string (device, "name", id),
               lk_json_peek_string (device, "reason", lk_json_peek_string (device, "driver", lk_json_peek_string (device, "name", NULL))),
               chosen))
        found = TRUE;
    }
  if (!found)
    {
      g_autofree char *gone = g_strdup_printf (_ ("“%s” is not here now. Choose another one."), chosen);

      add (list, chosen, chosen, gone, chosen);
    }
  return G_LIST_MODEL (list);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (node == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else if (!JSON_NODE_HOLDS_OBJECT (node))
    g_task_return_new_error (task, LK_ERROR, LK_ERROR_BAD_DATA, _ ("The engine did not list its devices."));
  else
    g_task_return_pointer (task, lk_devices_read (json_node_get_object (node), g_task_get_task_data (task)), g_object_unref);
}

void
lk_devices_list_async (const char *chosen, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  static const char *const arguments[] = { "devices", "--json", NULL };
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, lk_devices_list_async);
  g_task_set_task_data (task, g_strdup (chosen), g_free);
  lk_engine_call_async (arguments, cancellable, answered_cb, task);
}

GListModel *
lk_devices_list_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

const char *
lk_device_get_id (LkDevice *self)
{
  return self->id;
}

const char *
lk_device_get_name (LkDevice *self)
{
  return self->name;
}

const char *
lk_device_get_note (LkDevice *self)
{
  return self->note;
}
