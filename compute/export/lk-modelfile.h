/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Ollama wants to know of a GGUF file: a Modelfile with FROM, TEMPLATE, SYSTEM and PARAMETER stop. A chat template is a program;
 * Ollama's is another. What the one writes around each message is found by rendering conversations of marks, put into the other, and
 * compared on conversations that were not looked at for it. Thread-safety: any thread.
 */
#pragma once

#include "lk-model.h"

G_BEGIN_DECLS

/* For the GGUF file called @file, which will lie beside it. Where the model's template says more than words around messages, there is
 * no TEMPLATE, and *@note is a sentence that says why (transfer full); else NULL. (transfer full) */
char *lk_modelfile_make (LkModel *model, const char *file, char **note);
/* The name of the Modelfile beside the GGUF file @path: “mine.gguf” → “mine.Modelfile”. (transfer full) */
char *lk_modelfile_path (const char *path);

G_END_DECLS
