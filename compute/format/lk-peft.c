/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-peft.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"

#define LK_PEFT_BASE_TYPE "lorikeet.base_type"
#define LK_PEFT_CONFIG_LIMIT (4 << 20)
#define LK_PEFT_PREFIX "base_model.model."

struct _LkPeft
{
  char *folder, *config_path;
  LkPeftConfig config;
  JsonObject *json, *ranks, *alphas; /* rank_pattern, alpha_pattern: borrowed from json */
  LkSafetensors *tensors;
  GArray *modules;
};

static void
lk_peft_module_clear (gpointer data)
{
  g_free (((LkPeftModule *) data)->path);
}

void
lk_peft_free (LkPeft *self)
{
  if (!self)
    return;
  g_array_unref (self->modules);
  g_clear_pointer (&self->tensors, lk_safetensors_unref);
  g_clear_pointer (&self->json, json_object_unref);
  g_strfreev (self->config.targets);
  g_free (self->config.base_model);
  g_free (self->config_path);
  g_free (self->folder);
  g_free (self);
}

static gboolean
lk_peft_refuse (LkPeft *self, const char *member, const char *value, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is %s, which is not supported", self->config_path, member, value);
  return FALSE;
}

/* Switches that change what the numbers mean. */
static gboolean
lk_peft_check_switches (LkPeft *self, GError **error)
{
  static const char *const booleans[] = { "use_dora", "fan_in_fan_out", "lora_bias", "use_qalora" };
  static const char *const objects[] = { "modules_to_save", "layer_replication", "trainable_token_indices", "target_parameters",
                                         "alora_invocation_tokens", "arrow_config" };
  const char *type = NULL, *bias = "none";

  if (!lk_json_get_string (self->json, "peft_type", self->config_path, &type, error)
      || !lk_json_get_string (self->json, "bias", self->config_path, &bias, error))
    return FALSE;
  if (g_strcmp0 (type, "LORA") != 0)
    return lk_peft_refuse (self, "peft_type", type ? type : "missing", error);
  if (!g_str_equal (bias, "none"))
    return lk_peft_refuse (self, "bias", bias, error);
  for (guint i = 0; i < G_N_ELEMENTS (booleans); i++)
    {
      gboolean on = FALSE;

      if (!lk_json_get_boolean (self->json, booleans[i], self->config_path, &on, error))
        return FALSE;
      if (on)
        return lk_peft_refuse (self, booleans[i], "true", error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++)
    if (json_object_has_member (self->json, objects[i]) && !json_object_get_null_member (self->json, objects[i])
        && !(JSON_NODE_HOLDS_ARRAY (json_object_get_member (self->json, objects[i]))
             && json_array_get_length (json_object_get_array_member (self->json, objects[i])) == 0))
      return lk_peft_refuse (self, objects[i], "set", error);
  return TRUE;
}

static gboolean
lk_peft_read_config (LkPeft *self, GError **error)
{
  gint64 r = 8;
  JsonNode *targets;
  const char *base = NULL;

  self->config.alpha = 8;
  if (!lk_peft_check_switches (self, error) || !lk_json_get_int (self->json, "r", self->config_path, &r, error)
      || !lk_json_get_double (self->json, "lora_alpha", self->config_path, &self->config.alpha, error)
      || !lk_json_get_double (self->json, "lora_dropout", self->config_path, &self->config.dropout, error)
      || !lk_json_get_boolean (self->json, "use_rslora", self->config_path, &self->config.rslora, error)
      || !lk_json_get_string (self->json, "base_model_name_or_path", self->config_path, &base, error)
      || !lk_json_get_object (self->json, "rank_pattern", self->config_path, &self->ranks, error)
      || !lk_json_get_object (self->json, "alpha_pattern", self->config_path, &self->alphas, error))
    return FALSE;
  if (r < 1 || r > 4096 || !isfinite (self->config.alpha) || !(self->config.dropout >= 0 && self->config.dropout < 1))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “r”, “lora_alpha” or “lora_dropout” makes no sense", self->config_path);
      return FALSE;
    }
  self->config.r = (guint) r;
  self->config.base_model = g_strdup (base);
  targets = json_object_has_member (self->json, "target_modules") ? json_object_get_member (self->json, "target_modules") : NULL;
  if (targets && JSON_NODE_HOLDS_ARRAY (targets))
    {
      JsonArray *array = json_node_get_array (targets);
      g_autoptr (GPtrArray) names = g_ptr_array_new ();

      for (guint i = 0; i < json_array_get_length (array); i++)
        if (json_node_get_value_type (json_array_get_element (array, i)) == G_TYPE_STRING)
          g_ptr_array_add (names, g_strdup (json_array_get_string_element (array, i)));
      g_ptr_array_add (names, NULL);
      self->config.targets = (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
    }
  return TRUE;
}

/* A rank or alpha of its own: keys are names or patterns that end the module's path (PEFT: "(.*\.)?(key)$"). Plain names and
 * paths are matched; a regular expression is refused. */
static gboolean
lk_peft_pattern (LkPeft *self, JsonObject *patterns, const char *path, const char *what, double *value, GError **error)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  if (!patterns)
    return TRUE;
  json_object_iter_init_ordered (&iter, patterns);
  while (json_object_iter_next_ordered (&iter, &key, &node))
    {
      g_autofree char *suffix = g_strconcat (".", key, NULL);

      if (strpbrk (key, "*+?[](){}|^$\\"))
        return lk_peft_refuse (self, what, "a regular expression", error);
      if (g_str_equal (path, key) || g_str_has_suffix (path, suffix))
        return lk_json_get_double (patterns, key, self->config_path, value, error);
    }
  return TRUE;
}

