/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Block types against vectors made by the reference implementation: dequantised and quantised bytes by CRC-32, in each
 * instruction set this processor runs. Those of TQ1_0, TQ2_0 and MXFP4 were made by libggml-base 0.27 (Debian):
 * dequantize_row_… and quantize_row_…_ref of the same byte pattern and the same inputs, called through Python's ctypes.
 */
#include <math.h>
#include <string.h>

#include "lk-half.h"
#include "lk-quant.h"
#include "../lk-test-nf4.h"
#include "lk-test-crc.h"

#define N_INPUTS 1024

typedef struct
{
  LkType type;
  int d_offset;          /* of the scale in a block; -1: the scale is the exponent in byte 0 */
  int m_offset;          /* of the minimum, -1 when there is none */
  guint32 block_crc;     /* of one dequantised block of the byte pattern */
  double block_sum;
  guint32 quantised_crc; /* of the quantised inputs */
  double rmse;
  guint32 restored_crc;  /* of the quantised inputs dequantised again */
} Vector;

static const Vector vectors[] = {
  { LK_TYPE_Q4_0, 0, -1, 0x7CED03B6, -5.25, 0x3BA6E77C, 0.038128, 0x368B75CF },
  { LK_TYPE_Q4_1, 0, 2, 0xA856F61E, 65.25, 0xA53BB775, 0.034995, 0xC5A010CD },
  { LK_TYPE_Q5_0, 0, -1, 0xED6B6973, 3.75, 0x74B921D8, 0.018550, 0x22FC37FE },
  { LK_TYPE_Q5_1, 0, 2, 0x74205D8A, 130.25, 0xD25EFA19, 0.017107, 0x378FC886 },
  { LK_TYPE_Q8_0, 0, -1, 0x331DAE17, -44, 0xBFB132D0, 0.002169, 0x5F9E7F42 },
  { LK_TYPE_Q2_K, 80, 82, 0xA5817826, 514.75, 0xCD8C436D, 0.135969, 0xF70A2ACC },
  { LK_TYPE_Q3_K, 108, -1, 0x09680A6F, 239.5, 0xBB5312E7, 0.071893, 0xBD612F27 },
  { LK_TYPE_Q4_K, 0, 2, 0x4A0FF77D, 13610, 0xB2BAE1BB, 0.031680, 0xD3CF2FC7 },
  { LK_TYPE_Q5_K, 0, 2, 0x885BBFF6, 29054, 0x17183E26, 0.016109, 0xB995122E },
  { LK_TYPE_Q6_K, 208, -1, 0xA4C1436A, 1153, 0x137789C4, 0.007776, 0x2E986BD3 },
  { LK_TYPE_IQ4_NL, 0, -1, 0xA700B6CC, -64.25, 0xAA9B1ECB, 0.039758, 0x735D9210 },
  { LK_TYPE_IQ4_XS, 0, -1, 0xD58F833B, -2751.25, 0x15729C14, 0.037544, 0xAD06FDB3 },
  { LK_TYPE_TQ1_0, 52, -1, 0x80CC8CBF, -0.5, 0xD803FF91, 0.286398, 0xA964EA8F },
  { LK_TYPE_TQ2_0, 64, -1, 0x9B2CA32E, 32.25, 0x1C92C825, 0.286398, 0xA964EA8F },
  { LK_TYPE_MXFP4, -1, -1, 0x22B4B7CA, 3.125, 0xBF8AB655, 0.085043, 0xACCC867B },
};

static void
make_inputs (float *x)
{
  guint32 s = 12345;

  for (int i = 0; i < N_INPUTS; i++)
    {
      s = 1664525u * s + 1013904223u;
      x[i] = (float) (s >> 8) / 8388608.0f - 1.0f;
    }
}

/* The byte pattern with scale 0.25 and minimum 0.125. */
static void
make_block (const Vector *v, guint8 *b)
{
  for (guint k = 0; k < lk_type_info (v->type)->block_bytes; k++)
    b[k] = (guint8) (37 * k + 11);
  if (v->d_offset >= 0)
    memcpy (b + v->d_offset, "\x00\x34", 2);
  else
    b[0] = 125;
  if (v->m_offset >= 0)
    memcpy (b + v->m_offset, "\x00\x30", 2);
}

