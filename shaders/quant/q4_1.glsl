// SPDX-License-Identifier: GPL-3.0-or-later
// Q4_1: 32 elements in 20 bytes: half d, half m, 16 bytes of nibbles (elements 0-15 low, 16-31 high). x = d·q
// + m
vec4 dequant_q4_1 (uint row, uint k)
{
  uint block = row + k / 32u * 10u;
  uint at = block + 2u + k % 16u / 2u;
  uint shift = k % 32u / 16u * 4u;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> shift;
  float d = half_to_float (uint (w16[block]));
  float m = half_to_float (uint (w16[block + 1u]));

  return d * vec4 (q.x & 15u, (q.x >> 8) & 15u, q.y & 15u, (q.y >> 8) & 15u) + m;
}
