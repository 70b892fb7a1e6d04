/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A model that lies on the disk, and the adapters that were trained for it. Properties (read-only): title, subtitle ("Llama · 135 million
 * parameters · GGUF Q4_1 · 96 MB" and, a line below, fit-text), error, fit-text (lk-fit.h; NULL before it is known), fits (for fine-tuning).
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_PLACE_SHIPPED,
  LK_PLACE_OWN,
  LK_PLACE_HUGGING_FACE,
  LK_PLACE_OLLAMA,
  LK_PLACE_LM_STUDIO,
  LK_N_PLACES,
} LkModelPlace;

typedef struct
{
  char *name, *path;
} LkFoundAdapter;

#define LK_TYPE_FOUND_MODEL (lk_found_model_get_type ())
G_DECLARE_FINAL_TYPE (LkFoundModel, lk_found_model, LK, FOUND_MODEL, GObject)

/* @name: what its place calls it; NULL where only the file has a name. */
LkFoundModel *lk_found_model_new (LkModelPlace place, const char *path, const char *name);
LkModelPlace lk_found_model_get_place (LkFoundModel *self);
const char *lk_found_model_get_path (LkFoundModel *self);
const char *lk_found_model_get_name (LkFoundModel *self);
/* Has the engine look into it and say whether it can be fine-tuned on this machine; @done is called on the main thread. */
void lk_found_model_look (LkFoundModel *self, GAsyncReadyCallback done, gpointer user_data);
/* Not where another device is preferred now than was asked about then. */
gboolean lk_found_model_was_looked_at (LkFoundModel *self);
/* From the engine's answers; for tests as well. */
void lk_found_model_take_inspection (LkFoundModel *self, JsonObject *answer);
void lk_found_model_take_estimate (LkFoundModel *self, JsonObject *answer);
/* Pairs of words, "Context" and "8,192 tokens" …, one after the other; NULL-terminated. (transfer full) */
GStrv lk_found_model_list_facts (LkFoundModel *self);
/* Of LkFoundAdapter. (transfer none) */
GPtrArray *lk_found_model_get_adapters (LkFoundModel *self);
void lk_found_model_add_adapter (LkFoundModel *self, const char *name, const char *path);

G_END_DECLS
