/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-backend.h"
#include "lk-command.h"
#include "lk-cpu-kernels.h"
#include "lk-device-plan.h"
#include "lk-gpu-kernel.h"
#include "lk-gpu-instance.h"

static gboolean as_json, with_snapshots;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Answer as one line of JSON", NULL },
  { "snapshots", 0, 0, G_OPTION_ARG_NONE, &with_snapshots,
    "With --json, all a device says of itself, for bug reports", NULL },
  { NULL },
};

static LkDeviceSnapshot *
take_snapshots (guint *n, GError **error)
{
  g_autoptr (LkGpuInstance) instance = lk_gpu_instance_new (error);
  g_autoptr (GArray) devices = instance ? lk_gpu_instance_list (instance, error) : NULL;
  LkDeviceSnapshot *snapshots;

  *n = 0;
  if (!devices)
    return NULL;
  snapshots = g_new0 (LkDeviceSnapshot, devices->len + 1);
  for (guint i = 0; i < devices->len; i++)
    lk_gpu_instance_record (instance, g_array_index (devices, VkPhysicalDevice, i), &snapshots[i]);
  *n = devices->len;
  return snapshots;
}

static JsonObject *
cpu_to_json (LkBackend *cpu)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "device", "cpu");
  json_object_set_string_member (object, "name", lk_backend_get_description (cpu));
  json_object_set_string_member (object, "kind", "processor");
  json_object_set_int_member (object, "memory_bytes", (gint64) lk_backend_get_memory (cpu));
  json_object_set_boolean_member (object, "usable", TRUE);
  return object;
}

static JsonObject *
gpu_to_json (const LkDeviceSnapshot *snapshot, guint index, const char *refusal)
{
  LkDevicePlan plan;
  gboolean usable = lk_device_plan_make (snapshot, &plan, NULL);
  JsonObject *object = json_object_new ();
  g_autofree char *device = g_strdup_printf ("vulkan:%u", index);
  g_autofree char *driver = g_strdup_printf ("%s %s", snapshot->driver_name, snapshot->driver_info);

  json_object_set_string_member (object, "device", device);
  json_object_set_string_member (object, "name", snapshot->name);
  json_object_set_string_member (object, "driver", g_strstrip (driver));
  json_object_set_string_member (object, "kind", lk_device_kind_name (snapshot->kind));
  json_object_set_int_member (object, "memory_bytes", (gint64) lk_device_snapshot_get_memory (snapshot));
  json_object_set_boolean_member (object, "usable", usable);
  if (refusal[0])
    json_object_set_string_member (object, "reason", refusal);
  if (usable)
    {
      if (!lk_kernel_is_built (LK_KERNEL_MATMUL_MATRIX))
        lk_device_plan_forget_matrix (&plan, LK_DEVICE_MATRIX_NOT_BUILT);
      json_object_set_string_member (object, "products", lk_matmul_path_describe (plan.matmul));
      json_object_set_string_member (object, "matrix_units", plan.matrix_reason);
    }
  if (with_snapshots)
    json_object_set_member (object, "snapshot", lk_device_snapshot_to_json (snapshot));
  return object;
}

static void
print_row (JsonObject *object, gboolean chosen)
{
  g_autofree char *memory = g_format_size_full ((guint64) json_object_get_int_member (object, "memory_bytes"),
                                                G_FORMAT_SIZE_IEC_UNITS);

  lk_cli_print ("%c %-10s %s · %s · %s", chosen ? '*' : ' ', json_object_get_string_member (object, "device"),
                json_object_get_string_member (object, "name"),
                json_object_get_string_member (object, "kind"), memory);
  if (json_object_has_member (object, "reason"))
    lk_cli_print ("  %-10s %s", "", json_object_get_string_member (object, "reason"));
  if (json_object_has_member (object, "matrix_units"))
    lk_cli_print ("  %-10s Multiplies %s. %s", "", json_object_get_string_member (object, "products"),
                  json_object_get_string_member (object, "matrix_units"));
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "",
    .description
    = "The one marked * is what “--device auto” takes: the best graphics card, else the processor. With --json: “devices” (each:\n"
      "“device” as other commands take it, “name”, “kind”, “memory_bytes”, “usable”, and where it is not taken, “reason”),\n"
      "“auto” and the “reason” for it, and “vulkan”, why there is no Vulkan.",
    .entries = entries,
  };
  const LkDeviceChoice automatic = { LK_DEVICE_WANT_AUTO, -1 };
  g_autoptr (LkDeviceSelection) selection = NULL;
  g_autoptr (JsonObject) out = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (LkBackend) cpu = NULL;
  g_autofree LkDeviceSnapshot *snapshots = NULL;
  JsonArray *devices = json_array_new ();
  guint n = 0;
  int status;

  json_object_set_array_member (out, "devices", devices);
  if (!lk_cli_parse (&lk_command_devices, &usage, &argc, &argv, &status))
    return status;
  if (!lk_cli_check_idle (!as_json, "snapshots", "it goes with --json", &error))
    return lk_cli_fail (error);
  cpu = lk_backend_new_cpu (0);
  snapshots = take_snapshots (&n, &error);
  selection = lk_device_select (snapshots, n, &automatic, NULL);
  json_array_add_object_element (devices, cpu_to_json (cpu));
  for (guint i = 0; i < n; i++)
    json_array_add_object_element (devices,
                                   gpu_to_json (&snapshots[i], i, selection ? selection->refusals[i] : ""));
  if (selection)
    {
      g_autofree char *name
          = selection->index < 0 ? g_strdup ("cpu") : g_strdup_printf ("vulkan:%d", selection->index);

      json_object_set_string_member (out, "auto", name);
      json_object_set_string_member (out, "reason", selection->reason);
    }
  if (error)
    json_object_set_string_member (out, "vulkan", error->message);
  if (as_json)
    {
      lk_cli_take_json (g_steal_pointer (&out));
      return LK_EXIT_OK;
    }
  for (guint i = 0; i <= n; i++)
    print_row (json_array_get_object_element (devices, i), selection && (gint) i == selection->index + 1);
  if (error)
    lk_cli_print ("Vulkan: %s", error->message);
  if (selection)
    lk_cli_print ("%s", selection->reason);
  return LK_EXIT_OK;
}

const LkCommand lk_command_devices = { "devices", "List what can compute here", run };
