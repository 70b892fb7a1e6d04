// SPDX-License-Identifier: GPL-3.0-or-later
// C (=|+=) alpha·Σ parts, in the parts' order: the end of a product whose contraction was cut between work groups.
#version 460

layout(constant_id = 0) const uint STRENGTH = 0; // alpha is multiplied by strength[0]
layout(local_size_x = 128) in;

layout(push_constant) uniform Push
{
  uint n, n_parts;                           // elements of C and of each part
  uint parts_offset, c_offset;               // floats
  uint accumulate;
  float alpha;
};

layout(binding = 0) readonly buffer Parts { float parts[]; };
layout(binding = 1) buffer C { float c[]; };
layout(binding = 2) readonly buffer Strength { float strength[]; };

void main ()
{
  float f = STRENGTH != 0u ? alpha * strength[0] : alpha;

  for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
    {
      float sum = 0.0;
      for (uint p = 0u; p < n_parts; p++)
        sum += parts[parts_offset + p * n + i];
      sum *= f;
      c[c_offset + i] = accumulate != 0u ? c[c_offset + i] + sum : sum;
    }
}
