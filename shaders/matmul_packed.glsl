// SPDX-License-Identifier: GPL-3.0-or-later
// C (=|+=) alpha·strength·Aᵀ·B on a device's matrix units (VK_KHR_cooperative_matrix), both sides as matmul_pack.comp made
// them: 16-bit floats, a row a step of the contraction, whole tiles, so that the loop looks at no limits. A work group
// makes BM × BN of C, a subgroup WM × WN of it. The next slices are fetched into registers while these are
// multiplied. There is one slice of shared memory and two barriers a step: a second slice was slower wherever it was measured
// (an H100 reaches two thirds of this rate with it), as stores into it were not kept behind the products.
// Sums are float32 and their order is fixed. The including shader declares CM, CN and CK.
#pragma use_vulkan_memory_model
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require

layout(constant_id = 0) const uint BM = 128;
layout(constant_id = 1) const uint BN = 128;
layout(constant_id = 2) const uint BK = 32;
layout(constant_id = 3) const uint WM = 64;
layout(constant_id = 4) const uint WN = 64;
layout(constant_id = 5) const uint THREADS = 128;
layout(constant_id = 6) const uint LIMIT = 0;    // rows of C: counts[0] − count_begin at most
layout(constant_id = 7) const uint STRENGTH = 0; // alpha is multiplied by strength[0]
layout(constant_id = 8) const uint QUADS = 0;    // rows of C begin on 16 bytes
layout(local_size_x_id = 5) in;

layout(push_constant) uniform Push
{
  uint m, n, k;  // k: a multiple of BK
  uint lda, ldb; // of eight 16-bit floats
  uint ldc, c_offset;
  uint accumulate;
  float alpha;
  uint count_begin;
  uint m_tile; // first tile of rows
  uint k_part; // work groups of z sum k_part elements each …
  uint c_part; // … into a C of their own, this many floats after the one before
};
layout(binding = 0) restrict readonly buffer A { uvec4 a[]; };
layout(binding = 1) restrict readonly buffer B { uvec4 b[]; };
layout(binding = 2) restrict buffer C { float c[]; };
layout(binding = 3) restrict readonly buffer Strength { float strength[]; };
layout(binding = 4) restrict readonly buffer Counts { uint counts[]; };

// One more than a row has: neighbouring rows begin on other banks.
const uint A_WIDE = BM / 8u, B_WIDE = BN / 8u;
const uint A_STRIDE = A_WIDE + 1u, B_STRIDE = B_WIDE + 1u;
shared uvec4 a_tile[BK * A_STRIDE];
shared uvec4 b_tile[BK * B_STRIDE];
shared float c_tile[BM / WM * (BN / WN) * CM * CN];

const uint A_SHARE = BM * BK / 8u / THREADS, B_SHARE = BN * BK / 8u / THREADS;
const uint FM = WM / CM, FN = WN / CN;

// Tiles are taken in bands of rows, which the cache holds.
const uint BAND = 4;

uvec2 place ()
{
  uint at = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
  uint first = at / (BAND * gl_NumWorkGroups.x) * BAND, high = min (BAND, gl_NumWorkGroups.y - first);
  uint rest = at - first * gl_NumWorkGroups.x;

  return uvec2 (rest / high, first + rest % high);
}

void store (uint row, uint col, float v, uint rows)
{
  uint at = c_offset + gl_WorkGroupID.z * c_part + row * ldc + col;

  if (row < rows && col < n)
    c[at] = accumulate != 0u ? c[at] + v : v;
}

