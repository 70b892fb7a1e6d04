// SPDX-License-Identifier: GPL-3.0-or-later
// y = cap·tanh(x/cap). Beyond 10 tanh is 1; some drivers make it ∞/∞ there.
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; float cap; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) writeonly buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    y[i] = cap * tanh (clamp (x[i] / cap, -10.0, 10.0));
}
