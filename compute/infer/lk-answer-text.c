/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* memmem */
#include "lk-answer-text.h"

#include <string.h>

struct _LkAnswerText
{
  char **stops;
  GString *held; /* bytes not yet given out */
  gsize certain; /* so many of them are text for sure */
};

LkAnswerText *
lk_answer_text_new (const char *const *stops)
{
  LkAnswerText *self = g_new0 (LkAnswerText, 1);

  self->stops = g_strdupv ((char **) stops);
  self->held = g_string_new (NULL);
  return self;
}

void
lk_answer_text_free (LkAnswerText *self)
{
  if (!self)
    return;
  g_strfreev (self->stops);
  g_string_free (self->held, TRUE);
  g_free (self);
}

/* Bytes at the end that may be the beginning of a character that is not complete. */
static gsize
unfinished_character (const char *text, gsize n)
{
  for (gsize back = 1; back <= MIN (n, 3); back++)
    {
      guint8 c = (guint8) text[n - back];
      gsize length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

      if ((c & 0xc0) == 0x80)
        continue;
      return length > back && g_utf8_get_char_validated (text + n - back, (gssize) back) == (gunichar) -2
                 ? back
                 : 0;
    }
  return 0;
}

/* The longest end of the text that begins the stop string. */
static gsize
unfinished_stop (const char *text, gsize n, const char *stop)
{
  for (gsize k = MIN (n, strlen (stop) - 1); k > 0; k--)
    if (memcmp (text + n - k, stop, k) == 0)
      return k;
  return 0;
}

gboolean
lk_answer_text_add (LkAnswerText *self, const guint8 *bytes, gsize n)
{
  const char *found = NULL;
  gsize back;

  g_string_append_len (self->held, (const char *) bytes, (gssize) n);
  back = unfinished_character (self->held->str, self->held->len);
  for (guint i = 0; self->stops && self->stops[i]; i++)
    {
      const char *stop = self->stops[i];
      const char *at;

      if (!stop[0])
        continue;
      at = memmem (self->held->str, self->held->len, stop, strlen (stop));
      if (at && (!found || at < found))
        found = at;
      back = MAX (back, unfinished_stop (self->held->str, self->held->len, stop));
    }
  if (found)
    {
      g_string_truncate (self->held, (gsize) (found - self->held->str));
      self->certain = self->held->len;
      return TRUE;
    }
  self->certain = self->held->len - back;
  return FALSE;
}

void
lk_answer_text_end (LkAnswerText *self)
{
  self->certain = self->held->len;
}

char *
lk_answer_text_take (LkAnswerText *self)
{
  gsize n = self->certain - unfinished_character (self->held->str, self->certain);
  char *text;

  /* at the very end an unfinished character is what there is */
  if (self->certain == self->held->len)
    n = self->certain;
  if (n == 0)
    return NULL;
  text = g_utf8_make_valid (self->held->str, (gssize) n);
  g_string_erase (self->held, 0, (gssize) n);
  self->certain -= n;
  return text;
}
