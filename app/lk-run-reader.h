/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Follows an append-only file of JSON lines (events.jsonl). What is new since the last look is delivered as
 * one batch; a last line without its end is kept until the rest comes. Large files are read a slice an idle,
 * so that the window stays quick while an old run is read in. Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_TYPE_RUN_READER (lk_run_reader_get_type ())
G_DECLARE_FINAL_TYPE (LkRunReader, lk_run_reader, LK, RUN_READER, GObject)

/* Signals:
 *   ::events (GPtrArray of JsonObject)   whole lines in order; never empty
 *   ::restarted                          the file became shorter or another one: forget what came before
 */
LkRunReader *lk_run_reader_new (const char *path);

/* Looks whether there is more; ::events may be emitted from inside, and later from an idle while a large rest
 * is read. A missing file is nothing new. */
void lk_run_reader_poll (LkRunReader *self);

/* TRUE once everything that the file held at the last look has been delivered. */
gboolean lk_run_reader_is_caught_up (LkRunReader *self);

/* Lines that were no JSON object and were passed over. */
guint lk_run_reader_get_bad_lines (LkRunReader *self);

G_END_DECLS
