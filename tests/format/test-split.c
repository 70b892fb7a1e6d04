/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GGUF files in parts: opened by any of them, refused where one is missing, damaged or of another model.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-gguf.h"

#define PARTS 3

typedef struct
{
  char *folder;
} Fixture;

/* What differs in one part from what is right. */
typedef struct
{
  const char *stem;
  const char *architecture; /* also in a part that is not the first */
  gint64 number, count, n_tensors; /* G_MININT64: right; −1: the key is left out */
  const char *tensor;
  gint64 wrong_type; /* 1: split.no is a string */
} Change;

#define RIGHT { NULL, NULL, G_MININT64, G_MININT64, G_MININT64, NULL, 0 }

static char *
part_path (Fixture *f, const char *stem, int number)
{
  g_autofree char *name = g_strdup_printf ("%s-%05d-of-%05d.gguf", stem, number + 1, PARTS);

  return g_build_filename (f->folder, name, NULL);
}

static void
set (LkGgufWriter *writer, const char *key, LkGgufType type, gint64 right, gint64 wanted)
{
  if (wanted != -1)
    lk_gguf_writer_set_int (writer, key, type, wanted == G_MININT64 ? right : wanted);
}

/* One tensor a part, “t0” …, all of whose values are the part's number. */
static void
write_part (Fixture *f, int number, const Change *change)
{
  g_autofree char *path = part_path (f, change->stem ? change->stem : "model", number);
  g_autofree char *tensor = g_strdup_printf ("t%d", number);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, &error);
  guint64 shape[] = { 4 };
  float values[4];

  if (number == 0 || change->architecture)
    lk_gguf_writer_set_string (writer, "general.architecture", change->architecture ? change->architecture : "llama");
  if (change->wrong_type)
    lk_gguf_writer_set_string (writer, "split.no", "1");
  else
    set (writer, "split.no", LK_GGUF_U16, number, change->number);
  set (writer, "split.count", LK_GGUF_U16, PARTS, change->count);
  set (writer, "split.tensors.count", LK_GGUF_I32, PARTS, change->n_tensors);
  lk_gguf_writer_add_tensor (writer, change->tensor ? change->tensor : tensor, LK_TYPE_F32, shape, 1);
  for (guint i = 0; i < 4; i++)
    values[i] = (float) number;
  g_assert_true (lk_gguf_writer_begin_data (writer, &error) && lk_gguf_writer_write (writer, values, sizeof values, &error)
                 && lk_gguf_writer_finish (writer, &error));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const Change right = RIGHT;

  f->folder = g_dir_make_tmp ("lorikeet-split-XXXXXX", NULL);
  for (int i = 0; i < PARTS; i++)
    write_part (f, i, &right);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lk_remove_recursively (f->folder, NULL);
  g_free (f->folder);
}

static void
test_any_part (Fixture *f, gconstpointer data)
{
  for (int opened = 0; opened < PARTS; opened++)
    {
      g_autofree char *path = part_path (f, "model", opened), *first = part_path (f, "model", 0);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkGguf) gguf = lk_gguf_open (path, &error);
      const char *architecture = NULL;

      g_assert_no_error (error);
      g_assert_cmpuint (lk_gguf_get_n_parts (gguf), ==, PARTS);
      g_assert_cmpstr (lk_gguf_get_path (gguf), ==, first);
      g_assert_true (lk_gguf_get_string (gguf, "general.architecture", &architecture, &error));
      g_assert_cmpstr (architecture, ==, "llama");
      g_assert_cmpuint (lk_gguf_get_n_tensors (gguf), ==, PARTS);
      for (int i = 0; i < PARTS; i++)
        {
          g_autofree char *name = g_strdup_printf ("t%d", i), *part = part_path (f, "model", i);
          const LkTensorInfo *info = lk_gguf_lookup (gguf, name);
          float value;

          g_assert_cmpstr (lk_gguf_get_tensor (gguf, (guint) i)->name, ==, name); /* in the order of the parts */
          memcpy (&value, info->data + 12, sizeof value);
          g_assert_cmpfloat (value, ==, (float) i);
          g_assert_cmpstr (lk_gguf_get_part_path (gguf, (guint) i), ==, part);
        }
    }
}