static void
test_dequantise (gconstpointer user_data)
{
  const Vector *v = user_data;
  const LkTypeInfo *info = lk_type_info (v->type);
  guint8 block[256 + 1];
  float out[256];
  double sum = 0;

  for (LkSimd simd = LK_SIMD_BASELINE; simd < LK_N_SIMD; simd++)
    for (int shift = 0; lk_simd_runs (simd) && shift < 2; shift++) /* once aligned, once not */
      {
        make_block (v, block + shift);
        lk_quant_info_for (simd, v->type)->dequantise (block + shift, out, info->block_elements);
        g_assert_cmphex (lk_test_crc32 (out, info->block_elements * sizeof (float)), ==, v->block_crc);
      }
  for (guint i = 0; i < info->block_elements; i++)
    sum += out[i];
  g_assert_cmpfloat (sum, ==, v->block_sum);
}

static void
check_quantise (const Vector *v, const LkQuantInfo *quant)
{
  g_autofree float *x = g_new (float, N_INPUTS);
  g_autofree float *y = g_new (float, N_INPUTS);
  g_autofree guint8 *blocks = NULL;
  guint64 size = 0;
  double square = 0;

  make_inputs (x);
  g_assert_cmphex (lk_test_crc32 (x, N_INPUTS * sizeof (float)), ==, 0x9D77B649);
  g_assert_true (lk_type_row_bytes (v->type, N_INPUTS, &size));
  blocks = g_malloc (size);
  quant->quantise (x, blocks, N_INPUTS);
  quant->dequantise (blocks, y, N_INPUTS);
  for (int i = 0; i < N_INPUTS; i++)
    square += ((double) x[i] - y[i]) * ((double) x[i] - y[i]);
  g_assert_cmpfloat_with_epsilon (sqrt (square / N_INPUTS), v->rmse, 1e-6);
  g_assert_cmphex (lk_test_crc32 (blocks, size), ==, v->quantised_crc);
  g_assert_cmphex (lk_test_crc32 (y, N_INPUTS * sizeof (float)), ==, v->restored_crc);
}

static void
test_quantise (gconstpointer user_data)
{
  const Vector *v = user_data;

  for (LkSimd simd = LK_SIMD_BASELINE; simd < LK_N_SIMD; simd++)
    if (lk_simd_runs (simd))
      check_quantise (v, lk_quant_info_for (simd, v->type));
}

/* All sets give the bits of the baseline, for blocks of any content. */
static void
test_sets_agree (gconstpointer user_data)
{
  const Vector *v = user_data;
  const LkTypeInfo *info = lk_type_info (v->type);
  gsize n_blocks = 64, n = n_blocks * info->block_elements;
  g_autofree guint8 *blocks = g_malloc (n_blocks * info->block_bytes);
  g_autofree float *wanted = g_new (float, n);
  g_autofree float *got = g_new (float, n);
  guint32 s = 4321;

  for (gsize i = 0; i < n_blocks * info->block_bytes; i++)
    blocks[i] = (guint8) ((s = 1664525u * s + 1013904223u) >> 24);
  lk_quant_info_for (LK_SIMD_BASELINE, v->type)->dequantise (blocks, wanted, (gint64) n);
  for (LkSimd simd = LK_SIMD_BASELINE + 1; simd < LK_N_SIMD; simd++)
    if (lk_simd_runs (simd))
      {
        lk_quant_info_for (simd, v->type)->dequantise (blocks, got, (gint64) n);
        for (gsize i = 0; i < n; i++)
          g_assert_true (memcmp (&got[i], &wanted[i], 4) == 0 || (isnan (got[i]) && isnan (wanted[i])));
      }
}

