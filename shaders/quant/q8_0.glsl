// SPDX-License-Identifier: GPL-3.0-or-later
// Q8_0: 32 elements in 34 bytes: half d, 32 signed bytes. x = d·q
vec4 dequant_q8_0 (uint row, uint k)
{
  uint block = row + k / 32u * 17u;
  uint at = block + 1u + k % 32u / 2u;
  uint a = uint (w16[at]), b = uint (w16[at + 1u]);

  return half_to_float (uint (w16[block]))
         * vec4 (signed_byte (a, 0u), signed_byte (a, 1u), signed_byte (b, 0u), signed_byte (b, 1u));
}
