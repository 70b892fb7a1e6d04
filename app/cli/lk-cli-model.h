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

/* Option of commands that open a model: what its linear weights are held as. */
extern char *lk_cli_base_type;
#define LK_CLI_BASE_TYPE \
  { "base-type", 0, 0, G_OPTION_ARG_STRING, &lk_cli_base_type, \
    "Hold linear weights stored as floats as nf4, q8_0 or q4_0; default: as the adapter was trained, else stored", "TYPE" }

/* Option of commands that open a backend: what a graphics card multiplies. NULL: auto. */
extern char *lk_cli_precision;
#define LK_CLI_PRECISION \
  { "precision", 0, 0, G_OPTION_ARG_STRING, &lk_cli_precision, \
    "What a graphics card multiplies: auto (float16 where it has matrix units, else float32), float32, float16, or one kernel and no\n" \
    "                                   other: float16-threads, float16-matrix or float16-matrix8; default auto", "NAME" }

/* The backend for @device with the products that --precision says. */
LkBackend *lk_cli_backend_new (const char *device, GError **error);

/* What @adapter, an adapter's folder, says of the weights it was trained on. */
gboolean lk_cli_adapter_base_type (const char *adapter, LkType *type, GError **error);

/* @model NULL: the model shipped with the program. @adapter NULL: the run's own when @model is one. @device
 * NULL: "auto". Weights are held as --base-type says, else as those that the adapter was trained on, and prepared on the
 * backend. */
gboolean lk_cli_model_open (LkCliModel *self, const char *model, const char *adapter, const char *device,
                            GError **error);
/* The same with the weights held as @base_type. */
gboolean lk_cli_model_open_as (LkCliModel *self, const char *model, const char *adapter, const char *device, LkType base_type,
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

/* Says on standard error why the processor computes where “auto” was asked for; nothing for NULL. */
void lk_cli_tell_backend (LkBackend *backend);
/* Says on standard error when @model answers and learns in another format than one of its own. */
void lk_cli_tell_template (LkModel *model);

/* {"role": role, "content": content} appended. */
void lk_cli_add_message (JsonArray *messages, const char *role, const char *content);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkCliModel, lk_cli_model_clear)

G_END_DECLS
