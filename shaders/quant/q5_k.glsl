// SPDX-License-Identifier: GPL-3.0-or-later
// Q5_K: 256 elements in 176 bytes: as Q4_K with 32 bytes of fifth bits before the nibbles; bit j of byte i
// belongs to element i of sub-block j. x = d·scale·q − dmin·min
vec4 dequant_q5_k (uint row, uint k)
{
  uint block = row + k / 256u * 88u;
  uint j = k % 256u / 32u;
  uint i = k % 32u / 2u;
  uint at = block + 24u + j / 2u * 16u + i;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (j % 2u * 4u);
  uvec2 fifth = uvec2 (uint (w16[block + 8u + i]), uint (w16[block + 9u + i])) >> j;
  uvec4 low = uvec4 (q.x & 15u, (q.x >> 8) & 15u, q.y & 15u, (q.y >> 8) & 15u);
  uvec4 high = (uvec4 (fifth.x, fifth.x >> 8, fifth.y, fifth.y >> 8) & 1u) << 4;
  uvec2 scale = k_scale (block + 2u, j);
  float d = half_to_float (uint (w16[block])) * float (scale.x);
  float m = half_to_float (uint (w16[block + 1u])) * float (scale.y);

  return d * vec4 (low | high) - m;
}