static gboolean
lk_peft_add_module (LkPeft *self, const LkTensorInfo *a, GError **error)
{
  LkPeftModule module = { .a = a };
  double r = (double) a->shape[0], rank = self->config.r, alpha = self->config.alpha;
  g_autofree char *path = g_strndup (a->name + strlen (LK_PEFT_PREFIX), strlen (a->name) - strlen (LK_PEFT_PREFIX) - strlen (".lora_A.weight"));
  g_autofree char *b_name = g_strdup_printf (LK_PEFT_PREFIX "%s.lora_B.weight", path);

  module.b = lk_safetensors_lookup (self->tensors, b_name);
  if (!module.b || a->n_dims != 2 || module.b->n_dims != 2 || a->shape[0] != module.b->shape[1])
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is missing or does not fit “%s”", self->folder, b_name, a->name);
      return FALSE;
    }
  if (!lk_peft_pattern (self, self->ranks, path, "rank_pattern", &rank, error)
      || !lk_peft_pattern (self, self->alphas, path, "alpha_pattern", &alpha, error))
    return FALSE;
  if (rank != r)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” has rank %g but the configuration says %g", self->folder, a->name, r, rank);
      return FALSE;
    }
  if (rank > LK_LORA_MAX_RANK)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” has rank %g, more than %d", self->folder, a->name, rank, LK_LORA_MAX_RANK);
      return FALSE;
    }
  module.r = (guint) rank;
  module.scale = alpha / (self->config.rslora ? sqrt (rank) : rank);
  module.path = g_steal_pointer (&path);
  g_array_append_val (self->modules, module);
  return TRUE;
}

static gboolean
lk_peft_read_modules (LkPeft *self, GError **error)
{
  guint halves = 0;

  for (guint i = 0; i < lk_safetensors_get_n_tensors (self->tensors); i++)
    {
      const LkTensorInfo *info = lk_safetensors_get_tensor (self->tensors, i);
      gboolean a = g_str_has_suffix (info->name, ".lora_A.weight");

      if (!g_str_has_prefix (info->name, LK_PEFT_PREFIX) || !(a || g_str_has_suffix (info->name, ".lora_B.weight")))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: the tensor “%s” is no part of a plain LoRA adapter", self->folder, info->name);
          return FALSE;
        }
      if (info->type != LK_TYPE_F32 && info->type != LK_TYPE_F16 && info->type != LK_TYPE_BF16)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: “%s” is stored as %s; F32, F16 and BF16 can be read", self->folder, info->name,
                       lk_type_name (info->type));
          return FALSE;
        }
      halves += !a;
      if (a && !lk_peft_add_module (self, info, error))
        return FALSE;
    }
  if (self->modules->len == 0 || halves != self->modules->len)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: a lora_B tensor has no lora_A, or there is none at all", self->folder);
      return FALSE;
    }
  return TRUE;
}

