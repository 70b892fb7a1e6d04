// SPDX-License-Identifier: GPL-3.0-or-later
// dK = dSᵀ·Q, dV = Pᵀ·dO on matrix units: a work group owns OWN keys of one key head and walks over the queries that
// see any of them, STEP at a time, each time over the query heads of its group.
#include "attention_dx_matrix.glsl"
layout(binding = 7) buffer Dk { float dk[]; };
layout(binding = 8) buffer Dv { float dv[]; };

shared f16vec4 p_tile[OWN * STEP_STRIDE];
shared uvec4 facts[STEP];
SUMS dk_sums[COLS];
SUMS dv_sums[COLS];

// The first and behind the last query of the walk that see any of the keys [j0, j0 + OWN).
uvec2 find_walk (uint tid, uint j0)
{
  uvec2 seen = uvec2 (~0u, 0u);

  for (uint i = begin + tid; i < min (end, rows); i += THREADS)
    {
      uvec2 range = range_of (i);
      if (max (range.x, j0) < min (range.y, j0 + OWN))
        seen = uvec2 (min (seen.x, i), i + 1u);
    }
  return group_hull (subgroup_hull (seen));
}

// Are there queries in this step that see a key of this subgroup?
bool is_seen (uint j0)
{
  uint own = j0 + gl_SubgroupID / SPLIT * CM;
  uvec2 hull = uvec2 (~0u, 0u);

  for (uint i = gl_SubgroupInvocationID; i < STEP; i += SUBGROUP)
    if (facts[i].z < facts[i].w)
      hull = uvec2 (min (hull.x, facts[i].z), max (hull.y, facts[i].w));
  hull = subgroup_hull (hull);
  return hull.x < own + CM && hull.y > own;
}

// Pᵀ and dSᵀ of the subgroup's keys, its part of the queries.
void differentiate (uint j0)
{
  uint row0 = gl_SubgroupID / SPLIT * CM;

  [[unroll]] for (uint n = 0u; n < STEP / CN / SPLIT; n++)
    {
      uint col = (gl_SubgroupID % SPLIT * (STEP / CN / SPLIT) + n) * CN;
      SUMS s, dp;
      multiply (col, s, dp);
      [[unroll]] for (uint e = 0u; e < s.length (); e++)
        {
          uint r = row0 + place_row (e), c = col + place_col (e);
          vec2 both = element (s[e], dp[e], facts[c], j0 + r);
          p_tile[r * STEP_STRIDE + c / 4u][c % 4u] = float16_t (both.x);
          ds_tile[r * STEP_STRIDE + c / 4u][c % 4u] = float16_t (both.y);
        }
    }
}

void add_queries ()
{
  uint at = gl_SubgroupID / SPLIT * CM * STEP_STRIDE, col = gl_SubgroupID % SPLIT * COLS * CN;

  [[unroll]] for (uint c = 0u; c < STEP / CK; c++)
    {
      LEFT p, ds;
      RIGHT b;
      coopMatLoad (p, p_tile, at + c * CK / 4u, STEP_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      coopMatLoad (ds, ds_tile, at + c * CK / 4u, STEP_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (uint n = 0u; n < COLS; n++)
        {
          uint from = c * CK * STRIDE + (col + n * CN) / 4u;
          coopMatLoad (b, w_tile, from, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          dv_sums[n] = coopMatMulAdd (p, b, dv_sums[n]);
          coopMatLoad (b, u_tile, from, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          dk_sums[n] = coopMatMulAdd (ds, b, dk_sums[n]);
        }
    }
}

void store (uint j0, uint kv)
{
  uint col = gl_SubgroupID % SPLIT * COLS * CN;

  [[unroll]] for (uint e = 0u; e < dk_sums[0].length (); e++)
    {
      uint j = j0 + gl_SubgroupID / SPLIT * CM + place_row (e), to = (j * (heads / group) + kv) * D + col + place_col (e);
      if (j < keys)
        [[unroll]] for (uint n = 0u; n < COLS; n++)
          {
            float x = dk_sums[n][e] / (RAISE * RAISE_MORE), y = dv_sums[n][e] / RAISE;
            dk[to + n * CN] = begin > 0u ? dk[to + n * CN] + x : x;
            dv[to + n * CN] = begin > 0u ? dv[to + n * CN] + y : y;
          }
    }
}

void main ()
{
  uint tid = gl_LocalInvocationID.x, kv = gl_WorkGroupID.y;
  uint j0 = (gl_WorkGroupID.x + tile) * OWN;
  uvec2 walk = find_walk (tid, j0);
  // Queries of one step, a head after the other.
  uint first = begin + (max (walk.x, begin) - begin) / STEP * STEP;
  uint steps = walk.x < walk.y ? (walk.y - first + STEP - 1u) / STEP * group : 0u;
  uvec4 facts_next = uvec4 (0u);

  find_own_places (tid);
  [[unroll]] for (uint p = 0u; p < PASSES; p++)
    {
      fetch_keys (tid, j0 + p * STEP, kv);
      put (tid);
      load_own (p);
    }
  [[unroll]] for (uint n = 0u; n < COLS; n++)
    dk_sums[n] = dv_sums[n] = SUMS (0.0);
  for (uint s = 0u; s <= steps; s++)
    {
      bool seen = false;
      // What the step before this one fetched is put and multiplied while the next is on its way.
      if (s > 0u)
        {
          put (tid);
          if (tid < STEP)
            facts[tid] = facts_next;
        }
      barrier ();
      if (s < steps)
        {
          uint i0 = first + s / group * STEP, head = kv * group + s % group;
          fetch_queries (tid, i0, head);
          if (tid < STEP)
            facts_next = facts_of (i0 + tid, head);
        }
      if (s > 0u)
        seen = is_seen (j0);
      if (seen)
        differentiate (j0);
      meet ();
      if (seen)
        add_queries ();
      barrier ();
    }
  store (j0, kv);
}
