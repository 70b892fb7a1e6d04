// SPDX-License-Identifier: GPL-3.0-or-later
// Rotary embedding by pairs (i, i + d/2) of each head; sign −1 turns back. Angles come from a table made on
// the CPU, cosines then sines, as Vulkan leaves the precision of sine and cosine open.
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint rows, heads, half_d, positions; float sign; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Positions { int position[]; };
layout(binding = 2) readonly buffer Table { float table[]; };
layout(binding = 3) writeonly buffer Y { float y[]; };

void main ()
{
  uint n = rows * heads * half_d;

  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      uint pair = i % half_d, head = i / half_d; // of all rows
      uint angle = uint (clamp (position[head / heads], 0, int (positions) - 1)) * half_d * 2u + pair;
      uint at = head * half_d * 2u + pair;
      float c = table[angle], s = sign * table[angle + half_d];
      float a = x[at], b = x[at + half_d];
      y[at] = a * c - b * s;
      y[at + half_d] = b * c + a * s;
    }
}
