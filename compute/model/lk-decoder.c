/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-decoder.h"

#include <math.h>

#include "lk-error.h"
#include "lk-family.h"
#include "lk-ops.h"

/* Each decoder's own variables carry a number, as a model may have several at work. */
static gint next_decoder;

struct _LkCache
{
  LkModel *model;
  guint rows;
  LkVariable **k, **v; /* one a layer, F32 [rows, kv_heads·head_dim] */
};

LkCache *
lk_cache_new (LkModel *model, const char *name, guint rows)
{
  const LkModelConfig *config = lk_model_get_config (model);
  LkVariables *variables = lk_model_get_variables (model);
  LkCache *self = g_new0 (LkCache, 1);

  self->model = lk_model_ref (model);
  self->rows = rows;
  self->k = g_new0 (LkVariable *, config->layers);
  self->v = g_new0 (LkVariable *, config->layers);
  for (gint64 l = 0; l < config->layers; l++)
    {
      g_autofree char *k = g_strdup_printf ("%s.k%d", name, (int) l);
      g_autofree char *v = g_strdup_printf ("%s.v%d", name, (int) l);

      self->k[l] = lk_variables_add_f32 (variables, k, LK_VARIABLE_STATE, rows, config->kv_heads * config->head_dim);
      self->v[l] = lk_variables_add_f32 (variables, v, LK_VARIABLE_STATE, rows, config->kv_heads * config->head_dim);
    }
  return self;
}

void
lk_cache_free (LkCache *self)
{
  if (!self)
    return;
  g_free (self->k);
  g_free (self->v);
  lk_model_unref (self->model);
  g_free (self);
}

guint
lk_cache_get_rows (LkCache *self)
{
  return self->rows;
}

/* One walk through the layers. */
typedef struct
{
  LkDecoder *decoder;
  LkModel *model;
  const LkModelConfig *config;
  const LkDecoderOptions *options;
  LkProgram *program;
  LkTensorId positions, ranges, slots, random;
  LkTensorId rope[2]; /* of layers without and with a window */
  guint layer;
} LkWalk;

static LkTensorId
lk_walk_linear (LkWalk *walk, LkTensorId x, LkLinearRole role)
{
  LkLinearAdapter adapters[LK_LINEAR_MAX_ADAPTERS];
  LkLinearOptions options = { .adapters = adapters, .site = walk->layer * LK_N_LINEAR + role };
  g_autofree char *name = g_strdup_printf ("%u.%s", walk->layer, lk_linear_role_name (role));
  g_autofree char *biased = g_strconcat (name, ".biased", NULL);
  const LkLayerWeights *weights = lk_model_get_layer (walk->model, walk->layer);

  for (guint i = 0; i < walk->options->n_adapters; i++)
    {
      LkAdapter *adapter = walk->options->adapters[i];
      const LkAdapterModule *module = lk_adapter_find (adapter, walk->layer, role);

      if (!module)
        continue;
      adapters[options.n_adapters++] = (LkLinearAdapter){ lk_program_variable (walk->program, module->a),
                                                          lk_program_variable (walk->program, module->b),
                                                          lk_program_variable (walk->program, lk_adapter_get_strength (adapter)),
                                                          (float) module->scale };
      if (walk->options->purpose == LK_PURPOSE_TRAIN)
        options.dropout = MAX (options.dropout, (float) lk_adapter_get_dropout (adapter));
    }
  options.random = options.dropout > 0 ? walk->random : 0;
  x = lk_op_linear (walk->program, name, x, lk_program_variable (walk->program, weights->linear[role]), &options);
  if (!weights->bias[role])
    return x;
  return lk_op_bias (walk->program, biased, x, lk_program_variable (walk->program, weights->bias[role]));
}

static LkTensorId
lk_walk_norm (LkWalk *walk, const char *name, LkTensorId x, LkVariable *weight)
{
  g_autofree char *full = walk->layer < walk->config->layers ? g_strdup_printf ("%u.%s", walk->layer, name) : g_strdup (name);

  return lk_op_rms_norm (walk->program, full, x, lk_program_variable (walk->program, weight), (float) walk->config->norm_eps,
                         walk->config->family->norm_plus_one ? 1 : 0);
}

