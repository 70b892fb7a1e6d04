// SPDX-License-Identifier: GPL-3.0-or-later
// y = gate·σ(z)·up; z = gate (SiLU) or 2·√(2/π)·(gate + 0.044715·gate³) (GELU in its tanh form)
#version 460

layout(constant_id = 0) const uint ACTIVATION = 0; // as LkActivation
layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer Gate { float gate[]; };
layout(binding = 1) readonly buffer Up { float up[]; };
layout(binding = 2) writeonly buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float g = gate[i], z = ACTIVATION == 0u ? g : 1.5957691216057308 * g * (1.0 + 0.044715 * g * g);
      y[i] = g / (1.0 + exp (-z)) * up[i];
    }
}
