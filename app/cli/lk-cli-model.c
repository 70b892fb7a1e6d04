/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-model.h"

#include <string.h>

#include "lk-command.h"
#include "lk-config.h"
#include "lk-error.h"
#include "lk-gguf.h"
#include "lk-json.h"
#include "lk-peft.h"

#define RECIPE_LIMIT (16 << 20)
#define SHIPPED_MODEL "model/lorikeet-tiny.gguf"

gboolean
lk_cli_is_run (const char *path)
{
  g_autofree char *recipe = g_build_filename (path, "recipe.json", NULL);

  return g_file_test (recipe, G_FILE_TEST_IS_REGULAR);
}

/* The step whose held-out loss was the best; −1 when none was measured. */
static gint64
find_best_step (const char *run)
{
  g_autofree char *path = g_build_filename (run, "events.jsonl", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gint64 step = -1;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return -1;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      g_autoptr (JsonNode) node
          = strstr (lines[i], "\"eval\"") ? lk_json_parse (lines[i], strlen (lines[i]), path, NULL) : NULL;
      gboolean best = FALSE;

      if (node && JSON_NODE_HOLDS_OBJECT (node)
          && lk_json_get_boolean (json_node_get_object (node), "best", path, &best, NULL) && best)
        lk_json_get_int (json_node_get_object (node), "step", path, &step, NULL);
    }
  return step;
}

static char *
find_run_adapter (const char *run)
{
  /* the best one may be that of step 0, which has not learned anything yet */
  gboolean learned = find_best_step (run) > 0;
  const char *const names[] = { learned ? "best" : "last", learned ? "last" : "best" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *folder = g_build_filename (run, "adapter", names[i], NULL);
      g_autofree char *config = g_build_filename (folder, "adapter_config.json", NULL);

      if (g_file_test (config, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&folder);
    }
  return NULL;
}

gboolean
lk_cli_run_parts (const char *run, char **model, char **adapter, GError **error)
{
  g_autofree char *path = g_build_filename (run, "recipe.json", NULL);
  g_autoptr (JsonObject) recipe = lk_json_load_object (path, RECIPE_LIMIT, error);
  const char *base = NULL;

  if (!recipe || !lk_json_get_string (recipe, "model", path, &base, error))
    return FALSE;
  if (!base)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: there is no “model”", path);
      return FALSE;
    }
  *adapter = find_run_adapter (run);
  if (!*adapter)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "The run “%s” has not written an adapter yet", run);
      return FALSE;
    }
  *model = g_strdup (base);
  return TRUE;
}

char *
lk_cli_find_shipped_model (GError **error)
{
  const char *folders[] = { g_getenv ("LK_DATA_DIR"), LK_PKGDATADIR, LK_SOURCE_DATADIR };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = folders[i] ? g_build_filename (folders[i], SHIPPED_MODEL, NULL) : NULL;

      if (path && g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  g_set_error_literal (error, LK_ERROR, LK_ERROR_NOT_FOUND,
                       "No model was named, and the shipped one is not installed");
  return NULL;
}

/* The folder of the adapter at @path, which may be a run's. */
static char *
find_adapter (const char *path, GError **error)
{
  char *folder = lk_cli_is_run (path) ? find_run_adapter (path) : g_strdup (path);

  if (!folder)
    g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "The run “%s” has not written an adapter yet", path);
  return folder;
}

/* The same of an adapter that is a GGUF file. */
static gboolean
gguf_base_type (const char *adapter, LkType *type, GError **error)
{
  g_autoptr (LkGguf) gguf = lk_gguf_open (adapter, error);
  const char *name = NULL;

  if (!gguf || !lk_gguf_get_string (gguf, "lorikeet.base_type", &name, error))
    return FALSE;
  if (lk_base_type_parse (name, type, error))
    return TRUE;
  g_prefix_error (error, "%s: ", adapter);
  return FALSE;
}

gboolean
lk_cli_adapter_base_type (const char *adapter, LkType *type, GError **error)
{
  g_autoptr (LkPeft) peft = NULL;

  if (lk_adapter_is_gguf (adapter))
    return gguf_base_type (adapter, type, error);
  peft = lk_peft_open (adapter, error);
  if (!peft || lk_base_type_parse (lk_peft_get_config (peft)->base_type, type, error))
    return peft != NULL;
  g_prefix_error (error, "%s: ", adapter);
  return FALSE;
}

/* Where the model and the adapter are; @base and @folder (NULL: none) are the caller's. */
static gboolean
find_parts (const char *model, const char *adapter, char **base, char **folder, GError **error)
{
  g_autofree char *own = NULL;

  *base = *folder = NULL;
  if (!model)
    *base = lk_cli_find_shipped_model (error);
  else if (!lk_cli_is_run (model))
    *base = g_strdup (model);
  else if (!lk_cli_run_parts (model, base, &own, error))
    return FALSE;
  if (!*base)
    return FALSE;
  if (adapter || own)
    *folder = find_adapter (adapter ? adapter : own, error);
  return *folder || !(adapter || own);
}

void
lk_cli_tell_backend (LkBackend *backend)
{
  if (backend && lk_backend_get_notice (backend))
    lk_cli_note ("%s", lk_backend_get_notice (backend));
}

char *lk_cli_precision;

LkBackend *
lk_cli_backend_new (const char *device, GError **error)
{
  LkPrecision precision;

  return lk_precision_parse (lk_cli_precision, &precision, error) ? lk_backend_new_precise (device, precision, error) : NULL;
}

