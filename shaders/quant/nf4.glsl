// SPDX-License-Identifier: GPL-3.0-or-later
// NF4: 4 elements in a 16-bit word, the first of two in a byte's high nibble; a scale for each 64 elements of the matrix
// written row by row. On the side: 16 values of the codes, then either a scale a block (NF4_PLAIN), or 256 values of the
// scales' codes, their mean, and for each 256 blocks the scale of their scales and 256 bytes.
float nf4_side (uint at)
{
  return uintBitsToFloat (side[side_offset + at]);
}

vec4 nf4_values (uint word)
{
  uvec4 code = (uvec4 (word) >> uvec4 (4u, 0u, 12u, 8u)) & 15u;

  return vec4 (nf4_side (code.x), nf4_side (code.y), nf4_side (code.z), nf4_side (code.w));
}

vec4 dequant_nf4 (uint row, uint k)
{
  uint word = row + k / 4u;
  uint block = (b_first + word) / 16u;
  uint nest = 273u + block / 256u * 65u;
  uint code = (side[side_offset + nest + 1u + block % 256u / 4u] >> (block % 4u * 8u)) & 255u;
  precise float scale = nf4_side (16u + code) * nf4_side (nest) + nf4_side (272u);

  return scale * nf4_values (uint (w16[word]));
}

vec4 dequant_nf4_plain (uint row, uint k)
{
  uint word = row + k / 4u;

  return nf4_side (16u + (b_first + word) / 16u) * nf4_values (uint (w16[word]));
}
