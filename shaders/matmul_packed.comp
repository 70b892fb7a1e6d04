// SPDX-License-Identifier: GPL-3.0-or-later
// Fragments of whatever shape the device lists.
#version 460
#extension GL_GOOGLE_include_directive : require
layout(constant_id = 9) const uint CM = 16;
layout(constant_id = 10) const uint CN = 16;
layout(constant_id = 11) const uint CK = 16;
#include "matmul_packed.glsl"
