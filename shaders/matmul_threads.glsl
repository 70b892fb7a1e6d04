// SPDX-License-Identifier: GPL-3.0-or-later
// The product by plain multiplication: a thread makes TM × TN elements of the tile, both multiples of 4, from
// quads of both slices, which lie [k][row] in shared memory. Its quads are BM / TM (BN / TN) quads apart, so that
// neighbouring threads read neighbouring quads.
#include "matmul.glsl"

// One quad more than a row has keeps the threads that store a transposed block off each other's bank.
const uint A_STRIDE = BM / 4u + 1u;
const uint B_STRIDE = BN / 4u + 1u;
const uint A_STAGE = BK * A_STRIDE;
const uint B_STAGE = BK * B_STRIDE;
shared QUAD a_tile[STAGES * A_STAGE];
shared QUAD b_tile[STAGES * B_STAGE];

// Slices are fetched in blocks of 4 × 4.
const uint A_BLOCKS = BM * BK / 16u;
const uint B_BLOCKS = BN * BK / 16u;
const uint A_SHARE = (A_BLOCKS + THREADS - 1u) / THREADS;
const uint B_SHARE = (B_BLOCKS + THREADS - 1u) / THREADS;
QUAD a_next[4u * A_SHARE];
QUAD b_next[4u * B_SHARE];

// B's blocks begin with the threads that A left idle.
uint b_thread (uint tid)
{
  return (tid + THREADS - A_BLOCKS % THREADS) % THREADS;
}

void fetch (uint tid, uint m0, uint n0, uint k0)
{
  [[unroll]] for (uint s = 0u; s < A_SHARE; s++)
    {
      uint i = tid + s * THREADS;
      if (i < A_BLOCKS)
        {
          uint wide = A_TRANS == 0u ? BK / 4u : BM / 4u;
          uint outer = i / wide * 4u + (A_TRANS == 0u ? m0 : k0), inner = i % wide * 4u + (A_TRANS == 0u ? k0 : m0);
          [[unroll]] for (uint j = 0u; j < 4u; j++)
            a_next[4u * s + j] = fetch_a (outer + j, inner);
        }
    }
  [[unroll]] for (uint s = 0u; s < B_SHARE; s++)
    {
      uint i = b_thread (tid) + s * THREADS;
      if (i < B_BLOCKS)
        {
          uint wide = B_TRANS != 0u ? BK / 4u : BN / 4u;
          uint outer = i / wide * 4u + (B_TRANS != 0u ? n0 : k0), inner = i % wide * 4u + (B_TRANS != 0u ? k0 : n0);
          [[unroll]] for (uint j = 0u; j < 4u; j++)
            b_next[4u * s + j] = fetch_b (outer + j, inner);
        }
    }
}

void put (uint tid, uint stage)
{
  [[unroll]] for (uint s = 0u; s < A_SHARE; s++)
    {
      uint i = tid + s * THREADS, wide = A_TRANS == 0u ? BK / 4u : BM / 4u;
      uint outer = i / wide, inner = i % wide, at = stage * A_STAGE;
      if (i < A_BLOCKS)
        [[unroll]] for (uint j = 0u; j < 4u; j++)
          {
            if (A_TRANS == 0u)
              a_tile[at + (4u * inner + j) * A_STRIDE + outer]
                = QUAD (a_next[4u * s][j], a_next[4u * s + 1u][j], a_next[4u * s + 2u][j], a_next[4u * s + 3u][j]);
            else
              a_tile[at + (4u * outer + j) * A_STRIDE + inner] = a_next[4u * s + j];
          }
    }
  [[unroll]] for (uint s = 0u; s < B_SHARE; s++)
    {
      uint i = b_thread (tid) + s * THREADS, wide = B_TRANS != 0u ? BK / 4u : BN / 4u;
      uint outer = i / wide, inner = i % wide, at = stage * B_STAGE;
      if (i < B_BLOCKS)
        [[unroll]] for (uint j = 0u; j < 4u; j++)
          {
            if (B_TRANS != 0u)
              b_tile[at + (4u * inner + j) * B_STRIDE + outer]
                = QUAD (b_next[4u * s][j], b_next[4u * s + 1u][j], b_next[4u * s + 2u][j], b_next[4u * s + 3u][j]);
            else
              b_tile[at + (4u * outer + j) * B_STRIDE + inner] = b_next[4u * s + j];
          }
    }
}

