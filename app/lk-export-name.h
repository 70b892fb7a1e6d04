/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an export is called. Thread-safety: any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* “mine.gguf” → “mine.Modelfile”, as the engine calls it. (transfer full) */
char *lk_export_name_modelfile (const char *path);

/* @name with @suffix in @folder, “Support mails.gguf”, and a number where that is taken: by a file or folder, or, @with_modelfile, by the
 * Modelfile that would lie beside it. What cannot be in a name is replaced. (transfer full) */
char *lk_export_name_choose (const char *folder, const char *name, const char *suffix, gboolean with_modelfile);

G_END_DECLS
