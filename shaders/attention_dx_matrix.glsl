// SPDX-License-Identifier: GPL-3.0-or-later
// What both passes of attention's backward share on matrix units; the sums are those of attention_dx.glsl. Own rows
// (queries and dO, or keys and values) stay in fragments; the walk's go through shared memory, and so do P and dS on
// their way from fragments of sums to fragments of factors. What is 16-bit is raised by powers of two, as gradients
// are small: dO by RAISE, dS by RAISE · RAISE_MORE.
#define BACKWARD
#include "attention_fragments.glsl"
layout(binding = 4) readonly buffer Lse { float lse[]; };
layout(binding = 5) readonly buffer Do { vec4 d_o[]; };
layout(binding = 6) readonly buffer Sums { float d_sums[]; };

const float RAISE = 64.0; // LK_OP_GRADIENT_SCALE
const float RAISE_MORE = 16.0;

shared f16vec4 u_tile[STEP * STRIDE]; // keys, or queries · scale
shared f16vec4 w_tile[STEP * STRIDE]; // values, or dO
shared f16vec4 ds_tile[OWN * STEP_STRIDE];
shared vec4 index_tile[CM * CN / 4u];

vec4 u_next[SHARE];
vec4 w_next[SHARE];
LEFT u_rows[D / CK];
LEFT w_rows[D / CK];

void fetch_queries (uint tid, uint i0, uint head)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS, i = i0 + e / QUADS;
      uint at = (min (i, rows - 1u) * heads + head) * QUADS + e % QUADS;
      u_next[s] = q[at];
      w_next[s] = d_o[at];
    }
}

void fetch_keys (uint tid, uint j0, uint kv)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS, j = j0 + e / QUADS;
      uint at = (min (j, keys - 1u) * (heads / group) + kv) * QUADS + e % QUADS;
      u_next[s] = k[at];
      w_next[s] = v[at];
    }
}

// What was fetched, the first @n rows of it, times @u and @w.
void put (uint tid, uint n, float u, float w)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS, to = e / QUADS * STRIDE + e % QUADS;
      if (e < STEP * QUADS)
        {
          u_tile[to] = e / QUADS < n ? to_half (u_next[s] * u) : f16vec4 (0.0);
          w_tile[to] = e / QUADS < n ? to_half (w_next[s] * w) : f16vec4 (0.0);
        }
    }
}

void put_queries (uint tid, uint i0)
{
  put (tid, max (rows, i0) - i0, scale, RAISE);
}

void put_keys (uint tid, uint j0)
{
  put (tid, max (keys, j0) - j0, 1.0, 1.0);
}

// The log-sum-exp of query @i of @head and its D · RAISE.
vec2 facts_of (uint i, uint head)
{
  uint at = min (i, rows - 1u) * heads + head;
  return vec2 (lse[at], d_sums[at] * RAISE);
}

// P and dS · RAISE · RAISE_MORE of a query and a key it sees or does not, from their product and that of dO and the value.
vec2 element (float s, float dp, vec2 facts, bool sees)
{
  float slope = RAISE_MORE;
  if (CAPPED != 0u)
    {
      float t = bounded_tanh (s / soft_cap);
      s = soft_cap * t;
      slope *= 1.0 - t * t;
    }
  float p = exp (s - facts.x);
  return sees ? vec2 (p, p * (dp - facts.y) * slope) : vec2 (0.0);
}

void find_own_places (uint tid)
{
  SUMS index;

  for (uint e = tid; e < CM * CN / 4u; e += THREADS)
    index_tile[e] = vec4 (4u * e) + vec4 (0.0, 1.0, 2.0, 3.0);
  barrier ();
  coopMatLoad (index, index_tile, 0u, CN / 4u, gl_CooperativeMatrixLayoutRowMajor);
  find_places (index);
}

// The subgroup's rows of the STEP that were put as pass @p, of those the work group owns.
void load_own (uint p)
{
  uint own = gl_SubgroupID / SPLIT * CM;

  barrier ();
  if (own / STEP == p)
    [[unroll]] for (uint x = 0u; x < D / CK; x++)
      {
        uint at = own % STEP * STRIDE + x * CK / 4u;
        coopMatLoad (u_rows[x], u_tile, at, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        coopMatLoad (w_rows[x], w_tile, at, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      }
  barrier ();
}

// Products of the subgroup's rows with CN rows of the walk from @col on.
void multiply (uint col, out SUMS s, out SUMS dp)
{
  RIGHT b;

  s = SUMS (0.0);
  dp = SUMS (0.0);
  [[unroll]] for (uint x = 0u; x < D / CK; x++)
    {
      coopMatLoad (b, u_tile, col * STRIDE + x * CK / 4u, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
      s = coopMatMulAdd (u_rows[x], b, s);
      coopMatLoad (b, w_tile, col * STRIDE + x * CK / 4u, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
      dp = coopMatMulAdd (w_rows[x], b, dp);
    }
}

// The subgroups that share rows wait for each other's part of the columns.
void meet ()
{
  if (SPLIT == 1u)
    subgroupBarrier ();
  else
    barrier ();
}