void main ()
{
  uint tid = gl_LocalInvocationID.x;
  uvec2 tile = place ();
  uint m0 = (tile.y + m_tile) * BM, n0 = tile.x * BN;
  uint wm = gl_SubgroupID % (BM / WM) * WM, wn = gl_SubgroupID / (BM / WM) * WN;
  uint rows = LIMIT == 0u ? m : min (m, counts[0] - min (counts[0], count_begin));
  uint k_begin = gl_WorkGroupID.z * k_part, k_end = min (k, k_begin + k_part);
  uint a_at = (k_begin + tid / A_WIDE) * lda + m0 / 8u + tid % A_WIDE;
  uint b_at = (k_begin + tid / B_WIDE) * ldb + n0 / 8u + tid % B_WIDE;
  uvec4 a_next[A_SHARE], b_next[B_SHARE];
  coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> sums[FM * FN];

  if (m0 >= rows)
    return;
  [[unroll]] for (uint i = 0u; i < FM * FN; i++)
    sums[i] = coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> (0.0);

#define FETCH                                                             \
  [[unroll]] for (uint s = 0u; s < A_SHARE; s++)                          \
    a_next[s] = a[a_at + s * (THREADS / A_WIDE) * lda];                   \
  [[unroll]] for (uint s = 0u; s < B_SHARE; s++)                          \
    b_next[s] = b[b_at + s * (THREADS / B_WIDE) * ldb];                   \
  a_at += BK * lda;                                                       \
  b_at += BK * ldb;

#define PUT                                                                                    \
  [[unroll]] for (uint s = 0u; s < A_SHARE; s++)                                               \
    a_tile[(tid / A_WIDE + s * (THREADS / A_WIDE)) * A_STRIDE + tid % A_WIDE] = a_next[s];     \
  [[unroll]] for (uint s = 0u; s < B_SHARE; s++)                                               \
    b_tile[(tid / B_WIDE + s * (THREADS / B_WIDE)) * B_STRIDE + tid % B_WIDE] = b_next[s];

#define MULTIPLY                                                                                             \
  [[unroll]] for (uint kk = 0u; kk < BK; kk += CK)                                                           \
    {                                                                                                        \
      coopmat<float16_t, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> av[FM];                                    \
      coopmat<float16_t, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> bv;                                        \
      [[unroll]] for (uint i = 0u; i < FM; i++)                                                              \
        coopMatLoad (av[i], a_tile, kk * A_STRIDE + (wm + i * CM) / 8u, A_STRIDE,                            \
                     gl_CooperativeMatrixLayoutColumnMajor);                                                 \
      [[unroll]] for (uint j = 0u; j < FN; j++)                                                              \
        {                                                                                                    \
          coopMatLoad (bv, b_tile, kk * B_STRIDE + (wn + j * CN) / 8u, B_STRIDE,                             \
                       gl_CooperativeMatrixLayoutRowMajor);                                                  \
          [[unroll]] for (uint i = 0u; i < FM; i++)                                                          \
            sums[i * FN + j] = coopMatMulAdd (av[i], bv, sums[i * FN + j]);                                  \
        }                                                                                                    \
    }

  if (k_begin < k_end)
    {
      FETCH
      PUT
      barrier ();
      // The last slice by itself: a condition in the loop costs a twentieth.
      for (uint k0 = k_begin + BK; k0 < k_end; k0 += BK)
        {
          FETCH
          MULTIPLY
          barrier ();
          PUT
          barrier ();
        }
      MULTIPLY
    }

  float factor = STRENGTH != 0u ? alpha * strength[0] : alpha;
  bool whole = QUADS != 0u && m0 + BM <= rows && n0 + BN <= n;
  [[unroll]] for (uint i = 0u; i < FM; i++)
    [[unroll]] for (uint j = 0u; j < FN; j++)
      {
        uint row = m0 + wm + i * CM, col = n0 + wn + j * CN;

        sums[i * FN + j] *= factor;
        if (whole)
          {
            uint at = c_offset + gl_WorkGroupID.z * c_part + row * ldc + col;
            if (accumulate != 0u)
              {
                coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> before;
                coopMatLoad (before, c, at, ldc, gl_CooperativeMatrixLayoutRowMajor);
                sums[i * FN + j] += before;
              }
            coopMatStore (sums[i * FN + j], c, at, ldc, gl_CooperativeMatrixLayoutRowMajor);
            continue;
          }
        // Through shared memory, where each lane sees which element it has: C may end anywhere.
        coopMatStore (sums[i * FN + j], c_tile, gl_SubgroupID * CM * CN, CN, gl_CooperativeMatrixLayoutRowMajor);
        subgroupBarrier ();
        for (uint e = gl_SubgroupInvocationID; e < CM * CN; e += gl_SubgroupSize)
          store (row + e / CN, col + e % CN, c_tile[gl_SubgroupID * CM * CN + e], rows);
        subgroupBarrier ();
      }
}
