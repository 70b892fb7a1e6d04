/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every operation, shapes that are no multiple of any tile.
 */
#include "lk-op-harness.h"

static const gint32 ids[] = { 3, 0, 12, 3, 7, 12, 1, 3, 16, 2, 5 };
static const gint32 positions[] = { 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6 };
static const gint32 random_key[] = { 12345, 678, 3, 0 };
static const gint32 slots[] = { 2, -1, 0, 5, 4, 9, 1, 7, 3, 8, 10 };
static const gint32 chosen[] = { 10, 0, 4, 4 };
/* Two packed sequences and a padded row. */
static const gint32 ranges[] = { 0, 1, 0, 2, 0, 3, 0, 4, 4, 5, 4, 6, 4, 7, 4, 8, 4, 9, 4, 10, 0, 0 };

/* All keys (an end beyond the last is the last), two of them, none. */
static const gint32 few_ranges[] = { 0, 300, 7, 9, 0, 0 };

static gint32 long_ranges[2 * 197];
static gint32 all_ranges[2 * 197]; /* one sequence */
static gint32 gap_ranges[2 * LK_GAP_ROWS]; /* no order, and every seventh query sees nothing */

static void __attribute__ ((constructor))
fill_long_ranges (void)
{
  for (gint32 i = 0; i < 197; i++)
    {
      long_ranges[2 * i] = i < 70 ? 0 : i < 130 ? 70 : 130;
      long_ranges[2 * i + 1] = i + 1;
      all_ranges[2 * i + 1] = i + 1;
    }
  for (gint32 i = 0; i < LK_GAP_ROWS; i++)
    if (!lk_gap_row_is_empty (i))
      {
        gap_ranges[2 * i] = i * 29 % 120;
        gap_ranges[2 * i + 1] = gap_ranges[2 * i] + 1 + i * 13 % 90;
      }
}

static LkTensorId
build_add (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_add (program, "y", in[0], in[1]);
}

/* x enters twice, so that its gradient is added up from two consumers. */
static LkTensorId
build_residual (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkTensorId x = lk_op_add (program, "x", in[0], in[1]);

  return lk_op_add (program, "y", x, lk_op_rms_norm (program, "n", x, in[2], 1e-5f, 0));
}

/* The branch is one operation that reads the gradient of the sum while that of its own input has begun. */
static LkTensorId
build_residual_linear (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkTensorId x = lk_op_add (program, "x", in[0], in[1]);

  return lk_op_add (program, "y", x, lk_op_linear (program, "l", x, in[2], NULL));
}

/* Both inputs of a sum are one tensor. */
static LkTensorId
build_twice (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkTensorId x = lk_op_rms_norm (program, "x", in[0], in[1], 1e-5f, 0);

  return lk_op_add (program, "y", x, x);
}

static LkTensorId
build_embedding (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_embedding (program, "y", in[0], in[1], 1.5f);
}

static LkTensorId
build_rms_norm (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_rms_norm (program, "y", in[0], in[1], 1e-5f, 0);
}

static LkTensorId
build_linear (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_linear (program, "y", in[0], in[1], NULL);
}

/* x, w, strength, (a, b)…, random */
static LkTensorId
build_lora (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkLinearAdapter adapters[] = { { in[3], in[4], in[2], 2.0f }, { in[5], in[6], in[2], 0.5f } };
  LkLinearOptions options = { .adapters = adapters, .n_adapters = 2 };

  return lk_op_linear (program, "y", in[0], in[1], &options);
}

static LkTensorId
build_dropout (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkLinearAdapter adapter = { in[3], in[4], in[2], 2.0f };
  LkLinearOptions options = { .adapters = &adapter, .n_adapters = 1, .dropout = 0.3f, .random = in[5], .site = 9 };

  return lk_op_linear (program, "y", in[0], in[1], &options);
}

static LkTensorId
build_rope (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_rope (program, "y", in[0], in[1], in[2], 3);
}

