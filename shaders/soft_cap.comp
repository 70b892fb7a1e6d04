// SPDX-License-Identifier: GPL-3.0-or-later
// y = cap·tanh(x/cap)
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tanh.glsl"

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; float cap; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) writeonly buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    y[i] = cap * bounded_tanh (x[i] / cap);
}
