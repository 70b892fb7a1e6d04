/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * JSON from outside, files that are whole or not there, random numbers, 16-bit floats.
 */
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <signal.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-half.h"
#include "lk-json.h"
#include "lk-memory.h"
#include "lk-parallel.h"
#include "lk-random.h"
#include "lk-size.h"
#include "../lk-test-shared.h"

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
test_json_suite (void)
{
  g_autofree char *path = lk_test_shared ("data/16-json-bad/JSONTestSuite");
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;

  if (!path)
    return;
  g_ptr_array_add (folders, g_strdup (path));
  for (guint f = 0; f < folders->len; f++)
    {
      const char *at = g_ptr_array_index (folders, f);
      g_autoptr (GDir) dir = g_dir_open (at, 0, NULL);
      const char *name;

      while ((name = g_dir_read_name (dir)))
        {
          g_autofree char *file = g_build_filename (at, name, NULL);
          g_autoptr (GBytes) bytes = NULL;
          g_autoptr (JsonNode) node = NULL;
          g_autoptr (GError) error = NULL;

          if (g_file_test (file, G_FILE_TEST_IS_DIR))
            {
              g_ptr_array_add (folders, g_steal_pointer (&file));
              continue;
            }
          if (strlen (name) < 2 || name[1] != '_' || !strchr ("yni", name[0]))
            continue;
          bytes = lk_file_read (file, 64 << 20, NULL);
          node = lk_json_parse (g_bytes_get_size (bytes) ? g_bytes_get_data (bytes, NULL) : "", g_bytes_get_size (bytes), name, &error);
          if ((name[0] == 'y' && !node) || (name[0] == 'n' && node))
            g_error ("%s: %s", name, error ? error->message : "accepted");
          g_assert_true ((node == NULL) == (error != NULL));
          n++;
        }
    }
  g_assert_cmpuint (n, >=, 318);
}

static void
test_json_place (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_json_parse ("{\"a\": 1,\n \"é\": tru}", 20, "file.json", &error);

  g_assert_null (node);
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
  g_assert_nonnull (strstr (error->message, "file.json, line 2, column 7"));
}

static void
test_json_numbers (void)
{
  static const double values[] = { 0.1, 1e-8, 2e-4, 1.0 / 3, 1e300, -5e-324, 123456789012345678.0, 0, 42, 1.5 };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), values[i]), back = NULL;
      g_autofree char *text = lk_json_to_string (node, FALSE);

      back = lk_json_parse (text, strlen (text), text, NULL);
      g_assert_nonnull (back);
      g_assert_cmpfloat (json_node_get_value_type (back) == G_TYPE_INT64 ? (double) json_node_get_int (back) : json_node_get_double (back), ==,
                         values[i]);
    }
}

/* No character may end the line for anyone, every one comes back, and what is no control stands as it is. */
static void
test_json_one_line (void)
{
  for (gunichar c = 1; c <= 0x20ff; c++)
    {
      char string[7] = { 0 };
      g_autoptr (JsonNode) node = NULL, back = NULL;
      g_autofree char *text = NULL;
      gboolean ends_lines = g_unichar_type (c) == G_UNICODE_LINE_SEPARATOR || g_unichar_type (c) == G_UNICODE_PARAGRAPH_SEPARATOR;

      g_unichar_to_utf8 (c, string);
      node = json_node_init_string (json_node_alloc (), string);
      text = lk_json_to_string (node, FALSE);
      g_assert_cmpint (strstr (text, string) == NULL, ==, ends_lines || g_unichar_iscntrl (c));
      back = lk_json_parse (text, strlen (text), "text", NULL);
      g_assert_nonnull (back);
      g_assert_cmpstr (json_node_get_string (back), ==, string);
    }
}

static void
assert_only (const char *name)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *found;

  while ((found = g_dir_read_name (dir)))
    g_assert_cmpstr (found, ==, name);
}

/* What was there stays until the new file is whole. */
static void
test_writer (void)
{
  g_autofree char *path = in_folder ("file");
  g_autofree char *text = NULL;
  LkFileWriter *writer;

  g_assert_true (lk_file_write (path, "old", -1, NULL));
  writer = lk_file_writer_new (path, NULL);
  g_assert_true (lk_file_writer_write (writer, "new", 3, NULL));
  lk_file_writer_free (writer);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "old");
  assert_only ("file");
  writer = lk_file_writer_new (path, NULL);
  g_assert_true (lk_file_writer_write (writer, "x", 1, NULL) && lk_file_writer_pad (writer, 8, NULL) && lk_file_writer_rewrite (writer, 1, "yz", 2, NULL)
                 && lk_file_writer_finish (writer, NULL));
  lk_file_writer_free (writer);
  g_free (text);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpmem (text, 8, "xyz\0\0\0\0\0", 8);
  unlink (path);
}

