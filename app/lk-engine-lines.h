/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An engine (lorikeet-cli) at work that answers with JSON objects, a line each, for as long as it lives. What it says on standard
 * error comes through the same pipe: its last line of that kind says why it failed. Thread-safety: main thread; nothing blocks.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_TYPE_ENGINE_LINES (lk_engine_lines_get_type ())
G_DECLARE_FINAL_TYPE (LkEngineLines, lk_engine_lines, LK, ENGINE_LINES, GObject)

typedef struct
{
  void (*answer) (gpointer owner, JsonObject *answer);
  /* Once, and nothing afterwards. @error: a sentence, or NULL when the engine ended well. (transfer full) */
  void (*ended) (gpointer owner, char *error);
} LkEngineListener;

/* Starts "lorikeet-cli @arguments". @owner is kept alive until it ended or was dropped. @listener lives as long. With @asks there is
 * a standard input to write to. NULL with @error when there is no engine. */
LkEngineLines *lk_engine_lines_start (const char *const *arguments, gboolean asks, const LkEngineListener *listener, gpointer owner,
                                      GError **error);
/* (transfer none) */
GOutputStream *lk_engine_lines_get_input (LkEngineLines *self);
/* Asks it to end; it is listened to until it has. */
void lk_engine_lines_stop (LkEngineLines *self);
/* Ends it by @signal_number; nothing of it is heard any more. */
void lk_engine_lines_drop (LkEngineLines *self, int signal_number);

G_END_DECLS
