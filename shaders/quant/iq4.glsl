// SPDX-License-Identifier: GPL-3.0-or-later
// IQ4_NL: 32 elements in 18 bytes: half d, 16 bytes of nibbles as Q4_0. x = d·T[q]
// IQ4_XS: 256 elements in 136 bytes: half d, the high pairs of eight 6-bit scales in 16 bits, their low nibbles in 4
// bytes, and 8 times 16 bytes of nibbles as Q4_0. x = d·(scale − 32)·T[q]

// T in order, four signed bytes a word: −127 −104 −83 −65, −49 −35 −22 −10, 1 13 25 38, 53 69 89 113
const uvec4 IQ4_VALUES = uvec4 (0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

float iq4_value (uint q)
{
  return float (bitfieldExtract (int (IQ4_VALUES[q / 4u]), int (q % 4u * 8u), 8));
}

// Of element @e of 32 and the three behind it, their nibbles from word @at on.
vec4 iq4_values (uint at, uint e)
{
  at += e % 16u / 2u;
  uvec2 q = uvec2 (uint (w16[at]), uint (w16[at + 1u])) >> (e / 16u * 4u);

  return vec4 (iq4_value (q.x & 15u), iq4_value ((q.x >> 8) & 15u), iq4_value (q.y & 15u), iq4_value ((q.y >> 8) & 15u));
}

vec4 dequant_iq4_nl (uint row, uint k)
{
  uint block = row + k / 32u * 9u;

  return half_to_float (uint (w16[block])) * iq4_values (block + 1u, k % 32u);
}

vec4 dequant_iq4_xs (uint row, uint k)
{
  uint block = row + k / 256u * 68u;
  uint j = k % 256u / 32u;
  uint low = uint (w16[block + 2u + j / 4u]) >> (j % 4u * 4u);
  uint high = uint (w16[block + 1u]) >> (j * 2u);
  float scale = float (int ((low & 15u) | (high & 3u) << 4) - 32);

  return half_to_float (uint (w16[block])) * scale * iq4_values (block + 4u + j * 8u, k % 32u);
}
