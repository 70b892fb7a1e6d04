/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-pretrain-file.h"

#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-family.h"
#include "lk-gguf.h"
#include "lk-quant.h"
#include "lk-random.h"

#define N_SPECIAL 3
#define TOKEN_NORMAL 1 /* llama.cpp's token types */
#define TOKEN_CONTROL 3
#define FILE_TYPE_F32 0
#define FILE_TYPE_F16 1

/* ChatML, as SmolLM2 and Qwen spell it, without a system message of its own. */
static const char chat_template[] = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
                                    "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

typedef struct
{
  const LkTensorNames *names;
  gint layer; /* −1: outside */
  gint role;  /* LkLinearRole; −1: none */
  guint64 shape[2];
  guint n_dims;
  gboolean branch_end;
} Tensor;

static void
add (GArray *tensors, const LkTensorNames *names, gint layer, gint role, guint64 rows, guint64 cols)
{
  Tensor tensor = { .names = names, .layer = layer, .role = role, .shape = { rows, cols }, .n_dims = rows > 1 ? 2 : 1,
                    .branch_end = role == LK_LINEAR_O || role == LK_LINEAR_DOWN };

  if (rows == 1)
    tensor.shape[0] = cols;
  g_array_append_val (tensors, tensor);
}

static GArray *
list_tensors (const LkPretrainShape *s)
{
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));
  guint64 h = (guint64) s->hidden, f = (guint64) s->intermediate, kv = h / (guint64) s->heads * (guint64) s->kv_heads;
  const guint64 shapes[LK_N_LINEAR][2] = { [LK_LINEAR_Q] = { h, h },   [LK_LINEAR_K] = { kv, h },  [LK_LINEAR_V] = { kv, h },  [LK_LINEAR_O] = { h, h },
                                           [LK_LINEAR_GATE] = { f, h }, [LK_LINEAR_UP] = { f, h }, [LK_LINEAR_DOWN] = { h, f } };

  add (tensors, &lk_embedding_names, -1, -1, g_strv_length ((char **) s->tokens), h);
  for (gint l = 0; l < s->layers; l++)
    {
      add (tensors, &lk_plain_norms[LK_NORM_INPUT], l, -1, 1, h);
      for (gint role = 0; role < LK_N_LINEAR; role++)
        if (shapes[role][0] > 0)
          add (tensors, &lk_linear_names[role], l, role, shapes[role][0], shapes[role][1]);
      add (tensors, &lk_plain_norms[LK_NORM_FEED_FORWARD], l, -1, 1, h);
    }
  add (tensors, &lk_final_norm_names, -1, -1, 1, h);
  return tensors;
}

/* "blk.%d.attn_q.weight" with its layer. The formats are constants of the family table. */
static char *
tensor_name (const Tensor *tensor)
{
  const char *percent = strstr (tensor->names->gguf, "%d");

  if (percent == NULL)
    return g_strdup (tensor->names->gguf);
  return g_strdup_printf ("%.*s%d%s", (int) (percent - tensor->names->gguf), tensor->names->gguf, tensor->layer, percent + 2);
}

