/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "lk-cli-model.h"
#include "lk-cli-settings.h"
#include "lk-command.h"
#include "lk-estimate-methods.h"
#include "lk-model-shape.h"
#include "lk-trainer.h"

static char *model_path, *shape_name;
static double memory_gib;
static char **data_paths;
static gboolean as_json, by_method;
static LkRecipe *recipe;

static const GOptionEntry own_entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path, "A GGUF file or a model folder; default: the shipped model", "MODEL" },
  { "shape", 0, 0, G_OPTION_ARG_STRING, &shape_name, "Instead of a model, the sizes of a well-known one: llama-3.1-8b, gemma-2-9b …", "NAME" },
  { "memory", 0, 0, G_OPTION_ARG_DOUBLE, &memory_gib, "Ask for a device with so much memory, in GiB, instead of what is free", "GIB" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &data_paths, "A dataset file, for the number of steps and the length of rows", "FILE" },
  { "methods", 0, 0, G_OPTION_ARG_NONE, &by_method, "Say of chat, QLoRA and LoRA what each needs; --base-type does not matter then", NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "One line of JSON", NULL },
};

typedef struct
{
  const char *name;
  guint64 bytes;
} MemoryClass;

#define N_CLASSES 4

/* What the run will hold, by class, from the plan the trainer makes. */
static void
fill_classes (const LkTrainPlan *plan, MemoryClass classes[N_CLASSES])
{
  classes[0] = (MemoryClass){ "Model", plan->memory.weights - plan->beside };
  classes[1] = (MemoryClass){ "Adapter and optimizer", plan->memory.parameters * 3 + plan->memory.state };
  classes[2] = (MemoryClass){ "Activations", plan->memory.activations };
  classes[3] = (MemoryClass){ "Inputs", plan->memory.inputs };
}

static void
ignore_problem (const char *file, guint64 line, const char *reason, gpointer data)
{
}

/* The examples of the dataset; *data is NULL when none was given. */
static gboolean
load_data (LkModel *model, LkTrainData **data, GError **error)
{
  g_autoptr (LkDataset) dataset = NULL;

  *data = NULL;
  if (!data_paths)
    return TRUE;
  dataset = lk_dataset_load ((const char *const *) data_paths, g_strv_length (data_paths), error);
  *data = dataset ? lk_train_data_new (model, dataset, recipe, ignore_problem, NULL, error) : NULL;
  return *data != NULL;
}

/* What there is to do; 0: not known without a dataset. */
typedef struct
{
  gint64 steps;
  gint64 tokens; /* that all steps together learn from */
  const char *device;
} Work;

static void
find_work (LkTrainData *data, LkBackend *backend, Work *work)
{
  *work = (Work){ .steps = lk_recipe_get_int (recipe, LK_SETTING_STEPS), .device = lk_backend_get_description (backend) };
  if (!data)
    return;
  work->steps = lk_trainer_count_steps (recipe, data);
  work->tokens = (gint64) ((double) lk_train_data_get_tokens (data) * (double) work->steps / (double) lk_train_data_get_steps_per_epoch (data));
}

static void
report (const MemoryClass classes[N_CLASSES], guint64 available, gboolean fits, const LkTrainPlan *plan, const char *way, const Work *work,
        const char *sentence)
{
  JsonObject *object;
  JsonArray *list;
  guint64 total = 0;

  for (guint i = 0; i < N_CLASSES; i++)
    total += classes[i].bytes;
  if (!as_json)
    {
      for (guint i = 0; i < N_CLASSES; i++)
        {
          g_autofree char *size = g_format_size_full (classes[i].bytes, G_FORMAT_SIZE_IEC_UNITS);
          lk_cli_print ("%-24s %12s", classes[i].name, size);
        }
      lk_cli_print ("%s\n%s", way, sentence);
      return;
    }
  object = json_object_new ();
  list = json_array_new ();
  for (guint i = 0; i < N_CLASSES; i++)
    {
      JsonObject *one = json_object_new ();
      json_object_set_string_member (one, "name", classes[i].name);
      json_object_set_int_member (one, "bytes", (gint64) classes[i].bytes);
      json_array_add_object_element (list, one);
    }
  json_object_set_array_member (object, "classes", list);
  json_object_set_int_member (object, "total_bytes", (gint64) total);
  json_object_set_int_member (object, "in_place_bytes", (gint64) plan->memory.in_place);
  json_object_set_int_member (object, "available_bytes", (gint64) MIN (available, (guint64) G_MAXINT64));
  json_object_set_boolean_member (object, "fits", fits);
  json_object_set_int_member (object, "recompute_layers", plan->recompute_layers);
  json_object_set_int_member (object, "rows_at_once", plan->rows);
  json_object_set_string_member (object, "way", way);
  if (work->steps > 0)
    json_object_set_int_member (object, "steps", work->steps);
  if (work->tokens > 0)
    json_object_set_int_member (object, "train_tokens", work->tokens);
  json_object_set_string_member (object, "device", work->device);
  json_object_set_string_member (object, "message", sentence);
  lk_cli_take_json (object);
}

