/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-format-private.h"
#include "lk-size.h"

#define SHOWN_CHARACTERS 80
#define MAX_FILE_NAME 255

static gboolean
is_direction_control (gunichar c)
{
  return (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *
lk_format_show (const char *text, gssize size)
{
  /* a character has at most 4 bytes: no need to look at more of a huge string */
  gsize length = size < 0 ? strlen (text) : (gsize) size;
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) MIN (length, 4 * (SHOWN_CHARACTERS + 1)));
  GString *shown = g_string_new (NULL);
  guint n = 0;

  for (const char *p = valid; *p; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (n++ == SHOWN_CHARACTERS)
        {
          g_string_append (shown, "…");
          break;
        }
      g_string_append_unichar (shown, g_unichar_iscntrl (c) || is_direction_control (c) ? 0xfffd : c);
    }
  return g_string_free (shown, FALSE);
}

gboolean
lk_format_tensor_bytes (LkType type, const guint64 *shape, guint n_dims, guint64 *bytes)
{
  guint64 rows, elements = n_dims > 0 ? shape[n_dims - 1] : 1;

  return lk_size_product (shape, n_dims > 0 ? n_dims - 1 : 0, &rows) && lk_type_bytes (type, rows, elements, bytes);
}

gboolean
lk_format_is_plain_name (const char *name)
{
  if (name[0] == '\0' || name[0] == '.' || strlen (name) > MAX_FILE_NAME || !g_utf8_validate (name, -1, NULL))
    return FALSE;
  for (const char *p = name; *p; p++)
    if (*p == '/' || *p == '\\' || *p == ':' || g_ascii_iscntrl (*p))
      return FALSE;
  return TRUE;
}
