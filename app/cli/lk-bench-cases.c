/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-bench-cases.h"

#include "lk-ops.h"

#define SCATTER 7919 /* a prime: neighbours are far from each other */
#define RANK 16 /* of adapters */
#define LINEARS 7 /* matrices of a layer that have one */

/* What a build function works with: tensors of variables that are made on the way. The first error stays, and what follows is nothing. */
typedef struct
{
  LkProgram *program;
  LkVariables *variables;
  const LkModelShape *shape;
  gint64 tokens;
  gboolean failed;
  GError **error;
} Maker;

static Maker
maker (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, GError **error)
{
  return (Maker){ program, variables, sizes->shape, sizes->tokens, FALSE, error };
}

static LkVariable *
add (Maker *self, const char *name, LkVariableKind kind, LkType type, gint64 rows, gint64 cols)
{
  LkVariable *variable
      = self->failed ? NULL : lk_model_shape_add (self->variables, name, kind, type, rows, cols, self->error);

  self->failed |= variable == NULL;
  return variable;
}

/* A frozen matrix. */
static LkTensorId
weight (Maker *self, const char *name, LkType type, gint64 rows, gint64 cols)
{
  LkVariable *variable = add (self, name, LK_VARIABLE_WEIGHT, type, rows, cols);

  return variable ? lk_program_variable (self->program, variable) : 0;
}

/* Floats whose gradient is asked for: activations and what is trained. */
static LkTensorId
trained (Maker *self, const char *name, gint64 rows, gint64 cols)
{
  LkVariable *variable = add (self, name, LK_VARIABLE_PARAMETER, LK_TYPE_F32, rows, cols);
  g_autofree char *gradient = g_strconcat ("d.", name, NULL);

  if (!variable)
    return 0;
  variable->gradient = lk_variables_add_f32 (self->variables, gradient, LK_VARIABLE_STATE, rows, cols);
  return lk_program_variable (self->program, variable);
}

static LkTensorId
zeros (Maker *self, const char *name, gint64 rows, gint64 cols)
{
  return lk_program_variable (self->program, lk_variables_add_f32 (self->variables, name, LK_VARIABLE_STATE, rows, cols));
}

/* One a token: the multiples of @step below @limit, again and again. */
static LkTensorId
numbers (Maker *self, const char *name, gint64 step, gint64 limit)
{
  LkVariable *variable = lk_variables_add_i32 (self->variables, name, LK_VARIABLE_INPUT, 1, self->tokens);
  gint32 *values = g_new (gint32, self->tokens);

  for (gint64 i = 0; i < self->tokens; i++)
    values[i] = (gint32) (i * step % limit);
  lk_variables_keep (self->variables, values, g_free);
  variable->data = (const guint8 *) values;
  return lk_program_variable (self->program, variable);
}

/* Query t sees what came before it and itself; one query at the end sees all. */
static LkTensorId
causal (Maker *self, gint64 queries, gint64 keys)
{
  LkVariable *variable = lk_variables_add_i32 (self->variables, "ranges", LK_VARIABLE_INPUT, queries, 2);
  gint32 *values = g_new0 (gint32, 2 * queries);

  for (gint64 i = 0; i < queries; i++)
    values[2 * i + 1] = (gint32) (keys - queries + i + 1);
  lk_variables_keep (self->variables, values, g_free);
  variable->data = (const guint8 *) values;
  return lk_program_variable (self->program, variable);
}

/* The backward half begins with a gradient of @y. */
static gboolean
end (Maker *self, LkTensorId y)
{
  LkTensor *t = lk_program_get_tensor (self->program, y);
  gint64 rows = t->rows, cols = t->cols;
  LkVariable *dy = add (self, "dy", LK_VARIABLE_STATE, LK_TYPE_F32, rows, cols);

  if (dy && t->needs_gradient)
    lk_program_set_gradient (self->program, y, lk_program_variable (self->program, dy));
  return !self->failed;
}

static void
product_sizes (const LkBenchSizes *sizes, gint64 *rows, gint64 *in, gint64 *out)
{
  *rows = sizes->square ? sizes->square : sizes->tokens;
  *in = sizes->square ? sizes->square : sizes->shape->hidden;
  *out = sizes->square ? sizes->square : sizes->shape->intermediate;
}

static gboolean
build_product (const LkBenchSizes *sizes, Maker *m, gint64 rows, LkType type, gboolean adapter)
{
  gint64 tokens, in, out;
  LkLinearAdapter one = { .scale = 2 };
  LkLinearOptions options = { .adapters = &one, .n_adapters = 1 };
  LkTensorId x, w;

  product_sizes (sizes, &tokens, &in, &out);
  x = rows == 1 ? weight (m, "x", LK_TYPE_F32, 1, in) : trained (m, "x", tokens, in);
  w = weight (m, "w", type, out, in);
  if (adapter)
    {
      one.a = trained (m, "a", RANK, in);
      one.b = trained (m, "b", out, RANK);
      one.strength = weight (m, "strength", LK_TYPE_F32, 1, 1);
    }
  return !m->failed && end (m, lk_op_linear (m->program, "y", x, w, adapter ? &options : NULL));
}

