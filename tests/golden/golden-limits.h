/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How far the engine may be from the golden numbers: the columns of their README.
 */
#pragma once

#include "lk-device-plan.h"

#define LK_N_QUANTITIES 9
extern const char *const lk_quantity_names[LK_N_QUANTITIES];

/* ‖ours − golden‖ / ‖golden‖ that is allowed; 0 where the quantity is no part of the layout. @real: a real model's, not a @family's.
 * @plan: of the graphics card; NULL: the processor. */
double lk_quantity_tolerance (guint quantity, const char *family, gboolean real, const LkDevicePlan *plan);
