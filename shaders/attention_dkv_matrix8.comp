// SPDX-License-Identifier: GPL-3.0-or-later
// Fragments of 8 × 8 × 8 that are known when this is compiled, see matmul_matrix8.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
const uint CM = 8, CN = 8, CK = 8;
#include "attention_dkv_matrix.glsl"