static gboolean
open_parts (LkCliModel *self, const char *base, const char *folder, const char *device, LkType base_type, GError **error)
{
  self->adapter_path = g_strdup (folder);
  self->backend = lk_cli_backend_new (device ? device : "auto", error);
  self->model = self->backend ? lk_model_open_as (base, base_type, error) : NULL;
  if (!self->model)
    return FALSE;
  lk_cli_tell_backend (self->backend);
  if (folder && !(self->adapter = lk_adapter_load (self->model, "tuned", folder, FALSE, error)))
    return FALSE;
  return lk_backend_prepare (self->backend, lk_model_get_variables (self->model), error);
}

char *lk_cli_base_type;

gboolean
lk_cli_model_open (LkCliModel *self, const char *model, const char *adapter, const char *device, GError **error)
{
  g_autofree char *base = NULL;
  g_autofree char *folder = NULL;
  LkType type = LK_TYPE_INVALID;

  *self = (LkCliModel){ 0 };
  return find_parts (model, adapter, &base, &folder, error)
         && (folder && !lk_cli_base_type ? lk_cli_adapter_base_type (folder, &type, error)
                                         : lk_base_type_parse (lk_cli_base_type, &type, error))
         && open_parts (self, base, folder, device, type, error);
}

gboolean
lk_cli_model_open_as (LkCliModel *self, const char *model, const char *adapter, const char *device, LkType base_type,
                      GError **error)
{
  g_autofree char *base = NULL;
  g_autofree char *folder = NULL;

  *self = (LkCliModel){ 0 };
  return find_parts (model, adapter, &base, &folder, error) && open_parts (self, base, folder, device, base_type, error);
}

void
lk_cli_model_clear (LkCliModel *self)
{
  g_clear_pointer (&self->adapter, lk_adapter_unref);
  g_clear_pointer (&self->backend, lk_backend_unref);
  g_clear_pointer (&self->model, lk_model_unref);
  g_clear_pointer (&self->adapter_path, g_free);
}

#define NOT_GIVEN (-G_MAXDOUBLE)

static double temperature = NOT_GIVEN, top_p = NOT_GIVEN, min_p = NOT_GIVEN, penalty = NOT_GIVEN;
static int top_k = G_MININT, max_tokens = 512;
static gint64 seed = G_MININT64;
static gboolean greedy;
static char **stops;

static const GOptionEntry sampling_entries[] = {
  { "temperature", 't', 0, G_OPTION_ARG_DOUBLE, &temperature, "0 is greedy; default 0.7", "NUMBER" },
  { "top-k", 0, 0, G_OPTION_ARG_INT, &top_k, "Only the K likeliest tokens; default 40, 0 is off", "K" },
  { "top-p", 0, 0, G_OPTION_ARG_DOUBLE, &top_p, "Only the likeliest tokens that make up P; default 0.95",
    "P" },
  { "min-p", 0, 0, G_OPTION_ARG_DOUBLE, &min_p, "Only tokens P as likely as the best one; default 0.05",
    "P" },
  { "repetition-penalty", 0, 0, G_OPTION_ARG_DOUBLE, &penalty, "Above 1: less of what was said; default 1",
    "NUMBER" },
  { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "The same seed gives the same answer; default: by chance",
    "NUMBER" },
  { "greedy", 'g', 0, G_OPTION_ARG_NONE, &greedy, "Always the likeliest token", NULL },
  { "max-tokens", 'n', 0, G_OPTION_ARG_INT, &max_tokens,
    "Length of an answer; default 512, 0: until the context is full", "N" },
  { "stop", 0, 0, G_OPTION_ARG_STRING_ARRAY, &stops,
    "End the answer before this text; may be given several times", "TEXT" },
  { NULL },
};

GOptionEntry *
lk_cli_with_sampling (const GOptionEntry *entries)
{
  GOptionEntry *all;
  guint n = 0;

  while (entries[n].long_name)
    n++;
  all = g_new0 (GOptionEntry, n + G_N_ELEMENTS (sampling_entries));
  memcpy (all, entries, n * sizeof *all);
  memcpy (all + n, sampling_entries, sizeof sampling_entries);
  return all;
}

gboolean
lk_cli_sampling_fill (LkGenerateOptions *options, GError **error)
{
  const struct
  {
    double value, *target;
  } given[] = { { temperature, &options->sampler.temperature },
                { top_p, &options->sampler.top_p },
                { min_p, &options->sampler.min_p },
                { penalty, &options->sampler.repetition_penalty } };
  g_autoptr (LkSampler) sampler = NULL;

  if (!lk_cli_check_idle (greedy, "temperature top-k top-p min-p seed", "--greedy always takes the likeliest token", error))
    return FALSE;
  options->sampler = lk_sampler_defaults;
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    if (given[i].value != NOT_GIVEN)
      *given[i].target = given[i].value;
  if (greedy)
    options->sampler.temperature = 0;
  if ((top_k != G_MININT && !lk_cli_check_count ("--top-k", top_k, 0, error))
      || (seed != G_MININT64 && !lk_cli_check_count ("--seed", seed, 0, error))
      || !lk_cli_check_count ("--max-tokens", max_tokens, 0, error))
    return FALSE;
  if (top_k != G_MININT)
    options->sampler.top_k = (guint) top_k;
  options->sampler.seed = seed != G_MININT64 ? (guint64) seed : (guint64) g_get_real_time ();
  options->max_tokens = (guint) max_tokens;
  options->stops = (const char *const *) stops;
  sampler = lk_sampler_new (&options->sampler, error);
  return sampler != NULL;
}

void
lk_cli_tell_template (LkModel *model)
{
  if (lk_model_get_template_note (model))
    lk_cli_note ("%s", lk_model_get_template_note (model));
}

void
lk_cli_add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}
