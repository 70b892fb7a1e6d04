// SPDX-License-Identifier: GPL-3.0-or-later
// What the matrix products share: C (=|+=) alpha·op(A)·op(B), B packed as in its file. A work group makes a BM ×
// BN tile of C from BK-deep slices of A and B in shared memory, B unpacked while it is loaded. With two STAGES the
// next slice is fetched into registers while this one is multiplied, and goes to the other half of shared memory:
// one barrier a slice is enough. Sums are float32 and their order is fixed. Any M, N, K.
//
//   A: float [M, K] with row stride lda, or its transpose [K, M] (A_TRANS)
//   B: TYPE [K, N] with rows of ldb, as quant.glsl counts (B_TRANS 0), or [N, K] (B_TRANS 1: summed along packed rows)
//
// Both are fetched in quads along the direction they are stored in. The including shader says with HALF whether
// slices are kept as 16-bit floats.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require

layout(constant_id = 0) const uint TYPE = 0;
layout(constant_id = 1) const uint A_TRANS = 0;
layout(constant_id = 2) const uint B_TRANS = 1;
layout(constant_id = 3) const uint DROPOUT = 0;  // of 1: A, 2: B, 3: the product; by place in that matrix
layout(constant_id = 4) const uint LIMIT = 0;    // counts[0] − count_begin limits 1: M, 2: K
layout(constant_id = 5) const uint STRENGTH = 0; // alpha is multiplied by strength[0]
layout(constant_id = 6) const uint BM = 64;
layout(constant_id = 7) const uint BN = 64;
layout(constant_id = 8) const uint BK = 16;
layout(constant_id = 9) const uint TM = 4;       // the part of the tile that one thread, or one subgroup, makes
layout(constant_id = 10) const uint TN = 4;
layout(constant_id = 11) const uint STAGES = 1;
layout(constant_id = 12) const uint A_QUADS = 0; // rows of A begin on 16 bytes
layout(constant_id = 13) const uint B_QUADS = 0; // the same of B, with TYPE F32; on 8 bytes with F16 and BF16
layout(constant_id = 14) const uint THREADS = 256;
layout(local_size_x_id = 14) in;

layout(push_constant) uniform Push
{
  uint m, n, k;
  uint lda, ldb, ldc;
  uint a_offset, b_offset, c_offset; // floats, as quant.glsl counts, floats
  uint accumulate;
  float alpha;
  uint count_begin;
  uint site, threshold; // dropout: an element is kept when its draw is at least threshold
  float keep;
  uint b_cols; // elements of a row of B, where rows may end inside a quad
  uint m_tile; // first tile of rows
  uint b_first;     // 16-bit words of B before the binding's first, wrapping
  uint side_offset; // floats
  uint k_part; // work groups of z sum k_part elements each …
  uint c_part; // … into a C of their own, this many floats after the one before
  float a_scale; // power of two that brings A into the middle of what 16 bits hold
};

layout(binding = 0) readonly buffer A { float a[]; };
layout(binding = 0) readonly buffer A128 { vec4 a128[]; };
layout(binding = 1) readonly buffer B32 { float w32[]; };
layout(binding = 1) readonly buffer B16 { uint16_t w16[]; };
layout(binding = 1) readonly buffer B64 { uvec2 w64[]; };
layout(binding = 1) readonly buffer B128 { vec4 w128[]; };
layout(binding = 2) buffer C { float c[]; };
layout(binding = 3) readonly buffer Strength { float strength[]; };
layout(binding = 4) readonly buffer Random { uint random[]; }; // key low, key high, step, first row
layout(binding = 5) readonly buffer Counts { uint counts[]; };
layout(binding = 6) readonly buffer Side { uint side[]; }; // of B, where TYPE has one

#define HAS_SIDE
#include "quant/quant.glsl"
#include "philox.glsl"

#ifdef HALF
#define QUAD f16vec4
// What 16 bits cannot hold becomes the largest they can; what is no number stays none.
f16vec4 to_quad (vec4 v)
{
  v = mix (v, vec4 (65504.0), greaterThan (v, vec4 (65504.0)));
  v = mix (v, vec4 (-65504.0), lessThan (v, vec4 (-65504.0)));
  return f16vec4 (v);
}
#else
#define QUAD vec4
vec4 to_quad (vec4 v)
{
  return v;
}
#endif

vec4 dropout (vec4 v, uint row, uint col)
{
  uvec4 draw = philox (uvec2 (random[0], random[1]), uvec4 (col / 4u, row + random[3], site, random[2]));

  return mix (vec4 (0.0), v * keep, greaterThanEqual (draw, uvec4 (threshold)));
}

// Where the sums of this work group begin and end; rows of A that count.
uint rows, k_begin, k_end;

void find_range ()
{
  uint left = LIMIT == 0u ? 0u : counts[0] - min (counts[0], count_begin);
  uint depth = LIMIT == 2u ? min (k, left) : k;

  rows = LIMIT == 1u ? min (m, left) : m;
  k_begin = gl_WorkGroupID.z * k_part;
  k_end = min (depth, k_begin + k_part);
}

// Elements @inner … @inner + 3 of stored row @outer of A.
QUAD fetch_a (uint outer, uint inner)
{
  uint outer_end = A_TRANS == 0u ? rows : k_end, inner_end = A_TRANS == 0u ? k_end : rows;
  uint at = a_offset + outer * lda + inner;
  vec4 v = vec4 (0.0);

  if (outer < outer_end && inner < inner_end)
    {
      if (A_QUADS != 0u && inner + 3u < inner_end)
        v = a128[at / 4u];
      else
        [[unroll]] for (uint j = 0u; j < 4u; j++)
          if (inner + j < inner_end)
            v[j] = a[at + j];
      if (DROPOUT == 1u)
        v = dropout (v, outer, inner);
    }
#ifdef HALF
  v *= a_scale;
#endif
  return to_quad (v);
}

vec4 unpack_b (uint row, uint inner)
{
  uvec2 w;

  if (B_QUADS == 0u)
    return dequant (row, inner, b_cols);
  if (TYPE == 0u)
    return w128[(row / 2u + inner) / 4u];
  w = w64[(row + inner) / 4u];
  if (TYPE == 1u)
    return vec4 (half_to_float (w.x & 0xffffu), half_to_float (w.x >> 16), half_to_float (w.y & 0xffffu),
                 half_to_float (w.y >> 16));
  return vec4 (bf16_to_float (w.x & 0xffffu), bf16_to_float (w.x >> 16), bf16_to_float (w.y & 0xffffu),
               bf16_to_float (w.y >> 16));
}

// The same of B. A quad that begins inside a row is read whole: rows end inside a quad only without B_QUADS.
QUAD fetch_b (uint outer, uint inner)
{
  uint outer_end = B_TRANS == 0u ? k_end : n, inner_end = B_TRANS == 0u ? n : k_end;
  vec4 v = vec4 (0.0);

  if (outer < outer_end && inner < inner_end)
    {
      v = unpack_b (b_offset + outer * ldb, inner);
      if (DROPOUT == 2u)
        v = dropout (v, outer, inner);
    }
  return to_quad (v);
}

void store (uint row, uint col, float v, float factor)
{
  uint at = c_offset + gl_WorkGroupID.z * c_part + row * ldc + col;

  if (DROPOUT == 3u)
    v = dropout (vec4 (v), row, col)[col % 4u];
  v *= factor;
  c[at] = accumulate != 0u ? c[at] + v : v;
}

float factor ()
{
  return STRENGTH != 0u ? alpha * strength[0] : alpha;
}
