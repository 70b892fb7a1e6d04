// SPDX-License-Identifier: GPL-3.0-or-later
// y = x·rstd·(plus + w) by rows, rstd = 1/√(mean x² + eps). A work group takes a row.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint rows, cols, w_offset; float eps, plus; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer W { float w[]; };
layout(binding = 2) writeonly buffer Y { float y[]; };
layout(binding = 3) writeonly buffer Rstd { float rstd[]; };

#include "reduce.glsl"

void main ()
{
  for (uint t = gl_WorkGroupID.x; t < rows; t += gl_NumWorkGroups.x)
    {
      float sum = 0.0;
      for (uint c = gl_LocalInvocationID.x; c < cols; c += THREADS)
        sum = fma (x[t * cols + c], x[t * cols + c], sum);
      float r = 1.0 / sqrt (group_sum (sum) / float (cols) + eps);
      for (uint c = gl_LocalInvocationID.x; c < cols; c += THREADS)
        y[t * cols + c] = x[t * cols + c] * r * (plus + w[w_offset + c]);
      if (gl_LocalInvocationID.x == 0u)
        rstd[t] = r;
    }
}
