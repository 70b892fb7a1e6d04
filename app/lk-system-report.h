/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a report of a fault should say of the machine, as text to copy: versions, distribution, whether it runs in a Flatpak, the
 * engine and where things lie, and each device with its driver and limits, as the engine tells them. No name of a person: their
 * home stands as "~". Thread-safety: main thread; nothing blocks.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The part about devices. @answer: of "devices --json --snapshots". (transfer full) */
char *lk_system_report_describe_devices (JsonObject *answer);

/* @toolkit: lines about libraries that app/ does not know, each with its end. */
void lk_system_report_gather_async (const char *toolkit, GAsyncReadyCallback callback,
                                    gpointer user_data);
/* Never NULL: where the engine does not answer, the report says why. (transfer full) */
char *lk_system_report_gather_finish (GAsyncResult *result);

G_END_DECLS
