// SPDX-License-Identifier: GPL-3.0-or-later
// Softmax (scale·q·kᵀ)·v over each query's range of rows with a running maximum and sum (FlashAttention, Dao
// et al., 2022). A work group takes BLOCK queries of one head and walks over the keys any of them sees, BLOCK
// at a time. lse is kept for the backward pass: 0 for a query that sees nothing, whose output is 0.
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
#include "tanh.glsl"

layout(constant_id = 0) const uint D = 64;
layout(constant_id = 1) const uint BLOCK = 32; // 8, 16 or 32
const uint THREADS = 256;
const uint PER_ROW = THREADS / BLOCK; // threads that share a query
const uint COLS = (D + PER_ROW - 1) / PER_ROW;
const uint STRIDE = D + 1;
const uint S_STRIDE = BLOCK + 1;
// Channels a round: few rounds, as lk_attention_plan_rounds() counts them.
const uint STEP = D % 16 == 0 ? 16 : D % 4 == 0 ? 4 : 1;
const float NONE = -3.0e38;

layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint rows, keys, heads, group; float scale; uint tile, window; float soft_cap; };
layout(binding = 0) readonly buffer Q { float q[]; };
layout(binding = 1) readonly buffer K { float k[]; };
layout(binding = 2) readonly buffer V { float v[]; };
layout(binding = 3) readonly buffer Ranges { int ranges[]; };
layout(binding = 4) writeonly buffer O { float o[]; };
layout(binding = 5) writeonly buffer Lse { float lse[]; };

shared float q_tile[BLOCK * STRIDE];
shared float kv_tile[BLOCK * STRIDE]; // keys, then values
shared float s_tile[BLOCK * S_STRIDE];

uvec2 range_of (uint i)
{
  if (i >= rows)
    return uvec2 (0u);
  uint end = uint (clamp (ranges[2u * i + 1u], 0, int (keys)));
  uint begin = min (uint (clamp (ranges[2u * i], 0, int (keys))), end);
  return uvec2 (window != 0u && end - begin > window ? end - window : begin, end);
}

void main ()
{
  uint tid = gl_LocalInvocationID.x, row = tid / PER_ROW, lane = tid % PER_ROW;
  uint i0 = (gl_WorkGroupID.x + tile) * BLOCK, head = gl_WorkGroupID.y;
  uint q_stride = heads * D, kv_stride = heads / group * D, kv_at = head / group * D;
  uvec2 mine = range_of (i0 + row), hull = uvec2 (keys, 0u);
  float maximum = NONE, total = 0.0, sums[COLS];

  for (uint r = 0u; r < BLOCK; r++)
    {
      uvec2 range = range_of (i0 + r);
      if (range.x < range.y)
        hull = uvec2 (min (hull.x, range.x), max (hull.y, range.y));
    }
  for (uint e = tid; e < BLOCK * D; e += THREADS)
    {
      uint i = i0 + e / D;
      q_tile[e / D * STRIDE + e % D] = i < rows ? q[i * q_stride + head * D + e % D] * scale : 0.0;
    }
  [[unroll]] for (uint j = 0u; j < COLS; j++)
    sums[j] = 0.0;

  for (uint j0 = hull.x; j0 < hull.y; j0 += BLOCK)
    {
      barrier ();
      for (uint e = tid; e < BLOCK * D; e += THREADS)
        {
          uint i = j0 + e / D;
          kv_tile[e / D * STRIDE + e % D] = i < keys ? k[i * kv_stride + kv_at + e % D] : 0.0;
        }
      barrier ();
      for (uint e = tid; e < BLOCK * BLOCK; e += THREADS)
        {
          float s = 0.0;
          for (uint x0 = 0u; x0 < D; x0 += STEP)
            [[unroll]] for (uint x = x0; x < x0 + STEP; x++)
              s = fma (q_tile[e / BLOCK * STRIDE + x], kv_tile[e % BLOCK * STRIDE + x], s);
          s_tile[e / BLOCK * S_STRIDE + e % BLOCK] = soft_cap > 0.0 ? soft_cap * bounded_tanh (s / soft_cap) : s;
        }
      barrier ();
      for (uint e = tid; e < BLOCK * D; e += THREADS)
        {
          uint i = j0 + e / D;
          kv_tile[e / D * STRIDE + e % D] = i < keys ? v[i * kv_stride + kv_at + e % D] : 0.0;
        }

      float before = maximum;
      for (uint c = 0u; c < BLOCK; c++)
        if (j0 + c >= mine.x && j0 + c < mine.y)
          maximum = max (maximum, s_tile[row * S_STRIDE + c]);
      barrier ();
      for (uint c = lane; c < BLOCK; c += PER_ROW)
        {
          bool sees = j0 + c >= mine.x && j0 + c < mine.y;
          s_tile[row * S_STRIDE + c] = sees ? exp (s_tile[row * S_STRIDE + c] - maximum) : 0.0;
        }
      barrier ();

      float correction = before == NONE ? 0.0 : exp (before - maximum);
      total *= correction;
      [[unroll]] for (uint j = 0u; j < COLS; j++)
        sums[j] *= correction;
      for (uint c = 0u; c < BLOCK; c++)
        {
          float p = s_tile[row * S_STRIDE + c];
          total += p;
          [[unroll]] for (uint j = 0u; j < COLS; j++)
            if (lane + j * PER_ROW < D)
              sums[j] = fma (p, kv_tile[c * STRIDE + lane + j * PER_ROW], sums[j]);
        }
    }

  if (i0 + row >= rows)
    return;
  [[unroll]] for (uint j = 0u; j < COLS; j++)
    if (lane + j * PER_ROW < D)
      o[(i0 + row) * q_stride + head * D + lane + j * PER_ROW] = total > 0.0 ? sums[j] / total : 0.0;
  if (lane == 0u)
    lse[(i0 + row) * heads + head] = total > 0.0 ? maximum + log (total) : 0.0;
}