/* A limit on file size stands for a full disk: writing fails, the old file stays, nothing else is left. */
static void
test_writer_full (void)
{
  g_autofree char *path = in_folder ("file");
  g_autofree char *text = NULL;
  g_autofree guint8 *data = g_malloc0 (4 << 20);
  g_autoptr (GError) error = NULL;
  struct rlimit before, small = { 1 << 16, 1 << 16 };

  g_assert_true (lk_file_write (path, "old", -1, NULL));
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small.rlim_max = before.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (lk_file_write (path, data, 4 << 20, &error));
  setrlimit (RLIMIT_FSIZE, &before);
  g_assert_nonnull (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "old");
  assert_only ("file");
  unlink (path);
}

static void
test_stage (void)
{
  g_autofree char *path = in_folder ("stage");
  g_autofree char *inner = g_build_filename (path, "a", NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 4; i++)
    {
      LkStage *stage = lk_stage_new (path, NULL);
      g_autofree char *file = g_build_filename (lk_stage_get_path (stage), "a", NULL);

      g_assert_true (lk_file_write (file, i == 3 ? "3" : "x", -1, NULL));
      if (i == 2) /* in the way */
        g_assert_false (lk_stage_finish (stage, FALSE, &error));
      else if (i > 0)
        g_assert_true (lk_stage_finish (stage, i == 3, NULL));
      lk_stage_free (stage);
      g_assert_true (g_file_test (inner, G_FILE_TEST_EXISTS) == (i > 0));
      if (i > 0)
        assert_only ("stage");
    }
  g_assert_nonnull (error);
  g_assert_true (lk_remove_recursively (path, NULL));
}

static void
test_symlinks (void)
{
  g_autofree char *outside = in_folder ("outside");
  g_autofree char *inside = in_folder ("inside");
  g_autofree char *link = g_build_filename (inside, "link", NULL);
  g_autofree char *kept = g_build_filename (outside, "kept", NULL);

  g_assert_cmpint (mkdir (outside, 0700) | mkdir (inside, 0700), ==, 0);
  g_assert_true (lk_file_write (kept, "k", -1, NULL));
  g_assert_cmpint (symlink (outside, link), ==, 0);
  g_assert_true (lk_remove_recursively (inside, NULL));
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_true (lk_remove_recursively (outside, NULL));
}

static void
test_odd_files (void)
{
  g_autofree char *fifo = in_folder ("fifo");
  const char *paths[] = { "/dev/zero", folder, fifo, "/nonexistent" };

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (lk_file_read (paths[i], 100, &error));
      g_assert_nonnull (error);
      g_assert_null (lk_file_map (paths[i], NULL));
      g_assert_null (lk_file_sha256 (paths[i], NULL));
    }
  unlink (fifo);
}