static LkTensorId
build_attention (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkAttentionOptions options = { 6, 2, 0.4f, 0, 0 };

  return lk_op_attention (program, "y", in[0], in[1], in[2], in[3], &options);
}

/* heads as wide as any, many of them on one */
static LkTensorId
build_attention_one (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkAttentionOptions options = { 4, 1, 0.06f, 0, 0 };

  return lk_op_attention (program, "y", in[0], in[1], in[2], in[3], &options);
}

/* as scores are in models, over a window and with a cap that both bite */
static LkTensorId
build_attention_whole (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkAttentionOptions options = { 6, 2, 0.1f, 0, 0 };

  return lk_op_attention (program, "y", in[0], in[1], in[2], in[3], &options);
}

static LkTensorId
build_attention_both (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkAttentionOptions options = { 6, 2, 0.1f, 0.8f, 37 };

  return lk_op_attention (program, "y", in[0], in[1], in[2], in[3], &options);
}

static LkTensorId
build_glu (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_glu (program, "y", in[0], in[1], LK_ACTIVATION_SILU);
}

static LkTensorId
build_geglu (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_glu (program, "y", in[0], in[1], LK_ACTIVATION_GELU_TANH);
}

/* weights stored less one */
static LkTensorId
build_rms_norm_plus (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_rms_norm (program, "y", in[0], in[1], 1e-5f, 1);
}

static LkTensorId
build_bias (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_bias (program, "y", in[0], in[1]);
}

/* two parts of a product and some columns nobody takes */
static LkTensorId
build_columns (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkTensorId gate = lk_op_columns (program, "gate", in[0], 2, 15), up = lk_op_columns (program, "up", in[0], 17, 15);

  return lk_op_glu (program, "y", gate, up, LK_ACTIVATION_SILU);
}

/* the gradient of what the parts are taken from begins with the last of them */
static LkTensorId
build_columns_of_sum (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkTensorId x = lk_op_add (program, "x", in[0], in[1]);

  return build_columns (program, &x, self);
}

static LkTensorId
build_soft_cap (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_soft_cap (program, "y", in[0], 0.7f);
}

/* a cap low enough to bend the scores, a window shorter than the sequences */
static LkTensorId
build_attention_capped (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkAttentionOptions options = { 6, 2, 0.4f, 1.5f, 0 };

  return lk_op_attention (program, "y", in[0], in[1], in[2], in[3], &options);
}

static LkTensorId
build_attention_window (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  LkAttentionOptions options = { 6, 2, 0.4f, 0, 3 };

  return lk_op_attention (program, "y", in[0], in[1], in[2], in[3], &options);
}

static LkTensorId
build_gather (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_gather (program, "y", in[0], in[1]);
}

static LkTensorId
build_cache_append (LkProgram *program, const LkTensorId *in, const LkCase *self)
{
  return lk_op_cache_append (program, in[0], in[1], in[2]);
}

#define F32(name, rows, cols) { name, LK_TYPE_F32, rows, cols, FALSE, 0, NULL }
#define GRAD(name, rows, cols) { name, LK_TYPE_F32, rows, cols, TRUE, 0, NULL }
#define SMALL(name, rows, cols) { name, LK_TYPE_F32, rows, cols, TRUE, 0.3f, NULL }
#define PACKED(name, type, rows, cols) { name, type, rows, cols, FALSE, 0.3f, NULL }
#define I32(name, rows, cols, values) { name, LK_TYPE_I32, rows, cols, FALSE, 0, values }

