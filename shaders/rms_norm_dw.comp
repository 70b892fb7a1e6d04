// SPDX-License-Identifier: GPL-3.0-or-later
// dw += Σ_t dy[t]·x[t]·rstd[t], t from first to end. A thread owns a column and adds in token order.
#version 460

layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint first, end, cols, dw_offset; };
layout(binding = 0) readonly buffer Dy { float dy[]; };
layout(binding = 1) readonly buffer X { float x[]; };
layout(binding = 2) readonly buffer Rstd { float rstd[]; };
layout(binding = 3) buffer Dw { float dw[]; };

void main ()
{
  for (uint c = gl_GlobalInvocationID.x; c < cols; c += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float sum = 0.0;
      for (uint t = first; t < end; t++)
        sum = fma (dy[t * cols + c] * rstd[t], x[t * cols + c], sum);
      dw[dw_offset + c] += sum;
    }
}
