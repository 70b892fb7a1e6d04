/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding and opening what commands work on: a model, perhaps an adapter, a device. Where a model is asked
 * for, a run folder stands for its base and its adapter (the best one by held-out loss once something was
 * learned, else the last).
 */
#pragma once

#include "lk-adapter.h"
#include "lk-backend.h"
#include "lk-generator.h"

G_BEGIN_DECLS

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *adapter; /* NULL: the base alone */
  char *adapter_path;
} LkCliModel;

/* @model NULL: the model shipped with the program. @adapter NULL: the run's own when @model is one. @device
 * NULL: "auto". Weights are prepared on the backend. */
gboolean lk_cli_model_open (LkCliModel *self, const char *model, const char *adapter, const char *device,
                            GError **error);
void lk_cli_model_clear (LkCliModel *self);

/* TRUE for a folder with a recipe.json. */
gboolean lk_cli_is_run (const char *path);
/* The base of a run and its adapter's folder. The adapter is an error when there is none yet. (transfer full)
 */
gboolean lk_cli_run_parts (const char *run, char **model, char **adapter, GError **error);
/* The shipped model. (transfer full) */
char *lk_cli_find_shipped_model (GError **error);

/* @entries and behind them the options of sampling, which chat, generate and others share. (transfer
 * container) */
GOptionEntry *lk_cli_with_sampling (const GOptionEntry *entries);
/* What they said. @options gets sampler, max_tokens and stops (kept for the process). A value out of range is an
 * error. */
gboolean lk_cli_sampling_fill (LkGenerateOptions *options, GError **error);

/* {"role": role, "content": content} appended. */
void lk_cli_add_message (JsonArray *messages, const char *role, const char *content);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkCliModel, lk_cli_model_clear)

G_END_DECLS
