// SPDX-License-Identifier: GPL-3.0-or-later
// Sums of squares of CHUNK elements each: a work group a chunk.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(constant_id = 0) const uint CHUNK = 65536;
const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer G { float g[]; };
layout(binding = 1) writeonly buffer Partial { float partial[]; };

#include "reduce.glsl"

void main ()
{
  for (uint chunk = gl_WorkGroupID.x; chunk * CHUNK < n; chunk += gl_NumWorkGroups.x)
    {
      float sum = 0.0;
      for (uint i = chunk * CHUNK + gl_LocalInvocationID.x; i < min (n, (chunk + 1u) * CHUNK); i += THREADS)
        sum = fma (g[i], g[i], sum);
      sum = group_sum (sum);
      if (gl_LocalInvocationID.x == 0u)
        partial[chunk] = sum;
    }
}
