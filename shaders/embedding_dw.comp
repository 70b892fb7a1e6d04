// SPDX-License-Identifier: GPL-3.0-or-later
// dtable[ids[t]] += scale · dy[t], t from first to end. A thread owns a column and adds in token order, so that repeated ids need
// no atomics.
#version 460

layout(local_size_x = 64) in;
layout(push_constant) uniform Push
{
  uint first, end, cols, vocab;
  uint table_offset;
  float scale;
};
layout(binding = 0) readonly buffer Dy { float dy[]; };
layout(binding = 1) readonly buffer Ids { int ids[]; };
layout(binding = 2) buffer Dtable { float dtable[]; };

void main ()
{
  for (uint c = gl_GlobalInvocationID.x; c < cols; c += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    for (uint t = first; t < end; t++)
      {
        uint id = uint (clamp (ids[t], 0, int (vocab) - 1));
        dtable[table_offset + id * cols + c] += scale * dy[t * cols + c];
      }
}
