// SPDX-License-Identifier: GPL-3.0-or-later
// norm[0] = √Σ partial · gradient scale, norm[1] = 1 when that is finite: one work group, a fixed order.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(constant_id = 0) const uint GRADIENT_SCALE = 8; // its place in hyper
const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer Partial { float partial[]; };
layout(binding = 1) readonly buffer Hyper { float hyper[]; };
layout(binding = 2) writeonly buffer Norm { float norm[]; };

#include "reduce.glsl"

void main ()
{
  float sum = 0.0;

  for (uint i = gl_LocalInvocationID.x; i < n; i += THREADS)
    sum += partial[i];
  sum = group_sum (sum);
  if (gl_LocalInvocationID.x == 0u)
    {
      float value = sqrt (sum) * hyper[GRADIENT_SCALE];
      // By its bits: a compiler may take it for granted that no number is infinite.
      bool finite = (floatBitsToUint (value) & 0x7f800000u) != 0x7f800000u;
      norm[0] = value;
      norm[1] = finite ? 1.0 : 0.0;
    }
}
