/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every form of row, every way a row can be useless, and the split.
 */
#include <string.h>
#include <sys/stat.h>

#include "lk-dataset.h"
#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"

static char *folder;

static LkDataset *
load_text (const char *name, const char *text, gssize n, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  const char *paths[] = { path };

  g_assert_true (lk_file_write (path, text, n < 0 ? (gssize) strlen (text) : n, NULL));
  return lk_dataset_load (paths, 1, error);
}

static char *
messages_of (const LkRow *row)
{
  g_autoptr (JsonNode) node = json_node_init_array (json_node_alloc (), row->messages);

  return lk_json_to_string (node, FALSE);
}

static void
test_forms (void)
{
  static const struct
  {
    const char *form, *row, *messages;
  } cases[] = {
    { "Alpaca", "{\"instruction\":\"i\",\"input\":\"n\",\"output\":\"o\"}",
      "[{\"role\":\"user\",\"content\":\"i\\n\\nn\"},{\"role\":\"assistant\",\"content\":\"o\"}]" },
    { "Alpaca", "{\"instruction\":\"i\",\"input\":\"\",\"output\":\"o\",\"system\":\"s\"}",
      "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"i\"},{\"role\":\"assistant\",\"content\":\"o\"}]" },
    { "OpenAI messages", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]},{\"role\":\"assistant\",\"content\":\"a\"}]}",
      "[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":\"a\"}]" },
    { "ShareGPT", "{\"conversations\":[{\"from\":\"human\",\"value\":\"h\"},{\"from\":\"gpt\",\"value\":\"g\"}]}",
      "[{\"role\":\"user\",\"content\":\"h\"},{\"role\":\"assistant\",\"content\":\"g\"}]" },
    { "Prompt and completion", "{\"prompt\":\"p\",\"completion\":\"c\"}", NULL },
    { "Questions and answers", "{\"question\":\"q\",\"answer\":\"a\"}",
      "[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]" },
    { "Plain text", "{\"text\":\"t\"}", NULL },
  };
  static const char *const containers[] = { "%s\n", "\xef\xbb\xbf%s\r\n", "[%s]", "{\"data\": [%s]}", "[\n  %s\n]\n" };

  for (guint i = 0; i < G_N_ELEMENTS (cases) * G_N_ELEMENTS (containers); i++)
    {
      g_auto (GStrv) parts = g_strsplit (containers[i % G_N_ELEMENTS (containers)], "%s", 2);
      guint c = i / G_N_ELEMENTS (containers);
      g_autofree char *text = g_strconcat (parts[0], cases[c].row, parts[1], NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkDataset) data = load_text ("form.json", text, -1, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (lk_dataset_get_n_rows (data), ==, 1);
      g_assert_cmpuint (lk_dataset_get_n_problems (data), ==, 0);
      g_assert_cmpstr (lk_dataset_get_form (data, 0), ==, cases[c].form);
      if (cases[c].messages)
        {
          g_autofree char *got = messages_of (lk_dataset_get_row (data, 0));
          g_assert_cmpstr (got, ==, cases[c].messages);
        }
      else
        g_assert_nonnull (lk_dataset_get_row (data, 0)->text);
    }
}

/* Each bad row is told with its line; the good ones around it are used. */
static void
test_problems (void)
{
  static const char *const bad[] = {
    "{\"instruction\":\"a\",\"output\":\"\"}", "{\"instruction\":\"a\",\"output\":\"  \\n\"}", "{\"instruction\":\"a\"}",
    "{\"instruction\":\"\",\"output\":\"b\"}", "{\"instruction\":\"a\",\"output\":3}", "{\"messages\":[]}", "{\"messages\":3}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"u\"}]}", "{\"messages\":[{\"role\":\"alien\",\"content\":\"u\"}]}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":\"\"}]}",
    "{\"conversations\":[{\"from\":\"human\"}]}", "{\"prompt\":\"p\",\"completion\":\"\"}", "{\"foo\":1}", "[1,2]", "3", "{\"text\":\"\"}",
    "{\"instruction\":", "{'a':1}", "{\"text\":\"\xff\xfe\"}", "{\"text\":\"a\"} {\"text\":\"b\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strconcat ("{\"text\":\"good\"}\n\n", bad[i], "\n{\"text\":\"too\"}\n", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkDataset) data = load_text ("bad.jsonl", text, -1, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (lk_dataset_get_n_rows (data), ==, 2);
      g_assert_cmpuint (lk_dataset_get_n_problems (data), ==, 1);
      g_assert_cmpuint (lk_dataset_get_problem (data, 0)->line, ==, 3);
      g_assert_cmpuint (strlen (lk_dataset_get_problem (data, 0)->reason), >, 8);
      g_assert_cmpuint (lk_dataset_get_row (data, 1)->line, ==, 4);
    }
}

static void
test_bad_files (void)
{
  static const char *const texts[] = { "", " \n ", "[", "[{\"text\":\"a\"}", "[{\"text\":\"a\"},]", "[{\"text\":\"a\"} {\"text\":\"b\"}]", "[]", "{}",
                                       "{\"text\":\"\"}\n{\"text\":\"\"}", "\xff\xfe\x00" };
  g_autofree char *fifo = g_build_filename (folder, "fifo", NULL);
  const char *paths[] = { folder, "/dev/zero", fifo, "/nonexistent/x.json" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (load_text ("file.json", texts[i], -1, &error));
      g_assert_true (error && strstr (error->message, "file.json"));
    }
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (lk_dataset_load (&paths[i], 1, &error));
      g_assert_nonnull (error);
    }
}

