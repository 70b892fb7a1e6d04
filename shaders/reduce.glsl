// SPDX-License-Identifier: GPL-3.0-or-later
// Sums and maxima over a work group of THREADS threads, in a fixed order. All threads must call; all get the
// result. The including shader enables GL_KHR_shader_subgroup_arithmetic.
shared float reduce_parts[THREADS];

float group_sum (float v)
{
  v = subgroupAdd (v);
  barrier ();
  if (subgroupElect ())
    reduce_parts[gl_SubgroupID] = v;
  barrier ();
  v = 0.0;
  for (uint i = 0u; i < gl_NumSubgroups; i++)
    v += reduce_parts[i];
  return v;
}

float group_max (float v)
{
  v = subgroupMax (v);
  barrier ();
  if (subgroupElect ())
    reduce_parts[gl_SubgroupID] = v;
  barrier ();
  v = reduce_parts[0];
  for (uint i = 1u; i < gl_NumSubgroups; i++)
    v = max (v, reduce_parts[i]);
  return v;
}
