// SPDX-License-Identifier: GPL-3.0-or-later
// One side of a product, unpacked once instead of by every work group that multiplies it: 16-bit floats as
// matmul_packed.glsl reads them, one row a step of the contraction, zeros where the matrix has no elements. A work
// group makes a tile of SIDE × SIDE; TURN: stored rows become columns.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require

layout(constant_id = 0) const uint TYPE = 0;
layout(constant_id = 1) const uint TURN = 0;
layout(constant_id = 2) const uint QUADS = 0; // rows of float begin on 16 bytes, of F16 and BF16 on 8
layout(constant_id = 3) const uint STRENGTH = 0; // factor is multiplied by strength[0]
const uint SIDE = 64;
const uint THREADS = 256;
layout(local_size_x = THREADS) in;

layout(push_constant) uniform Push
{
  uint rows, cols;    // as stored
  uint ld, in_offset; // as quant.glsl counts
  uint out_ld;        // quads
  uint b_first;       // 16-bit words of the matrix before the binding's first, wrapping
  uint side_offset;   // floats
  float factor;       // power of two that brings the numbers into the middle of what 16 bits hold
};
layout(binding = 0) readonly buffer B32 { float w32[]; };
layout(binding = 0) readonly buffer B16 { uint16_t w16[]; };
layout(binding = 0) readonly buffer B64 { uvec2 w64[]; };
layout(binding = 0) readonly buffer B128 { vec4 w128[]; };
layout(binding = 1) readonly buffer Side { uint side[]; };
layout(binding = 2) writeonly buffer Packed { uvec2 packed[]; };
layout(binding = 2) writeonly buffer Packed128 { uvec4 packed128[]; };

layout(binding = 3) readonly buffer Strength { float strength[]; };

#define HAS_SIDE
#include "quant/quant.glsl"

shared float turned[SIDE * (SIDE + 1)];

vec4 unpack (uint row, uint col)
{
  uint at = in_offset + row * ld;
  uvec2 w;

  if (QUADS == 0u)
    return dequant (at, col, cols);
  if (TYPE == 0u)
    return w128[(at / 2u + col) / 4u];
  w = w64[(at + col) / 4u];
  if (TYPE == 1u)
    return vec4 (half_to_float (w.x & 0xffffu), half_to_float (w.x >> 16), half_to_float (w.y & 0xffffu),
                 half_to_float (w.y >> 16));
  return vec4 (bf16_to_float (w.x & 0xffffu), bf16_to_float (w.x >> 16), bf16_to_float (w.y & 0xffffu),
               bf16_to_float (w.y >> 16));
}

// What 16 bits cannot hold becomes the largest they can; what is no number stays none.
uvec2 to_half (vec4 v)
{
  v = mix (v, vec4 (65504.0), greaterThan (v, vec4 (65504.0)));
  v = mix (v, vec4 (-65504.0), lessThan (v, vec4 (-65504.0)));
  return uvec2 (packHalf2x16 (v.xy), packHalf2x16 (v.zw));
}

void main ()
{
  uint tid = gl_LocalInvocationID.x, across = tid % (SIDE / 4u), along = tid / (SIDE / 4u);
  uint row0 = gl_WorkGroupID.y * SIDE, col0 = gl_WorkGroupID.x * SIDE;
  const uint STEP = THREADS / (SIDE / 4u);
  float scale = STRENGTH != 0u ? factor * strength[0] : factor;
  vec4 v[SIDE / STEP];

  [[unroll]] for (uint s = 0u; s < SIDE / STEP; s++)
    {
      uint row = row0 + along + s * STEP, col = col0 + 4u * across;
      v[s] = row < rows && col < cols ? scale * unpack (row, col) : vec4 (0.0);
    }
  if (TURN == 0u)
    {
      [[unroll]] for (uint s = 0u; s < SIDE / STEP; s++)
        packed[(row0 + along + s * STEP) * out_ld + col0 / 4u + across] = to_half (v[s]);
      return;
    }
  [[unroll]] for (uint s = 0u; s < SIDE / STEP; s++)
    [[unroll]] for (uint j = 0u; j < 4u; j++)
      turned[(along + s * STEP) * (SIDE + 1u) + 4u * across + j] = v[s][j];
  barrier ();
  // Eight elements a store.
  const uint WIDE = SIDE / 8u;
  [[unroll]] for (uint s = 0u; s < SIDE * WIDE / THREADS; s++)
    {
      uint col = tid / WIDE + s * (THREADS / WIDE), row = tid % WIDE * 8u;
      vec4 a, b;
      [[unroll]] for (uint j = 0u; j < 4u; j++)
        {
          a[j] = turned[(row + j) * (SIDE + 1u) + col];
          b[j] = turned[(row + 4u + j) * (SIDE + 1u) + col];
        }
      packed128[((col0 + col) * out_ld + (row0 + row) / 4u) / 2u] = uvec4 (to_half (a), to_half (b));
    }
}
