// SPDX-License-Identifier: GPL-3.0-or-later
// Nothing but multiplications with additions, in registers: the rate that no kernel on threads can pass.
// Counts as compute/gpu/lk-gpu-ceiling.c has them.
#version 460
#extension GL_EXT_control_flow_attributes : require

const uint CHAINS = 12, STEPS = 8;
layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint rounds; float factor, term; };
layout(binding = 0) writeonly buffer Result { float result[]; };

void main ()
{
  float x[CHAINS], sum = 0.0;

  [[unroll]] for (uint i = 0u; i < CHAINS; i++)
    x[i] = float (gl_LocalInvocationID.x + i);
  for (uint r = 0u; r < rounds; r++)
    [[unroll]] for (uint s = 0u; s < STEPS; s++)
      [[unroll]] for (uint i = 0u; i < CHAINS; i++)
        x[i] = fma (x[i], factor, term);
  [[unroll]] for (uint i = 0u; i < CHAINS; i++)
    sum += x[i];
  result[gl_GlobalInvocationID.x] = sum;
}