static void
set_tokenizer (LkGgufWriter *writer, const LkPretrainShape *s)
{
  guint n = g_strv_length ((char **) s->tokens);
  g_autofree gint64 *types = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    types[i] = i < N_SPECIAL ? TOKEN_CONTROL : TOKEN_NORMAL;
  lk_gguf_writer_set_string (writer, "tokenizer.ggml.model", "gpt2");
  lk_gguf_writer_set_string (writer, "tokenizer.ggml.pre", "smollm");
  lk_gguf_writer_set_strings (writer, "tokenizer.ggml.tokens", (const char *const *) s->tokens, n);
  lk_gguf_writer_set_ints (writer, "tokenizer.ggml.token_type", LK_GGUF_I32, types, n);
  lk_gguf_writer_set_strings (writer, "tokenizer.ggml.merges", (const char *const *) s->merges, g_strv_length ((char **) s->merges));
  lk_gguf_writer_set_int (writer, "tokenizer.ggml.bos_token_id", LK_GGUF_U32, 1);
  lk_gguf_writer_set_int (writer, "tokenizer.ggml.eos_token_id", LK_GGUF_U32, 2);
  lk_gguf_writer_set_int (writer, "tokenizer.ggml.unknown_token_id", LK_GGUF_U32, 0);
  lk_gguf_writer_set_int (writer, "tokenizer.ggml.padding_token_id", LK_GGUF_U32, 2);
  lk_gguf_writer_set_boolean (writer, "tokenizer.ggml.add_bos_token", FALSE);
  lk_gguf_writer_set_boolean (writer, "tokenizer.ggml.add_space_prefix", FALSE);
  lk_gguf_writer_set_string (writer, "tokenizer.chat_template", chat_template);
}

static void
set_metadata (LkGgufWriter *writer, const LkPretrainShape *s, gint64 file_type)
{
  lk_gguf_writer_set_string (writer, "general.architecture", "llama");
  lk_gguf_writer_set_string (writer, "general.type", "model");
  lk_gguf_writer_set_string (writer, "general.name", s->name);
  lk_gguf_writer_set_string (writer, "general.description", s->description);
  lk_gguf_writer_set_string (writer, "general.license", "gpl-3.0-or-later");
  lk_gguf_writer_set_int (writer, "general.file_type", LK_GGUF_U32, file_type);
  lk_gguf_writer_set_int (writer, "general.quantization_version", LK_GGUF_U32, 2);
  lk_gguf_writer_set_int (writer, "llama.block_count", LK_GGUF_U32, s->layers);
  lk_gguf_writer_set_int (writer, "llama.context_length", LK_GGUF_U32, s->context);
  lk_gguf_writer_set_int (writer, "llama.embedding_length", LK_GGUF_U32, s->hidden);
  lk_gguf_writer_set_int (writer, "llama.feed_forward_length", LK_GGUF_U32, s->intermediate);
  lk_gguf_writer_set_int (writer, "llama.attention.head_count", LK_GGUF_U32, s->heads);
  lk_gguf_writer_set_int (writer, "llama.attention.head_count_kv", LK_GGUF_U32, s->kv_heads);
  lk_gguf_writer_set_int (writer, "llama.rope.dimension_count", LK_GGUF_U32, s->hidden / s->heads);
  lk_gguf_writer_set_int (writer, "llama.vocab_size", LK_GGUF_U32, g_strv_length ((char **) s->tokens));
  lk_gguf_writer_set_float (writer, "llama.rope.freq_base", 10000);
  lk_gguf_writer_set_float (writer, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  set_tokenizer (writer, s);
}

/* Metadata and descriptions; the data comes next, in the order of @tensors. */
static LkGgufWriter *
begin (const LkPretrainShape *shape, GArray *tensors, LkType type, const char *path, GError **error)
{
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, error);

  if (writer == NULL)
    return NULL;
  set_metadata (writer, shape, type == LK_TYPE_F16 ? FILE_TYPE_F16 : FILE_TYPE_F32);
  for (guint i = 0; i < tensors->len; i++)
    {
      const Tensor *tensor = &g_array_index (tensors, Tensor, i);
      g_autofree char *name = tensor_name (tensor);

      lk_gguf_writer_add_tensor (writer, name, tensor->n_dims == 1 ? LK_TYPE_F32 : type, tensor->shape, tensor->n_dims);
    }
  return lk_gguf_writer_begin_data (writer, error) ? g_steal_pointer (&writer) : NULL;
}

