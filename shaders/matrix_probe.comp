// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled by the build, never run: does this compiler know cooperative matrices?
#version 460
#pragma use_vulkan_memory_model
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
layout(local_size_x = 32) in;
layout(binding = 0) buffer C { float c[]; };
shared f16vec4 tile[64];

void main ()
{
  coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> a;
  coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> b;
  coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sum
    = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> (0.0);

  coopMatLoad (a, tile, 0u, 4u, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad (b, tile, 0u, 4u, gl_CooperativeMatrixLayoutColumnMajor);
  sum = coopMatMulAdd (a, b, sum);
  coopMatStore (sum, c, 0u, 16u, gl_CooperativeMatrixLayoutRowMajor);
}
