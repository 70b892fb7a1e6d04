// SPDX-License-Identifier: GPL-3.0-or-later
// Rotary embedding by pairs (i, i + r/2) of the first r channels of each head, the others pass; sign −1 turns back. Angles
// come from a table made on the CPU, cosines then sines, as Vulkan leaves the precision of sine and cosine open.
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint rows, heads, half_r, d, positions; float sign; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Positions { int position[]; };
layout(binding = 2) readonly buffer Table { float table[]; };
layout(binding = 3) writeonly buffer Y { float y[]; };

void main ()
{
  uint units = d - half_r; // of a head: pairs, then channels that pass
  uint n = rows * heads * units;

  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      uint unit = i % units, head = i / units; // of all rows
      uint at = head * d + unit;
      if (unit >= half_r)
        {
          y[at + half_r] = x[at + half_r];
          continue;
        }
      uint angle = uint (clamp (position[head / heads], 0, int (positions) - 1)) * half_r * 2u + unit;
      float c = table[angle], s = sign * table[angle + half_r];
      float a = x[at], b = x[at + half_r];
      y[at] = a * c - b * s;
      y[at + half_r] = b * c + a * s;
    }
}