gboolean
lk_pretrain_write_start (const LkPretrainShape *shape, const char *path, GError **error)
{
  g_autoptr (GArray) tensors = list_tensors (shape);
  g_autoptr (LkGgufWriter) writer = begin (shape, tensors, LK_TYPE_F32, path, error);

  if (writer == NULL)
    return FALSE;
  for (guint i = 0; i < tensors->len; i++)
    {
      const Tensor *tensor = &g_array_index (tensors, Tensor, i);
      gsize n = (gsize) (tensor->shape[0] * (tensor->n_dims == 2 ? tensor->shape[1] : 1));
      g_autofree float *values = g_new (float, n);
      LkRandom random = lk_random (shape->seed, i);
      float deviation = 0.02f / (tensor->branch_end ? sqrtf (2.0f * (float) shape->layers) : 1.0f);

      for (gsize k = 0; k < n; k++)
        values[k] = tensor->n_dims == 1 ? 1.0f : deviation * lk_random_normal (&random);
      if (!lk_gguf_writer_write (writer, values, n * sizeof (float), error))
        return FALSE;
    }
  return lk_gguf_writer_finish (writer, error);
}

/* Rows of a head from (i, i + d/2) pairs to GGUF's (2i, 2i + 1). */
static float *
permute (const float *values, const LkPretrainShape *shape, gint64 rows, gint64 cols)
{
  gint64 d = shape->hidden / shape->heads;
  float *out = g_new (float, rows * cols);

  for (gint64 r = 0; r < rows; r++)
    {
      gint64 head = r / d, within = r % d;
      gint64 to = head * d + within % (d / 2) * 2 + within / (d / 2);

      memcpy (out + to * cols, values + r * cols, (gsize) cols * sizeof (float));
    }
  return out;
}

static LkVariable *
find_variable (LkModel *model, const char *gguf_name)
{
  guint n;
  const LkModelTensor *all = lk_model_get_tensors (model, &n);

  for (guint i = 0; i < n; i++)
    if (g_str_equal (all[i].gguf_name, gguf_name))
      return all[i].variable;
  return NULL;
}

static gboolean
write_one (LkGgufWriter *writer, const LkPretrainShape *shape, const Tensor *tensor, LkVariable *variable, LkBackend *backend, LkType type,
           GError **error)
{
  gsize n = (gsize) (variable->rows * variable->cols);
  g_autofree float *values = g_new (float, n);
  g_autofree guint8 *blocks = NULL;
  guint64 bytes;

  if (!lk_backend_read (backend, variable, 0, values, n * sizeof (float), error))
    return FALSE;
  if (tensor->role == LK_LINEAR_Q || tensor->role == LK_LINEAR_K)
    {
      float *permuted = permute (values, shape, variable->rows, variable->cols);

      g_free (values);
      values = permuted;
    }
  if (tensor->n_dims == 1)
    return lk_gguf_writer_write (writer, values, n * sizeof (float), error);
  if (!lk_type_bytes (type, (guint64) variable->rows, (guint64) variable->cols, &bytes))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” cannot be stored as %s.", variable->name, lk_type_name (type));
      return FALSE;
    }
  blocks = g_malloc (bytes);
  lk_quant_info (type)->quantise (values, blocks, (gint64) n);
  return lk_gguf_writer_write (writer, blocks, bytes, error);
}

gboolean
lk_pretrain_write_trained (const LkPretrainShape *shape, LkModel *model, LkBackend *backend, LkType type, const char *path, GError **error)
{
  g_autoptr (GArray) tensors = list_tensors (shape);
  g_autoptr (LkGgufWriter) writer = begin (shape, tensors, type, path, error);

  if (writer == NULL)
    return FALSE;
  for (guint i = 0; i < tensors->len; i++)
    {
      const Tensor *tensor = &g_array_index (tensors, Tensor, i);
      g_autofree char *name = tensor_name (tensor);
      LkVariable *variable = find_variable (model, name);

      if (variable == NULL)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "The model has no tensor “%s”.", name);
          return FALSE;
        }
      if (!write_one (writer, shape, tensor, variable, backend, type, error))
        return FALSE;
    }
  return lk_gguf_writer_finish (writer, error);
}
