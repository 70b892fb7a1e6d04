// SPDX-License-Identifier: GPL-3.0-or-later
// Q3_K: 256 elements in 110 bytes: 32 bytes of third bits (bit j of byte i: element 32·j + i), 64 bytes of pairs as
// Q2_K, sixteen 6-bit scales (low nibbles in 8 bytes, high pairs in 4), half d. x = d·(scale − 32)·(q − 4)
float q3_k_scale (uint at, uint s)
{
  uint low = uint (w16[at + s % 8u / 2u]) >> (s % 2u * 8u + s / 8u * 4u);
  uint high = uint (w16[at + 4u + s % 4u / 2u]) >> (s % 2u * 8u + s / 4u * 2u);

  return float (int ((low & 15u) | (high & 3u) << 4) - 32);
}

vec4 dequant_q3_k (uint row, uint k)
{
  uint block = row + k / 256u * 55u;
  uint e = k % 256u;
  uint i = e % 32u / 2u;
  uint at = block + 16u + e / 128u * 16u + i;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (e % 128u / 32u * 2u);
  uvec2 third = uvec2 (uint (w16[block + i]), uint (w16[block + i + 1u])) >> (e / 32u);
  uvec4 low = uvec4 (q.x & 3u, (q.x >> 8) & 3u, q.y & 3u, (q.y >> 8) & 3u);
  uvec4 high = (uvec4 (third.x, third.x >> 8, third.y, third.y >> 8) & 1u) << 2;
  float d = half_to_float (uint (w16[block + 54u])) * q3_k_scale (block + 48u, e / 16u);

  return d * (vec4 (low | high) - 4.0);
}