#define LINEAR(type) \
  { "linear " #type, { GRAD ("x", 11, 256), PACKED ("w", LK_TYPE_##type, 37, 256) }, build_linear, 0, 0 }, \
  { "linear " #type " of one row", { GRAD ("x", 1, 256), PACKED ("w", LK_TYPE_##type, 37, 256) }, build_linear, 0, 0 }

const LkCase lk_cases[] = {
  { "add", { GRAD ("a", 11, 37), GRAD ("b", 11, 37) }, build_add, 0, 0 },
  { "residual", { GRAD ("a", 11, 37), GRAD ("b", 11, 37), GRAD ("w", 1, 37) }, build_residual, 0, 0 },
  { "residual around a linear", { GRAD ("a", 11, 331), GRAD ("b", 11, 331), PACKED ("w", LK_TYPE_F16, 331, 331) }, build_residual_linear, 0, 0 },
  { "sum of one tensor twice", { GRAD ("x", 11, 37), GRAD ("w", 1, 37) }, build_twice, 0, 0 },
  { "embedding", { I32 ("ids", 1, 11, ids), GRAD ("table", 17, 33) }, build_embedding, 0, 0 },
  { "embedding Q8_0", { I32 ("ids", 1, 11, ids), PACKED ("table", LK_TYPE_Q8_0, 17, 64) }, build_embedding, 0, 0 },
  { "embedding F16", { I32 ("ids", 1, 11, ids), PACKED ("table", LK_TYPE_F16, 17, 33) }, build_embedding, 0, 0 },
  { "rms_norm", { GRAD ("x", 11, 37), GRAD ("w", 1, 37) }, build_rms_norm, 0, 0 },
  { "rms_norm wide", { GRAD ("x", 3, 1031), GRAD ("w", 1, 1031) }, build_rms_norm, 0, 0 },
  { "linear F32", { GRAD ("x", 11, 37), SMALL ("w", 53, 37) }, build_linear, 0, 0 },
  { "linear F32 large", { GRAD ("x", 133, 197), SMALL ("w", 211, 197) }, build_linear, 0, 0 },
  LINEAR (F16), LINEAR (BF16), LINEAR (Q8_0), LINEAR (Q4_0), LINEAR (Q4_1), LINEAR (Q5_0), LINEAR (Q5_1), LINEAR (Q4_K), LINEAR (Q5_K),
  LINEAR (Q6_K), LINEAR (Q2_K), LINEAR (Q3_K), LINEAR (IQ4_NL), LINEAR (IQ4_XS), LINEAR (TQ1_0), LINEAR (TQ2_0), LINEAR (MXFP4), LINEAR (NF4), LINEAR (NF4_PLAIN),
  /* rows of 17 and 51 bytes */
  { "linear MXFP4 odd", { GRAD ("x", 11, 32), PACKED ("w", LK_TYPE_MXFP4, 37, 32) }, build_linear, 0, 0 },
  { "embedding MXFP4 odd", { I32 ("ids", 1, 11, ids), PACKED ("table", LK_TYPE_MXFP4, 17, 96) }, build_embedding, 0, 0 },
  /* blocks that cross rows, more than one for the scales, a short one at the end */
  { "linear NF4 large", { GRAD ("x", 70, 548), PACKED ("w", LK_TYPE_NF4, 333, 548) }, build_linear, 0, 0 },
  /* as deep as a real vocabulary: the gradient of x is one long sum */
  { "linear Q8_0 deep", { GRAD ("x", 3, 32), PACKED ("w", LK_TYPE_Q8_0, 49152, 32) }, build_linear, 0, 0 },
  /* more rows and columns than a tile of the processor holds */
  { "linear Q4_1 of many tiles", { GRAD ("x", 9, 1696), PACKED ("w", LK_TYPE_Q4_1, 1301, 1696) }, build_linear, 0, 0 },
  /* large enough to be unpacked before it is multiplied on matrix units: whole tiles, and none */
  { "linear F32 to unpack", { GRAD ("x", 256, 128), SMALL ("w", 128, 128) }, build_linear, 0, 0 },
  { "linear NF4 to unpack", { GRAD ("x", 261, 192), PACKED ("w", LK_TYPE_NF4, 133, 192) }, build_linear, 0, 0 },
  { "linear Q4_K to unpack", { GRAD ("x", 259, 256), PACKED ("w", LK_TYPE_Q4_K, 147, 256) }, build_linear, 0, 0 },
  { "linear F16 to unpack", { GRAD ("x", 257, 134), PACKED ("w", LK_TYPE_F16, 131, 134) }, build_linear, 0, 0 },
  { "linear Q4_1 large", { GRAD ("x", 70, 544), PACKED ("w", LK_TYPE_Q4_1, 333, 544) }, build_linear, 0, 0 },
  { "lora", { GRAD ("x", 13, 64), PACKED ("w", LK_TYPE_Q4_1, 45, 64), { "strength", LK_TYPE_F32, 1, 1, FALSE, 0, NULL },
              SMALL ("a0", 4, 64), SMALL ("b0", 45, 4), SMALL ("a1", 9, 64), SMALL ("b1", 45, 9) }, build_lora, 0, 0 },
  /* adapters as further steps of the product's own contraction */
  { "lora to unpack", { GRAD ("x", 260, 192), PACKED ("w", LK_TYPE_Q4_1, 149, 192), { "strength", LK_TYPE_F32, 1, 1, FALSE, 0, NULL },
                        SMALL ("a0", 4, 192), SMALL ("b0", 149, 4), SMALL ("a1", 9, 192), SMALL ("b1", 149, 9) }, build_lora, 0, 0 },
  { "lora of which B learns", { GRAD ("x", 13, 64), PACKED ("w", LK_TYPE_Q4_1, 45, 64), { "strength", LK_TYPE_F32, 1, 1, FALSE, 0, NULL },
              F32 ("a0", 4, 64), SMALL ("b0", 45, 4), SMALL ("a1", 9, 64), F32 ("b1", 45, 9) }, build_lora, 0, 0 },
  { "lora with dropout", { GRAD ("x", 13, 67), SMALL ("w", 45, 67), { "strength", LK_TYPE_F32, 1, 1, FALSE, 0, NULL },
                           SMALL ("a", 5, 67), SMALL ("b", 45, 5), I32 ("random", 1, 4, random_key) }, build_dropout, 0, 0 },
  { "rope", { GRAD ("x", 11, 30), I32 ("positions", 1, 11, positions), F32 ("table", 8, 10) }, build_rope, 0, 0 },
  { "attention", { GRAD ("q", 11, 60), GRAD ("k", 11, 20), GRAD ("v", 11, 20), I32 ("ranges", 11, 2, ranges) }, build_attention, 5e-3, 0 },
  { "attention long", { GRAD ("q", 197, 48), GRAD ("k", 197, 16), GRAD ("v", 197, 16), I32 ("ranges", 197, 2, long_ranges) }, build_attention,
    5e-3, 0 },
  { "attention wide", { GRAD ("q", 71, 384), GRAD ("k", 71, 128), GRAD ("v", 71, 128), I32 ("ranges", 71, 2, long_ranges) }, build_attention,
    2e-2, 0 },
  /* as decoding has it */
  { "attention of a few rows", { GRAD ("q", 3, 60), GRAD ("k", 300, 20), GRAD ("v", 300, 20), I32 ("ranges", 3, 2, few_ranges) },
    build_attention, 1e-2, 0 },
  { "attention of a few rows with a soft cap",
    { GRAD ("q", 3, 60), GRAD ("k", 300, 20), GRAD ("v", 300, 20), I32 ("ranges", 3, 2, few_ranges) }, build_attention_capped, 1e-2, 0 },
  { "attention of a few rows with a window",
    { GRAD ("q", 3, 60), GRAD ("k", 9, 20), GRAD ("v", 9, 20), I32 ("ranges", 3, 2, few_ranges) }, build_attention_window, 1e-2, 0 },
  { "attention of wide heads", { SMALL ("q", 137, 1024), SMALL ("k", 137, 256), SMALL ("v", 137, 256), I32 ("ranges", 137, 2, all_ranges) },
    build_attention_one, 2e-2, 0 },
  { "rms_norm of heads", { GRAD ("x", 11, 60), GRAD ("w", 1, 12) }, build_rms_norm, 0, 0 },
  { "rms_norm plus one", { GRAD ("x", 11, 37), GRAD ("w", 1, 37) }, build_rms_norm_plus, 0, 0 },
  { "bias", { GRAD ("x", 11, 37), GRAD ("b", 1, 37) }, build_bias, 0, 0 },
  { "columns", { GRAD ("x", 11, 37) }, build_columns, 0, 0 },
  { "columns of a sum", { GRAD ("a", 11, 37), GRAD ("b", 11, 37) }, build_columns_of_sum, 0, 0 },
  { "rope of a part", { GRAD ("x", 11, 30), I32 ("positions", 1, 11, positions), F32 ("table", 8, 6) }, build_rope, 0, 0 },
  { "soft cap", { F32 ("x", 11, 37) }, build_soft_cap, 0, 0 },
  { "attention with a soft cap", { GRAD ("q", 11, 60), GRAD ("k", 11, 20), GRAD ("v", 11, 20), I32 ("ranges", 11, 2, ranges) },
    build_attention_capped, 5e-3, 0 },
  { "attention with a window", { GRAD ("q", 11, 60), GRAD ("k", 11, 20), GRAD ("v", 11, 20), I32 ("ranges", 11, 2, ranges) },
    build_attention_window, 5e-3, 0 },
  { "attention long with a window", { GRAD ("q", 197, 48), GRAD ("k", 197, 16), GRAD ("v", 197, 16), I32 ("ranges", 197, 2, long_ranges) },
    build_attention_window, 5e-3, 0 },
  { "geglu", { GRAD ("gate", 11, 37), GRAD ("up", 11, 37) }, build_geglu, 0, 0 },
  { "glu", { GRAD ("gate", 11, 37), GRAD ("up", 11, 37) }, build_glu, 0, 0 },
  { "gather", { F32 ("x", 11, 37), I32 ("rows", 1, 4, chosen) }, build_gather, 0, 0 },
  { "cache_append", { F32 ("x", 11, 37), I32 ("slots", 1, 11, slots), F32 ("cache", 11, 37) }, build_cache_append, 0, 0 },
  { NULL, { { 0 } }, NULL, 0, 0 },
};

/* Six heads of @d channels on two of keys. */
#define HEADS(d, rows, keys, ranges) { GRAD ("q", rows, 6 * (d)), GRAD ("k", keys, 2 * (d)), GRAD ("v", keys, 2 * (d)), I32 ("ranges", rows, 2, ranges) }

const LkCase lk_matrix_cases[] = {
  { "attention of narrow heads", HEADS (16, 197, 197, long_ranges), build_attention, 0, 0 },
  { "attention of narrow heads with a window and a soft cap", HEADS (16, 197, 197, all_ranges), build_attention_both, 0, 0 },
  { LK_GAP_CASE, HEADS (16, LK_GAP_ROWS, 203, gap_ranges), build_attention_whole, 0, 0 },
  { "attention of heads of 48", HEADS (48, 197, 197, all_ranges), build_attention_whole, 0, 0 },
  { "attention of heads of 64", HEADS (64, 197, 197, all_ranges), build_attention_both, 0, 0 },
  { "attention of heads of 80", HEADS (80, LK_GAP_ROWS, 203, gap_ranges), build_attention_whole, 0, 0 },
  { "attention of heads of 128", HEADS (128, 197, 197, long_ranges), build_attention_both, 0, 0 },
  { "attention of heads of 256", HEADS (256, 197, 197, all_ranges), build_attention_whole, 0, 0 },
  { NULL, { { 0 } }, NULL, 0, 0 },
};

#define MANY 70001
/* all of them the first token */
static const gint32 many_ids[MANY];

const LkCase lk_long_cases[] = {
  { "rms_norm of many rows", { GRAD ("x", MANY, 3), GRAD ("w", 1, 3) }, build_rms_norm, 0, 1e-4 },
  { "bias of many rows", { GRAD ("x", MANY, 3), GRAD ("b", 1, 3) }, build_bias, 0, 1e-4 },
  { "embedding of many rows", { I32 ("ids", 1, MANY, many_ids), GRAD ("table", 2, 3) }, build_embedding, 0, 1e-4 },
  { NULL, { { 0 } }, NULL, 0, 0 },
};
