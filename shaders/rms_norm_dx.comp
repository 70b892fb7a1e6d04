// SPDX-License-Identifier: GPL-3.0-or-later
// dx (=|+=) rstd·(v·dy − x·rstd²·mean(v·dy·x)) by rows, v = plus + w. dx may be dy.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint rows, cols, w_offset, accumulate; float plus; };
layout(binding = 0) readonly buffer Dy { float dy[]; };
layout(binding = 1) readonly buffer X { float x[]; };
layout(binding = 2) readonly buffer W { float w[]; };
layout(binding = 3) readonly buffer Rstd { float rstd[]; };
layout(binding = 4) buffer Dx { float dx[]; };

#include "reduce.glsl"

void main ()
{
  for (uint t = gl_WorkGroupID.x; t < rows; t += gl_NumWorkGroups.x)
    {
      float sum = 0.0;
      for (uint c = gl_LocalInvocationID.x; c < cols; c += THREADS)
        sum = fma (dy[t * cols + c] * (plus + w[w_offset + c]), x[t * cols + c], sum);
      float r = rstd[t];
      float mean = group_sum (sum) / float (cols) * r * r;
      for (uint c = gl_LocalInvocationID.x; c < cols; c += THREADS)
        {
          uint at = t * cols + c;
          float v = r * ((plus + w[w_offset + c]) * dy[at] - x[at] * mean);
          dx[at] = accumulate != 0u ? dx[at] + v : v;
        }
    }
}
