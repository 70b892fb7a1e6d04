// SPDX-License-Identifier: GPL-3.0-or-later
// out[t] = scale · table[ids[t]], unpacked; ids outside the table take its nearest row. A table larger than
// one binding comes in parts: a part holds the rows [part_begin, part_end) and writes only the tokens that
// lie in it.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require

layout(constant_id = 0) const uint TYPE = 0;

layout(local_size_x = 64) in;
layout(push_constant) uniform Push
{
  uint rows, cols, vocab;
  uint table_offset, row_units; // see quant.glsl
  uint part_begin, part_end;
  float scale;
};
layout(binding = 0) readonly buffer Ids { int ids[]; };
layout(binding = 1) readonly buffer B32 { float w32[]; };
layout(binding = 1) readonly buffer B16 { uint16_t w16[]; };
layout(binding = 2) writeonly buffer Out { float o[]; };

#include "quant/quant.glsl"

void main ()
{
  for (uint t = gl_WorkGroupID.x; t < rows; t += gl_NumWorkGroups.x)
    {
      uint id = uint (clamp (ids[t], 0, int (vocab) - 1));
      if (id < part_begin || id >= part_end)
        continue;
      for (uint k = gl_LocalInvocationID.x * 4u; k < cols; k += gl_WorkGroupSize.x * 4u)
        {
          vec4 v = scale * dequant (table_offset + (id - part_begin) * row_units, k, cols);
          for (uint j = 0u; j < 4u && k + j < cols; j++)
            o[t * cols + k + j] = v[j];
        }
    }
}
