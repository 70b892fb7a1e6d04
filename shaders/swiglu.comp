// SPDX-License-Identifier: GPL-3.0-or-later
// y = silu(gate)·up
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer Gate { float gate[]; };
layout(binding = 1) readonly buffer Up { float up[]; };
layout(binding = 2) writeonly buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    y[i] = gate[i] / (1.0 + exp (-gate[i])) * up[i];
}
