// SPDX-License-Identifier: GPL-3.0-or-later
// Attention for a few queries against many keys, as decoding has: a work group takes one query of one head;
// its threads share the keys, THREADS at a time, with a running maximum and sum as in attention.comp. Same
// bindings and results.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(constant_id = 0) const uint D = 64; // at most 256
const uint THREADS = 256;
const uint PARTS = THREADS / D; // threads that share a column of the output, each over its part of the keys
const float NONE = -3.0e38;

layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint rows, keys, heads, group; float scale; uint tile, window; float soft_cap; };
layout(binding = 0) readonly buffer Q { float q[]; };
layout(binding = 1) readonly buffer K { float k[]; };
layout(binding = 2) readonly buffer V { float v[]; };
layout(binding = 3) readonly buffer Ranges { int ranges[]; };
layout(binding = 4) writeonly buffer O { float o[]; };
layout(binding = 5) writeonly buffer Lse { float lse[]; };

#include "reduce.glsl"
#include "tanh.glsl"

shared float q_row[D];
shared float p_row[THREADS]; // probabilities of the keys at hand, then partial sums of the output

void main ()
{
  uint tid = gl_LocalInvocationID.x, row = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
  uint q_at = (row * heads + head) * D, kv_stride = heads / group * D, kv_at = head / group * D;
  uint end = uint (clamp (ranges[2u * row + 1u], 0, int (keys)));
  uint begin = min (uint (clamp (ranges[2u * row], 0, int (keys))), end);
  uint column = tid % D, part = tid / D;
  float maximum = NONE, total = 0.0, sum = 0.0;

  if (window != 0u && end - begin > window)
    begin = end - window;
  if (tid < D)
    q_row[tid] = q[q_at + tid] * scale;
  for (uint j0 = begin; j0 < end; j0 += THREADS)
    {
      uint n = min (THREADS, end - j0);
      float s = NONE;
      // The row of the query is there, and nobody reads the last probabilities any more.
      barrier ();
      if (tid < n)
        {
          s = 0.0;
          for (uint x = 0u; x < D; x++)
            s = fma (q_row[x], k[(j0 + tid) * kv_stride + kv_at + x], s);
          if (soft_cap > 0.0)
            s = soft_cap * bounded_tanh (s / soft_cap);
        }
      float before = maximum;
      maximum = max (maximum, group_max (s));
      float p = tid < n ? exp (s - maximum) : 0.0;
      float correction = before == NONE ? 0.0 : exp (before - maximum);
      p_row[tid] = p;
      total = total * correction + group_sum (p);
      sum *= correction;
      if (part < PARTS)
        for (uint c = part; c < n; c += PARTS)
          sum = fma (p_row[c], v[(j0 + c) * kv_stride + kv_at + column], sum);
    }
  barrier ();
  p_row[tid] = sum;
  barrier ();
  if (tid < D)
    {
      sum = 0.0;
      for (uint i = 0u; i < PARTS; i++)
        sum += p_row[i * D + tid];
      o[q_at + tid] = total > 0.0 ? sum / total : 0.0;
    }
  if (tid == 0u)
    lse[row * heads + head] = total > 0.0 ? maximum + log (total) : 0.0;
}
