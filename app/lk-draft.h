/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fine-tune before it starts: a name, a model, a dataset and every setting that the engine describes. It
 * becomes the recipe.json of a run, which does not change any more. Properties: name, model, data (strings,
 * read-write), settings (GListModel of LkOption), loaded, ready (booleans), changed-text ("3 settings differ
 * from the defaults", NULL when none does), adapter-text (NULL without an adapter). Signal ::changed after any change that could change the estimate.
 * Thread-safety: main thread.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "lk-option.h"

G_BEGIN_DECLS

#define LK_TYPE_DRAFT (lk_draft_get_type ())
G_DECLARE_FINAL_TYPE (LkDraft, lk_draft, LK, DRAFT, GObject)

LkDraft *lk_draft_new (void);

/* Asks the engine for its settings. */
void lk_draft_load_async (LkDraft *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean lk_draft_load_finish (LkDraft *self, GAsyncResult *result, GError **error);
/* The same from the engine's answer, an object. */
gboolean lk_draft_load_from_json (LkDraft *self, JsonNode *node, GError **error);

GListModel *lk_draft_get_settings (LkDraft *self);
/* NULL when the engine knows no such setting. (transfer none) */
LkOption *lk_draft_find (LkDraft *self, const char *name);
const char *lk_draft_get_name (LkDraft *self);
const char *lk_draft_get_model (LkDraft *self);
const char *lk_draft_get_data (LkDraft *self);
void lk_draft_set_name (LkDraft *self, const char *name);
void lk_draft_set_model (LkDraft *self, const char *path);
void lk_draft_set_data (LkDraft *self, const char *path);
/* What is at the data's path is another thing now: notifies "data" and says ::changed, although the path is the same. */
void lk_draft_renew_data (LkDraft *self);
gboolean lk_draft_is_ready (LkDraft *self);
/* All settings at their defaults. */
void lk_draft_reset (LkDraft *self);

/* Takes values from a file like {"epochs": 20, "learning_rate": 0.002}; a setting the engine does not know,
 * or a value it does not take, is an error that names it. */
gboolean lk_draft_apply_preset (LkDraft *self, const char *path, GError **error);

/* The same from values at hand; @where names them in an error. */
gboolean lk_draft_apply_settings (LkDraft *self, JsonObject *settings, const char *where, GError **error);
/* The adapter that the run begins with, a PEFT folder, and a sentence that says so; NULL: it begins with the model alone. */
void lk_draft_set_adapter (LkDraft *self, const char *path, const char *words);
const char *lk_draft_get_adapter (LkDraft *self);

/* "--model M --data D --learning-rate 0.0001 …", only what differs from the defaults. (transfer full) */
GStrv lk_draft_to_arguments (LkDraft *self);
/* The same with "--adapter A", which only train knows: what it begins with changes nothing about memory and time. (transfer full) */
GStrv lk_draft_to_train_arguments (LkDraft *self);

/* A new folder in @runs_dir with recipe.json in it, ready for a worker. (transfer full) */
char *lk_draft_create_run (LkDraft *self, const char *runs_dir, GError **error);

G_END_DECLS
