// SPDX-License-Identifier: GPL-3.0-or-later
// Fragments of 8 × 8 × 8 that are known when this is compiled: Apple's units take no other, and their compiler no
// constants that are specialised later.
#version 460
#extension GL_GOOGLE_include_directive : require
const uint CM = 8, CN = 8, CK = 8;
#include "matmul_packed.glsl"