// The same without registers in between, a quad at a time: short code, for processors that hide no latency this way.
void load (uint tid, uint m0, uint n0, uint k0)
{
  for (uint i = tid; i < BM * BK / 4u; i += THREADS)
    {
      uint wide = A_TRANS == 0u ? BK / 4u : BM / 4u, outer = i / wide, inner = i % wide;
      QUAD v = fetch_a (outer + (A_TRANS == 0u ? m0 : k0), inner * 4u + (A_TRANS == 0u ? k0 : m0));
      if (A_TRANS == 0u)
        [[unroll]] for (uint j = 0u; j < 4u; j++)
          a_tile[(4u * inner + j) * A_STRIDE + outer / 4u][outer % 4u] = v[j];
      else
        a_tile[outer * A_STRIDE + inner] = v;
    }
  for (uint i = tid; i < BN * BK / 4u; i += THREADS)
    {
      uint wide = B_TRANS != 0u ? BK / 4u : BN / 4u, outer = i / wide, inner = i % wide;
      QUAD v = fetch_b (outer + (B_TRANS != 0u ? n0 : k0), inner * 4u + (B_TRANS != 0u ? k0 : n0));
      if (B_TRANS != 0u)
        [[unroll]] for (uint j = 0u; j < 4u; j++)
          b_tile[(4u * inner + j) * B_STRIDE + outer / 4u][outer % 4u] = v[j];
      else
        b_tile[outer * B_STRIDE + inner] = v;
    }
}

vec4 sums[TM * TN / 4u];

void multiply (uint stage, uint tx, uint ty)
{
  for (uint kk = 0u; kk < BK; kk++)
    {
      vec4 av[TM / 4u], bv[TN / 4u];
      [[unroll]] for (uint i = 0u; i < TM / 4u; i++)
        av[i] = vec4 (a_tile[stage * A_STAGE + kk * A_STRIDE + i * (BM / TM) + ty]);
      [[unroll]] for (uint j = 0u; j < TN / 4u; j++)
        bv[j] = vec4 (b_tile[stage * B_STAGE + kk * B_STRIDE + j * (BN / TN) + tx]);
      [[unroll]] for (uint i = 0u; i < TM; i++)
        [[unroll]] for (uint j = 0u; j < TN / 4u; j++)
          sums[i * (TN / 4u) + j] = fma (vec4 (av[i / 4u][i % 4u]), bv[j], sums[i * (TN / 4u) + j]);
    }
}

void main ()
{
  uint tid = gl_LocalInvocationID.x;
  uint m0 = (gl_WorkGroupID.y + m_tile) * BM, n0 = gl_WorkGroupID.x * BN;
  uint tx = tid % (BN / TN), ty = tid / (BN / TN), stage = 0u;

  find_range ();
  // The same for all threads of the group, so that none waits at a barrier.
  if (m0 >= rows)
    return;
  [[unroll]] for (uint i = 0u; i < TM * TN / 4u; i++)
    sums[i] = vec4 (0.0);
  if (STAGES == 1u)
    for (uint k0 = k_begin; k0 < k_end; k0 += BK)
      {
        load (tid, m0, n0, k0);
        barrier ();
        multiply (0u, tx, ty);
        barrier ();
      }
  else
    {
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
          multiply (stage, tx, ty);
          stage = 1u - stage;
          if (more)
            put (tid, stage);
          barrier ();
        }
    }

  float f = factor ();
  [[unroll]] for (uint i = 0u; i < TM; i++)
    [[unroll]] for (uint j = 0u; j < TN; j++)
      {
        uint row = m0 + (i / 4u * (BM / TM) + ty) * 4u + i % 4u, col = n0 + (j / 4u * (BN / TN) + tx) * 4u + j % 4u;
        if (row < rows && col < n)
          store (row, col, sums[i * (TN / 4u) + j / 4u][j % 4u], f);
      }
}
