// SPDX-License-Identifier: GPL-3.0-or-later
// Q4_K: 256 elements in 144 bytes: half d, half dmin, 12 bytes of scales, 128 bytes of nibbles. Sub-blocks of
// 32; a pair of them shares 32 bytes, the even one low. x = d·scale·q − dmin·min
vec4 dequant_q4_k (uint row, uint k)
{
  uint block = row + k / 256u * 72u;
  uint j = k % 256u / 32u;
  uint at = block + 8u + j / 2u * 16u + k % 32u / 2u;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (j % 2u * 4u);
  uvec2 scale = k_scale (block + 2u, j);
  float d = half_to_float (uint (w16[block])) * float (scale.x);
  float m = half_to_float (uint (w16[block + 1u])) * float (scale.y);

  return d * vec4 (q.x & 15u, (q.x >> 8) & 15u, q.y & 15u, (q.y >> 8) & 15u) - m;
}
