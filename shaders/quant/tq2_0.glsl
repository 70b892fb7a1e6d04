// SPDX-License-Identifier: GPL-3.0-or-later
// TQ2_0: 256 elements of −1, 0, 1 in 66 bytes: 64 bytes of pairs as Q2_K, half d. x = d·(q − 1)
vec4 dequant_tq2_0 (uint row, uint k)
{
  uint block = row + k / 256u * 33u;
  uint e = k % 256u;
  uint at = block + e / 128u * 16u + e % 32u / 2u;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (e % 128u / 32u * 2u);

  return half_to_float (uint (w16[block + 32u])) * (vec4 (q.x & 3u, (q.x >> 8) & 3u, q.y & 3u, (q.y >> 8) & 3u) - 1.0);
}
