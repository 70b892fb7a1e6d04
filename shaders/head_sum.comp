// SPDX-License-Identifier: GPL-3.0-or-later
// loss[0] += Σ losses, loss[1] += their number: one work group, a fixed order.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(binding = 0) readonly buffer Losses { float losses[]; };
layout(binding = 1) readonly buffer Counts { uint counts[]; };
layout(binding = 2) buffer Loss { float loss[]; };

#include "reduce.glsl"

void main ()
{
  float sum = 0.0;

  for (uint i = gl_LocalInvocationID.x; i < counts[0]; i += THREADS)
    sum += losses[i];
  sum = group_sum (sum);
  if (gl_LocalInvocationID.x == 0u)
    {
      loss[0] += sum;
      loss[1] += float (counts[0]);
    }
}
