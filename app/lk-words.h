/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words for numbers a person reads. Pure functions; every result is (transfer full) and never NULL.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "a few seconds", "about 40 seconds", "about 12 minutes", "about 2 hours 10 minutes", "about 3 days". A
 * value that is negative or not finite gives "some time". */
char *lk_words_duration (double seconds);
/* "1.2 GB"; like g_format_size, with "less than 1 kB" for the smallest. */
char *lk_words_bytes (guint64 bytes);
/* Three decimals below 10, two below 100; "–" for a value that is not finite. */
char *lk_words_loss (double loss);
/* Learning rates and norms: three significant digits, a power of ten written with a raised exponent: "2.0 ×
 * 10⁻⁴". */
char *lk_words_small_number (double value);
/* "1,234" in the user's locale. */
char *lk_words_count (gint64 count);
/* "135 million", "1.7 billion", "982 thousand". */
char *lk_words_parameters (gint64 count);
/* A date as people say it: "Today, 14:05", "Yesterday, 9:12", "3 November 2026". @unix_time in seconds. */
char *lk_words_date (gint64 unix_time);
/* A file or folder name without directories, known extensions and a precision ("….Q4_1"); "-" and "_" as
 * spaces. */
char *lk_words_name_of_path (const char *path);
/* The same for a dataset; a file that is only called "train" or "data" gets its folder's name. */
char *lk_words_name_of_dataset (const char *path);
/* The first line of @text, cut after @limit characters at a word's end with "…". */
char *lk_words_shorten (const char *text, guint limit);

G_END_DECLS
