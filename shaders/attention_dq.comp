// SPDX-License-Identifier: GPL-3.0-or-later
// dQ = dS·K: a work group takes BLOCK queries of one head and walks over the keys.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "attention_dx.glsl"
layout(binding = 7) buffer Dq { float dq[]; };

void main ()
{
  uint tid = gl_LocalInvocationID.x, row = tid / BLOCK, lane = tid % BLOCK;
  uint i0 = (gl_WorkGroupID.x + tile) * BLOCK, head = gl_WorkGroupID.y;
  uvec2 hull = hull_of (i0);
  float acc[COLS];

  [[unroll]] for (uint j = 0u; j < COLS; j++)
    acc[j] = 0.0;
  load_queries (tid, i0, head);
  for (uint j0 = max (hull.x / BLOCK * BLOCK, begin); j0 < min (hull.y, end); j0 += BLOCK)
    {
      barrier ();
      load_keys (tid, j0, head / group);
      barrier ();
      ds_tile[row * S_STRIDE + lane] = tile_element (i0, row, j0, lane, head).y;
      barrier ();
      for (uint c = 0u; c < BLOCK; c++)
        [[unroll]] for (uint j = 0u; j < COLS; j++)
          if (lane + j * BLOCK < D)
            acc[j] = fma (ds_tile[row * S_STRIDE + c], k_tile[c * STRIDE + lane + j * BLOCK], acc[j]);
    }
  if (i0 + row < rows)
    [[unroll]] for (uint j = 0u; j < COLS; j++)
      if (lane + j * BLOCK < D)
        {
          uint at = (i0 + row) * heads * D + head * D + lane + j * BLOCK;
          dq[at] = begin > 0u ? dq[at] + acc[j] : acc[j];
        }
}
