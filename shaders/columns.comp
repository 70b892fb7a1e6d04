// SPDX-License-Identifier: GPL-3.0-or-later
// Columns [first, first + width) of rows of @cols: taken out (0), put back with zeros around (1), or added in place (2).
#version 460

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint MODE = 0;
layout(push_constant) uniform Push { uint n, cols, first, width; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    if (MODE == 1u)
      {
        uint column = i % cols - first; // wraps where it lies before
        y[i] = column < width ? x[i / cols * width + column] : 0.0;
      }
    else
      {
        uint wide = i / width * cols + first + i % width;
        if (MODE == 0u)
          y[i] = x[wide];
        else
          y[wide] += x[i];
      }
}
