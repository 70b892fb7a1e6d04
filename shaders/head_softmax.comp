// SPDX-License-Identifier: GPL-3.0-or-later
// Rows begin … begin + n − 1 of those with a target: losses = −log p of the target; with GRADIENT logits
// become p − onehot (times the slope of the soft cap, where there is one); with LOGPROBS the token's place gets log p. A work group takes a row.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(constant_id = 0) const uint GRADIENT = 0;
layout(constant_id = 1) const uint LOGPROBS = 0;
const uint THREADS = 256;
layout(local_size_x = THREADS) in;
layout(push_constant) uniform Push { uint n, vocab, begin; float soft_cap; };
layout(binding = 0) buffer Logits { float logits[]; };
layout(binding = 1) readonly buffer Targets { int targets[]; };
layout(binding = 2) readonly buffer Rows { int row[]; };
layout(binding = 3) readonly buffer Counts { uint counts[]; };
layout(binding = 4) buffer Losses { float losses[]; };
layout(binding = 5) buffer Logprobs { float logprobs[]; };

#include "reduce.glsl"
#include "tanh.glsl"

void main ()
{
  for (uint r = gl_WorkGroupID.x; r < n; r += gl_NumWorkGroups.x)
    {
      if (begin + r >= counts[0])
        return;
      uint at = r * vocab, token = uint (row[begin + r]), target = uint (targets[token]);
      float at_target = logits[at + target];
      // All have read the target's logit before one of them writes it. Else a thread meets the same places in every loop.
      barrier ();
      if (soft_cap > 0.0)
        at_target = soft_cap * bounded_tanh (at_target / soft_cap);
      if (soft_cap > 0.0)
        for (uint c = gl_LocalInvocationID.x; c < vocab; c += THREADS)
          logits[at + c] = soft_cap * bounded_tanh (logits[at + c] / soft_cap);
      float maximum = -3.0e38, sum = 0.0;
      for (uint c = gl_LocalInvocationID.x; c < vocab; c += THREADS)
        maximum = max (maximum, logits[at + c]);
      maximum = group_max (maximum);
      for (uint c = gl_LocalInvocationID.x; c < vocab; c += THREADS)
        sum += exp (logits[at + c] - maximum);
      sum = group_sum (sum);
      float loss = log (sum) + (maximum - at_target);
      if (GRADIENT != 0u)
        for (uint c = gl_LocalInvocationID.x; c < vocab; c += THREADS)
          {
            float t = soft_cap > 0.0 ? logits[at + c] / soft_cap : 0.0;
            logits[at + c] = (exp (logits[at + c] - maximum) / sum - (c == target ? 1.0 : 0.0)) * (1.0 - t * t);
          }
      if (gl_LocalInvocationID.x == 0u)
        {
          losses[begin + r] = loss;
          if (LOGPROBS != 0u)
            logprobs[token] = -loss;
        }
    }
}
