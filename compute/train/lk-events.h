/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * events.jsonl: append-only, one object a line, each written with one call so that a reader never sees half a
 * line that later changes. The members are listed in DESIGN.md.
 *
 * A full disk does not end a run: events that find no room are not written, and the first one that does is
 * preceded by a warning that says how many are missing. The listener hears all of them.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _LkEvents LkEvents;
/* Called with each event's line, without the newline. */
typedef void (*LkEventFunc) (const char *line, gpointer data);

LkEvents *lk_events_open (const char *path, GError **error);
void lk_events_free (LkEvents *self);
/* TRUE when the file was empty or not there. */
gboolean lk_events_is_fresh (LkEvents *self);
void lk_events_set_listener (LkEvents *self, LkEventFunc func, gpointer data);
/* Adds "event" and "time" to @members (transfer full) and appends the line. Numbers that are not finite may
 * not be among them. */
gboolean lk_events_write (LkEvents *self, const char *event, JsonObject *members, GError **error);
gboolean lk_events_write_state (LkEvents *self, const char *state, const char *message, GError **error);
gboolean lk_events_write_warning (LkEvents *self, const char *message, GError **error);

/* The state "failed" with @message and @detail (UTF-8), written to the file that is open in this process, if any: for a signal handler,
 * after which the process ends. The listener does not hear of it. */
void lk_events_write_last (const char *message, const char *detail);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkEvents, lk_events_free)

G_END_DECLS
