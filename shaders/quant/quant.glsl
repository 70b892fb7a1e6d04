// SPDX-License-Identifier: GPL-3.0-or-later
// Packed weights as they stand in the file. The including shader declares, on one binding, the views
//   readonly buffer { float w32[]; };  readonly buffer { uint16_t w16[]; };
// and the constant TYPE (LkType's number). A row begins at 16-bit word @row, or at byte @row where blocks have an
// odd number of bytes (lk_op_row_unit); @k is a multiple of 4 below @cols. With HAS_SIDE it also declares
//   readonly buffer { uint side[]; };  uint side_offset;  uint b_first;
// what stands on the matrix's side, from side[side_offset] on, and where in the matrix, in words, w16[0] is.
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
#include "q2_k.glsl"
#include "q3_k.glsl"
#include "q4_k.glsl"
#include "q5_k.glsl"
#include "q6_k.glsl"
#include "iq4.glsl"
#include "tq1_0.glsl"
#include "tq2_0.glsl"
#include "mxfp4.glsl"
#ifdef HAS_SIDE
#include "nf4.glsl"
#endif

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
    case 10u: return dequant_q2_k (row, k);
    case 11u: return dequant_q3_k (row, k);
    case 12u: return dequant_q4_k (row, k);
    case 13u: return dequant_q5_k (row, k);
    case 14u: return dequant_q6_k (row, k);
    case 20u: return dequant_iq4_nl (row, k);
    case 23u: return dequant_iq4_xs (row, k);
    case 30u: return dequant_bf16 (row, k, cols);
    case 34u: return dequant_tq1_0 (row, k);
    case 35u: return dequant_tq2_0 (row, k);
    case 39u: return dequant_mxfp4 (row, k);
#ifdef HAS_SIDE
    case 256u: return dequant_nf4 (row, k);
    case 257u: return dequant_nf4_plain (row, k);
#endif
    default: return vec4 (0.0);
    }
}
