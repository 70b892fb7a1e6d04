// SPDX-License-Identifier: GPL-3.0-or-later
// sums[t, h] = Σ dO·O over a head: what the softmax's backward subtracts. LANES threads share a sum, so that
// neighbours read what lies together.
#version 460
#extension GL_EXT_control_flow_attributes : require
const uint THREADS = 256, LANES = 16, SUMS = THREADS / LANES;

layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint n, d; }; // n: rows · heads
layout(binding = 0) readonly buffer Do { float d_o[]; };
layout(binding = 1) readonly buffer O { float o[]; };
layout(binding = 2) writeonly buffer Sums { float sums[]; };

shared float parts[THREADS];

void main ()
{
  uint tid = gl_LocalInvocationID.x, lane = tid % LANES;

  for (uint first = gl_WorkGroupID.x * SUMS; first < n; first += gl_NumWorkGroups.x * SUMS)
    {
      uint i = first + tid / LANES;
      float sum = 0.0;

      if (i < n)
        for (uint x = lane; x < d; x += LANES)
          sum = fma (d_o[i * d + x], o[i * d + x], sum);
      barrier ();
      parts[tid] = sum;
      barrier ();
      if (lane == 0u && i < n)
        {
          sum = 0.0;
          [[unroll]] for (uint l = 0u; l < LANES; l++)
            sum += parts[tid + l];
          sums[i] = sum;
        }
    }
}
