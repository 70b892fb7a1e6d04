// SPDX-License-Identifier: GPL-3.0-or-later
// sums[t, h] = Σ dO·O over a head: what the softmax's backward subtracts.
#version 460

layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint n, d; }; // n: rows · heads
layout(binding = 0) readonly buffer Do { float d_o[]; };
layout(binding = 1) readonly buffer O { float o[]; };
layout(binding = 2) writeonly buffer Sums { float sums[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float sum = 0.0;
      for (uint x = 0u; x < d; x++)
        sum = fma (d_o[i * d + x], o[i * d + x], sum);
      sums[i] = sum;
    }
}
