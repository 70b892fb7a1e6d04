/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A tokenizer.json, and its own bytes as a text to encode. What is decoded again is what was encoded, unless the
 * tokenizer normalises or has no token for every byte.
 */
#include "lk-fuzz.h"
#include "lk-tokenizer.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = lk_fuzz_file ("tokenizer.json", data, size);
  GError *error = NULL;
  g_autoptr (LkTokenizer) tokenizer = lk_tokenizer_new_from_json (path, path, &error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;

  if (!tokenizer)
    {
      lk_fuzz_refused (error);
      return 0;
    }
  lk_fuzz_accepted (data, size);
  if (!lk_tokenizer_encode (tokenizer, (const char *) data, (gssize) size, TRUE, ids, &error))
    {
      lk_fuzz_refused (error);
      return 0;
    }
  for (guint i = 0; i < ids->len; i++)
    g_assert_cmpuint ((guint) g_array_index (ids, gint32, i), <, lk_tokenizer_get_n_tokens (tokenizer));
  text = lk_tokenizer_decode (tokenizer, (const gint32 *) (void *) ids->data, ids->len, TRUE);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  return 0;
}
