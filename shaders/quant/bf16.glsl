// SPDX-License-Identifier: GPL-3.0-or-later
// BF16: rows may end inside a quad; what lies behind the end is zero.
vec4 dequant_bf16 (uint row, uint k, uint cols)
{
  uint at = row + k;
  vec4 v = vec4 (0.0);

  v.x = bf16_to_float (uint (w16[at]));
  if (k + 1u < cols) v.y = bf16_to_float (uint (w16[at + 1u]));
  if (k + 2u < cols) v.z = bf16_to_float (uint (w16[at + 2u]));
  if (k + 3u < cols) v.w = bf16_to_float (uint (w16[at + 3u]));
  return v;
}
