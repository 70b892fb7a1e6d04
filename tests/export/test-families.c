/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a model's files may say and what not: the shipped model, written as a folder and as a GGUF with one thing more in it. A member, a
 * key or a tensor that changes what a model computes is either computed or refused by name.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-export.h"
#include "lk-file.h"
#include "lk-gguf.h"
#include "lk-json.h"
#include "lk-safetensors.h"
#include "lk-written-model.h"

typedef LkWrittenModel Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  lk_written_model_init (f, "F32");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lk_written_model_clear (f);
}

/* @wanted: what the error must name, or NULL where the model opens. */
static void
check (const char *path, const char *what, const char *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkModel) model = lk_model_open (path, &error);

  if (!wanted && error)
    g_error ("%s: %s", what, error->message);
  if (wanted && (model || !strstr (error->message, wanted)))
    g_error ("%s: “%s” is not named: %s", what, wanted, error ? error->message : "it opens");
  g_assert_true (!wanted || g_error_matches (error, LK_ERROR, LK_ERROR_UNSUPPORTED) || g_error_matches (error, LK_ERROR, LK_ERROR_BAD_FILE));
}

/* config.json with the members of @more, which replace its own. */
static void
write_config (Fixture *f, JsonObject *original, const char *more)
{
  g_autofree char *path = g_build_filename (f->hf, "config.json", NULL);
  g_autoptr (JsonNode) whole = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) extra = json_from_string (more, NULL);
  g_autoptr (JsonObject) config = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (original);
  g_autoptr (GList) others = json_object_get_members (json_node_get_object (extra));
  g_autofree char *text = NULL;

  for (GList *l = names; l; l = l->next)
    json_object_set_member (config, l->data, json_object_dup_member (original, l->data));
  for (GList *l = others; l; l = l->next)
    json_object_set_member (config, l->data, json_object_dup_member (json_node_get_object (extra), l->data));
  json_node_set_object (whole, config);
  text = lk_json_to_string (whole, TRUE);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_members (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *more, *wanted;
  } cases[] = {
    { "{}", NULL },
    { "{\"model_type\": \"mixtral\"}", "“mixtral”" },
    { "{\"model_type\": \"mixtral\"}", "llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3_text, phi3" },
    { "{\"num_experts\": 8}", "num_experts" },
    { "{\"num_local_experts\": 8}", "num_local_experts" },
    { "{\"num_local_experts\": 0, \"num_experts\": null}", NULL },
    { "{\"n_routed_experts\": 64}", "n_routed_experts" },
    { "{\"attention_bias\": true}", "attention_bias" },
    { "{\"mlp_bias\": true}", "mlp_bias" },
    { "{\"mlp_bias\": false, \"attention_bias\": false}", NULL },
    { "{\"logit_scale\": 0.0625}", "logit_scale" },
    { "{\"logit_scale\": 1.0}", NULL },
    { "{\"attention_multiplier\": 0.0078125}", "attention_multiplier" },
    { "{\"residual_multiplier\": 0.22}", "residual_multiplier" },
    { "{\"embedding_multiplier\": 12}", "embedding_multiplier" },
    { "{\"no_rope_layers\": [1, 1, 0, 1]}", "no_rope_layers" },
    { "{\"no_rope_layers\": [1, 1, 1, 1]}", NULL },
    { "{\"use_qk_norm\": true}", "use_qk_norm" },
    { "{\"use_bidirectional_attention\": true}", "use_bidirectional_attention" },
    { "{\"use_bidirectional_attention\": \"all\"}", "use_bidirectional_attention" },
    { "{\"clip_qkv\": 8.0}", "clip_qkv" },
    { "{\"hidden_act\": \"relu\"}", "hidden_act" },
    { "{\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}}", "dynamic" },
    { "{\"rope_scaling\": {\"rope_type\": \"mrope\"}}", "mrope" },
    { "{\"partial_rotary_factor\": 2.0}", "partial_rotary_factor" },
    { "{\"partial_rotary_factor\": 0.5}", NULL },
    { "{\"quantization_config\": {\"quant_method\": \"gptq\"}}", "gptq" },
    { "{\"model_type\": \"mistral\", \"sliding_window\": 64}", NULL },
    { "{\"model_type\": \"mistral\", \"sliding_window\": -5}", "window" },
    { "{\"model_type\": \"qwen3\"}", "q_norm" },
    { "{\"model_type\": \"gemma2\"}", "pre_feedforward_layernorm" },
  };
  g_autofree char *path = g_build_filename (f->hf, "config.json", NULL);
  g_autoptr (JsonObject) original = NULL;

  if (!f->model)
    return;
  original = lk_json_load_object (path, 1 << 20, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      write_config (f, original, cases[i].more);
      check (f->hf, cases[i].more, cases[i].wanted);
    }
}

