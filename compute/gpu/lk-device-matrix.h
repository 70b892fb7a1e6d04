/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is known of devices' matrix units and tiles: which fragments to take, and where not to believe the driver. Pure
 * functions of a snapshot, one row of a table a rule.
 */
#pragma once

#include "lk-device-plan.h"

G_BEGIN_DECLS

/* The fragment for 16-bit inputs and float32 sums, m = 0 where there is none to be used; @reason is static. */
void lk_device_matrix_plan (const LkDeviceSnapshot *snapshot, LkMatrixUnit *out, const char **reason);

/* Elements of a product that one work group may make: larger tiles are known to be slower there. */
guint lk_device_largest_tile (const LkDeviceSnapshot *snapshot, gboolean matrix);

G_END_DECLS
