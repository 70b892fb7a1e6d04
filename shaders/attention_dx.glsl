// SPDX-License-Identifier: GPL-3.0-or-later
// What both passes of attention's backward share (after FlashAttention-2, Dao, 2023): P = exp(S − lse) is
// made again; with D = Σ dO·O, dS = P·(dP − D)·scale. A thread makes one element of a BLOCK × BLOCK tile of
// queries and keys.
#include "tanh.glsl"

layout(constant_id = 0) const uint D = 64;
layout(constant_id = 1) const uint BLOCK = 16;
layout(local_size_x_id = 2) in; // BLOCK · BLOCK
const uint COLS = (D + BLOCK - 1) / BLOCK;
const uint STRIDE = D + 1;
const uint S_STRIDE = BLOCK + 1;

layout(push_constant) uniform Push
{
  uint rows, keys, heads, group;
  float scale;
  uint tile, window;
  float soft_cap;
  uint begin, end; // the part of the walk this dispatch makes, a multiple of BLOCK; all but the first add to what is there
};
layout(binding = 0) readonly buffer Q { float q[]; };
layout(binding = 1) readonly buffer K { float k[]; };
layout(binding = 2) readonly buffer V { float v[]; };
layout(binding = 3) readonly buffer Ranges { int ranges[]; };
layout(binding = 4) readonly buffer Lse { float lse[]; };
layout(binding = 5) readonly buffer Do { float d_o[]; };
layout(binding = 6) readonly buffer Sums { float sums[]; };

shared float q_tile[BLOCK * STRIDE];
shared float do_tile[BLOCK * STRIDE];
shared float k_tile[BLOCK * STRIDE];
shared float v_tile[BLOCK * STRIDE];
shared float ds_tile[BLOCK * S_STRIDE];

uvec2 range_of (uint i)
{
  if (i >= rows)
    return uvec2 (0u);
  uint end = uint (clamp (ranges[2u * i + 1u], 0, int (keys)));
  uint begin = min (uint (clamp (ranges[2u * i], 0, int (keys))), end);
  return uvec2 (window != 0u && end - begin > window ? end - window : begin, end);
}

// The keys any of the BLOCK queries from @i0 on sees; empty: x ≥ y.
uvec2 hull_of (uint i0)
{
  uvec2 hull = uvec2 (keys, 0u);
  for (uint r = 0u; r < BLOCK; r++)
    {
      uvec2 range = range_of (i0 + r);
      if (range.x < range.y)
        hull = uvec2 (min (hull.x, range.x), max (hull.y, range.y));
    }
  return hull;
}

void load_queries (uint tid, uint i0, uint head)
{
  for (uint e = tid; e < BLOCK * D; e += BLOCK * BLOCK)
    {
      uint to = e / D * STRIDE + e % D, from = (i0 + e / D) * heads * D + head * D + e % D;
      bool there = i0 + e / D < rows;
      q_tile[to] = there ? q[from] : 0.0;
      do_tile[to] = there ? d_o[from] : 0.0;
    }
}

void load_keys (uint tid, uint j0, uint kv)
{
  for (uint e = tid; e < BLOCK * D; e += BLOCK * BLOCK)
    {
      uint to = e / D * STRIDE + e % D, from = (j0 + e / D) * (heads / group) * D + kv * D + e % D;
      bool there = j0 + e / D < keys;
      k_tile[to] = there ? k[from] : 0.0;
      v_tile[to] = there ? v[from] : 0.0;
    }
}

// P and dS of query i0 + r and key j0 + c.
vec2 tile_element (uint i0, uint r, uint j0, uint c, uint head)
{
  uvec2 range = range_of (i0 + r);
  if (j0 + c < range.x || j0 + c >= range.y)
    return vec2 (0.0);

  float s = 0.0, dp = 0.0;
  for (uint x = 0u; x < D; x++)
    {
      s = fma (q_tile[r * STRIDE + x], k_tile[c * STRIDE + x], s);
      dp = fma (do_tile[r * STRIDE + x], v_tile[c * STRIDE + x], dp);
    }
  uint at = (i0 + r) * heads + head;
  s *= scale;
  float slope = 1.0;
  if (soft_cap > 0.0)
    {
      float t = bounded_tanh (s / soft_cap);
      s = soft_cap * t;
      slope = 1.0 - t * t;
    }
  float p = exp (s - lse[at]);
  return vec2 (p, p * (dp - sums[at]) * slope * scale);
}
