// SPDX-License-Identifier: GPL-3.0-or-later
// Packed weights as they stand in the file. The including shader declares, on one binding, the views
//   readonly buffer { float w32[]; };  readonly buffer { uint16_t w16[]; };
// and the constant TYPE (LkType's number). A row begins at 16-bit word @row; @k is a multiple of 4 below
// @cols.
#include "half.glsl"
#include "k_scales.glsl"
#include "f32.glsl"
#include "f16.glsl"
#include "bf16.glsl"
#include "q4_0.glsl"
#include "q4_1.glsl"
#include "q5_0.glsl"
#include "q5_1.glsl"
#include "q8_0.glsl"
#include "q4_k.glsl"
#include "q5_k.glsl"
#include "q6_k.glsl"

// TYPE is a specialization constant: one of these remains in the pipeline.
vec4 dequant (uint row, uint k, uint cols)
{
  switch (TYPE)
    {
    case 0u: return dequant_f32 (row, k, cols);
    case 1u: return dequant_f16 (row, k, cols);
    case 2u: return dequant_q4_0 (row, k);
    case 3u: return dequant_q4_1 (row, k);
    case 6u: return dequant_q5_0 (row, k);
    case 7u: return dequant_q5_1 (row, k);
    case 8u: return dequant_q8_0 (row, k);
    case 12u: return dequant_q4_k (row, k);
    case 13u: return dequant_q5_k (row, k);
    case 14u: return dequant_q6_k (row, k);
    case 30u: return dequant_bf16 (row, k, cols);
    default: return vec4 (0.0);
    }
}
