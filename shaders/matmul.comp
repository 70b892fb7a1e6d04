// SPDX-License-Identifier: GPL-3.0-or-later
// The matrix product in float32 throughout.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "matmul_threads.glsl"
