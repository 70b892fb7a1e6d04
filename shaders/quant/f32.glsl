// SPDX-License-Identifier: GPL-3.0-or-later
// F32: rows may end inside a quad; what lies behind the end is zero.
vec4 dequant_f32 (uint row, uint k, uint cols)
{
  uint at = row / 2u + k;
  vec4 v = vec4 (0.0);

  v.x = w32[at];
  if (k + 1u < cols) v.y = w32[at + 1u];
  if (k + 2u < cols) v.z = w32[at + 2u];
  if (k + 3u < cols) v.w = w32[at + 3u];
  return v;
}
