/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What can compute here, as "lorikeet-cli devices --json" lists it. LkDevice has the properties name (for people) and note (a
 * sentence about it; may be NULL). Thread-safety: main thread; nothing blocks.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_TYPE_DEVICE (lk_device_get_type ())
G_DECLARE_FINAL_TYPE (LkDevice, lk_device, LK, DEVICE, GObject)

/* "auto", "cpu", "vulkan:N", as commands take it. */
const char *lk_device_get_id (LkDevice *self);
const char *lk_device_get_name (LkDevice *self);
const char *lk_device_get_note (LkDevice *self);

/* The choices: the best by itself first, then what can be used, then @chosen if it is nowhere else (a card that was taken out).
 * @answer: the engine's. (transfer full) (element-type LkDevice) */
GListModel *lk_devices_read (JsonObject *answer, const char *chosen);

void lk_devices_list_async (const char *chosen, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
GListModel *lk_devices_list_finish (GAsyncResult *result, GError **error);

G_END_DECLS
