// SPDX-License-Identifier: GPL-3.0-or-later
// TQ1_0: 256 elements of −1, 0, 1 in 54 bytes: 52 bytes of digits to base 3, half d. A byte times 3ⁿ modulo 256 has digit n
// in front. Byte i of the first 32 holds elements i + 32·n, of the next 16 elements 160 + i + 16·n, of the last 4 (four
// digits) elements 240 + i + 4·n. x = d·(digit − 1)
vec4 dequant_tq1_0 (uint row, uint k)
{
  uint block = row + k / 256u * 27u;
  uint e = k % 256u;
  uvec3 run = e < 160u ? uvec3 (0u, e, 32u) : e < 240u ? uvec3 (16u, e - 160u, 16u) : uvec3 (24u, e - 240u, 4u);
  uint at = block + run.x + run.y % run.z / 2u;
  uint n = run.y / run.z;
  uint power = n == 0u ? 1u : n == 1u ? 3u : n == 2u ? 9u : n == 3u ? 27u : 81u;
  uint a = uint (w16[at]), b = uint (w16[at + 1u]);
  uvec4 digit = ((uvec4 (a, a >> 8, b, b >> 8) & 255u) * power & 255u) * 3u >> 8;

  return half_to_float (uint (w16[block + 26u])) * (vec4 (digit) - 1.0);
}