static void
refuse (Fixture *f, int opened, const char *words)
{
  g_autofree char *path = part_path (f, "model", opened);
  g_autoptr (GError) error = NULL;

  g_assert_null (lk_gguf_open (path, &error));
  g_assert_nonnull (error);
  if (!strstr (error->message, words))
    g_error ("“%s” does not say “%s”", error->message, words);
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_autofree char *path = part_path (f, "model", 1);

  g_assert_cmpint (g_unlink (path), ==, 0);
  refuse (f, 0, "part 2, “");
  refuse (f, 2, path);
}

static void
test_renamed (Fixture *f, gconstpointer data)
{
  g_autofree char *path = part_path (f, "model", 1), *other = g_build_filename (f->folder, "other.gguf", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_rename (path, other), ==, 0);
  g_assert_null (lk_gguf_open (other, &error));
  g_assert_true (error && strstr (error->message, "-00002-of-00003.gguf"));
}

static void
test_wrong_part (Fixture *f, gconstpointer data)
{
  static const struct
  {
    Change change;
    const char *words;
  } cases[] = {
    { { NULL, "qwen2", G_MININT64, G_MININT64, G_MININT64, NULL, 0 }, "general.architecture differs" },
    { { NULL, NULL, 2, G_MININT64, G_MININT64, NULL, 0 }, "split.no differs" },
    { { NULL, NULL, -1, G_MININT64, G_MININT64, NULL, 0 }, "split.no differs" },
    { { NULL, NULL, G_MININT64, 4, G_MININT64, NULL, 0 }, "split.count differs" },
    { { NULL, NULL, G_MININT64, -1, G_MININT64, NULL, 0 }, "split.count differs" },
    { { NULL, NULL, G_MININT64, G_MININT64, 7, NULL, 0 }, "split.tensors.count differs" },
    { { NULL, NULL, 3, G_MININT64, G_MININT64, NULL, 0 }, "split.no is 3, but split.count is 3" },
    { { NULL, NULL, G_MININT64, 1025, G_MININT64, NULL, 0 }, "more than 1024" },
    { { NULL, NULL, G_MININT64, G_MININT64, G_MININT64, "t0", 0 }, "already in an earlier part" },
    { { NULL, NULL, G_MININT64, G_MININT64, G_MININT64, NULL, 1 }, "not a 16- or 32-bit integer" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      write_part (f, 1, &cases[i].change);
      refuse (f, 0, cases[i].words);
    }
}

/* The parts agree with each other, but there are fewer tensors than they say. */
static void
test_tensor_count (Fixture *f, gconstpointer data)
{
  const Change change = { NULL, NULL, G_MININT64, G_MININT64, 4, NULL, 0 };

  for (int i = 0; i < PARTS; i++)
    write_part (f, i, &change);
  refuse (f, 1, "the parts hold 3 tensors, split.tensors.count says 4");
}

/* The second part is no regular file, or not whole. */
static void
test_damaged (Fixture *f, gconstpointer data)
{
  g_autofree char *path = part_path (f, "model", 1);
  g_autofree char *text = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  g_assert_true (g_file_set_contents (path, text, (gssize) size - 40, NULL));
  refuse (f, 0, path);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  refuse (f, 0, path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/format/split/any-part", Fixture, NULL, set_up, test_any_part, tear_down);
  g_test_add ("/format/split/missing", Fixture, NULL, set_up, test_missing, tear_down);
  g_test_add ("/format/split/renamed", Fixture, NULL, set_up, test_renamed, tear_down);
  g_test_add ("/format/split/wrong-part", Fixture, NULL, set_up, test_wrong_part, tear_down);
  g_test_add ("/format/split/tensor-count", Fixture, NULL, set_up, test_tensor_count, tear_down);
  g_test_add ("/format/split/damaged", Fixture, NULL, set_up, test_damaged, tear_down);
  return g_test_run ();
}