/* Test vectors of the Random123 distribution's known answers for philox4x32-10. */
static void
test_philox (void)
{
  static const struct
  {
    guint32 counter[4];
    guint64 key;
    guint32 out[4];
  } cases[] = {
    { { 0, 0, 0, 0 }, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, 0xffffffffffffffffu, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, 0x299f31d0a4093822u, { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint32 out[4];

      lk_philox (cases[i].key, cases[i].counter, out);
      g_assert_cmpmem (out, sizeof out, cases[i].out, sizeof cases[i].out);
    }
}

static void
test_half (void)
{
  for (guint h = 0; h < 65536; h++)
    {
      float f = lk_f16_to_f32 ((guint16) h);

      if (!isnan (f))
        g_assert_cmphex (lk_f32_to_f16 (f), ==, h);
      if (!isnan (lk_bf16_to_f32 ((guint16) h)))
        g_assert_cmphex (lk_f32_to_bf16 (lk_bf16_to_f32 ((guint16) h)), ==, h);
    }
  g_assert_cmphex (lk_f32_to_f16 (1.0f + 0x1p-11f), ==, 0x3c00); /* half way: to even */
  g_assert_cmphex (lk_f32_to_f16 (65520.0f), ==, 0x7c00);
  g_assert_true (isnan (lk_f16_to_f32 (lk_f32_to_f16 (NAN))));
}

static void
add_range (gint64 begin, gint64 end, guint worker, gpointer data)
{
  for (gint64 i = begin; i < end; i++)
    g_atomic_int_inc (&((gint *) data)[i]);
}

static void
add_chunk (gint64 begin, gint64 end, guint worker, gpointer data)
{
  g_assert_cmpint (end - begin, <=, 7);
  add_range (begin, end, worker, data);
}

/* However many workers there are, nobody is given more than a chunk at once. */
static void
test_parallel (void)
{
  g_autoptr (LkParallel) parallel = lk_parallel_new (3);
  g_autoptr (LkParallel) alone = lk_parallel_new (1);
  static gint seen[1001];

  for (guint round = 0; round < 200; round++)
    lk_parallel_for (round % 2 ? alone : parallel, 1001, 7, add_chunk, seen);
  for (guint i = 0; i < 1001; i++)
    g_assert_cmpint (seen[i], ==, 200);
}

static void
test_sizes (void)
{
  guint64 out = 5;

  g_assert_false (lk_size_add (G_MAXUINT64, 1, &out));
  g_assert_false (lk_size_mul (1ull << 33, 1ull << 31, &out));
  g_assert_false (lk_size_align (G_MAXUINT64 - 30, 32, &out));
  g_assert_false (lk_size_product ((const guint64[]){ 1ull << 32, 1ull << 31, 2 }, 3, &out));
  g_assert_cmpuint (out, ==, 5);
  g_assert_true (lk_size_align (33, 32, &out) && out == 64);
  g_assert_false (lk_size_inside (G_MAXUINT64, 2, 10));
}

/* A limit of address space counts, and what is mapped besides is left out of it. */
static void
test_memory (void)
{
  const guint64 gib = G_GUINT64_CONSTANT (1) << 30;
  guint64 before = lk_memory_available (0), left;
  g_autofree char *text = NULL;
  struct rlimit limit, tight;

  g_assert_cmpuint (before, >, 0);
  g_assert_cmpint (getrlimit (RLIMIT_AS, &limit), ==, 0);
  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  tight = limit;
  tight.rlim_cur = g_ascii_strtoull (text, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE) + gib / 4 + LK_MEMORY_RESERVE;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &tight), ==, 0);
  left = lk_memory_available (0);
  g_assert_cmpuint (left, <=, gib / 4);
  g_assert_cmpuint (left, >, gib / 8);
  g_assert_cmpuint (lk_memory_available (gib), ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
  g_assert_cmpuint (lk_memory_available (gib), >, gib / 4);
}

/* A file that is made shorter while it is mapped: copying what is gone is an error that names it, and a signal handler finds the name. */
static void
test_changed (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *place = g_dir_make_tmp ("lk-test-XXXXXX", &error);
  g_autofree char *source = g_build_filename (place, "a source", NULL), *other = g_build_filename (place, "other", NULL);
  g_autofree guint8 *content = g_malloc0 (4 << 20);
  g_autoptr (LkFileWriter) writer = NULL;
  GBytes *first, *second;
  const guint8 *data;

  g_assert_no_error (error);
  g_assert_true (lk_file_write (source, content, 4 << 20, &error) && lk_file_write (other, content, 1 << 20, &error));
  first = lk_file_map (source, &error);
  second = lk_file_map (other, &error);
  data = g_bytes_get_data (first, NULL);
  g_assert_cmpstr (lk_file_map_find (data), ==, source);
  g_assert_cmpstr (lk_file_map_find (data + (4 << 20) - 1), ==, source);
  g_assert_cmpstr (lk_file_map_find (g_bytes_get_data (second, NULL)), ==, other);
  g_assert_null (lk_file_map_find (content));
  g_assert_cmpint (truncate (source, 1 << 20), ==, 0);
  writer = lk_file_writer_new (other, &error);
  g_assert_true (lk_file_writer_write (writer, data, 1 << 20, &error));
  g_assert_false (lk_file_writer_write (writer, data, 4 << 20, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
  g_assert_nonnull (strstr (error->message, "a source"));
  g_assert_nonnull (strstr (error->message, "changed while it was read"));
  g_bytes_unref (first);
  g_assert_null (lk_file_map_find (data));
  first = lk_file_map (source, NULL);
  g_assert_cmpstr (lk_file_map_find (g_bytes_get_data (first, NULL)), ==, source);
  g_bytes_unref (first);
  g_bytes_unref (second);
  g_clear_pointer (&writer, lk_file_writer_free);
  g_assert_true (lk_remove_recursively (place, NULL));
}

/* A dataset of somebody else's may end without a newline; a line that cannot be written whole is not written. */
static void
test_append_line (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "rows.jsonl", NULL);
  g_autofree char *text = NULL;

  g_assert_true (lk_file_append_line (path, "{\"a\":1}", &error));
  g_assert_true (lk_file_append_line (path, "{\"a\":2}", &error));
  g_assert_true (g_file_set_contents (path, "{\"a\":1}\n{\"a\":2}", -1, NULL));
  g_assert_true (lk_file_append_line (path, "{\"a\":3}", &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  g_assert_false (lk_file_append_line (folder, "x", &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, folder));
  unlink (path);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("lorikeet-base-XXXXXX", NULL);
  g_test_add_func ("/base/json/suite", test_json_suite);
  g_test_add_func ("/base/json/place", test_json_place);
  g_test_add_func ("/base/json/numbers", test_json_numbers);
  g_test_add_func ("/base/json/one-line", test_json_one_line);
  g_test_add_func ("/base/file/writer", test_writer);
  g_test_add_func ("/base/file/full", test_writer_full);
  g_test_add_func ("/base/file/stage", test_stage);
  g_test_add_func ("/base/file/symlinks", test_symlinks);
  g_test_add_func ("/base/file/odd", test_odd_files);
  g_test_add_func ("/base/file/changed", test_changed);
  g_test_add_func ("/base/random/philox", test_philox);
  g_test_add_func ("/base/file/append-line", test_append_line);
  g_test_add_func ("/base/half", test_half);
  g_test_add_func ("/base/memory", test_memory);
  g_test_add_func ("/base/parallel", test_parallel);
  g_test_add_func ("/base/sizes", test_sizes);
  status = g_test_run ();
  lk_remove_recursively (folder, NULL);
  g_free (folder);
  return status;
}
