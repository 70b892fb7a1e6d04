/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How large the exports of a run would be, asked of the engine before anything is written. Signal ::changed when that is known.
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_TYPE_EXPORT_SIZES (lk_export_sizes_get_type ())
G_DECLARE_FINAL_TYPE (LkExportSizes, lk_export_sizes, LK, EXPORT_SIZES, GObject)

LkExportSizes *lk_export_sizes_new (void);
/* Forgets what was known and asks about the run in @folder; NULL: about none. */
void lk_export_sizes_ask (LkExportSizes *self, const char *folder);
/* Bytes, about; −1 while that is not known. @type: NULL for forms that have no choice. */
gint64 lk_export_sizes_get (LkExportSizes *self, const char *format, const char *type);
/* From the engine's answer; for tests as well. */
void lk_export_sizes_take_answer (LkExportSizes *self, JsonObject *answer);

/* The command that uses what was exported to @path as @format in another program, as one would type it; @base is the model it was
 * trained on, @modelfile one for Ollama that lies beside it (NULL: none), @rank that of an adapter (0: not known). NULL where it takes more
 * than a command. (transfer full) */
char *lk_export_make_command (const char *format, const char *path, const char *base, const char *modelfile, guint rank);

G_END_DECLS