static gboolean
build_matmul (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);

  return build_product (sizes, &m, 0, type, FALSE);
}

static gboolean
build_matvec (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);

  return build_product (sizes, &m, 1, type, FALSE);
}

static gboolean
build_adapter (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);

  return build_product (sizes, &m, 0, type, TRUE);
}

static gboolean
build_full (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  gint64 tokens, in, out;
  LkTensorId x, w;

  product_sizes (sizes, &tokens, &in, &out);
  x = weight (&m, "x", LK_TYPE_F32, tokens, in);
  w = trained (&m, "w", out, in);
  return !m.failed && end (&m, lk_op_linear (program, "y", x, w, NULL));
}

static gboolean
build_embedding (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId ids = numbers (&m, "ids", SCATTER, m.shape->vocab);
  LkTensorId table = weight (&m, "table", type, m.shape->vocab, m.shape->hidden);

  return !m.failed && end (&m, lk_op_embedding (program, "y", ids, table, 1));
}

static gboolean
build_embedding_full (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId ids = numbers (&m, "ids", SCATTER, m.shape->vocab);
  LkTensorId table = trained (&m, "table", m.shape->vocab, m.shape->hidden);

  return !m.failed && end (&m, lk_op_embedding (program, "y", ids, table, 1));
}

static gboolean
build_norm (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = trained (&m, "x", m.tokens, m.shape->hidden), w = trained (&m, "w", 1, m.shape->hidden);

  return !m.failed && end (&m, lk_op_rms_norm (program, "y", x, w, 1e-5f, 0));
}

static gboolean
build_rope (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = trained (&m, "x", m.tokens, m.shape->heads * m.shape->head_dim);
  LkTensorId positions = numbers (&m, "positions", 1, m.tokens);
  LkTensorId table = weight (&m, "angles", LK_TYPE_F32, m.tokens, m.shape->head_dim);

  return !m.failed && end (&m, lk_op_rope (program, "y", x, positions, table, (guint) m.shape->heads));
}

static gboolean
build_attention_of (Maker *m, gint64 queries)
{
  LkAttentionOptions options = { (guint) m->shape->heads, (guint) m->shape->kv_heads, 0.1f, 0, 0 };
  gint64 wide = m->shape->heads * m->shape->head_dim, narrow = m->shape->kv_heads * m->shape->head_dim;
  gboolean backward = queries == m->tokens && queries > 1;
  LkTensorId q = backward ? trained (m, "q", queries, wide) : weight (m, "q", LK_TYPE_F32, queries, wide);
  LkTensorId k = backward ? trained (m, "k", m->tokens, narrow) : weight (m, "k", LK_TYPE_F32, m->tokens, narrow);
  LkTensorId v = backward ? trained (m, "v", m->tokens, narrow) : weight (m, "v", LK_TYPE_F32, m->tokens, narrow);

  return !m->failed && end (m, lk_op_attention (m->program, "y", q, k, v, causal (m, queries, m->tokens), &options));
}

static gboolean
build_attention (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);

  return build_attention_of (&m, m.tokens);
}

static gboolean
build_glu (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId gate = trained (&m, "gate", m.tokens, m.shape->intermediate), up = trained (&m, "up", m.tokens, m.shape->intermediate);

  return !m.failed && end (&m, lk_op_glu (program, "y", gate, up, LK_ACTIVATION_SILU));
}

static gboolean
build_geglu (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId gate = trained (&m, "gate", m.tokens, m.shape->intermediate), up = trained (&m, "up", m.tokens, m.shape->intermediate);

  return !m.failed && end (&m, lk_op_glu (program, "y", gate, up, LK_ACTIVATION_GELU_TANH));
}

static gboolean
build_add (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId a = weight (&m, "a", LK_TYPE_F32, m.tokens, m.shape->hidden), b = weight (&m, "b", LK_TYPE_F32, m.tokens, m.shape->hidden);

  return !m.failed && end (&m, lk_op_add (program, "y", a, b));
}

static gboolean
build_copy (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = weight (&m, "x", LK_TYPE_F32, m.tokens, m.shape->hidden);

  if (!m.failed)
    lk_op_copy (program, x, zeros (&m, "y", m.tokens, m.shape->hidden), FALSE);
  return !m.failed;
}

static gboolean
build_bias (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = trained (&m, "x", m.tokens, m.shape->hidden), b = trained (&m, "b", 1, m.shape->hidden);

  return !m.failed && end (&m, lk_op_bias (program, "y", x, b));
}

static gboolean
build_columns (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = trained (&m, "x", m.tokens, 2 * m.shape->hidden);

  return !m.failed && end (&m, lk_op_columns (program, "y", x, m.shape->hidden, m.shape->hidden));
}

