// SPDX-License-Identifier: GPL-3.0-or-later
// dK = dSᵀ·Q, dV = Pᵀ·dO on matrix units: a work group owns OWN keys of one key head and walks over the queries that
// see any of them, STEP at a time, each time over the query heads of its group.
#include "attention_dx_matrix.glsl"
layout(binding = 7) buffer Dk { float dk[]; };
layout(binding = 8) buffer Dv { float dv[]; };

shared f16vec4 p_tile[OWN * STEP_STRIDE];
shared vec2 facts[STEP];
shared uvec2 seen[STEP]; // by each query of the step
SUMS dk_sums[COLS];
SUMS dv_sums[COLS];

// The first and behind the last query of the walk that see any of the keys [j0, j0 + OWN).
uvec2 find_walk (uint tid, uint j0)
{
  uvec2 walk = uvec2 (~0u, 0u);

  for (uint i = begin + tid; i < min (end, rows); i += THREADS)
    {
      uvec2 range = range_of (i);
      if (max (range.x, j0) < min (range.y, j0 + OWN))
        walk = uvec2 (min (walk.x, i), i + 1u);
    }
  return group_hull (subgroup_hull (walk));
}

// What the queries of this step see of the subgroup's keys.
const uint NOTHING = 0u, SOME = 1u, WHOLE = 2u;

uint look (uint j0)
{
  uint own = j0 + gl_SubgroupID / SPLIT * CM;
  uvec2 hull = uvec2 (~0u, 0u), inner = uvec2 (0u, ~0u);

  for (uint i = gl_SubgroupInvocationID; i < STEP; i += SUBGROUP)
    {
      uvec2 range = seen[i];
      inner = uvec2 (max (inner.x, range.x), min (inner.y, range.y));
      if (range.x < range.y)
        hull = uvec2 (min (hull.x, range.x), max (hull.y, range.y));
    }
  hull = subgroup_hull (hull);
  inner = subgroup_inner (inner);
  if (hull.x >= own + CM || hull.y <= own)
    return NOTHING;
  return inner.x <= own && inner.y >= own + CM ? WHOLE : SOME;
}

// Pᵀ and dSᵀ of the subgroup's keys, its part of the queries.
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
          bool sees = whole || j0 + r >= seen[c].x && j0 + r < seen[c].y;
          vec2 both = element (s[e], dp[e], facts[c], sees);
          p_tile[r * STEP_STRIDE + c / 4u][c % 4u] = float16_t (both.x);
          ds_tile[r * STEP_STRIDE + c / 4u][c % 4u] = to_half (vec4 (both.y)).x;
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

  [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
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
  vec2 facts_next = vec2 (0.0);
  uvec2 seen_next = uvec2 (0u);

  find_own_places (tid);
  [[unroll]] for (uint p = 0u; p < PASSES; p++)
    {
      fetch_keys (tid, j0 + p * STEP, kv);
      put_keys (tid, j0 + p * STEP);
      load_own (p);
    }
  [[unroll]] for (uint n = 0u; n < COLS; n++)
    dk_sums[n] = dv_sums[n] = SUMS (0.0);
  for (uint s = 0u; s <= steps; s++)
    {
      uint sight = NOTHING;
      // What the step before this one fetched is put and multiplied while the next is on its way.
      if (s > 0u)
        {
          put_queries (tid, first + (s - 1u) / group * STEP);
          if (tid < STEP)
            {
              facts[tid] = facts_next;
              seen[tid] = seen_next;
            }
        }
      barrier ();
      if (s < steps)
        {
          uint i0 = first + s / group * STEP, head = kv * group + s % group;
          fetch_queries (tid, i0, head);
          if (tid < STEP)
            {
              facts_next = facts_of (i0 + tid, head);
              seen_next = range_of (i0 + tid);
            }
        }
      if (s > 0u)
        sight = look (j0);
      if (sight != NOTHING)
        differentiate (j0, sight == WHOLE);
      meet ();
      if (sight != NOTHING)
        add_queries ();
      barrier ();
    }
  store (j0, kv);
}
