// SPDX-License-Identifier: GPL-3.0-or-later
// Q2_K: 256 elements in 84 bytes: 16 bytes of scales (low nibble) and minima (high nibble) of sub-blocks of 16, 64 bytes
// of pairs, half d, half dmin. In each half of 128, pair j of byte i is element 32·j + i. x = d·scale·q − dmin·min
vec4 dequant_q2_k (uint row, uint k)
{
  uint block = row + k / 256u * 42u;
  uint e = k % 256u;
  uint at = block + 8u + e / 128u * 16u + e % 32u / 2u;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (e % 128u / 32u * 2u);
  uint both = uint (w16[block + e / 32u]) >> (e / 16u % 2u * 8u);
  float d = half_to_float (uint (w16[block + 40u])) * float (both & 15u);
  float m = half_to_float (uint (w16[block + 41u])) * float ((both >> 4) & 15u);

  return d * vec4 (q.x & 3u, (q.x >> 8) & 3u, q.y & 3u, (q.y >> 8) & 3u) - m;
}
