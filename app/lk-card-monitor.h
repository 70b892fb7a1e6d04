/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads a graphics card's sensors every two seconds, in a thread: a card that sleeps takes its time.
 * Properties, NULL for what is not told: load-text, memory-text, temperature-text, power-text.
 * Thread-safety: main thread.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define LK_TYPE_CARD_MONITOR (lk_card_monitor_get_type ())
G_DECLARE_FINAL_TYPE (LkCardMonitor, lk_card_monitor, LK, CARD_MONITOR, GObject)

LkCardMonitor *lk_card_monitor_new (void);
/* The Vulkan device to look at; NULL: none, and nothing is read. */
void lk_card_monitor_set_device (LkCardMonitor *self, const char *name);

G_END_DECLS
