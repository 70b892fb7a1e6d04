/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fuzz target as an ordinary test: every file of the folders named, each whole, cut at a few places and with a few
 * bytes changed, must be taken or refused without harm.
 */
#include "lk-fuzz.h"

#include <string.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);

#define CUTS 16
#define CHANGES 64

static void
run (const guint8 *data, gsize size)
{
  /* the bytes end where the allocation does, so that a sanitizer sees a read behind them */
  g_autofree guint8 *copy = g_memdup2 (data, size);

  LLVMFuzzerTestOneInput (copy ? copy : (const guint8 *) "", size);
}

static void
replay (gconstpointer argument)
{
  const char *path = argument;
  g_autoptr (GRand) random = g_rand_new_with_seed (g_str_hash (strrchr (path, '/')));
  g_autofree char *text = NULL;
  guint8 *bytes;
  gsize size;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  bytes = (guint8 *) text;
  run (bytes, size);
  for (guint i = 0; i < CUTS; i++)
    run (bytes, size * i / CUTS);
  for (guint i = 0; i < CHANGES && size > 0; i++)
    {
      gsize at = (gsize) g_rand_int_range (random, 0, (gint32) size);
      guint8 before = bytes[at];

      bytes[at] = (guint8) g_rand_int (random);
      run (bytes, size);
      bytes[at] = before;
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  g_test_init (&argc, &argv, NULL);
  LLVMFuzzerInitialize (&argc, &argv);
  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GDir) dir = g_dir_open (argv[i], 0, NULL);
      const char *name;

      while (dir && (name = g_dir_read_name (dir)))
        {
          char *path = g_build_filename (argv[i], name, NULL);
          g_autofree char *test = g_strdup_printf ("/fuzz/%s", name);

          g_ptr_array_add (names, path);
          g_test_add_data_func (test, path, replay);
        }
    }
  g_assert_cmpuint (names->len, >, 0);
  return g_test_run ();
}
