// SPDX-License-Identifier: GPL-3.0-or-later
// y[i] = x[rows[begin + i]] for i < n, rows outside x take its nearest row. With LIMIT only while begin + i <
// counts[0].
#version 460

layout(constant_id = 0) const uint LIMIT = 0;

layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint n, cols, x_rows, begin; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Rows { int row[]; };
layout(binding = 2) readonly buffer Counts { uint counts[]; };
layout(binding = 3) writeonly buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_WorkGroupID.x; i < n; i += gl_NumWorkGroups.x)
    {
      if (LIMIT != 0u && begin + i >= counts[0])
        return;
      uint from = uint (clamp (row[begin + i], 0, int (x_rows) - 1));
      for (uint c = gl_LocalInvocationID.x; c < cols; c += gl_WorkGroupSize.x)
        y[i * cols + c] = x[from * cols + c];
    }
}
