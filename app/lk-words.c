/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-words.h"

#include <glib/gi18n-lib.h>
#include <gio/gio.h>
#include <math.h>
#include <string.h>

char *
lk_words_duration (double seconds)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  int days;

  if (!isfinite (seconds) || seconds < 0 || seconds > 1e10)
    return g_strdup (_ ("some time"));
  if (seconds < 8)
    return g_strdup (_ ("a few seconds"));
  if (seconds < 55)
    return g_strdup_printf (_ ("about %d seconds"), (int) (round (seconds / 5) * 5));
  if (seconds < 3570)
    {
      int minutes = (int) round (seconds / 60);

      return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "about %d minute", "about %d minutes", (gulong) minutes),
                              minutes);
    }
  if (seconds < 86400)
    {
      /* to the nearest five minutes: nobody plans an afternoon by the minute */
      int all = (int) (round (seconds / 300) * 5);
      int hours = all / 60, minutes = all % 60;

      first = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "about %d hour", "about %d hours", (gulong) hours), hours);
      if (minutes == 0 || hours >= 10)
        return g_steal_pointer (&first);
      second = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%d minute", "%d minutes", (gulong) minutes), minutes);
      /* “about 2 hours” and “10 minutes” */
      return g_strdup_printf (_ ("%s %s"), first, second);
    }
  days = (int) round (seconds / 86400);
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "about %d day", "about %d days", (gulong) days), days);
}

char *
lk_words_bytes (guint64 bytes)
{
  if (bytes < 1000)
    return g_strdup (bytes == 0 ? _ ("nothing") : _ ("less than 1 kB"));
  return g_format_size (bytes);
}

char *
lk_words_loss (double loss)
{
  if (!isfinite (loss))
    return g_strdup ("–");
  return g_strdup_printf (fabs (loss) < 10 ? "%.3f" : "%.2f", loss);
}

char *
lk_words_small_number (double value)
{
  static const char *const raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
  GString *text;
  char digits[16];
  int exponent;

  if (!isfinite (value))
    return g_strdup ("–");
  if (value == 0)
    return g_strdup ("0");
  if (fabs (value) >= 0.01 && fabs (value) < 1000)
    return g_strdup_printf (fabs (value) < 10 ? "%.3f" : "%.1f", value);
  exponent = (int) floor (log10 (fabs (value)));
  /* 9.996 would be written as 10.00, and the logarithm of a power of ten may fall just below it */
  if (fabs (value) / pow (10, exponent) >= 9.995)
    exponent++;
  text = g_string_new (NULL);
  g_string_append_printf (text, "%.2f × 10", value / pow (10, exponent));
  if (exponent < 0)
    g_string_append (text, "⁻");
  g_snprintf (digits, sizeof digits, "%d", ABS (exponent));
  for (const char *c = digits; *c != 0; c++)
    g_string_append (text, raised[*c - '0']);
  return g_string_free (text, FALSE);
}

char *
lk_words_count (gint64 count)
{
  return g_strdup_printf ("%'" G_GINT64_FORMAT, count);
}

char *
lk_words_parameters (gint64 count)
{
  if (count >= 1000000000)
    return g_strdup_printf (_ ("%.1f billion"), count / 1e9);
  if (count >= 10000000)
    return g_strdup_printf (_ ("%.0f million"), count / 1e6);
  if (count >= 1000000)
    return g_strdup_printf (_ ("%.1f million"), count / 1e6);
  if (count >= 1000)
    return g_strdup_printf (_ ("%.0f thousand"), count / 1e3);
  return lk_words_count (count);
}

char *
lk_words_date (gint64 unix_time)
{
  g_autoptr (GDateTime) then = g_date_time_new_from_unix_local (unix_time);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) yesterday = g_date_time_add_days (now, -1);

  if (then == NULL)
    return g_strdup ("");
  if (g_date_time_get_year (then) == g_date_time_get_year (now)
      && g_date_time_get_day_of_year (then) == g_date_time_get_day_of_year (now))
    return g_date_time_format (then, _ ("Today, %H:%M"));
  if (g_date_time_get_year (then) == g_date_time_get_year (yesterday)
      && g_date_time_get_day_of_year (then) == g_date_time_get_day_of_year (yesterday))
    return g_date_time_format (then, _ ("Yesterday, %H:%M"));
  return g_date_time_format (then, "%-d %B %Y");
}

/* "SmolLM2-135M.Q4_1" → "SmolLM2-135M": the precision that GGUF files carry in their names. */
static void
strip_precision (char *name)
{
  g_autoptr (GRegex) regex = g_regex_new ("[-.](I?Q[0-9]_?\\w*|B?F16|F32)$", G_REGEX_CASELESS, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  int start = 0;

  if (g_regex_match (regex, name, 0, &match) && g_match_info_fetch_pos (match, 0, &start, NULL) && start > 0)
    name[start] = 0;
}

char *
lk_words_name_of_path (const char *path)
{
  static const char *const endings[] = { ".gguf", ".safetensors", ".jsonl", ".json", ".csv", ".txt", ".lkdata",
                                        NULL };
  g_autofree char *base = g_path_get_basename (path != NULL ? path : "");

  for (guint i = 0; endings[i] != NULL; i++)
    if (g_str_has_suffix (base, endings[i]) && strlen (base) > strlen (endings[i]))
      {
        base[strlen (base) - strlen (endings[i])] = 0;
        break;
      }
  strip_precision (base);
  for (char *c = base; *c != 0; c++)
    if (*c == '_' || *c == '-')
      *c = ' ';
  g_strstrip (base);
  if (g_ascii_islower (base[0]))
    base[0] = g_ascii_toupper (base[0]);
  return g_filename_display_name (base);
}

char *
lk_words_name_of_dataset (const char *path)
{
  static const char *const empty_names[]
      = { "Train", "Training", "Data", "Dataset", "Examples", "Valid", "Test", NULL };
  g_autofree char *name = lk_words_name_of_path (path);
  g_autofree char *folder = g_path_get_dirname (path);

  if (g_strv_contains (empty_names, name) && !g_str_equal (folder, ".") && !g_str_equal (folder, "/"))
    return lk_words_name_of_path (folder);
  return g_steal_pointer (&name);
}

char *
lk_words_shorten (const char *text, guint limit)
{
  const char *end = strchr (text, '\n');
  g_autofree char *line = g_strndup (text, end != NULL ? (gsize) (end - text) : strlen (text));
  g_autofree char *valid = g_utf8_make_valid (line, -1);
  char *cut, *space;

  if (g_utf8_strlen (valid, -1) <= limit)
    return g_steal_pointer (&valid);
  cut = g_utf8_offset_to_pointer (valid, limit);
  *cut = 0;
  space = strrchr (valid, ' ');
  if (space != NULL && space - valid > (cut - valid) / 2)
    *space = 0;
  return g_strconcat (valid, "…", NULL);
}