/* Every type with a name that a weight may have is in the table of vectors, but for plain floats. */
static void
test_all_have_vectors (void)
{
  const LkTypeInfo *info;

  for (guint i = 0; (info = lk_type_info_at (i)); i++)
    {
      gboolean found = info->block_elements == 1 || info->side_bytes > 0;

      for (guint k = 0; k < G_N_ELEMENTS (vectors); k++)
        found |= vectors[k].type == info->type;
      g_assert_true (found || !lk_quant_info (info->type));
    }
}

static void
test_half_types (void)
{
  g_autofree guint16 *halves = g_new (guint16, 65536);
  g_autofree guint16 *back = g_new (guint16, 65536);
  g_autofree float *wide = g_new (float, 65536);

  for (int i = 0; i < 65536; i++)
    halves[i] = (guint16) i;
  lk_quant_info (LK_TYPE_F16)->dequantise (halves, wide, 65536);
  for (int i = 0; i < 65536; i++)
    {
      float one = lk_f16_to_f32 ((guint16) i);

      g_assert_true (memcmp (&one, &wide[i], 4) == 0 || (isnan (one) && isnan (wide[i])));
    }
  lk_quant_info (LK_TYPE_F16)->quantise (wide, back, 65536);
  for (int i = 0; i < 65536; i++)
    if (!isnan (wide[i]))
      g_assert_cmphex (back[i], ==, i);
    else
      g_assert_true (isnan (lk_f16_to_f32 (back[i])));
  lk_quant_info (LK_TYPE_BF16)->dequantise (halves, wide, 65536);
  lk_quant_info (LK_TYPE_BF16)->quantise (wide, back, 65536);
  for (int i = 0; i < 65536; i++)
    if (!isnan (wide[i]))
      g_assert_cmphex (back[i], ==, i);
    else
      g_assert_true (isnan (lk_bf16_to_f32 (back[i])));
}

/* Zeros stay zeros; infinities and not-a-numbers must not trap. */
static void
test_odd_inputs (gconstpointer user_data)
{
  const Vector *v = user_data;
  const LkQuantInfo *quant = lk_quant_info (v->type);
  float x[256] = { 0 }, y[256];
  guint8 blocks[256 * 4];
  static const float odd[] = { INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 1e-45f, -0.0f };

  quant->quantise (x, blocks, 256);
  quant->dequantise (blocks, y, 256);
  for (int i = 0; i < 256; i++)
    g_assert_cmpfloat (y[i], ==, 0);
  for (guint k = 0; k < G_N_ELEMENTS (odd); k++)
    for (int i = 0; i < 256; i += 37)
      {
        memset (x, 0, sizeof x);
        x[i] = odd[k];
        x[(i + 7) % 256] = odd[(k + 1) % G_N_ELEMENTS (odd)];
        quant->quantise (x, blocks, 256);
        quant->dequantise (blocks, y, 256);
      }
}

