// SPDX-License-Identifier: GPL-3.0-or-later
// y = x in 16 bytes at a time: the rate at which no kernel can read and write. y may be x.
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { vec4 x[]; };
layout(binding = 1) writeonly buffer Y { vec4 y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    y[i] = x[i];
}
