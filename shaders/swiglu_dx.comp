// SPDX-License-Identifier: GPL-3.0-or-later
// With s = σ(gate): dup = dy·gate·s, dgate = dy·up·s·(1 + gate·(1 − s)).
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n; };
layout(binding = 0) readonly buffer Dy { float dy[]; };
layout(binding = 1) readonly buffer Gate { float gate[]; };
layout(binding = 2) readonly buffer Up { float up[]; };
layout(binding = 3) writeonly buffer Dgate { float dgate[]; };
layout(binding = 4) writeonly buffer Dup { float dup[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float g = gate[i], s = 1.0 / (1.0 + exp (-g));
      dup[i] = dy[i] * g * s;
      dgate[i] = dy[i] * up[i] * s * (1.0 + g * (1.0 - s));
    }
}
