// SPDX-License-Identifier: GPL-3.0-or-later
// db += Σ_t dy[t], t from first to end. A thread owns a column and adds in token order.
#version 460

layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint first, end, cols, db_offset; };
layout(binding = 0) readonly buffer Dy { float dy[]; };
layout(binding = 1) buffer Db { float db[]; };

void main ()
{
  for (uint c = gl_GlobalInvocationID.x; c < cols; c += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float sum = 0.0;
      for (uint t = first; t < end; t++)
        sum += dy[t * cols + c];
      db[db_offset + c] += sum;
    }
}
