// SPDX-License-Identifier: GPL-3.0-or-later
// The 12 bytes of Q4_K and Q5_K that hold 8 scales and 8 minima of 6 bits, from word @at on.

uint k_scale_byte (uint at, uint i)
{
  return (uint (w16[at + i / 2u]) >> (8u * (i % 2u))) & 255u;
}

// Scale and minimum of sub-block @j.
uvec2 k_scale (uint at, uint j)
{
  if (j < 4u)
    return uvec2 (k_scale_byte (at, j), k_scale_byte (at, j + 4u)) & 63u;

  uint both = k_scale_byte (at, j + 4u);
  uvec2 high = uvec2 (k_scale_byte (at, j - 4u), k_scale_byte (at, j)) >> 6;
  return uvec2 (both & 15u, both >> 4) | high << 4;
}
