/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Our scanners against the patterns they stand for: the oracle cuts random texts with the regular expressions themselves.
 */
#include <gio/gio.h>
#include <string.h>

#include "lk-json.h"
#include "lk-pretokenizer.h"

static const char *const names[] = { "llama-bpe", "qwen2", "tekken", "gpt-4o" };

static void
collect (const char *piece, gsize length, gpointer data)
{
  g_ptr_array_add (data, g_strndup (piece, length));
}

static void
check_line (const char *line)
{
  const char *tab = strchr (line, '\t');
  g_autofree char *name = g_strndup (line, (gsize) (tab - line));
  g_autoptr (JsonNode) node = lk_json_parse (tab + 1, strlen (tab + 1), "pieces", NULL);
  JsonArray *wanted = json_node_get_array (node);
  g_autoptr (GPtrArray) got = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (wanted); i++)
    g_string_append (text, json_array_get_string_element (wanted, i));
  lk_pretokenizer_split (lk_pretokenizer_by_name (name), text->str, text->len, collect, got);
  for (guint i = 0; i < MAX (got->len, json_array_get_length (wanted)); i++)
    if (i >= got->len || i >= json_array_get_length (wanted) || !g_str_equal (got->pdata[i], json_array_get_string_element (wanted, i)))
      g_error ("%s: piece %u of %s is “%s”", name, i, tab + 1, i < got->len ? (char *) got->pdata[i] : "(none)");
}

static void
test_reference (void)
{
  g_autofree char *run = g_test_build_filename (G_TEST_DIST, "oracle-run", NULL);
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "text", "make_splits.py", NULL);
  const char *argv[] = { run, "python3", script, NULL };
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GString) input = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_string_append_printf (input, "%s\t%s\n", names[i], lk_pretokenizer_by_name (names[i])->regex);
  process = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
  if (!process || !g_subprocess_communicate_utf8 (process, input->str, NULL, &output, NULL, &error) || !g_subprocess_get_successful (process))
    {
      g_test_skip ("the oracle is not here");
      return;
    }
  lines = g_strsplit (g_strchomp (output), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4000 * G_N_ELEMENTS (names));
  for (guint i = 0; lines[i]; i++)
    check_line (lines[i]);
}

/* A few for where there is no oracle. */
static void
test_known (void)
{
  static const char *const lines[] = {
    "tekken\t[\"Hello\", \"World\", \" ABCdef\", \"'s\", \" IT\", \"'S\", \" \", \"1\", \"2\"]",
    "gpt-4o\t[\"it's\", \" I'LL\", \" \", \"123\", \"4\", \"//\\n\"]",
    "llama-bpe\t[\"it\", \"'s\", \" \", \"123\", \"4\", \"//\\n\"]",
    "smollm\t[\"a\", \" \", \"1\", \"2\", \"b\", \" !!\"]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    check_line (lines[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/splits/known", test_known);
  g_test_add_func ("/splits/reference", test_reference);
  return g_test_run ();
}