/* Llama's class has no window and no soft caps, whatever its configuration says: transformers passes them over, so do we. */
static void
test_ignored (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->hf, "config.json", NULL);
  g_autoptr (JsonObject) original = NULL;
  g_autoptr (LkModel) model = NULL;

  if (!f->model)
    return;
  original = lk_json_load_object (path, 1 << 20, NULL);
  write_config (f, original, "{\"sliding_window\": 4, \"attn_logit_softcapping\": 1.0, \"final_logit_softcapping\": 1.0, \"query_pre_attn_scalar\": 3}");
  model = lk_model_open (f->hf, NULL);
  g_assert_cmpint (lk_model_get_config (model)->window, ==, 0);
  g_assert_cmpfloat (lk_model_get_config (model)->attention_cap, ==, 0);
  g_assert_cmpfloat (lk_model_get_config (model)->final_cap, ==, 0);
  g_assert_cmpfloat (lk_model_get_config (model)->attention_scale, ==, lk_model_get_config (f->model)->attention_scale);
}

/* The folder's weights with one vector more. */
static void
write_extra (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->hf, "model.safetensors", NULL);
  g_autofree char *other = g_build_filename (f->folder, "other.safetensors", NULL);
  g_autoptr (LkSafetensors) from = lk_safetensors_open (f->hf, NULL);
  g_autoptr (LkSafetensorsWriter) writer = lk_safetensors_writer_new (other, NULL);
  const guint64 one = 1;
  const float value = 1;
  guint n = lk_safetensors_get_n_tensors (from);

  for (guint i = 0; i < n; i++)
    {
      const LkTensorInfo *info = lk_safetensors_get_tensor (from, i);
      lk_safetensors_writer_add_tensor (writer, info->name, info->type, info->shape, info->n_dims);
    }
  lk_safetensors_writer_add_tensor (writer, name, LK_TYPE_F32, &one, 1);
  g_assert_true (lk_safetensors_writer_begin_data (writer, NULL));
  for (guint i = 0; i < n; i++)
    g_assert_true (lk_safetensors_writer_write (writer, lk_safetensors_get_tensor (from, i)->data, lk_safetensors_get_tensor (from, i)->size, NULL));
  g_assert_true (lk_safetensors_writer_write (writer, &value, sizeof value, NULL));
  g_assert_true (lk_safetensors_writer_finish (writer, NULL));
  g_clear_pointer (&from, lk_safetensors_unref);
  check (f->hf, "before", NULL);
  g_assert_cmpint (g_rename (other, path), ==, 0);
}

static void
test_tensors (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *name;
    gboolean refused;
  } cases[] = {
    { "model.layers.0.self_attn.rotary_emb.inv_freq", FALSE },
    { "model.layers.99.self_attn.q_proj.bias", FALSE }, /* behind the last layer: not part of the model */
    { "vision_tower.encoder.layers.0.bias", FALSE },
    { "model.layers.1.self_attn.q_proj.bias", TRUE },
    { "model.layers.1.mlp.experts.0.up_proj.weight", TRUE },
    { "model.language_model.layers.1.self_attn.q_norm.weight", TRUE },
  };

  if (!f->model)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_build_filename (f->hf, "model.safetensors", NULL);
      g_autofree char *bytes = NULL;
      gsize n;

      g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
      write_extra (f, cases[i].name);
      check (f->hf, cases[i].name, cases[i].refused ? cases[i].name : NULL);
      g_assert_true (g_file_set_contents (path, bytes, (gssize) n, NULL));
    }
}

