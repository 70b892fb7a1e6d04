// SPDX-License-Identifier: GPL-3.0-or-later
// y[rows[begin + i]] = x[i] for i < n where the row lies in y. With LIMIT only while begin + i < counts[0].
// Rows that lie in y must differ.
#version 460

layout(constant_id = 0) const uint LIMIT = 0;

layout(local_size_x = 64) in;
layout(push_constant) uniform Push { uint n, cols, y_rows, begin; };
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Rows { int row[]; };
layout(binding = 2) readonly buffer Counts { uint counts[]; };
layout(binding = 3) buffer Y { float y[]; };

void main ()
{
  for (uint i = gl_WorkGroupID.x; i < n; i += gl_NumWorkGroups.x)
    {
      if (LIMIT != 0u && begin + i >= counts[0])
        return;
      int to = row[begin + i];
      if (to < 0 || to >= int (y_rows))
        continue;
      for (uint c = gl_LocalInvocationID.x; c < cols; c += gl_WorkGroupSize.x)
        y[uint (to) * cols + c] = x[i * cols + c];
    }
}
