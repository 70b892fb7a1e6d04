/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-card-sensors.h"

#include <math.h>
#include <string.h>

static const struct
{
  const char *word; /* in the names that Vulkan drivers give */
  const char *vendor;
} makers[] = {
  { "amd", "0x1002" },  { "radeon", "0x1002" }, { "nvidia", "0x10de" },
  { "geforce", "0x10de" }, { "intel", "0x8086" },
};

static char *
read_text (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  return g_strstrip (text);
}

static double
read_number (const char *folder, const char *name, double scale)
{
  g_autofree char *text = read_text (folder, name);
  char *end = NULL;
  double number;

  if (text == NULL || text[0] == 0)
    return NAN;
  number = g_ascii_strtod (text, &end);
  return *end == 0 ? number * scale : NAN;
}

static const char *
vendor_of (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < G_N_ELEMENTS (makers); i++)
    if (strstr (lower, makers[i].word) != NULL)
      return makers[i].vendor;
  return NULL;
}

/* "card0", not "card0-HDMI-A-1". */
static gboolean
is_card (const char *name)
{
  if (!g_str_has_prefix (name, "card") || name[4] == 0)
    return FALSE;
  for (const char *c = name + 4; *c != 0; c++)
    if (!g_ascii_isdigit (*c))
      return FALSE;
  return TRUE;
}

/* The device folder of the only card of that maker. */
static char *
find_card (const char *sysfs, const char *vendor)
{
  g_autofree char *drm = g_build_filename (sysfs, "class", "drm", NULL);
  g_autoptr (GDir) dir = g_dir_open (drm, 0, NULL);
  g_autofree char *found = NULL;
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *device = g_build_filename (drm, name, "device", NULL);
      g_autofree char *maker = is_card (name) ? read_text (device, "vendor") : NULL;

      if (g_strcmp0 (maker, vendor) != 0)
        continue;
      if (found != NULL)
        return NULL;
      found = g_steal_pointer (&device);
    }
  return g_steal_pointer (&found);
}

/* The first hwmon folder; a card has one. */
static char *
find_hwmon (const char *device)
{
  g_autofree char *folder = g_build_filename (device, "hwmon", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = dir != NULL ? g_dir_read_name (dir) : NULL;

  return name != NULL ? g_build_filename (folder, name, NULL) : NULL;
}

gboolean
lk_card_sensors_read (const char *sysfs, const char *name, LkCardReading *reading)
{
  const char *vendor = vendor_of (name);
  g_autofree char *device = vendor != NULL ? find_card (sysfs, vendor) : NULL;
  g_autofree char *hwmon = device != NULL ? find_hwmon (device) : NULL;

  *reading = (LkCardReading){ NAN, NAN, NAN, NAN, NAN };
  if (device == NULL)
    return FALSE;
  reading->load = read_number (device, "gpu_busy_percent", 1);
  reading->memory_used = read_number (device, "mem_info_vram_used", 1);
  reading->memory_total = read_number (device, "mem_info_vram_total", 1);
  if (hwmon != NULL)
    {
      reading->temperature = read_number (hwmon, "temp1_input", 1e-3);
      reading->power = read_number (hwmon, "power1_average", 1e-6);
      if (isnan (reading->power))
        reading->power = read_number (hwmon, "power1_input", 1e-6);
    }
  return !isnan (reading->load) || !isnan (reading->memory_used) || !isnan (reading->temperature)
         || !isnan (reading->power);
}