/* The GGUF with a key, or a tensor, more. */
static char *
write_gguf (Fixture *f, const char *key, double value, const char *tensor)
{
  char *path = g_build_filename (f->folder, "other.gguf", NULL);
  g_autoptr (LkGguf) from = lk_gguf_open (f->gguf, NULL);
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, NULL);
  const guint64 one = 1;
  const float ones = 1;
  guint n = lk_gguf_get_n_tensors (from);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < lk_gguf_get_n_keys (from); i++)
    lk_gguf_writer_copy_key (writer, from, lk_gguf_get_key (from, i));
  if (key && g_str_equal (key, "general.architecture"))
    lk_gguf_writer_set_string (writer, key, "mamba");
  else if (key && (g_str_has_suffix (key, "causal") || g_str_has_suffix (key, "residual")))
    lk_gguf_writer_set_boolean (writer, key, value != 0);
  else if (key && (g_str_has_suffix (key, "scale") || g_str_has_suffix (key, "kqv")))
    lk_gguf_writer_set_float (writer, key, value);
  else if (key)
    lk_gguf_writer_set_int (writer, key, LK_GGUF_U32, (gint64) value);
  for (guint i = 0; i < n; i++)
    lk_gguf_writer_add_tensor (writer, lk_gguf_get_tensor (from, i)->name, lk_gguf_get_tensor (from, i)->type, lk_gguf_get_tensor (from, i)->shape,
                               lk_gguf_get_tensor (from, i)->n_dims);
  if (tensor)
    lk_gguf_writer_add_tensor (writer, tensor, LK_TYPE_F32, &one, 1);
  lk_gguf_writer_begin_data (writer, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    g_assert_true (lk_gguf_writer_write (writer, lk_gguf_get_tensor (from, i)->data, lk_gguf_get_tensor (from, i)->size, NULL));
  g_assert_true (!tensor || lk_gguf_writer_write (writer, &ones, sizeof ones, NULL));
  g_assert_true (lk_gguf_writer_finish (writer, NULL));
  return path;
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *key;
    double value;
    const char *tensor, *wanted;
  } cases[] = {
    { NULL, 0, NULL, NULL },
    { "general.architecture", 0, NULL, "“mamba”" },
    { "general.architecture", 0, NULL, "llama, mistral, qwen2" },
    { "llama.expert_count", 8, NULL, "llama.expert_count" },
    { "llama.expert_count", 0, NULL, NULL },
    { "llama.expert_used_count", 2, NULL, "llama.expert_used_count" },
    { "llama.attention.causal", 0, NULL, "llama.attention.causal" },
    { "llama.attention.causal", 1, NULL, NULL },
    { "llama.attention.scale", 0.5, NULL, "llama.attention.scale" },
    { "llama.logit_scale", 0.0625, NULL, "llama.logit_scale" },
    { "llama.residual_scale", 0.22, NULL, "llama.residual_scale" },
    { "llama.embedding_scale", 12, NULL, "llama.embedding_scale" },
    { "llama.attention.clamp_kqv", 8, NULL, "llama.attention.clamp_kqv" },
    { "llama.use_parallel_residual", 1, NULL, "llama.use_parallel_residual" },
    { "llama.attention.value_length", 7, NULL, "llama.attention.value_length" },
    { "llama.vocab_size", 7, NULL, "llama.vocab_size" },
    { "llama.vocab_size", 4294967295.0, NULL, "llama.vocab_size" },
    { NULL, 0, "blk.1.attn_q.bias", "blk.1.attn_q.bias" },
    { NULL, 0, "blk.1.ffn_gate_exps.weight", "blk.1.ffn_gate_exps.weight" },
    { NULL, 0, "blk.99.attn_q.bias", NULL },
    { NULL, 0, "blk.0.attn_rot_embd.weight", NULL },
  };

  if (!f->model)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = write_gguf (f, cases[i].key, cases[i].value, cases[i].tensor);

      check (path, cases[i].key ? cases[i].key : cases[i].tensor ? cases[i].tensor : "nothing", cases[i].wanted);
    }
}

/* Each key of the file with a value of every other type: refused by name or passed over, nothing worse. */
static void
test_types (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "other.gguf", NULL);
  g_autoptr (LkGguf) from = f->model ? lk_gguf_open (f->gguf, NULL) : NULL;
  guint n = from ? lk_gguf_get_n_tensors (from) : 0, refused = 0;
  const gint64 ints[] = { 1 };
  const char *const strings[] = { "x" };
  const float floats[] = { 1 };

  for (guint k = 0; from && k < lk_gguf_get_n_keys (from); k++)
    for (guint type = 0; type < 8; type++)
      {
        const char *key = lk_gguf_get_key (from, k);
        g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, NULL);
        g_autoptr (GError) error = NULL;
        g_autoptr (LkModel) model = NULL;

        for (guint i = 0; i < lk_gguf_get_n_keys (from); i++)
          if (i != k)
            lk_gguf_writer_copy_key (writer, from, lk_gguf_get_key (from, i));
        switch (type)
          {
          case 0: lk_gguf_writer_set_int (writer, key, LK_GGUF_U32, 1); break;
          case 1: lk_gguf_writer_set_int (writer, key, LK_GGUF_I64, -1); break;
          case 2: lk_gguf_writer_set_float (writer, key, 1); break;
          case 3: lk_gguf_writer_set_boolean (writer, key, TRUE); break;
          case 4: lk_gguf_writer_set_string (writer, key, "x"); break;
          case 5: lk_gguf_writer_set_strings (writer, key, strings, 1); break;
          case 6: lk_gguf_writer_set_ints (writer, key, LK_GGUF_I32, ints, 1); break;
          default: lk_gguf_writer_set_floats (writer, key, floats, 1); break;
          }
        /* no tensors: the configuration and the text are read before them */
        for (guint i = 0; i < MIN (n, 1); i++)
          lk_gguf_writer_add_tensor (writer, "token_embd.weight", LK_TYPE_F32, lk_gguf_lookup (from, "token_embd.weight")->shape, 2);
        if (!lk_gguf_writer_begin_data (writer, NULL))
          continue; /* the writer itself refuses it */
        g_assert_true (lk_gguf_writer_write (writer, lk_gguf_lookup (from, "token_embd.weight")->data, lk_gguf_lookup (from, "token_embd.weight")->size, NULL));
        g_assert_true (lk_gguf_writer_finish (writer, NULL));
        model = lk_model_open (path, &error);
        g_assert_true (!model && error && error->domain == LK_ERROR && g_utf8_validate (error->message, -1, NULL));
        refused += strstr (error->message, key) != NULL;
      }
  g_assert_true (!from || refused > 50);
}

