/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-family.h"
#include "lk-gguf.h"
#include "lk-inspect-data.h"
#include "lk-json.h"
#include "lk-safetensors.h"

static gboolean as_json, all_problems;
static int n_rows = 3;
static char *model_path;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Answer as one line of JSON", NULL },
  { "rows", 0, 0, G_OPTION_ARG_INT, &n_rows,
    "Of a dataset, show so many rows as a model will see them; default 3", "N" },
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "Of a dataset: the model whose template and tokenizer to use", "MODEL" },
  { "problems", 0, 0, G_OPTION_ARG_NONE, &all_problems, "Of a dataset: look at every row and name each that cannot be used, not the first 100", NULL },
  { NULL },
};

/* A file, or the files of a folder; of links what they lead to, as the caches of other programs are folders of links. */
static gint64
size_of (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  gint64 bytes = 0;
  GStatBuf st;

  if (!folder)
    return g_stat (path, &st) == 0 ? (gint64) st.st_size : 0;
  while ((name = g_dir_read_name (folder)))
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      if (g_stat (file, &st) == 0 && S_ISREG (st.st_mode))
        bytes += (gint64) st.st_size;
    }
  return bytes;
}

/* A folder, or all parts of a GGUF. */
static gint64
size_of_model (LkModel *model)
{
  g_autoptr (GPtrArray) parts = lk_model_get_gguf (model) ? lk_model_list_files (model, NULL) : NULL;
  gint64 bytes = 0;

  for (guint i = 0; parts && i < parts->len; i++)
    bytes += size_of (g_ptr_array_index (parts, i));
  return parts ? bytes : size_of (lk_model_get_path (model));
}

/* How many bytes and tensors there are of each element type: {"Q4_1": {"tensors": 210, "bytes": …}}. */
static JsonObject *
types_of (LkModel *model)
{
  JsonObject *types = json_object_new ();
  guint n;
  const LkModelTensor *tensors = lk_model_get_tensors (model, &n);

  for (guint i = 0; i < n; i++)
    {
      const char *name = lk_type_name (tensors[i].variable->type);
      JsonObject *type;

      if (!json_object_has_member (types, name))
        json_object_set_object_member (types, name, json_object_new ());
      type = json_object_get_object_member (types, name);
      json_object_set_int_member (type, "tensors",
                                  lk_json_peek_int (type, "tensors", 0) + 1);
      json_object_set_int_member (type, "bytes",
                                  lk_json_peek_int (type, "bytes", 0)
                                      + (gint64) tensors[i].variable->bytes);
    }
  return types;
}

/* “license: apache-2.0” of the block of settings at the head of a model card. (transfer full) */
static char *
license_of_card (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "README.md", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !g_str_has_prefix (text, "---"))
    return NULL;
  lines = g_strsplit (text, "\n", 200);
  for (guint i = 1; lines[i] && !g_str_has_prefix (lines[i], "---"); i++)
    if (g_str_has_prefix (lines[i], "license:"))
      return g_utf8_make_valid (g_strstrip (lines[i] + strlen ("license:")), -1);
  return NULL;
}

/* (transfer full); NULL where neither the file nor a card says it. */
static char *
license_of (LkModel *model)
{
  LkGguf *gguf = lk_model_get_gguf (model);
  const char *license = NULL;

  if (!gguf)
    return license_of_card (lk_model_get_path (model));
  return lk_gguf_get_string (gguf, "general.license", &license, NULL) && license && *license ? g_strdup (license) : NULL;
}

static JsonObject *
inspect_model (const char *path, GError **error)
{
  g_autoptr (LkModel) model = lk_model_open (path, error);
  g_autofree char *license = NULL;
  const LkModelConfig *config;
  LkTokenizer *tokenizer;
  JsonObject *out;

  if (!model)
    return NULL;
  license = license_of (model);
  config = lk_model_get_config (model);
  tokenizer = lk_model_get_tokenizer (model);
  out = json_object_new ();
  json_object_set_string_member (out, "kind", "model");
  json_object_set_string_member (out, "name", config->name);
  json_object_set_string_member (out, "family", config->family->name);
  json_object_set_string_member (out, "type", lk_model_get_kind (model));
  json_object_set_int_member (out, "parameters", config->parameters);
  json_object_set_int_member (out, "bytes", size_of_model (model));
  if (lk_model_get_gguf (model) && lk_gguf_get_n_parts (lk_model_get_gguf (model)) > 1)
    json_object_set_int_member (out, "parts", lk_gguf_get_n_parts (lk_model_get_gguf (model)));
  json_object_set_int_member (out, "layers", config->layers);
  json_object_set_int_member (out, "hidden", config->hidden);
  json_object_set_int_member (out, "intermediate", config->intermediate);
  json_object_set_int_member (out, "heads", config->heads);
  json_object_set_int_member (out, "kv_heads", config->kv_heads);
  json_object_set_int_member (out, "head_size", config->head_dim);
  json_object_set_int_member (out, "vocabulary", config->vocab);
  json_object_set_int_member (out, "context", config->context);
  json_object_set_boolean_member (out, "tied_head", config->tied);
  json_object_set_object_member (out, "types", types_of (model));
  if (license)
    json_object_set_string_member (out, "license", license);
  json_object_set_boolean_member (out, "tokenizer", tokenizer != NULL);
  if (tokenizer)
    json_object_set_int_member (out, "tokens", lk_tokenizer_get_n_tokens (tokenizer));
  json_object_set_boolean_member (out, "chat_template", lk_model_get_template (model) != NULL);
  if (lk_model_get_template_note (model))
    json_object_set_string_member (out, "template_note", lk_model_get_template_note (model));
  if (lk_model_get_template_source (model))
    json_object_set_string_member (out, "template", lk_model_get_template_source (model));
  return out;
}

