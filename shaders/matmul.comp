// SPDX-License-Identifier: GPL-3.0-or-later
// C (=|+=) alpha·op(A)·op(B) in float32, B packed as in its file. One kernel for forward (y = x·Wᵀ), the
// transposed contraction on the same blocks (dx = dy·W) and the adapters' products. A work group makes a BM ×
// BN tile of C from BK-deep slices of A and B in shared memory, B unpacked while it is loaded; a thread keeps
// TM × TN sums. The order of the sums is fixed. Any M, N, K.
//
//   A: float [M, K] with row stride lda, or its transpose [K, M] (A_TRANS)
//   B: TYPE [K, N] with rows of ldb 16-bit words (B_TRANS 0), or [N, K] (B_TRANS 1: summed along packed rows)
#version 460
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
layout(constant_id = 8) const uint TM = 4;
layout(constant_id = 9) const uint TN = 4;
layout(local_size_x_id = 10) in; // THREADS
const uint THREADS = BM / TM * (BN / TN);
const uint BK = 16;

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
};

layout(binding = 0) readonly buffer A { float a[]; };
layout(binding = 1) readonly buffer B32 { float w32[]; };
layout(binding = 1) readonly buffer B16 { uint16_t w16[]; };
layout(binding = 2) buffer C { float c[]; };
layout(binding = 3) readonly buffer Strength { float strength[]; };
layout(binding = 4) readonly buffer Random { uint random[]; }; // key low, key high, step, first row
layout(binding = 5) readonly buffer Counts { uint counts[]; };
layout(binding = 6) readonly buffer Side { uint side[]; }; // of B, where TYPE has one

#define HAS_SIDE
#include "quant/quant.glsl"
#include "philox.glsl"

// A pad keeps the threads that store a transposed quad off each other's bank.
const uint A_STRIDE = BM + 1;
const uint B_STRIDE = BN + 1;
shared float a_tile[BK * A_STRIDE];
shared float b_tile[BK * B_STRIDE];

vec4 dropout (vec4 v, uint row, uint col)
{
  uvec4 draw = philox (uvec2 (random[0], random[1]), uvec4 (col / 4u, row + random[3], site, random[2]));

  return mix (vec4 (0.0), v * keep, greaterThanEqual (draw, uvec4 (threshold)));
}

void load_a (uint tid, uint m0, uint k0, uint rows, uint depth)
{
  for (uint i = tid; i < BM * BK / 4u; i += THREADS)
    {
      vec4 v = vec4 (0.0);
      if (A_TRANS == 0u)
        {
          uint r = i / (BK / 4u), q = i % (BK / 4u) * 4u;
          uint at = a_offset + (m0 + r) * lda + k0 + q;
          if (m0 + r < rows)
            for (uint j = 0u; j < 4u; j++)
              if (k0 + q + j < depth)
                v[j] = a[at + j];
          if (DROPOUT == 1u)
            v = dropout (v, m0 + r, k0 + q);
          for (uint j = 0u; j < 4u; j++)
            a_tile[(q + j) * A_STRIDE + r] = v[j];
        }
      else
        {
          uint kk = i / (BM / 4u), q = i % (BM / 4u) * 4u;
          uint at = a_offset + (k0 + kk) * lda + m0 + q;
          if (k0 + kk < depth)
            for (uint j = 0u; j < 4u; j++)
              if (m0 + q + j < rows)
                v[j] = a[at + j];
          for (uint j = 0u; j < 4u; j++)
            a_tile[kk * A_STRIDE + q + j] = v[j];
        }
    }
}

void load_b (uint tid, uint n0, uint k0, uint depth)
{
  for (uint i = tid; i < BN * BK / 4u; i += THREADS)
    {
      vec4 v = vec4 (0.0);
      if (B_TRANS != 0u)
        {
          uint r = i / (BK / 4u), q = i % (BK / 4u) * 4u;
          if (n0 + r < n && k0 + q < depth)
            v = dequant (b_offset + (n0 + r) * ldb, k0 + q, b_cols);
          for (uint j = 0u; j < 4u; j++)
            b_tile[(q + j) * B_STRIDE + r] = v[j];
        }
      else
        {
          uint kk = i / (BN / 4u), q = i % (BN / 4u) * 4u;
          if (k0 + kk < depth && n0 + q < n)
            v = dequant (b_offset + (k0 + kk) * ldb, n0 + q, b_cols);
          if (DROPOUT == 2u)
            v = dropout (v, k0 + kk, n0 + q);
          for (uint j = 0u; j < 4u; j++)
            b_tile[kk * B_STRIDE + q + j] = v[j];
        }
    }
}

void store (uint row, uint col, float v, float factor)
{
  uint at = c_offset + row * ldc + col;

  if (DROPOUT == 3u)
    v = dropout (vec4 (v), row, col)[col % 4u];
  v *= factor;
  c[at] = accumulate != 0u ? c[at] + v : v;
}

void main ()
{
  uint tid = gl_LocalInvocationID.x;
  uint m0 = (gl_WorkGroupID.y + m_tile) * BM, n0 = gl_WorkGroupID.x * BN;
  uint tx = tid % (BN / TN) * TN, ty = tid / (BN / TN) * TM;
  uint left = LIMIT == 0u ? 0u : counts[0] - min (counts[0], count_begin);
  uint rows = LIMIT == 1u ? min (m, left) : m;
  uint depth = LIMIT == 2u ? min (k, left) : k;
  float sums[TM * TN];

  // The same for all threads of the group, so that none waits at a barrier.
  if (m0 >= rows)
    return;
  [[unroll]] for (uint i = 0u; i < TM * TN; i++)
    sums[i] = 0.0;
  for (uint k0 = 0u; k0 < depth; k0 += BK)
    {
      load_a (tid, m0, k0, rows, depth);
      load_b (tid, n0, k0, depth);
      barrier ();
      for (uint kk = 0u; kk < BK; kk++)
        {
          float av[TM], bv[TN];
          [[unroll]] for (uint i = 0u; i < TM; i++)
            av[i] = a_tile[kk * A_STRIDE + ty + i];
          [[unroll]] for (uint j = 0u; j < TN; j++)
            bv[j] = b_tile[kk * B_STRIDE + tx + j];
          [[unroll]] for (uint i = 0u; i < TM; i++)
            [[unroll]] for (uint j = 0u; j < TN; j++)
              sums[i * TN + j] = fma (av[i], bv[j], sums[i * TN + j]);
        }
      barrier ();
    }

  float factor = STRENGTH != 0u ? alpha * strength[0] : alpha;
  [[unroll]] for (uint i = 0u; i < TM; i++)
    [[unroll]] for (uint j = 0u; j < TN; j++)
      if (m0 + ty + i < rows && n0 + tx + j < n)
        store (m0 + ty + i, n0 + tx + j, sums[i * TN + j], factor);
}
