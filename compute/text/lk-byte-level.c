/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-byte-level.h"

static gboolean
lk_byte_is_printable (guint byte)
{
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

typedef struct
{
  gunichar chars[256];
  gint16 bytes[512];
} LkByteLevelTable;

static const LkByteLevelTable *
lk_byte_level_table (void)
{
  static LkByteLevelTable table;
  static gsize once;

  if (g_once_init_enter (&once))
    {
      gunichar next = 256;

      for (guint i = 0; i < G_N_ELEMENTS (table.bytes); i++)
        table.bytes[i] = -1;
      for (guint b = 0; b < 256; b++)
        {
          table.chars[b] = lk_byte_is_printable (b) ? b : next++;
          table.bytes[table.chars[b]] = (gint16) b;
        }
      g_once_init_leave (&once, 1);
    }
  return &table;
}

gunichar
lk_byte_level_char (guint8 byte)
{
  return lk_byte_level_table ()->chars[byte];
}

int
lk_byte_level_byte (gunichar c)
{
  return c < 512 ? lk_byte_level_table ()->bytes[c] : -1;
}

guint8 *
lk_byte_level_decode (const char *token, gsize *n)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (const char *p = token; *p; p = g_utf8_next_char (p))
    {
      int byte = lk_byte_level_byte (g_utf8_get_char (p));
      guint8 b = (guint8) byte;

      if (byte < 0)
        return NULL;
      g_byte_array_append (bytes, &b, 1);
    }
  *n = bytes->len;
  return g_byte_array_free (g_steal_pointer (&bytes), FALSE);
}

char *
lk_byte_level_encode (const guint8 *bytes, gsize n)
{
  GString *s = g_string_sized_new (n * 2);

  for (gsize i = 0; i < n; i++)
    g_string_append_unichar (s, lk_byte_level_char (bytes[i]));
  return g_string_free (s, FALSE);
}
