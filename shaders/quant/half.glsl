// SPDX-License-Identifier: GPL-3.0-or-later
// 16-bit floats made by integer steps: a device may flush subnormal halves to zero, and block scales are
// often subnormal.

float half_to_float (uint h)
{
  uint sign = (h & 0x8000u) << 16;
  uint exponent = (h >> 10) & 31u;
  uint mantissa = h & 0x3ffu;

  if (exponent == 0u)
    return uintBitsToFloat (sign | floatBitsToUint (float (mantissa) * 5.9604644775390625e-8));
  return uintBitsToFloat (sign | ((exponent == 31u ? 255u : exponent + 112u) << 23) | (mantissa << 13));
}

float bf16_to_float (uint h)
{
  return uintBitsToFloat (h << 16);
}

// Signed byte @i (0 or 1) of the 16-bit word @w.
float signed_byte (uint w, uint i)
{
  return float (bitfieldExtract (int (w), int (8u * i), 8));
}
