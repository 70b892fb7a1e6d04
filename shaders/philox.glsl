// SPDX-License-Identifier: GPL-3.0-or-later
// Philox4x32-10, the same numbers as lk_philox() in compute/base/lk-random.h.
uvec4 philox (uvec2 key, uvec4 c)
{
  for (int round = 0; round < 10; round++)
    {
      uint h0, l0, h1, l1;
      umulExtended (0xD2511F53u, c.x, h0, l0);
      umulExtended (0xCD9E8D57u, c.z, h1, l1);
      c = uvec4 (h1 ^ c.y ^ key.x, l1, h0 ^ c.w ^ key.y, l0);
      key += uvec2 (0x9E3779B9u, 0xBB67AE85u);
    }
  return c;
}
