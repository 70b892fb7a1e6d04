// SPDX-License-Identifier: GPL-3.0-or-later
// y = x + b by rows
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n, cols, b_offset; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer B { float b[]; };
layout(binding = 2) writeonly buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    y[i] = x[i] + b[b_offset + i % cols];
}
