// SPDX-License-Identifier: GPL-3.0-or-later
// The matrix product with slices of 16-bit floats: half the shared memory and its traffic; sums stay float32.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define HALF
#include "matmul_threads.glsl"
