// SPDX-License-Identifier: GPL-3.0-or-later
// z = x + y, element by element; z may be x or y.
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Y { float y[]; };
layout(binding = 2) writeonly buffer Z { float z[]; };

void main ()
{
  // A thread strides through the array, so that any size fits the limits on work groups.
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    z[i] = x[i] + y[i];
}
