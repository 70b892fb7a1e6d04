// SPDX-License-Identifier: GPL-3.0-or-later
// dK = dSᵀ·Q, dV = Pᵀ·dO: a work group takes BLOCK keys of one key head and walks over the queries that see
// any of them, and over the query heads of its group: no two groups write the same place.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "attention_dx.glsl"
layout(binding = 7) buffer Dk { float dk[]; };
layout(binding = 8) buffer Dv { float dv[]; };

shared float p_tile[BLOCK * S_STRIDE];

void main ()
{
  uint tid = gl_LocalInvocationID.x, row = tid / BLOCK, lane = tid % BLOCK;
  uint j0 = (gl_WorkGroupID.x + tile) * BLOCK, kv = gl_WorkGroupID.y;
  float dk_acc[COLS], dv_acc[COLS];

  [[unroll]] for (uint j = 0u; j < COLS; j++)
    dk_acc[j] = dv_acc[j] = 0.0;
  load_keys (tid, j0, kv);
  for (uint i0 = begin; i0 < end; i0 += BLOCK)
    {
      uvec2 hull = hull_of (i0);
      if (hull.x >= j0 + BLOCK || hull.y <= j0)
        continue;
      for (uint head = kv * group; head < (kv + 1u) * group; head++)
        {
          barrier ();
          load_queries (tid, i0, head);
          barrier ();
          vec2 e = tile_element (i0, row, j0, lane, head);
          p_tile[row * S_STRIDE + lane] = e.x;
          ds_tile[row * S_STRIDE + lane] = e.y;
          barrier ();
          // From here on row is a key of the tile.
          for (uint r = 0u; r < BLOCK; r++)
            [[unroll]] for (uint j = 0u; j < COLS; j++)
              if (lane + j * BLOCK < D)
                {
                  uint at = r * STRIDE + lane + j * BLOCK;
                  dk_acc[j] = fma (ds_tile[r * S_STRIDE + row], q_tile[at], dk_acc[j]);
                  dv_acc[j] = fma (p_tile[r * S_STRIDE + row], do_tile[at], dv_acc[j]);
                }
        }
    }
  if (j0 + row < keys)
    [[unroll]] for (uint j = 0u; j < COLS; j++)
      if (lane + j * BLOCK < D)
        {
          uint at = (j0 + row) * (heads / group) * D + kv * D + lane + j * BLOCK;
          dk[at] = begin > 0u ? dk[at] + dk_acc[j] : dk_acc[j];
          dv[at] = begin > 0u ? dv[at] + dv_acc[j] : dv_acc[j];
        }
}
