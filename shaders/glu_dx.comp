// SPDX-License-Identifier: GPL-3.0-or-later
// With s = σ(z), z as in glu.comp: dup = dy·gate·s, dgate = dy·up·s·(1 + gate·z'·(1 − s)).
#version 460

layout(constant_id = 0) const uint ACTIVATION = 0; // as LkActivation
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
      float g = gate[i], square = 0.044715 * g * g;
      float z = ACTIVATION == 0u ? g : 1.5957691216057308 * g * (1.0 + square);
      float slope = ACTIVATION == 0u ? g : 1.5957691216057308 * g * (1.0 + 3.0 * square);
      float s = 1.0 / (1.0 + exp (-z));
      dup[i] = dy[i] * g * s;
      dgate[i] = dy[i] * up[i] * s * (1.0 + slope * (1.0 - s));
    }
}
