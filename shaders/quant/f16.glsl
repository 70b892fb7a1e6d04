// SPDX-License-Identifier: GPL-3.0-or-later
// F16: rows may end inside a quad; what lies behind the end is zero.
vec4 dequant_f16 (uint row, uint k, uint cols)
{
  uint at = row + k;
  vec4 v = vec4 (0.0);

  v.x = half_to_float (uint (w16[at]));
  if (k + 1u < cols) v.y = half_to_float (uint (w16[at + 1u]));
  if (k + 2u < cols) v.z = half_to_float (uint (w16[at + 2u]));
  if (k + 3u < cols) v.w = half_to_float (uint (w16[at + 3u]));
  return v;
}