/* Every token has a target: what training on all of a text asks for. */
static gboolean
build_head (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = trained (&m, "x", m.tokens, m.shape->hidden), w = weight (&m, "head", type, m.shape->vocab, m.shape->hidden);

  if (!m.failed)
    lk_op_head_loss (program, x, w, numbers (&m, "targets", SCATTER, m.shape->vocab), zeros (&m, "loss", 1, 2), 0, 0, TRUE);
  return !m.failed;
}

/* As many as adapters on all linear layers have. */
static gint64
count_parameters (const LkModelShape *s)
{
  gint64 wide = s->heads * s->head_dim, narrow = s->kv_heads * s->head_dim;

  return s->layers * RANK * (LINEARS * s->hidden + 2 * wide + 2 * narrow + 3 * s->intermediate);
}

static gboolean
build_update (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  static const float values[LK_N_HYPER] = { 1e-4f, 0.9f, 0.999f, 1e-8f, 0.01f, 1, 10, 1000, 1e-3f, 0.1f, 0.001f };
  Maker m = maker (program, variables, sizes, error);
  gint64 n = count_parameters (m.shape);
  LkVariable *hyper = lk_variables_add_f32 (variables, "hyper", LK_VARIABLE_INPUT, 1, LK_N_HYPER);
  LkTensorId p = weight (&m, "p", LK_TYPE_F32, 1, n), g = weight (&m, "g", LK_TYPE_F32, 1, n), norm = zeros (&m, "norm", 1, 2);

  if (m.failed)
    return FALSE;
  hyper->data = (const guint8 *) values;
  lk_op_gradient_norm (program, g, lk_program_variable (program, hyper), norm);
  lk_op_adamw (program, p, g, zeros (&m, "m", 1, n), zeros (&m, "v", 1, n), lk_program_variable (program, hyper), norm, n);
  return TRUE;
}

/* One token is written. */
static gboolean
build_decode (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);

  return build_attention_of (&m, 1);
}

static gboolean
build_cache (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  gint64 narrow = m.shape->kv_heads * m.shape->head_dim;
  LkTensorId x = weight (&m, "x", LK_TYPE_F32, m.tokens, narrow);

  if (!m.failed)
    lk_op_cache_append (program, x, numbers (&m, "slots", 1, m.tokens), zeros (&m, "cache", m.tokens, narrow));
  return !m.failed;
}

static gboolean
build_gather (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = weight (&m, "x", LK_TYPE_F32, m.tokens, m.shape->hidden);

  return !m.failed && end (&m, lk_op_gather (program, "y", x, numbers (&m, "rows", SCATTER, m.tokens)));
}

static gboolean
build_cap (LkProgram *program, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  Maker m = maker (program, variables, sizes, error);
  LkTensorId x = weight (&m, "x", LK_TYPE_F32, 1, m.shape->vocab);

  return !m.failed && end (&m, lk_op_soft_cap (program, "y", x, 30));
}

static const LkBenchCase cases[] = {
  { "matmul", TRUE, LK_TYPE_INVALID, build_matmul },
  { "matvec", TRUE, LK_TYPE_INVALID, build_matvec },
  { "adapter", FALSE, LK_TYPE_NF4, build_adapter },
  { "full tuning", FALSE, LK_TYPE_INVALID, build_full },
  { "attention", FALSE, LK_TYPE_INVALID, build_attention },
  { "attention of one token", FALSE, LK_TYPE_INVALID, build_decode },
  { "loss head", FALSE, LK_TYPE_BF16, build_head },
  { "norm", FALSE, LK_TYPE_INVALID, build_norm },
  { "rope", FALSE, LK_TYPE_INVALID, build_rope },
  { "SwiGLU", FALSE, LK_TYPE_INVALID, build_glu },
  { "GeGLU", FALSE, LK_TYPE_INVALID, build_geglu },
  { "update", FALSE, LK_TYPE_INVALID, build_update },
  { "embedding", FALSE, LK_TYPE_BF16, build_embedding },
  { "embedding, full tuning", FALSE, LK_TYPE_INVALID, build_embedding_full },
  { "add", FALSE, LK_TYPE_INVALID, build_add },
  { "copy", FALSE, LK_TYPE_INVALID, build_copy },
  { "bias", FALSE, LK_TYPE_INVALID, build_bias },
  { "columns", FALSE, LK_TYPE_INVALID, build_columns },
  { "gather", FALSE, LK_TYPE_INVALID, build_gather },
  { "cache", FALSE, LK_TYPE_INVALID, build_cache },
  { "soft cap", FALSE, LK_TYPE_INVALID, build_cap },
  { NULL },
};

const LkBenchCase *
lk_bench_cases (void)
{
  return cases;
}

LkProgram *
lk_bench_case_build (const LkBenchCase *self, LkVariables *variables, const LkBenchSizes *sizes, LkType type, GError **error)
{
  g_autoptr (LkProgram) program = lk_program_new (self->name, variables);

  if (!self->build (program, variables, sizes, type, error))
    return NULL;
  lk_program_add_gradients (program, 0);
  return g_steal_pointer (&program);
}
