/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Linux tells about a graphics card at work: files of the DRM and hwmon drivers in sysfs
 * (Documentation/gpu/amdgpu and Documentation/hwmon/sysfs-interface of the kernel). Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  double load;        /* percent; NaN: not told, as for the others */
  double temperature; /* °C */
  double power;       /* W */
  double memory_used, memory_total; /* bytes, of the card's own memory */
} LkCardReading;

/* Of the one card whose maker is that of the Vulkan device @name. FALSE when no card fits, when several do (their files do not say
 * which of them it is), or when the card tells nothing. @sysfs is "/sys" but for tests. */
gboolean lk_card_sensors_read (const char *sysfs, const char *name, LkCardReading *reading);

G_END_DECLS
