/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-command-words.h"

#include <string.h>

char *
lk_command_words_quote (const char *word)
{
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,+-";

  return word[0] != 0 && word[strspn (word, plain)] == 0 ? g_strdup (word) : g_shell_quote (word);
}

char *
lk_command_words_join (const char *const *arguments)
{
  GString *line = g_string_new ("lorikeet-cli");

  for (guint i = 0; arguments[i] != NULL; i++)
    {
      g_autofree char *word = lk_command_words_quote (arguments[i]);

      g_string_append_printf (line, " %s", word);
    }
  return g_string_free (line, FALSE);
}

char *
lk_command_words_train (const char *name, const char *const *arguments)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  /* one word, so that a name which begins with "-" is no flag */
  g_autofree char *named = g_strconcat ("--name=", name, NULL);

  g_ptr_array_add (words, (gpointer) "train");
  if (name != NULL && name[0] != 0)
    g_ptr_array_add (words, named);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (words, (gpointer) arguments[i]);
  g_ptr_array_add (words, NULL);
  return lk_command_words_join ((const char *const *) words->pdata);
}
