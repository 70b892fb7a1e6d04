// SPDX-License-Identifier: GPL-3.0-or-later
// Attention forward on matrix units: as attention.comp, with 16-bit queries, keys, values and weights and float32
// sums. Scores leave their fragments through shared memory, where a row belongs to PER lanes; output stays in
// fragments and is rescaled there, when a row's maximum has grown.
#include "attention_fragments.glsl"
layout(binding = 4) writeonly buffer O { float o[]; };
layout(binding = 5) writeonly buffer Lse { float lse[]; };

const uint PER = SUBGROUP / CM; // 1, 2 or 4
const uint ROW_QUADS = STEP / 4u / PER;
const float NONE = -3.0e38;

shared f16vec4 k_tile[STEP * STRIDE];
shared f16vec4 v_tile[STEP * STRIDE];
// Behind the scores of a row: what its lanes have to tell each other, and a factor for its output.
shared vec4 s_tile[SUBGROUPS * CM * STEP_STRIDE];
shared f16vec4 p_tile[SUBGROUPS * CM * STEP_STRIDE];

vec4 k_next[SHARE];
vec4 v_next[SHARE];
LEFT q_rows[D / CK];
SUMS sums[COLS];

void fetch_queries (uint tid, uint i0, uint head)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS, i = i0 + e / QUADS;
      k_next[s] = q[(min (i, rows - 1u) * heads + head) * QUADS + e % QUADS];
    }
}

void put_queries (uint tid, uint i0)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS;
      if (e < STEP * QUADS)
        k_tile[e / QUADS * STRIDE + e % QUADS] = i0 + e / QUADS < rows ? to_half (k_next[s] * scale) : f16vec4 (0.0);
    }
}

void fetch_keys (uint tid, uint j0, uint kv)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS, j = j0 + e / QUADS;
      uint at = (min (j, keys - 1u) * (heads / group) + kv) * QUADS + e % QUADS;
      k_next[s] = k[at];
      v_next[s] = v[at];
    }
}

void put_keys (uint tid, uint j0)
{
  [[unroll]] for (uint s = 0u; s < SHARE; s++)
    {
      uint e = tid + s * THREADS, to = e / QUADS * STRIDE + e % QUADS;
      bool there = j0 + e / QUADS < keys;
      if (e < STEP * QUADS)
        {
          k_tile[to] = there ? to_half (k_next[s]) : f16vec4 (0.0);
          v_tile[to] = there ? to_half (v_next[s]) : f16vec4 (0.0);
        }
    }
}