/* An adapter's folder: what its configuration says. */
static JsonObject *
inspect_adapter (const char *path, GError **error)
{
  static const char *const copied[] = { "peft_type",
                                        "base_model_name_or_path",
                                        "r",
                                        "lora_alpha",
                                        "lora_dropout",
                                        "target_modules",
                                        "use_rslora",
                                        "use_dora",
                                        "bias",
                                        "rank_pattern",
                                        "alpha_pattern" };
  g_autofree char *config_path = g_build_filename (path, "adapter_config.json", NULL);
  g_autoptr (JsonObject) config = lk_json_load_object (config_path, 1 << 20, error);
  g_autoptr (LkSafetensors) file = config ? lk_safetensors_open (path, error) : NULL;
  g_autofree char *name = g_path_get_basename (path);
  JsonObject *out;
  gint64 parameters = 0;

  if (!file)
    return NULL;
  out = json_object_new ();
  json_object_set_string_member (out, "kind", "adapter");
  json_object_set_string_member (out, "name", name);
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    if (json_object_has_member (config, copied[i]))
      json_object_set_member (out, copied[i], json_node_copy (json_object_get_member (config, copied[i])));
  for (guint i = 0; i < lk_safetensors_get_n_tensors (file); i++)
    {
      const LkTensorInfo *tensor = lk_safetensors_get_tensor (file, i);
      gint64 n = 1;

      for (guint d = 0; d < tensor->n_dims; d++)
        n *= (gint64) tensor->shape[d];
      parameters += n;
    }
  json_object_set_int_member (out, "tensors", lk_safetensors_get_n_tensors (file));
  json_object_set_int_member (out, "parameters", parameters);
  json_object_set_int_member (out, "bytes", size_of (path));
  return out;
}

/* (transfer none); NULL where @key is no text of the file. */
static const char *
peek_text (LkGguf *gguf, const char *key)
{
  const char *text = NULL;

  return lk_gguf_get_string (gguf, key, &text, NULL) ? text : NULL;
}

/* An adapter as a GGUF file. */
static JsonObject *
inspect_adapter_gguf (const char *path, GError **error)
{
  static const struct
  {
    const char *key, *member;
  } copied[] = { { "adapter.type", "adapter_type" },
                 { "general.architecture", "family" },
                 { "general.base_model.0.name", "base_model" } };
  g_autoptr (LkGguf) gguf = lk_gguf_open (path, error);
  g_autofree char *name = g_path_get_basename (path);
  gint64 parameters = 0, rank = 0;
  JsonObject *out;
  double alpha = NAN;

  if (!gguf || !lk_gguf_get_double (gguf, "adapter.lora.alpha", &alpha, error))
    return NULL;
  out = json_object_new ();
  json_object_set_string_member (out, "kind", "adapter");
  json_object_set_string_member (out, "name", name);
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    if (peek_text (gguf, copied[i].key))
      json_object_set_string_member (out, copied[i].member, peek_text (gguf, copied[i].key));
  for (guint i = 0; i < lk_gguf_get_n_tensors (gguf); i++)
    {
      const LkTensorInfo *tensor = lk_gguf_get_tensor (gguf, i);
      gint64 n = 1;

      for (guint d = 0; d < tensor->n_dims; d++)
        n *= (gint64) tensor->shape[d];
      parameters += n;
      /* the half A is [rank, in] */
      if (g_str_has_suffix (tensor->name, ".lora_a") && tensor->n_dims == 2)
        rank = MAX (rank, (gint64) MIN (tensor->shape[0], tensor->shape[1]));
    }
  json_object_set_int_member (out, "r", rank);
  if (isfinite (alpha))
    json_object_set_double_member (out, "lora_alpha", alpha);
  json_object_set_int_member (out, "tensors", lk_gguf_get_n_tensors (gguf));
  json_object_set_int_member (out, "parameters", parameters);
  json_object_set_int_member (out, "bytes", size_of (path));
  return out;
}

static JsonObject *
inspect_gguf (const char *path, GError **error)
{
  g_autoptr (LkGguf) gguf = lk_gguf_open (path, error);

  if (!gguf)
    return NULL;
  return g_strcmp0 (peek_text (gguf, "general.type"), "adapter") == 0 ? inspect_adapter_gguf (path, error)
                                                                     : inspect_model (path, error);
}

