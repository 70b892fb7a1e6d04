// SPDX-License-Identifier: GPL-3.0-or-later
// Q6_K: 256 elements in 210 bytes: 128 bytes of low nibbles, 64 bytes of high pairs, 16 signed scales, half
// d. Halves of 128 elements; in each, group g of 32 takes nibble g/2 of bytes 32·(g%2)… and bits 2g of the
// pairs. x = d·scale·(q − 32)
vec4 dequant_q6_k (uint row, uint k)
{
  uint block = row + k / 256u * 105u;
  uint e = k % 256u;
  uint n = e / 128u;
  uint g = e % 128u / 32u;
  uint i = e % 32u / 2u;
  uint at = block + n * 32u + g % 2u * 16u + i;
  uint pairs = block + 64u + n * 16u + i;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (g / 2u * 4u);
  uvec2 h = uvec2 (uint (w16[pairs]), uint (w16[pairs + 1u])) >> (g * 2u);
  uvec4 low = uvec4 (q.x & 15u, (q.x >> 8) & 15u, q.y & 15u, (q.y >> 8) & 15u);
  uvec4 high = (uvec4 (h.x, h.x >> 8, h.y, h.y >> 8) & 3u) << 4;
  uint s = e / 16u;
  float d = half_to_float (uint (w16[block + 104u])) * signed_byte (uint (w16[block + 96u + s / 2u]), s % 2u);

  return d * (vec4 (low | high) - 32.0);
}