void load_queries (uint tid, uint i0, uint head)
{
  uint own = gl_SubgroupID * CM;

  [[unroll]] for (uint p = 0u; p < PASSES; p++)
    {
      fetch_queries (tid, i0 + p * STEP, head);
      put_queries (tid, i0 + p * STEP);
      barrier ();
      if (own / STEP == p)
        [[unroll]] for (uint x = 0u; x < D / CK; x++)
          coopMatLoad (q_rows[x], k_tile, own % STEP * STRIDE + x * CK / 4u, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      barrier ();
    }
}

void find_own_places (uint tid)
{
  SUMS index;

  for (uint e = tid; e < CM * CN / 4u; e += THREADS)
    s_tile[e] = vec4 (4u * e) + vec4 (0.0, 1.0, 2.0, 3.0);
  barrier ();
  coopMatLoad (index, s_tile, 0u, CN / 4u, gl_CooperativeMatrixLayoutRowMajor);
  find_places (index);
  barrier ();
}

void scores (uint at)
{
  SUMS s[STEP / CN];

  [[unroll]] for (uint j = 0u; j < STEP / CN; j++)
    s[j] = SUMS (0.0);
  // Sums that do not wait for each other.
  [[unroll]] for (uint x = 0u; x < D / CK; x++)
    [[unroll]] for (uint j = 0u; j < STEP / CN; j++)
      {
        RIGHT b;
        coopMatLoad (b, k_tile, j * CN * STRIDE + x * CK / 4u, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
        s[j] = coopMatMulAdd (q_rows[x], b, s[j]);
      }
  [[unroll]] for (uint j = 0u; j < STEP / CN; j++)
    coopMatStore (s[j], s_tile, at + j * CN / 4u, STEP_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
}

// A lane's part of its row. @at: where the row begins in both tiles.
vec4 row_scores[ROW_QUADS];

// Takes the lane's scores out of the tile and leaves the greatest of them, or of those before, there.
void look (uint at, uint lane, uint j0, uvec2 mine, float maximum)
{
  [[unroll]] for (uint i = 0u; i < ROW_QUADS; i++)
    {
      uint c = i * PER + lane;
      vec4 s = s_tile[at + c];
      [[unroll]] for (uint x = 0u; x < 4u; x++)
        {
          uint j = j0 + 4u * c + x;
          if (CAPPED != 0u)
            s[x] = soft_cap * bounded_tanh (s[x] / soft_cap);
          s[x] = j >= mine.x && j < mine.y ? s[x] : NONE;
          maximum = max (maximum, s[x]);
        }
      row_scores[i] = s;
    }
  s_tile[at + STEP / 4u][lane] = maximum;
}

// Scores become weights relative to the greatest so far. Returns what the row's output is to be multiplied by.
float weigh (uint at, uint lane, inout float maximum, inout float total)
{
  float before = maximum, part = 0.0;
  vec4 maxima = s_tile[at + STEP / 4u];

  [[unroll]] for (uint x = 0u; x < PER; x++)
    maximum = max (maximum, maxima[x]);
  [[unroll]] for (uint i = 0u; i < ROW_QUADS; i++)
    {
      vec4 p = maximum == NONE ? vec4 (0.0) : exp (row_scores[i] - maximum);
      part += p.x + p.y + p.z + p.w;
      p_tile[at + i * PER + lane] = f16vec4 (p);
    }
  float correction = before == maximum ? 1.0 : exp (before - maximum);
  total = total * correction + part;
  if (lane == 0u)
    s_tile[at + STEP / 4u + 1u].x = correction;
  return correction;
}

// @at: where the subgroup's rows begin in s_tile.
void rescale (uint at)
{
  [[unroll]] for (uint i = 0u; i < ELEMENTS; i++)
    {
      float factor = s_tile[at + place_row (i) * STEP_STRIDE + STEP / 4u + 1u].x;
      [[unroll]] for (uint n = 0u; n < COLS; n++)
        sums[n][i] *= factor;
    }
}

void add_values (uint at)
{
  [[unroll]] for (uint c = 0u; c < STEP / CK; c++)
    {
      LEFT a;
      RIGHT b;
      coopMatLoad (a, p_tile, at + c * CK / 4u, STEP_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
      [[unroll]] for (uint n = 0u; n < COLS; n++)
        {
          coopMatLoad (b, v_tile, c * CK * STRIDE + n * CN / 4u, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
          sums[n] = coopMatMulAdd (a, b, sums[n]);
        }
    }
}

// @i: the subgroup's first query; @row, @lane: of this lane.
void store (uint at, uint i, uint row, uint lane, uint head, float maximum, float total)
{
  s_tile[at + row * STEP_STRIDE + STEP / 4u][lane] = total;
  subgroupBarrier ();
  vec4 totals = s_tile[at + row * STEP_STRIDE + STEP / 4u];
  total = 0.0;
  [[unroll]] for (uint x = 0u; x < PER; x++)
    total += totals[x];
  if (lane == 0u)
    {
      s_tile[at + row * STEP_STRIDE + STEP / 4u + 1u].x = total;
      if (i + row < rows)
        lse[(i + row) * heads + head] = total == 0.0 ? 0.0 : maximum + log (total);
    }
  subgroupBarrier ();
  [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
    {
      uint r = place_row (e), to = ((i + r) * heads + head) * D + place_col (e);
      float sum = s_tile[at + r * STEP_STRIDE + STEP / 4u + 1u].x;
      if (i + r < rows)
        [[unroll]] for (uint n = 0u; n < COLS; n++)
          o[to + n * CN] = sum == 0.0 ? 0.0 : sums[n][e] / sum;
    }
}

// One step of the walk. All subgroups meet at each barrier, also those whose queries see no key of this step: some devices let
// a barrier of a subgroup wait for the work group.
void walk (uint at, uint row_at, uint lane, uint j0, uvec2 mine, bool sees, inout float maximum, inout float total)
{
  float correction = 1.0;

  if (sees)
    scores (at);
  subgroupBarrier ();
  if (sees)
    look (row_at, lane, j0, mine, maximum);
  subgroupBarrier ();
  if (sees)
    correction = weigh (row_at, lane, maximum, total);
  subgroupBarrier ();
  if (subgroupMin (correction) < 1.0)
    rescale (at);
  if (sees)
    add_values (at);
}

void main ()
{
  uint tid = gl_LocalInvocationID.x, head = gl_WorkGroupID.y, kv = head / group;
  // The last queries see the most: long work groups first.
  uint i0 = (gl_NumWorkGroups.x - 1u - gl_WorkGroupID.x + tile) * OWN;
  uint row = gl_SubgroupInvocationID / PER, lane = gl_SubgroupInvocationID % PER;
  uint at = gl_SubgroupID * CM * STEP_STRIDE;
  uvec2 mine = range_of (i0 + gl_SubgroupID * CM + row), own = subgroup_hull (mine), hull = group_hull (own);
  float maximum = NONE, total = 0.0;

  find_own_places (tid);
  load_queries (tid, i0, head);
  [[unroll]] for (uint n = 0u; n < COLS; n++)
    sums[n] = SUMS (0.0);
  if (hull.x < hull.y)
    {
      fetch_keys (tid, hull.x, kv);
      put_keys (tid, hull.x);
    }
  barrier ();
  for (uint j0 = hull.x; j0 < hull.y; j0 += STEP)
    {
      bool more = j0 + STEP < hull.y;
      if (more)
        fetch_keys (tid, j0 + STEP, kv);
      walk (at, at + row * STEP_STRIDE, lane, j0, mine, j0 < own.y && j0 + STEP > own.x, maximum, total);
      barrier ();
      if (more)
        put_keys (tid, j0 + STEP);
      barrier ();
    }
  store (at, i0 + gl_SubgroupID * CM, row, lane, head, maximum, total);
}