/* A run's folder: its recipe and what its last events say. */
static JsonObject *
inspect_run (const char *path, GError **error)
{
  g_autofree char *recipe_path = g_build_filename (path, "recipe.json", NULL);
  g_autofree char *events_path = g_build_filename (path, "events.jsonl", NULL);
  g_autoptr (JsonObject) recipe = lk_json_load_object (recipe_path, 16 << 20, error);
  g_autofree char *events = NULL;
  g_auto (GStrv) lines = NULL;
  JsonObject *out;

  if (!recipe)
    return NULL;
  out = json_object_new ();
  json_object_set_string_member (out, "kind", "run");
  json_object_set_object_member (out, "recipe", json_object_ref (recipe));
  if (!g_file_get_contents (events_path, &events, NULL, NULL))
    return out;
  lines = g_strsplit (events, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      static const char *const last_of[] = { "state", "plan", "step", "eval", "checkpoint" };
      g_autoptr (JsonNode) node
          = lines[i][0] ? lk_json_parse (lines[i], strlen (lines[i]), events_path, NULL) : NULL;
      const char *name = NULL;

      if (!node || !JSON_NODE_HOLDS_OBJECT (node)
          || !lk_json_get_string (json_node_get_object (node), "event", events_path, &name, NULL) || !name)
        continue;
      for (guint k = 0; k < G_N_ELEMENTS (last_of); k++)
        if (g_str_equal (name, last_of[k]))
          json_object_set_member (out, name, json_node_copy (node));
    }
  return out;
}

static gboolean
holds (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* GGUF's first four bytes, whatever the file is called. */
static gboolean
is_gguf (const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, NULL);
  char magic[4];
  gsize n = 0;

  return stream && g_input_stream_read_all (G_INPUT_STREAM (stream), magic, 4, &n, NULL, NULL) && n == 4
         && memcmp (magic, "GGUF", 4) == 0;
}

typedef JsonObject *(*Inspector) (const char *path, GError **error);

/* NULL: the files of a dataset. */
static Inspector
find_inspector (int argc, char **argv)
{
  const char *path = argv[1];
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (argc > 2)
    return NULL;
  if (lk_cli_is_run (path))
    return inspect_run;
  if (holds (path, "adapter_config.json"))
    return inspect_adapter;
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return inspect_model;
  return g_str_has_suffix (lower, ".gguf") || is_gguf (path) ? inspect_gguf : NULL;
}

static JsonObject *
inspect_path (int argc, char **argv, GError **error)
{
  Inspector inspector = find_inspector (argc, argv);

  if (!lk_cli_check_idle (inspector != NULL, "rows model problems", "that is for datasets, and this is none", error))
    return NULL;
  return inspector ? inspector (argv[1], error)
                   : lk_inspect_data ((const char *const *) argv + 1, (guint) argc - 1, model_path, (guint) n_rows, all_problems, error);
}

/* "name: value", nested ones indented; long texts are cut. */
static void
print_object (JsonObject *object, guint indent)
{
  g_autoptr (GList) members = json_object_get_members (object);

  for (GList *l = members; l; l = l->next)
    {
      JsonNode *node = json_object_get_member (object, l->data);
      g_autofree char *text = NULL;

      if (JSON_NODE_HOLDS_OBJECT (node))
        {
          lk_cli_print ("%*s%s:", (int) indent, "", (const char *) l->data);
          print_object (json_node_get_object (node), indent + 2);
          continue;
        }
      text = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                 ? json_node_dup_string (node)
                 : lk_json_to_string (node, FALSE);
      lk_cli_print ("%*s%s: %s", (int) indent, "", (const char *) l->data, text);
    }
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "MODEL|ADAPTER|RUN|DATA…",
    .description
    = "Says what a model (GGUF file or folder), an adapter (folder or GGUF file), a run folder or dataset files hold.\n"
      "Of a dataset: its form, how many rows, which of them cannot be used and why, how long they are, and "
      "the\n"
      "first rows as the model will see them, what is learned between ⟦ and ⟧. With --json, “preview” holds "
      "those\n"
      "rows: text, spans [[begin, end], …] of what is learned in characters, tokens, line.",
    .entries = entries,
    .min = 1,
    .max = G_MAXUINT,
  };
  g_autoptr (JsonObject) out = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_command_inspect, &usage, &argc, &argv, &status))
    return status;
  if (!lk_cli_check_count ("--rows", n_rows, 0, &error))
    return lk_cli_fail (error);
  out = inspect_path (argc, argv, &error);
  if (!out)
    return lk_cli_fail (error);
  if (as_json)
    lk_cli_take_json (g_steal_pointer (&out));
  else if (g_str_equal (json_object_get_string_member (out, "kind"), "dataset"))
    lk_inspect_data_print (out);
  else
    print_object (out, 0);
  return LK_EXIT_OK;
}

const LkCommand lk_command_inspect = { "inspect", "Look into a model, an adapter, a run or a dataset", run };
