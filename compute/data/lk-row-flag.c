/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-flag.h"

#include <string.h>

/* The window translates them. */
#define N_(text) text

const LkRowFlagKind lk_row_flags[] = {
  { LK_ROW_UNUSABLE, "unusable", N_ ("Cannot be used"), N_ ("Rows that cannot be used"), N_ ("They are left out of the training.") },
  { LK_ROW_REFUSED, "refused", N_ ("Refused by the model's template"), N_ ("Rows the model's template refuses"),
    N_ ("They are left out of the training.") },
  { LK_ROW_DUPLICATE, "duplicate", N_ ("Repeated"), N_ ("Repeated rows"),
    N_ ("The model sees the same example several times, and learns it by heart instead of what it shows.") },
  { LK_ROW_CONFLICT, "conflict", N_ ("Another answer elsewhere"), N_ ("Same question, different answers"),
    N_ ("The model cannot know which of the answers is wanted.") },
  { LK_ROW_PLACEHOLDER, "placeholder", N_ ("Placeholder"), N_ ("Placeholders never filled in"),
    N_ ("The model learns to write the braces, as in {{name}}.") },
  { LK_ROW_INVISIBLE, "invisible", N_ ("Invisible characters"), N_ ("Invisible characters"),
    N_ ("Control and zero-width characters cost tokens and are learned.") },
};
const guint lk_n_row_flags = G_N_ELEMENTS (lk_row_flags);

const LkRowFlagKind *
lk_row_flag_find (const char *name)
{
  for (guint i = 0; i < lk_n_row_flags; i++)
    if (g_str_equal (lk_row_flags[i].name, name))
      return &lk_row_flags[i];
  return NULL;
}

/* “{{ name }}”: a word between doubled braces on one line. What Jinja or Go templates hold besides is no placeholder. */
static gboolean
lk_has_placeholder (const char *text)
{
  for (const char *p = text; (p = strstr (p, "{{")); p += 2)
    {
      const char *q = p + 2;

      while (*q == ' ')
        q++;
      if (!g_ascii_isalpha (*q) && *q != '_')
        continue;
      while (g_ascii_isalnum (*q) || *q == '_' || *q == '-' || *q == '.')
        q++;
      while (*q == ' ')
        q++;
      if (q[0] == '}' && q[1] == '}')
        return TRUE;
    }
  return FALSE;
}

/* Zero-width joiners belong to emoji and to scripts, so they are none. */
static gboolean
lk_is_invisible (gunichar c)
{
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x200b || c == 0x2060 || c == 0xfeff
         || (c >= 0xe0000 && c < 0xe0100 && !(c >= 0xe0020 && c <= 0xe007f));
}

static gboolean
lk_has_invisible (const char *text)
{
  for (const guchar *p = (const guchar *) text; *p; p++)
    {
      if (*p >= 0x20 && *p < 0x7f)
        continue;
      if (*p < 0x80 ? lk_is_invisible (*p) : *p >= 0xc2 && lk_is_invisible (g_utf8_get_char ((const char *) p)))
        return TRUE;
    }
  return FALSE;
}

guint
lk_row_flags_of_text (const char *text)
{
  return (lk_has_placeholder (text) ? LK_ROW_PLACEHOLDER : 0) | (lk_has_invisible (text) ? LK_ROW_INVISIBLE : 0);
}
