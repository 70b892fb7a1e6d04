// SPDX-License-Identifier: GPL-3.0-or-later
// C (=|+=) alpha·A·Bᵀ for a few rows of A, as decoding has: B, packed as in its file, is read once at the
// speed of memory. A work group makes OUTPUTS columns of C; its threads share the contraction. Push constants
// as in matmul.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(constant_id = 0) const uint TYPE = 0;
layout(constant_id = 1) const uint STRENGTH = 0; // alpha is multiplied by strength[0]
layout(constant_id = 2) const uint ROWS = 1;     // of A, at most 4
const uint OUTPUTS = 4;
const uint THREADS = 64;

layout(local_size_x = THREADS) in;

layout(push_constant) uniform Push
{
  uint m, n, k;
  uint lda, ldb, ldc;
  uint a_offset, b_offset, c_offset; // floats, as quant.glsl counts, floats
  uint accumulate;
  float alpha;
  uint count_begin, site, threshold;
  float keep;
  uint b_cols;
  uint m_tile;
  uint b_first, side_offset;
  uint k_part, c_part;
  float a_scale;
};

layout(binding = 0) readonly buffer A { float a[]; };
layout(binding = 1) readonly buffer B32 { float w32[]; };
layout(binding = 1) readonly buffer B16 { uint16_t w16[]; };
layout(binding = 2) buffer C { float c[]; };
layout(binding = 3) readonly buffer Strength { float strength[]; };
layout(binding = 4) readonly buffer Side { uint side[]; };

#define HAS_SIDE
#include "quant/quant.glsl"
#include "reduce.glsl"

vec4 load_a (uint row, uint at)
{
  vec4 v = vec4 (0.0);

  for (uint j = 0u; j < 4u; j++)
    if (at + j < k)
      v[j] = a[a_offset + row * lda + at + j];
  return v;
}

void main ()
{
  // Column blocks beyond what one direction of a dispatch holds are taken in turn.
  for (uint n0 = gl_WorkGroupID.x * OUTPUTS; n0 < n; n0 += gl_NumWorkGroups.x * OUTPUTS)
    {
      float sums[ROWS * OUTPUTS];
      [[unroll]] for (uint i = 0u; i < ROWS * OUTPUTS; i++)
        sums[i] = 0.0;
      for (uint at = gl_LocalInvocationID.x * 4u; at < k; at += THREADS * 4u)
        {
          vec4 x[ROWS];
          [[unroll]] for (uint r = 0u; r < ROWS; r++)
            x[r] = load_a (r, at);
          [[unroll]] for (uint o = 0u; o < OUTPUTS; o++)
            if (n0 + o < n)
              {
                vec4 w = dequant (b_offset + (n0 + o) * ldb, at, b_cols);
                [[unroll]] for (uint r = 0u; r < ROWS; r++)
                  sums[r * OUTPUTS + o] += dot (x[r], w);
              }
        }
      float factor = STRENGTH != 0u ? alpha * strength[0] : alpha;
      [[unroll]] for (uint r = 0u; r < ROWS; r++)
        [[unroll]] for (uint o = 0u; o < OUTPUTS; o++)
          {
            float v = factor * group_sum (sums[r * OUTPUTS + o]);
            uint to = c_offset + r * ldc + n0 + o;
            if (gl_LocalInvocationID.x == 0u && n0 + o < n)
              c[to] = accumulate != 0u ? c[to] + v : v;
          }
    }
}
