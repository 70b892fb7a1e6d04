// SPDX-License-Identifier: GPL-3.0-or-later
// The product on a device's matrix units (VK_KHR_cooperative_matrix): a subgroup makes TM × TN elements of the
// tile as fragments of CM × CN, from 16-bit slices that lie in shared memory in the direction they are stored in,
// with float32 sums. The including shader declares CM, CN and CK. Fragments leave through shared memory, where
// each lane sees which element it has: C may end anywhere, and dropout goes by place.
#pragma use_vulkan_memory_model
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require
#define HALF
#include "matmul.glsl"

// Quads of a stored row, and two more: neighbouring rows begin on other banks and on 16 bytes.
const uint A_STRIDE = (A_TRANS == 0u ? BK : BM) / 4u + 2u;
const uint B_STRIDE = (B_TRANS != 0u ? BK : BN) / 4u + 2u;
const uint A_STAGE = (A_TRANS == 0u ? BM : BK) * A_STRIDE;
const uint B_STAGE = (B_TRANS != 0u ? BN : BK) * B_STRIDE;
shared f16vec4 a_tile[STAGES * A_STAGE];
shared f16vec4 b_tile[STAGES * B_STAGE];

const uint SUBGROUPS = BM / TM * (BN / TN);
shared float c_tile[SUBGROUPS * CM * CN];

const uint A_COUNT = BM * BK / 4u;
const uint B_COUNT = BN * BK / 4u;
const uint A_SHARE = (A_COUNT + THREADS - 1u) / THREADS;
const uint B_SHARE = (B_COUNT + THREADS - 1u) / THREADS;
f16vec4 a_next[A_SHARE];
f16vec4 b_next[B_SHARE];

void fetch (uint tid, uint m0, uint n0, uint k0)
{
  [[unroll]] for (uint s = 0u; s < A_SHARE; s++)
    {
      uint i = tid + s * THREADS, wide = A_TRANS == 0u ? BK / 4u : BM / 4u;
      if (i < A_COUNT)
        a_next[s] = fetch_a (i / wide + (A_TRANS == 0u ? m0 : k0), i % wide * 4u + (A_TRANS == 0u ? k0 : m0));
    }
  [[unroll]] for (uint s = 0u; s < B_SHARE; s++)
    {
      uint i = tid + s * THREADS, wide = B_TRANS != 0u ? BK / 4u : BN / 4u;
      if (i < B_COUNT)
        b_next[s] = fetch_b (i / wide + (B_TRANS != 0u ? n0 : k0), i % wide * 4u + (B_TRANS != 0u ? k0 : n0));
    }
}

void put (uint tid, uint stage)
{
  [[unroll]] for (uint s = 0u; s < A_SHARE; s++)
    {
      uint i = tid + s * THREADS, wide = A_TRANS == 0u ? BK / 4u : BM / 4u;
      if (i < A_COUNT)
        a_tile[stage * A_STAGE + i / wide * A_STRIDE + i % wide] = a_next[s];
    }
  [[unroll]] for (uint s = 0u; s < B_SHARE; s++)
    {
      uint i = tid + s * THREADS, wide = B_TRANS != 0u ? BK / 4u : BN / 4u;
      if (i < B_COUNT)
        b_tile[stage * B_STAGE + i / wide * B_STRIDE + i % wide] = b_next[s];
    }
}

const uint FM = TM / CM, FN = TN / CN;
coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> sums[FM * FN];

// @wm and @wn: where in the tile this subgroup's part begins.
void multiply (uint stage, uint wm, uint wn)
{
  [[unroll]] for (uint kk = 0u; kk < BK; kk += CK)
    {
      coopmat<float16_t, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> av[FM];
      coopmat<float16_t, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> bv;
      [[unroll]] for (uint i = 0u; i < FM; i++)
        {
          if (A_TRANS == 0u)
            coopMatLoad (av[i], a_tile, stage * A_STAGE + (wm + i * CM) * A_STRIDE + kk / 4u, A_STRIDE,
                         gl_CooperativeMatrixLayoutRowMajor);
          else
            coopMatLoad (av[i], a_tile, stage * A_STAGE + kk * A_STRIDE + (wm + i * CM) / 4u, A_STRIDE,
                         gl_CooperativeMatrixLayoutColumnMajor);
        }
      [[unroll]] for (uint j = 0u; j < FN; j++)
        {
          if (B_TRANS != 0u)
            coopMatLoad (bv, b_tile, stage * B_STAGE + (wn + j * CN) * B_STRIDE + kk / 4u, B_STRIDE,
                         gl_CooperativeMatrixLayoutColumnMajor);
          else
            coopMatLoad (bv, b_tile, stage * B_STAGE + kk * B_STRIDE + (wn + j * CN) / 4u, B_STRIDE,
                         gl_CooperativeMatrixLayoutRowMajor);
          [[unroll]] for (uint i = 0u; i < FM; i++)
            sums[i * FN + j] = coopMatMulAdd (av[i], bv, sums[i * FN + j]);
        }
    }
}

void store_fragment (uint row0, uint col0, float f)
{
  uint at = gl_SubgroupID * CM * CN;

  for (uint e = gl_SubgroupInvocationID; e < CM * CN; e += gl_SubgroupSize)
    {
      uint row = row0 + e / CN, col = col0 + e % CN;
      if (row < rows && col < n)
        store (row, col, c_tile[at + e], f);
    }
}

void main ()
{
  uint tid = gl_LocalInvocationID.x;
  uint m0 = (gl_WorkGroupID.y + m_tile) * BM, n0 = gl_WorkGroupID.x * BN, stage = 0u;
  uint wm = gl_SubgroupID % (BM / TM) * TM, wn = gl_SubgroupID / (BM / TM) * TN;

  find_range ();
  if (m0 >= rows)
    return;
  [[unroll]] for (uint i = 0u; i < FM * FN; i++)
    sums[i] = coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> (0.0);
  if (k_begin < k_end)
    {
      fetch (tid, m0, n0, k_begin);
      put (tid, 0u);
    }
  barrier ();
  for (uint k0 = k_begin; k0 < k_end; k0 += BK)
    {
      bool more = k0 + BK < k_end;
      if (more)
        fetch (tid, m0, n0, k0 + BK);
      multiply (stage, wm, wn);
      if (STAGES == 1u)
        barrier ();
      else
        stage = 1u - stage;
      if (more)
        put (tid, stage);
      barrier ();
    }

  float f = factor ();
  [[unroll]] for (uint i = 0u; i < FM; i++)
    [[unroll]] for (uint j = 0u; j < FN; j++)
      {
        coopMatStore (sums[i * FN + j], c_tile, gl_SubgroupID * CM * CN, CN, gl_CooperativeMatrixLayoutRowMajor);
        subgroupBarrier ();
        store_fragment (m0 + wm + i * CM, n0 + wn + j * CN, f);
        subgroupBarrier ();
      }
}
