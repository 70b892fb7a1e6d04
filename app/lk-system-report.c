/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-system-report.h"

#include <glib/gi18n-lib.h>

#include "lk-config.h"
#include "lk-engine.h"
#include "lk-json.h"
#include "lk-paths.h"
#include "lk-settings.h"

#include <string.h>
#include <sys/utsname.h>

/* Of a device's snapshot: what the engine's choices hang on. */
static const char *const limits[] = {
  "subgroup_size", "subgroup_size_min", "subgroup_size_max", "max_workgroup_invocations", "max_shared_memory",
  "max_push_constants", "max_storage_buffers", "max_storage_buffer_range", "min_storage_buffer_alignment",
  "max_allocation_size", "max_allocation_count", "max_buffer_size", "compute_units", "storage_8bit", "storage_16bit",
  "shader_float16", "shader_int8", "shader_int16", "timeline_semaphore", "scalar_block_layout", "buffer_device_address",
  "vulkan_memory_model", "subgroup_size_control", "integer_dot_product", "cooperative_matrix", "memory_budget",
};

static void
add_limits (GString *text, JsonObject *snapshot)
{
  gint64 version = 0;

  if (lk_json_get_int (snapshot, "api_version", "snapshot", &version, NULL) && version > 0)
    g_string_append_printf (text, "  Vulkan: %d.%d.%d\n", (int) (version >> 22 & 0x7f), (int) (version >> 12 & 0x3ff),
                            (int) (version & 0xfff));
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      JsonNode *node = json_object_get_member (snapshot, limits[i]);

      if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
        continue;
      if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
        g_string_append_printf (text, "  %s: %s\n", limits[i], json_node_get_boolean (node) ? "yes" : "no");
      else
        g_string_append_printf (text, "  %s: %" G_GINT64_FORMAT "\n", limits[i], json_node_get_int (node));
    }
}

static void
add_device (GString *text, JsonObject *device)
{
  static const char *const said[] = { "kind", "driver", "reason", "products", "matrix_units" };
  JsonObject *snapshot = NULL;
  gint64 memory = 0;

  g_string_append_printf (text, "\n%s: %s\n", lk_json_peek_string (device, "device", "?"),
                          lk_json_peek_string (device, "name", "?"));
  for (guint i = 0; i < G_N_ELEMENTS (said); i++)
    if (lk_json_peek_string (device, said[i], NULL) != NULL)
      g_string_append_printf (text, "  %s: %s\n", said[i], lk_json_peek_string (device, said[i], NULL));
  if (lk_json_get_int (device, "memory_bytes", "device", &memory, NULL) && memory > 0)
    {
      g_autofree char *size = g_format_size_full ((guint64) memory, G_FORMAT_SIZE_IEC_UNITS);

      g_string_append_printf (text, "  memory: %s\n", size);
    }
  lk_json_get_object (device, "snapshot", "device", &snapshot, NULL);
  if (snapshot != NULL)
    add_limits (text, snapshot);
}

char *
lk_system_report_describe_devices (JsonObject *answer)
{
  GString *text = g_string_new (NULL);
  JsonArray *devices = NULL;

  if (lk_json_peek_string (answer, "vulkan", NULL) != NULL)
    g_string_append_printf (text, "Vulkan: %s\n", lk_json_peek_string (answer, "vulkan", NULL));
  if (lk_json_peek_string (answer, "auto", NULL) != NULL)
    g_string_append_printf (text, "Automatic: %s. %s\n", lk_json_peek_string (answer, "auto", NULL),
                            lk_json_peek_string (answer, "reason", ""));
  lk_json_get_array (answer, "devices", "devices", &devices, NULL);
  for (guint i = 0; devices != NULL && i < json_array_get_length (devices); i++)
    if (JSON_NODE_HOLDS_OBJECT (json_array_get_element (devices, i)))
      add_device (text, json_array_get_object_element (devices, i));
  return g_string_free (text, FALSE);
}

/* What is copied into a public report should not say who somebody is. */
static char *
without_home (const char *path)
{
  const char *home = g_get_home_dir ();
  gsize length = home != NULL ? strlen (home) : 0;

  while (length > 0 && home[length - 1] == '/')
    length--;
  /* somebody else's home may begin as this one does */
  if (path == NULL || length == 0 || strncmp (path, home, length) != 0 || (path[length] != 0 && path[length] != '/'))
    return g_strdup (path != NULL ? path : "missing");
  return g_strconcat ("~", path + length, NULL);
}

static char *
describe_program (const char *toolkit)
{
  GString *text = g_string_new (NULL);
  g_autofree char *distribution = g_get_os_info (G_OS_INFO_KEY_PRETTY_NAME);
  g_autofree char *cli = lk_paths_find_cli (NULL);
  g_autofree char *runs = lk_paths_get_runs_dir ();
  g_autofree char *engine_words = without_home (cli);
  g_autofree char *runs_words = without_home (runs);
  struct utsname kernel;

  g_string_append_printf (text, "Lorikeet %s\nGLib %u.%u.%u\n%s", LK_VERSION, glib_major_version, glib_minor_version,
                          glib_micro_version, toolkit);
  g_string_append_printf (text, "Distribution: %s\n", distribution != NULL ? distribution : "unknown");
  if (uname (&kernel) == 0)
    g_string_append_printf (text, "Kernel: %s %s %s\n", kernel.sysname, kernel.release, kernel.machine);
  g_string_append_printf (text, "Flatpak: %s\n", g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS) ? "yes" : "no");
  g_string_append_printf (text, "Engine: %s\nFine-tunes: %s\nDevice: %s\n", engine_words, runs_words,
                          lk_settings_get_device (lk_settings_get_default ()));
  return g_string_free (text, FALSE);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);
  g_autofree char *program = describe_program (g_task_get_task_data (task));
  g_autofree char *devices = NULL;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    devices = lk_system_report_describe_devices (json_node_get_object (node));
  else
    devices = g_strdup_printf ("%s %s\n", _ ("The engine did not list its devices."), error != NULL ? error->message : "");
  g_task_return_pointer (task, g_strconcat (program, devices, NULL), g_free);
}

void
lk_system_report_gather_async (const char *toolkit, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  static const char *const arguments[] = { "devices", "--json", "--snapshots", NULL };
  GTask *task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, lk_system_report_gather_async);
  g_task_set_task_data (task, g_strdup (toolkit), g_free);
  lk_engine_call_async (arguments, NULL, answered_cb, task);
}

char *
lk_system_report_gather_finish (GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), NULL);
}