/* The norm of @role where the family has one, else @x as it is. */
static LkTensorId
lk_walk_layer_norm (LkWalk *walk, LkNormRole role, LkTensorId x)
{
  static const char *const names[LK_N_NORM] = {
    [LK_NORM_INPUT] = "input_norm",
    [LK_NORM_Q] = "q_norm",
    [LK_NORM_K] = "k_norm",
    [LK_NORM_ATTENTION_OUT] = "attention_norm",
    [LK_NORM_FEED_FORWARD] = "post_norm",
    [LK_NORM_FEED_FORWARD_OUT] = "feed_forward_norm",
  };
  LkVariable *weight = lk_model_get_layer (walk->model, walk->layer)->norm[role];

  return weight ? lk_walk_norm (walk, names[role], x, weight) : x;
}

static LkTensorId
lk_walk_rope (LkWalk *walk, const char *name, LkTensorId x, gint64 heads)
{
  g_autofree char *full = g_strdup_printf ("%u.%s", walk->layer, name);

  return lk_op_rope (walk->program, full, x, walk->positions, walk->rope[walk->config->windowed[walk->layer]], (guint) heads);
}

/* The rows of a fused product begin with those of @parts[0]; each part has its @widths columns. */
static void
lk_walk_split (LkWalk *walk, LkTensorId x, LkLinearRole fused, const LkLinearRole *parts, const gint64 *widths, guint n, LkTensorId *out)
{
  LkTensorId all = 0;
  gint64 first = 0;

  if (walk->config->family->fused)
    all = lk_walk_linear (walk, x, fused);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u.%s", walk->layer, lk_linear_role_name (parts[i]));

      out[i] = all ? lk_op_columns (walk->program, name, all, first, widths[i]) : lk_walk_linear (walk, x, parts[i]);
      first += widths[i];
    }
}

static LkTensorId
lk_walk_attention (LkWalk *walk, LkTensorId x)
{
  const LkModelConfig *c = walk->config;
  LkCache *cache = walk->options->cache;
  LkAttentionOptions options = { (guint) c->heads, (guint) c->kv_heads, (float) c->attention_scale, (float) c->attention_cap,
                                 c->windowed[walk->layer] ? (guint) c->window : 0 };
  g_autofree char *name = g_strdup_printf ("%u.attention", walk->layer);
  static const LkLinearRole parts[] = { LK_LINEAR_Q, LK_LINEAR_K, LK_LINEAR_V };
  const gint64 widths[] = { c->heads * c->head_dim, c->kv_heads * c->head_dim, c->kv_heads * c->head_dim };
  LkTensorId qkv[3], q, k, v;

  lk_walk_split (walk, x, LK_LINEAR_QKV, parts, widths, G_N_ELEMENTS (parts), qkv);
  q = lk_walk_rope (walk, "q", lk_walk_layer_norm (walk, LK_NORM_Q, qkv[0]), c->heads);
  k = lk_walk_rope (walk, "k", lk_walk_layer_norm (walk, LK_NORM_K, qkv[1]), c->kv_heads);
  v = qkv[2];
  if (walk->options->purpose == LK_PURPOSE_DECODE)
    {
      k = lk_op_cache_append (walk->program, k, walk->slots, lk_program_variable (walk->program, cache->k[walk->layer]));
      v = lk_op_cache_append (walk->program, v, walk->slots, lk_program_variable (walk->program, cache->v[walk->layer]));
    }
  return lk_walk_linear (walk, lk_op_attention (walk->program, name, q, k, v, walk->ranges, &options), LK_LINEAR_O);
}

static LkTensorId
lk_walk_mlp (LkWalk *walk, LkTensorId x)
{
  g_autofree char *name = g_strdup_printf ("%u.glu", walk->layer);
  static const LkLinearRole roles[] = { LK_LINEAR_GATE, LK_LINEAR_UP };
  const gint64 widths[] = { walk->config->intermediate, walk->config->intermediate };
  LkTensorId parts[2];

  lk_walk_split (walk, x, LK_LINEAR_GATE_UP, roles, widths, G_N_ELEMENTS (roles), parts);
  return lk_walk_linear (walk, lk_op_glu (walk->program, name, parts[0], parts[1], walk->config->family->activation), LK_LINEAR_DOWN);
}

