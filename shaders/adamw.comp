// SPDX-License-Identifier: GPL-3.0-or-later
// AdamW (Loshchilov and Hutter, 2019) in torch's order; gradients are scaled, clipped to the global norm, and
// cleared. Elements before n_decayed decay. A norm that is not finite changes nothing but clears the
// gradients.
#version 460

layout(local_size_x = 256) in;
layout(push_constant) uniform Push { uint n, n_decayed; };
layout(binding = 0) readonly buffer Hyper
{
  // As LK_HYPER_* in compute/ops/lk-ops.h.
  float learning_rate, beta1, beta2, eps, weight_decay, max_norm, correction1, correction2, gradient_scale;
  float one_minus_beta1, one_minus_beta2;
};
layout(binding = 1) readonly buffer Norm { float norm[]; };
layout(binding = 2) buffer P { float p[]; };
layout(binding = 3) buffer G { float g[]; };
layout(binding = 4) buffer M { float m[]; };
layout(binding = 5) buffer V { float v[]; };

void main ()
{
  bool apply = norm[1] != 0.0;
  float clip = max_norm > 0.0 ? min (1.0, max_norm / (norm[0] + 1e-6)) : 1.0;

  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float gi = g[i] * (gradient_scale * clip);
      g[i] = 0.0;
      if (!apply)
        continue;
      float decay = i < n_decayed ? learning_rate * weight_decay : 0.0; // 1 − this would be rounded, and at each step the same way
      float mi = beta1 * m[i] + one_minus_beta1 * gi;
      float vi = beta2 * v[i] + one_minus_beta2 * gi * gi;
      p[i] -= decay * p[i] + learning_rate * (mi * correction1) / (sqrt (vi * correction2) + eps);
      m[i] = mi;
      v[i] = vi;
    }
}
