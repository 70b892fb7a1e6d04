/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CRC-32 as zlib computes it: the golden vectors of the block types are given by it.
 */
#pragma once

#include <glib.h>

static inline guint32
lk_test_crc32 (const void *data, gsize size)
{
  const guint8 *p = data;
  guint32 crc = ~0u;

  for (gsize i = 0; i < size; i++)
    {
      crc ^= p[i];
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
  return ~crc;
}
