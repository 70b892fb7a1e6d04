// SPDX-License-Identifier: GPL-3.0-or-later
// MXFP4: 32 elements in 17 bytes: exponent e of a power of two, 16 bytes of 4-bit floats in the order of Q4_0's nibbles.
// x = 2^(e − 128)·V[q], V being twice the float. A row begins at byte @row here: blocks have an odd number of them.

// V of 0 to 7, four bytes a word: 0 1 2 3, 4 6 8 12; the fourth bit is the sign.
const uvec2 MXFP4_VALUES = uvec2 (0x03020100u, 0x0c080604u);

float mxfp4_value (uint q)
{
  float v = float ((MXFP4_VALUES[q / 4u % 2u] >> (q % 4u * 8u)) & 255u);

  return q < 8u ? v : -v;
}

uint mxfp4_byte (uint at)
{
  return (uint (w16[at / 2u]) >> (at % 2u * 8u)) & 255u;
}

vec4 dequant_mxfp4 (uint row, uint k)
{
  uint block = row + k / 32u * 17u;
  uint at = block + 1u + k % 16u;
  uint e = mxfp4_byte (block);
  // the first two are subnormal
  float scale = uintBitsToFloat (e < 2u ? 0x00200000u << e : (e - 1u) << 23);
  uvec4 q = uvec4 (mxfp4_byte (at), mxfp4_byte (at + 1u), mxfp4_byte (at + 2u), mxfp4_byte (at + 3u)) >> (k % 32u / 16u * 4u) & 15u;

  return scale * vec4 (mxfp4_value (q.x), mxfp4_value (q.y), mxfp4_value (q.z), mxfp4_value (q.w));
}