static LkTensorId
lk_walk_layer (LkWalk *walk, LkTensorId x)
{
  g_autofree char *middle = g_strdup_printf ("%u.middle", walk->layer);
  g_autofree char *out = g_strdup_printf ("%u.out", walk->layer);
  LkTensorId part;

  lk_program_set_layer (walk->program, (gint) walk->layer);
  part = lk_walk_attention (walk, lk_walk_layer_norm (walk, LK_NORM_INPUT, x));
  x = lk_op_add (walk->program, middle, x, lk_walk_layer_norm (walk, LK_NORM_ATTENTION_OUT, part));
  part = lk_walk_mlp (walk, lk_walk_layer_norm (walk, LK_NORM_FEED_FORWARD, x));
  x = lk_op_add (walk->program, out, x, lk_walk_layer_norm (walk, LK_NORM_FEED_FORWARD_OUT, part));
  lk_program_set_layer (walk->program, -1);
  return x;
}

static LkTensorId
lk_walk_input (LkWalk *walk, LkVariable *variable)
{
  return variable ? lk_program_variable (walk->program, variable) : 0;
}

/* The end of the walk: what the purpose wants of the last hidden states. */
static void
lk_walk_head (LkWalk *walk, LkTensorId x)
{
  LkDecoder *self = walk->decoder;
  LkTensorId head = lk_program_variable (walk->program, lk_model_get_head (walk->model));
  LkTensorId logits;

  if (self->logits)
    {
      x = lk_op_gather (walk->program, "chosen", x, lk_walk_input (walk, self->rows));
      x = lk_walk_norm (walk, "final_norm", x, lk_model_get_final_norm (walk->model));
      logits = lk_op_linear (walk->program, "head", x, head, NULL);
      if (walk->config->final_cap > 0)
        logits = lk_op_soft_cap (walk->program, "capped", logits, (float) walk->config->final_cap);
      lk_op_copy (walk->program, logits, lk_walk_input (walk, self->logits), FALSE);
      return;
    }
  x = lk_walk_norm (walk, "final_norm", x, lk_model_get_final_norm (walk->model));
  lk_op_head_loss (walk->program, x, head, lk_walk_input (walk, self->targets), lk_walk_input (walk, self->loss),
                   lk_walk_input (walk, self->logprobs), (float) walk->config->final_cap, walk->options->purpose == LK_PURPOSE_TRAIN);
}

static void
lk_decoder_build (LkDecoder *self, LkModel *model, const LkDecoderOptions *options)
{
  LkWalk walk = { .decoder = self, .model = model, .config = lk_model_get_config (model), .options = options, .program = self->program };
  float scale = walk.config->family->scaled_embedding ? (float) sqrt ((double) walk.config->hidden) : 1.0f;
  LkTensorId x;

  lk_ops_init ();
  walk.positions = lk_walk_input (&walk, self->positions);
  walk.ranges = lk_walk_input (&walk, self->ranges);
  walk.slots = lk_walk_input (&walk, self->slots);
  walk.random = lk_walk_input (&walk, self->dropout);
  for (guint windowed = 0; windowed < G_N_ELEMENTS (walk.rope); windowed++)
    walk.rope[windowed] = lk_program_variable (self->program, lk_model_get_rope_table (model, windowed, self->longest));
  x = lk_op_embedding (self->program, "embedding", lk_walk_input (&walk, self->ids),
                       lk_program_variable (self->program, lk_model_get_embedding (model)), scale);
  for (walk.layer = 0; walk.layer < walk.config->layers; walk.layer++)
    x = lk_walk_layer (&walk, x);
  lk_walk_head (&walk, x);
  if (options->purpose == LK_PURPOSE_TRAIN)
    lk_program_add_gradients (self->program, options->recompute_layers);
}

static LkVariable *
lk_decoder_add (LkModel *model, const char *prefix, const char *name, LkVariableKind kind, gboolean integer, gint64 rows, gint64 cols)
{
  g_autofree char *full = g_strconcat (prefix, ".", name, NULL);

  return (integer ? lk_variables_add_i32 : lk_variables_add_f32) (lk_model_get_variables (model), full, kind, rows, cols);
}

/* Columns of the widest activation: kernels count elements in 32 bits. */
static gint64
lk_decoder_widest (const LkModelConfig *c)
{
  gint64 parts = c->family->fused ? 2 : 1;

  return MAX (MAX (c->hidden, parts * c->intermediate), (c->heads + (c->family->fused ? 2 * c->kv_heads : 0)) * c->head_dim);
}