static void
test_text_file (void)
{
  g_autoptr (LkDataset) data = load_text ("story.txt", "One\nline.\r\n\r\nTwo.\n\n\n\nThree", -1, NULL);

  g_assert_cmpuint (lk_dataset_get_n_rows (data), ==, 3);
  g_assert_cmpstr (lk_dataset_get_row (data, 0)->text, ==, "One\nline.");
  g_assert_cmpuint (lk_dataset_get_row (data, 2)->line, ==, 8);
}

static void
test_split (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (LkDataset) data = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) train = NULL, held_out = NULL, again = NULL, again_out = NULL, other = NULL, other_out = NULL;

  for (guint i = 0; i < 400; i++)
    g_string_append_printf (text, "{\"text\":\"row %u\"}\n", i % 250); /* 150 twins */
  data = load_text ("split.jsonl", text->str, -1, NULL);
  lk_dataset_split (data, 0.05, 16, 7, &train, &held_out);
  lk_dataset_split (data, 0.05, 16, 7, &again, &again_out);
  lk_dataset_split (data, 0.05, 16, 8, &other, &other_out);
  g_assert_cmpuint (train->len + held_out->len, ==, 400);
  g_assert_cmpuint (held_out->len, >=, 16);
  g_assert_cmpmem (held_out->data, held_out->len * 4, again_out->data, again_out->len * 4);
  g_assert_true (held_out->len != other_out->len || memcmp (held_out->data, other_out->data, held_out->len * 4) != 0);
  for (guint i = 0; i < held_out->len; i++)
    g_hash_table_add (seen, lk_dataset_get_row (data, g_array_index (held_out, guint, i))->text);
  for (guint i = 0; i < train->len; i++)
    g_assert_false (g_hash_table_contains (seen, lk_dataset_get_row (data, g_array_index (train, guint, i))->text));
}

static void
test_real (void)
{
  static const struct
  {
    const char *path;
    guint rows;
  } cases[] = { { "01-raschka-instruct/instruction-data.json", 1100 }, { "05-mlx-wikisql/valid.jsonl", 100 },
                { "06-wwdc25-dirty/train.jsonl", 1800 },                { "12-identity/identity.json", 91 } };
  const char *shared = g_getenv ("LK_SHARED_DIR");

  if (!shared || !*shared)
    {
      g_test_skip ("the real datasets are not here");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_build_filename (shared, "data", cases[i].path, NULL);
      const char *paths[] = { path };
      g_autoptr (GError) error = NULL;
      g_autoptr (LkDataset) data = lk_dataset_load (paths, 1, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (lk_dataset_get_n_rows (data) + lk_dataset_get_n_problems (data), ==, cases[i].rows);
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("lorikeet-data-XXXXXX", NULL);
  g_test_add_func ("/data/forms", test_forms);
  g_test_add_func ("/data/problems", test_problems);
  g_test_add_func ("/data/bad-files", test_bad_files);
  g_test_add_func ("/data/text-file", test_text_file);
  g_test_add_func ("/data/split", test_split);
  g_test_add_func ("/data/real", test_real);
  status = g_test_run ();
  lk_remove_recursively (folder, NULL);
  g_free (folder);
  return status;
}