/* Ids of special tokens are indices: none may lie outside the vocabulary. */
static void
test_token_ids (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "bos", "eos", "unknown", "padding", "eot", "eom" };

  for (guint i = 0; f->model && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *key = g_strdup_printf ("tokenizer.ggml.%s_token_id", names[i]);
      const double wrong[] = { (double) lk_model_get_config (f->model)->vocab, 2147483647, 2147483648.0, 4294967295.0 };

      for (guint k = 0; k < G_N_ELEMENTS (wrong); k++)
        {
          g_autofree char *path = write_gguf (f, key, wrong[k], NULL);
          check (path, key, key);
        }
    }
}

/* Cut at every 4 KiB: refused when it is opened, not when its weights are used. */
static void
test_truncated (Fixture *f, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize n, last;

  if (!f->model)
    return;
  g_assert_true (g_file_get_contents (f->gguf, &bytes, &n, NULL));
  last = n - 64; /* what may be missing is padding */
  for (gsize cut = 0; cut < last; cut += 4096)
    {
      g_autoptr (GBytes) part = g_bytes_new_static (bytes, cut);
      g_autoptr (GError) error = NULL;

      g_assert_null (lk_gguf_open_bytes (part, "cut.gguf", &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
    }
}

/* A text of more tokens than can be counted is refused before it is read. */
static void
test_endless_text (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;

  if (!f->model)
    return;
  g_assert_false (lk_tokenizer_encode (lk_model_get_tokenizer (f->model), "a", (gssize) 1 << 40, FALSE, ids, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_DATA);
}

/* A vocabulary larger than the embedding: its ids would be rows that are not there. */
static void
test_large_vocabulary (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->hf, "tokenizer.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GString) more = NULL;

  if (!f->model)
    return;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  more = g_string_new (text);
  g_string_replace (more, "\"added_tokens\": [", "\"added_tokens\": [{\"id\": 100000, \"content\": \"<more>\", \"special\": true},", 1);
  g_assert_true (g_file_set_contents (path, more->str, -1, NULL));
  check (f->hf, "a token behind the embedding", "tokenizer knows 100001 tokens");
}

/* GGUF calls Mistral llama; the window tells them apart, and survives. */
static void
test_window (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autofree char *out = g_build_filename (f->folder, "out", NULL);
  g_autoptr (LkModel) gguf = NULL;
  g_autoptr (LkModel) folder = NULL;
  LkExport export = { .backend = f->backend, .path = out, .type = "F32" };
  g_autoptr (GError) error = NULL;

  if (!f->model)
    return;
  path = write_gguf (f, "llama.attention.sliding_window", 24, NULL);
  export.model = gguf = lk_model_open (path, &error);
  g_assert_no_error (error);
  g_assert_true (lk_export_run (&export, lk_export_find_target ("hf", NULL), &error));
  folder = lk_model_open (out, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_object_get_string_member (lk_model_get_hf_config (folder), "model_type"), ==, "mistral");
  g_assert_cmpint (lk_model_get_config (folder)->window, ==, 24);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/families/members", Fixture, NULL, set_up, test_members, tear_down);
  g_test_add ("/families/ignored", Fixture, NULL, set_up, test_ignored, tear_down);
  g_test_add ("/families/tensors", Fixture, NULL, set_up, test_tensors, tear_down);
  g_test_add ("/families/keys", Fixture, NULL, set_up, test_keys, tear_down);
  g_test_add ("/families/types", Fixture, NULL, set_up, test_types, tear_down);
  g_test_add ("/families/token-ids", Fixture, NULL, set_up, test_token_ids, tear_down);
  g_test_add ("/families/truncated", Fixture, NULL, set_up, test_truncated, tear_down);
  g_test_add ("/families/endless-text", Fixture, NULL, set_up, test_endless_text, tear_down);
  g_test_add ("/families/large-vocabulary", Fixture, NULL, set_up, test_large_vocabulary, tear_down);
  g_test_add ("/families/window", Fixture, NULL, set_up, test_window, tear_down);
  return g_test_run ();
}
