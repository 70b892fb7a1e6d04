// SPDX-License-Identifier: GPL-3.0-or-later
// dQ = dS·K on matrix units: a work group owns OWN queries of one head and walks over the keys.
#include "attention_dx_matrix.glsl"
layout(binding = 7) buffer Dq { float dq[]; };

shared uvec2 seen[OWN]; // by each query
SUMS sums[COLS];
vec2 facts[16]; // of the query of each of a fragment's elements

// dS of the subgroup's queries, its part of the keys from @j0 on. @whole: all queries see all of them.
void differentiate (uint j0, bool whole)
{
  uint row0 = gl_SubgroupID / SPLIT * CM;

  [[unroll]] for (uint n = 0u; n < STEP / CN / SPLIT; n++)
    {
      uint col = (gl_SubgroupID % SPLIT * (STEP / CN / SPLIT) + n) * CN;
      SUMS s, dp;
      multiply (col, s, dp);
      [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
        {
          uint r = row0 + place_row (e), c = col + place_col (e);
          bool sees = whole || j0 + c >= seen[r].x && j0 + c < seen[r].y;
          ds_tile[r * STEP_STRIDE + c / 4u][c % 4u] = to_half (vec4 (element (s[e], dp[e], facts[e], sees).y)).x;
        }
    }
}

void add_keys ()
{
  uint at = gl_SubgroupID / SPLIT * CM * STEP_STRIDE, col = gl_SubgroupID % SPLIT * COLS * CN;

  [[unroll]] for (uint c = 0u; c < STEP / CK; c++)
    {
      LEFT a;
      RIGHT b;
      coopMatLoad (a, ds_tile, at + c * CK / 4u, STEP_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (uint n = 0u; n < COLS; n++)
        {
          coopMatLoad (b, u_tile, c * CK * STRIDE + (col + n * CN) / 4u, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          sums[n] = coopMatMulAdd (a, b, sums[n]);
        }
    }
}

void store (uint i0, uint head)
{
  uint col = gl_SubgroupID % SPLIT * COLS * CN;

  [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
    {
      uint i = i0 + gl_SubgroupID / SPLIT * CM + place_row (e), to = (i * heads + head) * D + col + place_col (e);
      if (i < rows)
        [[unroll]] for (uint n = 0u; n < COLS; n++)
          {
            float x = sums[n][e] * (scale / (RAISE * RAISE_MORE));
            dq[to + n * CN] = begin > 0u ? dq[to + n * CN] + x : x;
          }
    }
}

void main ()
{
  uint tid = gl_LocalInvocationID.x, head = gl_WorkGroupID.y, kv = head / group;
  // The last queries see the most: long work groups first.
  uint i0 = (gl_NumWorkGroups.x - 1u - gl_WorkGroupID.x + tile) * OWN;
  uint row0 = gl_SubgroupID / SPLIT * CM;
  uvec2 range = range_of (i0 + row0 + gl_SubgroupInvocationID % CM);
  uvec2 own = subgroup_hull (range), inner = subgroup_inner (range), hull = group_hull (own);

  find_own_places (tid);
  if (tid < OWN)
    seen[tid] = range_of (i0 + tid);
  [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
    facts[e] = facts_of (i0 + row0 + place_row (e), head);
  [[unroll]] for (uint p = 0u; p < PASSES; p++)
    {
      fetch_queries (tid, i0 + p * STEP, head);
      put_queries (tid, i0 + p * STEP);
      load_own (p);
    }
  [[unroll]] for (uint n = 0u; n < COLS; n++)
    sums[n] = SUMS (0.0);
  hull = uvec2 (max (hull.x / STEP * STEP, begin), min (hull.y, end));
  if (hull.x < hull.y)
    {
      fetch_keys (tid, hull.x, kv);
      put_keys (tid, hull.x);
    }
  barrier ();
  for (uint j0 = hull.x; j0 < hull.y; j0 += STEP)
    {
      bool more = j0 + STEP < hull.y, sees = j0 < own.y && j0 + STEP > own.x;
      if (more)
        fetch_keys (tid, j0 + STEP, kv);
      if (sees)
        differentiate (j0, j0 >= inner.x && j0 + STEP <= inner.y);
      meet ();
      if (sees)
        add_keys ();
      barrier ();
      if (more)
        put_keys (tid, j0 + STEP);
      barrier ();
    }
  store (i0, head);
}
