// SPDX-License-Identifier: GPL-3.0-or-later
// Q4_0: 32 elements in 18 bytes: half d, 16 bytes of nibbles (elements 0-15 low, 16-31 high). x = d·(q − 8)
vec4 dequant_q4_0 (uint row, uint k)
{
  uint block = row + k / 32u * 9u;
  uint at = block + 1u + k % 16u / 2u;
  uint shift = k % 32u / 16u * 4u;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> shift;
  float d = half_to_float (uint (w16[block]));

  return d * (vec4 (q.x & 15u, (q.x >> 8) & 15u, q.y & 15u, (q.y >> 8) & 15u) - 8.0);
}
