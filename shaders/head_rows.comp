// SPDX-License-Identifier: GPL-3.0-or-later
// The rows that have a target, in order, and their number: one work group, prefix sums over THREADS rows at a
// time.
#version 460

const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint rows, vocab; };
layout(binding = 0) readonly buffer Targets { int targets[]; };
layout(binding = 1) writeonly buffer Rows { int row[]; };
layout(binding = 2) writeonly buffer Counts { uint counts[]; };

shared uint places[THREADS];

void main ()
{
  uint tid = gl_LocalInvocationID.x, total = 0u;

  for (uint t0 = 0u; t0 < rows; t0 += THREADS)
    {
      uint t = t0 + tid;
      bool has = t < rows && targets[min (t, rows - 1u)] >= 0 && targets[min (t, rows - 1u)] < int (vocab);
      barrier ();
      places[tid] = has ? 1u : 0u;
      barrier ();
      for (uint step = 1u; step < THREADS; step *= 2u)
        {
          uint left = tid >= step ? places[tid - step] : 0u;
          barrier ();
          places[tid] += left;
          barrier ();
        }
      if (has)
        row[total + places[tid] - 1u] = int (t);
      total += places[THREADS - 1u];
    }
  if (tid == 0u)
    counts[0] = total;
}
