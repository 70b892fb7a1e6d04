// SPDX-License-Identifier: GPL-3.0-or-later
// What attention's kernels on matrix units (VK_KHR_cooperative_matrix) share. A work group owns rows, queries or
// keys of one head, and walks over the rows of the other kind, STEP at a time. Its subgroups own CM rows each, or
// SPLIT of them the same CM rows: then each makes a part of the columns. The including shader declares CM, CN and CK.
#pragma use_vulkan_memory_model
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#include "tanh.glsl"

layout(constant_id = 0) const uint D = 64; // channels of a head, a multiple of 16
layout(constant_id = 1) const uint SUBGROUPS = 4;
layout(constant_id = 2) const uint SUBGROUP = 32; // lanes
layout(constant_id = 3) const uint SPLIT = 1;
layout(constant_id = 4) const uint STEP = 32;
layout(local_size_x_id = 5) in; // THREADS
layout(constant_id = 6) const uint CAPPED = 0; // scores have a soft cap
const uint THREADS = SUBGROUPS * SUBGROUP;
const uint OWN = SUBGROUPS / SPLIT * CM;
const uint PASSES = (OWN + STEP - 1u) / STEP; // in which the rows it owns come through a tile of the walk
const uint COLS = D / CN / SPLIT;             // fragments of its rows a subgroup sums

// In groups of four. Rows are two groups longer than what is in them: neighbours lie on other banks and on 16 bytes.
const uint QUADS = D / 4u;
const uint STRIDE = QUADS + 2u;
const uint STEP_STRIDE = STEP / 4u + 2u;
// Of a tile, each thread's. It stays as it was read until it is put: to change it would be to wait for it.
const uint SHARE = (STEP * QUADS + THREADS - 1u) / THREADS;

layout(push_constant) uniform Push
{
  uint rows, keys, heads, group;
  float scale;
  uint tile, window;
  float soft_cap;
#ifdef BACKWARD
  uint begin, end; // the part of the walk this dispatch makes, a multiple of STEP; all but the first add to what is there
#endif
};
layout(binding = 0) readonly buffer Q { vec4 q[]; };
layout(binding = 1) readonly buffer K { vec4 k[]; };
layout(binding = 2) readonly buffer V { vec4 v[]; };
layout(binding = 3) readonly buffer Ranges { int ranges[]; };

shared uvec2 hulls[SUBGROUPS];

uvec2 range_of (uint i)
{
  if (i >= rows)
    return uvec2 (0u);
  uint last = uint (clamp (ranges[2u * i + 1u], 0, int (keys)));
  uint first = min (uint (clamp (ranges[2u * i], 0, int (keys))), last);
  return uvec2 (window != 0u && last - first > window ? last - window : first, last);
}

// What holds all the ranges of a subgroup's lanes; empty: x ≥ y.
uvec2 subgroup_hull (uvec2 range)
{
  bool there = range.x < range.y;
  return uvec2 (subgroupMin (there ? range.x : ~0u), subgroupMax (there ? range.y : 0u));
}

// What all of a subgroup's lanes see.
uvec2 subgroup_inner (uvec2 range)
{
  return uvec2 (subgroupMax (range.x), subgroupMin (range.y));
}

// What holds all of @hull, each subgroup's own.
uvec2 group_hull (uvec2 hull)
{
  hulls[gl_SubgroupID] = hull;
  barrier ();
  [[unroll]] for (uint s = 0u; s < SUBGROUPS; s++)
    hull = uvec2 (min (hull.x, hulls[s].x), max (hull.y, hulls[s].y));
  return hull;
}

// What 16 bits cannot hold becomes the largest they can; what is no number stays none.
f16vec4 to_half (vec4 v)
{
  v = mix (v, vec4 (65504.0), greaterThan (v, vec4 (65504.0)));
  v = mix (v, vec4 (-65504.0), lessThan (v, vec4 (-65504.0)));
  return f16vec4 (v);
}

#define SUMS coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator>
#define LEFT coopmat<float16_t, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA>
#define RIGHT coopmat<float16_t, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB>

// Which elements of a fragment of sums this lane has is the device's affair: found out with a fragment that holds
// its own places, row · CN + column, kept as bytes.
uint places[16];
const uint ELEMENTS = CM * CN / SUBGROUP; // of a fragment of sums, each lane's

void find_places (SUMS index)
{
  [[unroll]] for (uint i = 0u; i < 16u; i++)
    places[i] = 0u;
  [[unroll]] for (uint i = 0u; i < ELEMENTS; i++)
    places[i / 4u] |= uint (index[i]) << (i % 4u * 8u);
}

uint place_row (uint i)
{
  return bitfieldExtract (places[i / 4u], int (i % 4u * 8u), 8) / CN;
}

uint place_col (uint i)
{
  return bitfieldExtract (places[i / 4u], int (i % 4u * 8u), 8) % CN;
}
