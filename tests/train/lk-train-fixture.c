/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-train-fixture.h"

#include <string.h>

#include "lk-file.h"
#include "lk-json.h"

static char *folder;
static GHashTable *data_files;

const char *
lk_fixture_folder (void)
{
  if (!folder)
    folder = g_dir_make_tmp ("lorikeet-train-XXXXXX", NULL);
  g_assert_nonnull (folder);
  return folder;
}

char *
lk_fixture_path (const char *name)
{
  static guint n;

  return g_strdup_printf ("%s/%s-%u", lk_fixture_folder (), name, n++);
}

void
lk_fixture_remove (void)
{
  lk_remove_recursively (lk_fixture_folder (), NULL);
  g_clear_pointer (&data_files, g_hash_table_unref);
  g_clear_pointer (&folder, g_free);
}

static const char *const animals[]
    = { "cat", "dog", "owl", "fox", "cow", "hen", "bee", "ant", "elk", "eel", "rat", "bat" };
static const char *const verbs[] = { "run", "jump", "sleep", "sing", "swim" };

/* Questions that all differ, answers of different lengths that begin with @word. */
static char *
make_rows (guint rows, const char *word)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < rows; i++)
    {
      const char *animal = animals[i % G_N_ELEMENTS (animals)], *verb = verbs[(i / 3) % G_N_ELEMENTS (verbs)];
      g_autofree char *more = g_strnfill (i % 7, 'o');

      g_string_append_printf (text,
                              "{\"messages\": [{\"role\": \"user\", \"content\": \"Can %s number %u %s?\"}, "
                              "{\"role\": \"assistant\", \"content\": \"%s, %s %u likes to %s%s\"}]}\n",
                              animal, i, verb, word, animal, i, verb, more);
    }
  return g_string_free (text, FALSE);
}

const char *
lk_fixture_data (guint rows)
{
  char *path;
  g_autofree char *text = NULL;

  if (!data_files)
    data_files = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  path = g_hash_table_lookup (data_files, GUINT_TO_POINTER (rows));
  if (path)
    return path;
  path = g_strdup_printf ("%s/rows-%u.jsonl", lk_fixture_folder (), rows);
  text = make_rows (rows, "Nobody knows but me");
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_hash_table_insert (data_files, GUINT_TO_POINTER (rows), path);
  return path;
}

const char *
lk_fixture_model (void)
{
  static char *model;
  g_autofree char *corpus = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  if (model)
    return model;
  model = g_build_filename (lk_fixture_folder (), "nano.gguf", NULL);
  corpus = g_build_filename (lk_fixture_folder (), "corpus.jsonl", NULL);
  text = make_rows (200, "Yes");
  g_assert_true (g_file_set_contents (corpus, text, -1, NULL));
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error, g_getenv ("LK_CLI"), "pretrain",
                              corpus, "-o", model, "--vocabulary", "320", "--hidden", "32", "--intermediate",
                              "64", "--layers", "2", "--heads", "4", "--kv-heads", "2", "--context", "256",
                              "--tokens", "256", "--max-steps", "120", NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (process, NULL, &error));
  return model;
}

LkRecipe *
lk_fixture_recipe (guint rows, const char *settings)
{
  LkRecipe *recipe = lk_recipe_new ();
  g_auto (GStrv) list = g_strsplit (settings, " ", -1);
  g_autoptr (GError) error = NULL;

  lk_recipe_set_name (recipe, "test");
  lk_recipe_set_model (recipe, lk_fixture_model ());
  lk_recipe_add_data (recipe, lk_fixture_data (rows));
  lk_recipe_set_by_name (recipe, "device", "cpu", &error);
  for (guint i = 0; list[i] && list[i][0]; i++)
    {
      g_auto (GStrv) pair = g_strsplit (list[i], "=", 2);

      g_assert_true (lk_recipe_set_by_name (recipe, pair[0], pair[1], &error));
    }
  g_assert_no_error (error);
  return recipe;
}

LkRunFolder *
lk_fixture_run (guint rows, const char *settings)
{
  g_autoptr (LkRecipe) recipe = lk_fixture_recipe (rows, settings);
  g_autofree char *path = lk_fixture_path ("run");
  g_autoptr (GError) error = NULL;
  LkRunFolder *run = lk_run_folder_create (path, recipe, &error);

  g_assert_no_error (error);
  return run;
}

typedef struct
{
  LkFixtureRun *run;
  GCancellable *stop;
} Listener;

static void
on_line (const char *line, gpointer data)
{
  Listener *self = data;
  g_autoptr (JsonNode) node = lk_json_parse (line, strlen (line), "event", NULL);
  JsonObject *event;

  g_assert_nonnull (node);
  event = json_node_get_object (node);
  g_ptr_array_add (self->run->lines, json_object_ref (event));
  if (g_str_equal (json_object_get_string_member (event, "event"), "step")
      && json_object_get_int_member (event, "step") == self->run->stop_after)
    g_cancellable_cancel (self->stop);
  if (self->run->on_event)
    self->run->on_event (event, self->run->data);
}

gboolean
lk_fixture_train (LkRunFolder *run_folder, gboolean resume, LkFixtureRun *run)
{
  /* a worker is a process of its own; here each opens the folder afresh, so that the lock is let go of */
  g_autoptr (LkRunFolder) own = lk_run_folder_open (run_folder->path, NULL);
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  Listener listener = { run, stop };
  LkTrainerOptions options = { .resume = resume,
                               .stop = stop,
                               .listener = on_line,
                               .listener_data = &listener,
                               .sample_setup = run->setup,
                               .sample_release = run->release,
                               .sample = run->sample,
                               .sample_data = run->data };

  g_assert_nonnull (own);
  g_clear_error (&run->error);
  if (!run->lines)
    run->lines = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  return lk_trainer_run (own, &options, &run->outcome, &run->error);
}

void
lk_fixture_run_clear (LkFixtureRun *run)
{
  g_clear_pointer (&run->lines, g_ptr_array_unref);
  g_clear_error (&run->error);
}

guint
lk_fixture_count (const LkFixtureRun *run, const char *event)
{
  guint n = 0;

  for (guint i = 0; i < run->lines->len; i++)
    n += g_str_equal (json_object_get_string_member (g_ptr_array_index (run->lines, i), "event"), event);
  return n;
}

JsonObject *
lk_fixture_last (const LkFixtureRun *run, const char *event)
{
  JsonObject *last = NULL;

  for (guint i = 0; i < run->lines->len; i++)
    if (g_str_equal (json_object_get_string_member (g_ptr_array_index (run->lines, i), "event"), event))
      last = g_ptr_array_index (run->lines, i);
  return last;
}

void
lk_fixture_assert_same (LkRunFolder *a, LkRunFolder *b, const char *file)
{
  g_autofree char *one = g_build_filename (a->path, file, NULL),
                  *two = g_build_filename (b->path, file, NULL);
  g_autofree char *x = lk_file_sha256 (one, NULL), *y = lk_file_sha256 (two, NULL);

  g_assert_nonnull (x);
  g_assert_cmpstr (x, ==, y);
}
