// SPDX-License-Identifier: GPL-3.0-or-later
// Nothing but products of fragments on matrix units (VK_KHR_cooperative_matrix), 16-bit with float32 sums: the rate that no
// kernel on them can pass. The including shader declares CM, CN and CK. Counts as compute/gpu/lk-gpu-ceiling.c has them.
#pragma use_vulkan_memory_model
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require

layout(constant_id = 0) const uint THREADS = 128;
layout(constant_id = 1) const uint CHAINS = 4; // sums that do not wait for each other
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push { uint rounds; float factor, term; };
layout(binding = 0) readonly buffer Fragments { float16_t fragments[]; }; // CM × CK, and behind them CK × CN
layout(binding = 1) writeonly buffer Result { float result[]; };          // CM × CN of each subgroup

coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> sums[CHAINS];

void main ()
{
  coopmat<float16_t, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> a;
  coopmat<float16_t, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> b;

  coopMatLoad (a, fragments, 0u, CK, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad (b, fragments, CM * CK, CN, gl_CooperativeMatrixLayoutRowMajor);
  [[unroll]] for (uint i = 0u; i < CHAINS; i++)
    sums[i] = coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> (term * float (i));
  for (uint r = 0u; r < rounds; r++)
    [[unroll]] for (uint i = 0u; i < CHAINS; i++)
      sums[i] = coopMatMulAdd (a, b, sums[i]);
  [[unroll]] for (uint i = 1u; i < CHAINS; i++)
    sums[0] += sums[i];
  coopMatStore (sums[0], result, (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * CM * CN, CN,
                gl_CooperativeMatrixLayoutRowMajor);
}
