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
    { "Alpaca", "{\"instruction\":\"i\",\"context\":\"n\",\"response\":\"o\",\"history\":[[\"q\",\"a\"]]}",
      "[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"},"
      "{\"role\":\"user\",\"content\":\"i\\n\\nn\"},{\"role\":\"assistant\",\"content\":\"o\"}]" },
    { "ShareGPT",
      "{\"tools\":\"[{}]\",\"conversations\":[{\"from\":\"human\",\"value\":\"h\"},{\"from\":\"function_call\",\"value\":\"{\\\"name\\\":\\\"f\\\","
      "\\\"arguments\\\":{\\\"x\\\":1}}\"},{\"from\":\"observation\",\"value\":\"1\"},{\"from\":\"gpt\",\"value\":\"g\",\"weight\":0}]}",
      "[{\"role\":\"user\",\"content\":\"h\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"type\":\"function\",\"function\":"
      "{\"name\":\"f\",\"arguments\":{\"x\":1}}}]},{\"role\":\"tool\",\"content\":\"1\"},"
      "{\"role\":\"assistant\",\"content\":\"g\",\"train\":false}]" },
    { "OpenAI messages",
      "{\"messages\":[{\"role\":\"developer\",\"content\":\"d\"},{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"f\","
      "\"arguments\":\"{}\"}},{\"role\":\"function\",\"name\":\"f\",\"content\":\"r\"},{\"role\":\"assistant\",\"content\":\"\",\"weight\":0}]}",
      "[{\"role\":\"system\",\"content\":\"d\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"type\":\"function\",\"function\":"
      "{\"name\":\"f\",\"arguments\":{}}}]},{\"role\":\"tool\",\"content\":\"r\",\"name\":\"f\"},"
      "{\"role\":\"assistant\",\"content\":\"\",\"train\":false}]" },
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
    "{\"instruction\":", "{'a':1}", "{\"text\":\"a\\u0000b\"}", "{\"text\":\"\\ud800\"}", "{\"instruction\":\"i\",\"input\":5,\"output\":\"o\"}",
    "{\"instruction\":\"i\",\"history\":[[1,{}]],\"output\":\"o\"}", "{\"instruction\":\"i\",\"history\":3,\"output\":\"o\"}",
    "{\"instruction\":\"i\",\"system\":[],\"output\":\"o\"}", "{\"question\":\" \",\"answer\":\"a\"}",
    "{\"tools\":\"[\",\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]}",
    "{\"tools\":{},\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]}",
    "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"weight\":0}]}",
    "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"weight\":0.5}]}",
    "{\"messages\":[{\"role\":\"assistant\",\"content\":null}]}", "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"image_url\"}]}]}",
    "{\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[3]}]}", "{\"messages\":[{\"content\":\"a\"}]}", "{\"messages\":[null]}", "{\"text\":\"\xff\xfe\"}", "{\"text\":\"a\"} {\"text\":\"b\"}",
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