/* Older versions of PEFT wrote a pickle, which is a program. */
static gboolean
lk_peft_refuse_pickle (const char *folder, const char *tensors, GError **error)
{
  g_autofree char *pickle = g_build_filename (folder, "adapter_model.bin", NULL);

  if (g_file_test (tensors, G_FILE_TEST_EXISTS) || !g_file_test (pickle, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               "“%s” is a pickle, which could hold any program, and is never read: load the adapter in PEFT and save it with safe_serialization", pickle);
  return FALSE;
}

LkPeft *
lk_peft_open (const char *folder, GError **error)
{
  g_autoptr (LkPeft) self = g_new0 (LkPeft, 1);
  g_autofree char *tensors = g_build_filename (folder, "adapter_model.safetensors", NULL);

  self->folder = g_strdup (folder);
  self->config_path = g_build_filename (folder, "adapter_config.json", NULL);
  self->modules = g_array_new (FALSE, TRUE, sizeof (LkPeftModule));
  g_array_set_clear_func (self->modules, lk_peft_module_clear);
  self->json = lk_json_load_object (self->config_path, LK_PEFT_CONFIG_LIMIT, error);
  if (!self->json || !lk_peft_read_config (self, error))
    return NULL;
  self->tensors = lk_peft_refuse_pickle (folder, tensors, error) ? lk_safetensors_open (tensors, error) : NULL;
  if (!self->tensors || !lk_peft_read_modules (self, error))
    return NULL;
  self->config.base_type = lk_safetensors_get_metadata (self->tensors, LK_PEFT_BASE_TYPE);
  return g_steal_pointer (&self);
}

const LkPeftConfig *
lk_peft_get_config (LkPeft *self)
{
  return &self->config;
}

guint
lk_peft_get_n_modules (LkPeft *self)
{
  return self->modules->len;
}

const LkPeftModule *
lk_peft_get_module (LkPeft *self, guint i)
{
  return &g_array_index (self->modules, LkPeftModule, i);
}

/* adapter_config.json with the keys every PEFT release reads. (transfer full) */
static char *
lk_peft_config_text (const LkPeftConfig *config)
{
  static const char *const nulls[] = { "auto_mapping", "exclude_modules", "layers_pattern", "layers_to_transform", "modules_to_save", "revision" };
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *top = json_object_new ();
  JsonArray *targets = json_array_new ();

  json_node_take_object (node, top);
  json_object_set_string_member (top, "peft_type", "LORA");
  json_object_set_string_member (top, "task_type", "CAUSAL_LM");
  json_object_set_string_member (top, "base_model_name_or_path", config->base_model ? config->base_model : "");
  json_object_set_int_member (top, "r", config->r);
  json_object_set_double_member (top, "lora_alpha", config->alpha);
  json_object_set_double_member (top, "lora_dropout", config->dropout);
  json_object_set_string_member (top, "bias", "none");
  json_object_set_boolean_member (top, "fan_in_fan_out", FALSE);
  json_object_set_boolean_member (top, "inference_mode", TRUE);
  json_object_set_boolean_member (top, "init_lora_weights", TRUE);
  json_object_set_boolean_member (top, "use_rslora", config->rslora);
  json_object_set_boolean_member (top, "use_dora", FALSE);
  json_object_set_object_member (top, "rank_pattern", json_object_new ());
  json_object_set_object_member (top, "alpha_pattern", json_object_new ());
  for (guint i = 0; i < G_N_ELEMENTS (nulls); i++)
    json_object_set_null_member (top, nulls[i]);
  for (guint i = 0; config->targets && config->targets[i]; i++)
    json_array_add_string_element (targets, config->targets[i]);
  json_object_set_array_member (top, "target_modules", targets);
  return lk_json_to_string (node, TRUE);
}

static gboolean
lk_peft_write_tensors (const char *path, const LkPeftConfig *config, const LkPeftMatrices *modules, guint n, GError **error)
{
  g_autoptr (LkSafetensorsWriter) writer = lk_safetensors_writer_new (path, error);

  if (!writer)
    return FALSE;
  if (config->base_type)
    lk_safetensors_writer_set_metadata (writer, LK_PEFT_BASE_TYPE, config->base_type);
  for (guint i = 0; i < 2 * n; i++)
    {
      const LkPeftMatrices *m = &modules[i / 2];
      g_autofree char *name = g_strdup_printf (LK_PEFT_PREFIX "%s.lora_%c.weight", m->path, i % 2 ? 'B' : 'A');
      guint64 a[] = { m->r, m->in }, b[] = { m->out, m->r };

      lk_safetensors_writer_add_tensor (writer, name, LK_TYPE_F32, i % 2 ? b : a, 2);
    }
  if (!lk_safetensors_writer_begin_data (writer, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!lk_safetensors_writer_write (writer, modules[i].a, modules[i].r * modules[i].in * sizeof (float), error)
        || !lk_safetensors_writer_write (writer, modules[i].b, modules[i].r * modules[i].out * sizeof (float), error))
      return FALSE;
  return lk_safetensors_writer_finish (writer, error);
}

gboolean
lk_peft_write (const char *folder, const LkPeftConfig *config, const LkPeftMatrices *modules, guint n, GError **error)
{
  g_autoptr (LkStage) stage = lk_stage_new (folder, error);
  g_autofree char *tensors = stage ? g_build_filename (lk_stage_get_path (stage), "adapter_model.safetensors", NULL) : NULL;
  g_autofree char *json = stage ? g_build_filename (lk_stage_get_path (stage), "adapter_config.json", NULL) : NULL;
  g_autofree char *text = lk_peft_config_text (config);

  return stage && lk_peft_write_tensors (tensors, config, modules, n, error) && lk_file_write (json, text, -1, error)
         && lk_stage_finish (stage, TRUE, error);
}
