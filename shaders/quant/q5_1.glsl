// SPDX-License-Identifier: GPL-3.0-or-later
// Q5_1: 32 elements in 24 bytes: half d, half m, 32 fifth bits, 16 bytes of nibbles as Q4_0. x = d·q + m
vec4 dequant_q5_1 (uint row, uint k)
{
  uint block = row + k / 32u * 12u;
  uint at = block + 4u + k % 16u / 2u;
  uint shift = k % 32u / 16u * 4u;
  uint fifth = (uint (w16[block + 2u]) | uint (w16[block + 3u]) << 16) >> (k % 32u);
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> shift;
  uvec4 low = uvec4 (q.x & 15u, (q.x >> 8) & 15u, q.y & 15u, (q.y >> 8) & 15u);
  uvec4 high = (uvec4 (fifth, fifth >> 1, fifth >> 2, fifth >> 3) & 1u) << 4;

  return half_to_float (uint (w16[block])) * vec4 (low | high) + half_to_float (uint (w16[block + 1u]));
}