/* A reason says what is wrong, in which member, and its place once. */
static void
test_reasons (void)
{
  static const char *const cases[][2] = {
    { "{\"instruction\":\"a\",\"output\":3}", "the answer (“output”) is no text" },
    { "{\"instruction\":\"a\",\"response\":[]}", "the answer (“response”) is no text" },
    { "{\"instruction\":\"a\",\"output\":null}", "the answer (“output”) is missing" },
    { "{\"instruction\":\"a\"}", "the answer (“output”) is missing" },
    { "{\"instruction\":\"a\",\"output\":\" \"}", "the answer (“output”) is empty" },
    { "{\"instruction\":7,\"output\":\"b\"}", "the question (“instruction”) is no text" },
    { "{\"instruction\":\"\",\"output\":\"b\"}", "the question (“instruction”) is empty" },
    { "{\"prompt\":null,\"completion\":\"b\"}", "the question (“prompt”) is missing" },
    { "{\"prompt\":\"a\",\"completion\":{}}", "the answer (“completion”) is no text" },
    { "{\"question\":\"a\",\"answer\":1}", "the answer (“answer”) is no text" },
    { "{\"instruction\":", "not JSON: in column 16, the text ends too early" },
    { "{'a':1}", "not JSON: in column 2, " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat ("{\"text\":\"good\"}\n", cases[i][0], "\n", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkDataset) data = load_text ("reasons.jsonl", text, -1, &error);
      const char *reason;

      g_assert_no_error (error);
      g_assert_cmpuint (lk_dataset_get_n_problems (data), ==, 1);
      reason = lk_dataset_get_problem (data, 0)->reason;
      g_test_message ("%s: %s", cases[i][0], reason);
      g_assert_true (g_str_has_prefix (reason, cases[i][1]));
      g_assert_null (strstr (reason, "row"));
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

/* Nothing is passed over: what a file holds beyond the rows is told of, and one bad value costs no other. */
static void
test_containers (void)
{
#define ROW "{\"text\":\"a\"}"
  static const struct
  {
    const char *text;
    guint rows, problems, line; /* of the first problem */
  } cases[] = {
    { "[" ROW "]\n[" ROW "]", 1, 1, 2 },
    { "[" ROW "]" ROW, 1, 1, 1 },
    { "{\"train\":[" ROW "," ROW "],\n\"test\":[" ROW "]}", 2, 1, 2 },
    { "{\"text\":\"a\",\"data\":[1]}\n" ROW "\n" ROW, 3, 0, 0 },
    { "{\n\"text\":\n\"a\"\n}\n{\n\"text\":\n}\n" ROW "\n", 2, 1, 5 },
    { "{ \"text\":\n\"a\"}\n{ \"text\":\n\"a\n}\n" ROW "\n", 2, 1, 3 },
    { "{ \"messages\": [\n{\"role\":\"assistant\",\n\"content\":\"x\"}]}", 1, 0, 0 },
    { "{\"text\":\"\\\\u0000\"}\n", 1, 0, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkDataset) data = load_text ("container.json", cases[i].text, -1, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (lk_dataset_get_n_rows (data), ==, cases[i].rows);
      g_assert_cmpuint (lk_dataset_get_n_problems (data), ==, cases[i].problems);
      if (cases[i].problems)
        g_assert_cmpuint (lk_dataset_get_problem (data, 0)->line, ==, cases[i].line);
    }
}

/* Many values that do not end: the time stays in proportion to the file. */
static void
test_broken_values (void)
{
  g_autoptr (GString) text = g_string_new ("{\n\"text\":\"a\"}\n");
  g_autoptr (LkDataset) data = NULL;

  for (guint i = 0; i < 100000; i++)
    g_string_append (text, "{\n\"text\":\n");
  data = load_text ("broken.json", text->str, -1, NULL);
  g_assert_cmpuint (lk_dataset_get_n_problems (data), ==, 100000);
}

/* Form of most rows, not of the first; files that are no text by their name or bytes. */
static void
test_kinds (void)
{
  static const struct
  {
    const char *name, *text;
    gsize n;
  } bad[] = { { "a.csv", "colour,shape\nred,round\n", 23 }, { "a.csv", "question,answer\n", 16 }, { "a.csv", "question,answer\nq,\"a\n", 21 }, { "a.json", "garbage", 7 }, { "a.txt", "\xff\xfe" "a\0", 4 }, { "a.txt", "a\0b", 3 } };
  g_autoptr (LkDataset) data = load_text ("mixed.jsonl", "{\"text\":\"t\"}\n{\"instruction\":\"i\",\"output\":\"o\"}\n"
                                                         "{\"instruction\":\"j\",\"output\":\"o\"}\n", -1, NULL);

  g_assert_cmpuint (lk_dataset_get_n_rows (data), ==, 3);
  g_assert_cmpstr (lk_dataset_get_form (data, 0), ==, "Alpaca");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (load_text (bad[i].name, bad[i].text, (gssize) bad[i].n, &error));
      g_assert_true (error && strstr (error->message, bad[i].name));
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

/* Small sets: none of less than four, a quarter below 32; twins in other words stay together; large groups leave the smallest. */
static void
test_small_splits (void)
{
  static const struct
  {
    guint rows, kinds, held_out;
  } cases[] = { { 1, 1, 0 }, { 3, 3, 0 }, { 4, 4, 1 }, { 5, 5, 1 }, { 20, 20, 5 }, { 31, 31, 7 }, { 32, 32, 16 }, { 40, 40, 16 }, { 320, 320, 16 },
                { 400, 400, 20 }, { 100, 2, 50 }, { 10, 1, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GArray) train = NULL, held_out = NULL;
      g_autoptr (LkDataset) data = NULL;

      for (guint k = 0; k < cases[i].rows; k++)
        g_string_append_printf (text, k % 2 ? "{\"messages\":[{\"content\":\"r%u\",\"role\":\"assistant\",\"id\":%u}]}\n"
                                            : "{\"messages\":[{\"role\":\"assistant\",\"content\":\"r%u\",\"id\":%u}]}\n",
                                k % cases[i].kinds, k);
      data = load_text ("small.jsonl", text->str, -1, NULL);
      lk_dataset_split (data, 0.05, 16, 3, &train, &held_out);
      g_assert_cmpuint (held_out->len, ==, cases[i].held_out);
      g_assert_cmpuint (train->len, ==, cases[i].rows - cases[i].held_out);
    }
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
  g_test_add_func ("/data/reasons", test_reasons);
  g_test_add_func ("/data/bad-files", test_bad_files);
  g_test_add_func ("/data/text-file", test_text_file);
  g_test_add_func ("/data/split", test_split);
  g_test_add_func ("/data/small-splits", test_small_splits);
  g_test_add_func ("/data/containers", test_containers);
  g_test_add_func ("/data/broken-values", test_broken_values);
  g_test_add_func ("/data/kinds", test_kinds);
  g_test_add_func ("/data/real", test_real);
  status = g_test_run ();
  lk_remove_recursively (folder, NULL);
  g_free (folder);
  return status;
}