/* A shape's weights are 16-bit unless they are quantised. (transfer full) */
static LkModel *
open_model (LkType base_type, GError **error)
{
  g_autofree char *shipped = model_path || shape_name ? NULL : lk_cli_find_shipped_model (error);
  const char *path = model_path ? model_path : shipped;
  const LkModelShape *shape = shape_name ? lk_model_shape_find (shape_name, error) : NULL;

  if (shape)
    return lk_model_new_of_shape (shape, base_type == LK_TYPE_INVALID ? LK_TYPE_BF16 : base_type, LK_TYPE_BF16, error);
  return path && !shape_name ? lk_model_open_as (path, base_type, error) : NULL;
}

static LkBackend *
open_backend (GError **error)
{
  return lk_backend_new_precise (lk_recipe_get_text (recipe, LK_SETTING_DEVICE), lk_recipe_get_precision (recipe), error);
}

/* What a run may take of the memory that is free, or would be. */
static guint64
find_limit (LkBackend *backend)
{
  return lk_train_memory_limit (backend, lk_cli_was_given ("memory") ? (guint64) (memory_gib * (1 << 30)) : lk_backend_get_memory (backend));
}

static gboolean
estimate (GError **error)
{
  g_autoptr (LkBackend) backend = open_backend (error);
  g_autoptr (LkModel) model = backend ? open_model (lk_recipe_get_base_type (recipe), error) : NULL;
  g_autoptr (LkAdapter) adapter = NULL;
  g_autoptr (LkTrainData) data = NULL;
  g_autoptr (GError) plan_error = NULL;
  g_auto (GStrv) targets = NULL;
  g_autofree char *sentence = NULL, *way = NULL;
  LkAdapterConfig config;
  LkTrainStepOptions options;
  LkTrainPlan plan = { 0 };
  MemoryClass classes[N_CLASSES];
  guint64 available, total = 0;
  Work work;
  gboolean fits;

  if (!model || !load_data (model, &data, error))
    return FALSE;
  lk_trainer_adapter_config (recipe, &config, &targets);
  lk_cli_tell_backend (backend);
  adapter = lk_adapter_new (model, "estimate", &config, error);
  if (!adapter)
    return FALSE;
  find_work (data, backend, &work);
  lk_trainer_step_options (recipe, model, adapter, backend, data, &options);
  available = options.memory_limit = find_limit (backend);
  fits = lk_train_plan_make (&options, &plan, &plan_error);
  if (!fits && !g_error_matches (plan_error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY))
    {
      g_propagate_error (error, g_steal_pointer (&plan_error));
      return FALSE;
    }
  fill_classes (&plan, classes);
  for (guint i = 0; i < N_CLASSES; i++)
    total += classes[i].bytes;
  if (fits)
    {
      g_autofree char *need = g_format_size_full (total, G_FORMAT_SIZE_IEC_UNITS);
      guint64 allocated = lk_train_plan_allocated (&plan);
      g_autofree char *file = g_format_size_full (plan.memory.in_place, G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *in_place = plan.memory.in_place ? g_strdup_printf (", %s of it in the model's file", file) : g_strdup ("");
      g_autofree char *spare = g_format_size_full (available > allocated ? available - allocated : 0, G_FORMAT_SIZE_IEC_UNITS);
      sentence = g_strdup_printf ("Fits: %s on %s%s, %s to spare", need, lk_backend_get_description (backend), in_place, spare);
    }
  else
    sentence = g_strdup (plan_error->message);
  way = lk_train_plan_describe (&plan, options.length, (guint) lk_model_get_config (model)->layers);
  report (classes, available, fits, &plan, way, &work, sentence);
  return TRUE;
}

static void
report_methods (const GArray *methods, guint64 available, LkBackend *backend)
{
  JsonObject *object = as_json ? json_object_new () : NULL;
  JsonArray *list = as_json ? json_array_new () : NULL;

  for (guint i = 0; i < methods->len; i++)
    {
      const LkEstimateMethod *method = &g_array_index (methods, LkEstimateMethod, i);
      g_autofree char *size = g_format_size_full (method->total_bytes, G_FORMAT_SIZE_IEC_UNITS);
      JsonObject *one;

      if (!as_json)
        {
          lk_cli_print ("%-24s %12s  %s", method->name, size, method->fits ? "fits" : "does not fit");
          continue;
        }
      one = json_object_new ();
      json_object_set_string_member (one, "method", method->name);
      json_object_set_int_member (one, "total_bytes", (gint64) method->total_bytes);
      json_object_set_int_member (one, "in_place_bytes", (gint64) method->in_place_bytes);
      json_object_set_boolean_member (one, "fits", method->fits);
      json_array_add_object_element (list, one);
    }
  if (!as_json)
    return;
  json_object_set_array_member (object, "methods", list);
  json_object_set_int_member (object, "available_bytes", (gint64) MIN (available, (guint64) G_MAXINT64));
  json_object_set_string_member (object, "device", lk_backend_get_description (backend));
  lk_cli_take_json (object);
}

static gboolean
estimate_methods (GError **error)
{
  g_autoptr (LkBackend) backend = open_backend (error);
  guint64 available = backend ? find_limit (backend) : 0;
  g_autoptr (GArray) methods = backend ? lk_estimate_methods (open_model, recipe, backend, available, error) : NULL;

  if (!methods)
    return FALSE;
  report_methods (methods, available, backend);
  return TRUE;
}

static LkRecipe *
make_recipe (void)
{
  return recipe = lk_recipe_new ();
}

static int
run (int argc, char **argv)
{
  g_autofree GOptionEntry *entries = lk_cli_with_settings (own_entries, G_N_ELEMENTS (own_entries), make_recipe ());
  const LkCliUsage usage = {
    .description = "Says what a run would need of memory, by the same plan the trainer makes before its first step. Takes the settings\n"
                   "of “lorikeet-cli train”. With --json: “classes” (each “name” and “bytes”), “total_bytes”,\n"
                   "“in_place_bytes” (of these, what is read where the file is mapped), “available_bytes” (what a run may take of\n"
                   "the memory that is free), “fits”,\n"
                   "“recompute_layers”, “rows_at_once” and both in words as “way”, “device”, “steps” where they are known and with\n"
                   "a dataset the tokens that all of them learn from as “train_tokens”, and the sentence as “message”.\n"
                   "With --methods: “methods”, each “method” (“chat” with a context of 2048 tokens, “qlora”, “lora”), “total_bytes”,\n"
                   "“in_place_bytes” and “fits”; a quantised file has no “lora”, and training all weights is not offered.",
    .entries = entries,
  };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_command_estimate, &usage, &argc, &argv, &status))
    return status;
  if (shape_name && (model_path || data_paths))
    return lk_cli_fail_usage ("A shape has no weights and no tokenizer: --shape goes without --model and --data");
  if (lk_cli_was_given ("memory") && !(memory_gib > 0 && memory_gib <= 1 << 20))
    return lk_cli_fail_usage ("--memory takes GiB, more than 0");
  if (by_method && data_paths)
    return lk_cli_fail_usage ("--methods is of a model alone and goes without --data");
  return (by_method ? estimate_methods (&error) : estimate (&error)) ? LK_EXIT_OK : lk_cli_fail (error);
}

const LkCommand lk_command_estimate = { "estimate", "Say what a run would need of memory", run };