static gboolean
lk_decoder_check (LkModel *model, const LkDecoderOptions *options, GError **error)
{
  const LkModelConfig *config = lk_model_get_config (model);

  if (options->tokens == 0 || (gint64) options->tokens > G_MAXINT32 / lk_decoder_widest (config)
      || (gint64) options->n_logits > G_MAXINT32 / config->vocab)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "A batch of %u tokens with %u rows of logits is not possible", options->tokens,
                   options->n_logits);
      return FALSE;
    }
  if (options->n_adapters > LK_LINEAR_MAX_ADAPTERS)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "At most %d adapters can be used at once", LK_LINEAR_MAX_ADAPTERS);
      return FALSE;
    }
  return TRUE;
}

LkDecoder *
lk_decoder_new (LkModel *model, const LkDecoderOptions *options, GError **error)
{
  g_autofree char *name = g_strdup_printf ("decoder%d", g_atomic_int_add (&next_decoder, 1));
  gboolean wants_logits = options->purpose == LK_PURPOSE_LOGITS || options->purpose == LK_PURPOSE_DECODE;
  gint64 n = options->tokens;
  LkDecoder *self;

  if (!lk_decoder_check (model, options, error))
    return NULL;
  self = g_new0 (LkDecoder, 1);
  self->tokens = options->tokens;
  self->longest = options->longest > 0 ? options->longest : options->cache ? options->cache->rows : options->tokens;
  self->program = lk_program_new (name, lk_model_get_variables (model));
  self->ids = lk_decoder_add (model, name, "ids", LK_VARIABLE_INPUT, TRUE, 1, n);
  self->positions = lk_decoder_add (model, name, "positions", LK_VARIABLE_INPUT, TRUE, 1, n);
  self->ranges = lk_decoder_add (model, name, "ranges", LK_VARIABLE_INPUT, TRUE, n, 2);
  if (wants_logits)
    {
      self->rows = lk_decoder_add (model, name, "rows", LK_VARIABLE_INPUT, TRUE, 1, options->n_logits);
      self->logits = lk_decoder_add (model, name, "logits", LK_VARIABLE_STATE, FALSE, options->n_logits, lk_model_get_config (model)->vocab);
    }
  else
    {
      self->targets = lk_decoder_add (model, name, "targets", LK_VARIABLE_INPUT, TRUE, 1, n);
      self->loss = lk_decoder_add (model, name, "loss", LK_VARIABLE_STATE, FALSE, 1, 2);
    }
  if (options->purpose == LK_PURPOSE_DECODE)
    self->slots = lk_decoder_add (model, name, "slots", LK_VARIABLE_INPUT, TRUE, 1, n);
  if (options->purpose == LK_PURPOSE_SCORE)
    self->logprobs = lk_decoder_add (model, name, "logprobs", LK_VARIABLE_STATE, FALSE, 1, n);
  if (options->purpose == LK_PURPOSE_TRAIN)
    self->dropout = lk_decoder_add (model, name, "dropout", LK_VARIABLE_INPUT, TRUE, 1, 4);
  lk_decoder_build (self, model, options);
  return self;
}

void
lk_decoder_free (LkDecoder *self)
{
  if (!self)
    return;
  lk_program_unref (self->program);
  g_free (self);
}

gboolean
lk_decoder_write_batch (LkDecoder *self, LkBackend *backend, const LkBatch *batch, GError **error)
{
  g_autofree gint32 *ranges = g_new (gint32, 2 * (gsize) self->tokens);
  gsize bytes = (gsize) self->tokens * sizeof (gint32);

  g_return_val_if_fail (batch->n == self->tokens, FALSE);
  for (guint i = 0; i < self->tokens; i++)
    {
      if (batch->positions[i] < 0 || (guint) batch->positions[i] >= self->longest)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "Token %u of the batch has position %d, but sequences have at most %u tokens",
                       i, batch->positions[i], self->longest);
          return FALSE;
        }
      ranges[2 * i] = batch->starts[i] < 0 ? 0 : batch->starts[i];
      ranges[2 * i + 1] = batch->starts[i] < 0 ? 0 : (gint32) i + 1;
    }
  return lk_backend_write (backend, self->ids, 0, batch->ids, bytes, error)
         && lk_backend_write (backend, self->positions, 0, batch->positions, bytes, error)
         && lk_backend_write (backend, self->ranges, 0, ranges, 2 * bytes, error)
         && (!self->targets || lk_backend_write (backend, self->targets, 0, batch->targets, bytes, error));
}
