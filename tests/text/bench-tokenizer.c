/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How fast a tokenizer.json encodes a text file, line by line, on one core: “MEGABYTES_PER_SECOND TOKENS”, the best of five
 * rounds. tests/bench-tokenizer runs it beside the tokenizers library.
 */
#include <stdio.h>
#include <string.h>

#include "lk-tokenizer.h"

static guint64
encode_lines (LkTokenizer *tokenizer, char **lines)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint64 n = 0;

  for (guint i = 0; lines[i]; i++)
    {
      g_array_set_size (ids, 0);
      g_assert_true (lk_tokenizer_encode (tokenizer, lines[i], -1, TRUE, ids, NULL));
      n += ids->len;
    }
  return n;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTokenizer) tokenizer = argc == 3 ? lk_tokenizer_new_from_json (argv[1], NULL, &error) : NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  double best = 0;
  guint64 n = 0;
  gsize size;

  if (!tokenizer || !g_file_get_contents (argv[2], &text, &size, &error))
    {
      fprintf (stderr, "%s\n", error ? error->message : "usage: bench-tokenizer TOKENIZER.json TEXT");
      return 1;
    }
  lines = g_strsplit (text, "\n", -1);
  for (guint round = 0; round < 5; round++)
    {
      gint64 begin = g_get_monotonic_time ();

      n = encode_lines (tokenizer, lines);
      best = MAX (best, (double) size / (double) (g_get_monotonic_time () - begin));
    }
  printf ("%.2f %" G_GUINT64_FORMAT "\n", best, n);
  return 0;
}