/* The vector of formats: g.3, and what bitsandbytes 0.50 makes of it: tests/interop/nf4.py. */
static void
test_nf4 (void)
{
  static const guint8 scales[] = { 186, 200, 198, 178, 0, 193, 200, 186, 93, 49, 70, 200, 192, 58, 198, 84 };
  static const struct { LkType type; guint64 bytes; double rmse; } types[]
      = { { LK_TYPE_NF4, 512 + 1092 + 260, 0.0501 }, { LK_TYPE_NF4_PLAIN, 512 + 64 + 16 * 4, 0.050115 } };
  g_autofree float *x = g_new (float, N_INPUTS);
  g_autofree float *y = g_new (float, N_INPUTS);

  make_inputs (x);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      guint64 size = 0;
      g_autofree guint8 *bytes = NULL;
      LkPacked packed;
      double square = 0;

      g_assert_true (lk_type_bytes (types[i].type, 8, 128, &size));
      g_assert_cmpuint (size, ==, types[i].bytes);
      bytes = g_malloc (size);
      lk_test_nf4_quantise (types[i].type, x, 8, 128, bytes);
      g_assert_cmphex (lk_test_crc32 (bytes, 512), ==, 0x30807CED);
      packed = lk_packed (types[i].type, bytes, 8, 128);
      lk_packed_read (&packed, 0, 0, N_INPUTS, y);
      for (int k = 0; k < N_INPUTS; k++)
        square += ((double) x[k] - y[k]) * ((double) x[k] - y[k]);
      g_assert_cmpfloat_with_epsilon (sqrt (square / N_INPUTS), types[i].rmse, 1e-4);
      if (types[i].type == LK_TYPE_NF4_PLAIN)
        g_assert_cmphex (lk_test_crc32 (y, N_INPUTS * sizeof (float)), ==, 0x64631A74);
      else
        {
          g_assert_cmpmem (packed.side + 274 * 4, 16, scales, 16);
          g_assert_cmpfloat_with_epsilon (lk_nf4_scale (packed.side, 0), 0.9873036, 1e-6);
          g_assert_cmpfloat_with_epsilon (lk_nf4_scale (packed.side, 4), 0.8954042, 1e-6);
        }
      /* any part of it */
      for (int at = 0; at < N_INPUTS; at += 36)
        {
          float part[132];
          gint64 n = MIN (132, N_INPUTS - at);

          lk_packed_read (&packed, at / 128, at % 128, n, part);
          g_assert_cmpmem (part, (gsize) n * 4, y + at, (gsize) n * 4);
        }
    }
}

/* A whole number of bytes of a large matrix is 4.127 bits an element. */
static void
test_nf4_size (void)
{
  guint64 size;

  g_assert_true (lk_type_bytes (LK_TYPE_NF4, 14336, 4096, &size));
  g_assert_cmpfloat_with_epsilon ((double) size * 8 / (14336.0 * 4096), 4.127, 5e-4);
  g_assert_false (lk_type_bytes (LK_TYPE_NF4, 8, 66, &size));
  g_assert_false (lk_type_bytes (LK_TYPE_NF4, G_MAXUINT64 / 4, 4096, &size));
}

/* Zeros, infinities, not-a-numbers, short blocks. */
static void
test_nf4_odd (void)
{
  static const float odd[] = { 0, INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 1e-45f, -0.0f };
  float x[100] = { 0 }, y[100];
  guint64 size = 0;
  g_autofree guint8 *bytes = NULL;

  g_assert_true (lk_type_bytes (LK_TYPE_NF4, 1, 100, &size));
  bytes = g_malloc (size);
  for (guint k = 0; k < G_N_ELEMENTS (odd); k++)
    {
      LkPacked packed = lk_packed (LK_TYPE_NF4, bytes, 1, 100);

      x[70] = x[3] = odd[k];
      lk_test_nf4_quantise (LK_TYPE_NF4, x, 1, 100, bytes);
      lk_packed_read (&packed, 0, 0, 100, y);
      if (odd[k] == 0)
        for (int i = 0; i < 64; i++)
          g_assert_cmpfloat (y[i], ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quant/half-types", test_half_types);
  g_test_add_func ("/quant/NF4/vector", test_nf4);
  g_test_add_func ("/quant/NF4/size", test_nf4_size);
  g_test_add_func ("/quant/NF4/odd-inputs", test_nf4_odd);
  g_test_add_func ("/quant/all-have-vectors", test_all_have_vectors);
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      const char *name = lk_type_name (vectors[i].type);
      g_autofree char *dequantise = g_strdup_printf ("/quant/%s/dequantise", name);
      g_autofree char *quantise = g_strdup_printf ("/quant/%s/quantise", name);
      g_autofree char *agree = g_strdup_printf ("/quant/%s/sets-agree", name);
      g_autofree char *odd = g_strdup_printf ("/quant/%s/odd-inputs", name);

      g_test_add_data_func (dequantise, &vectors[i], test_dequantise);
      g_test_add_data_func (quantise, &vectors[i], test_quantise);
      g_test_add_data_func (agree, &vectors[i], test_sets_agree);
      g_test_add_data_func (odd, &vectors[i], test_odd_inputs);
    }
  return g_test_run ();
}
