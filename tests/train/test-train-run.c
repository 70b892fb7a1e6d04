/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whole runs of a tiny model: the same numbers each time, through stops and resumes, whatever the way they
 * are computed; and what a run does when something is wrong.
 */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lk-checkpoint.h"
#include "lk-file.h"
#include "lk-row-store.h"
#include "lk-safetensors.h"
#include "lk-train-fixture.h"

/* Losses by step, those done again replacing those before. */
static GHashTable *
losses_of (const LkFixtureRun *run)
{
  GHashTable *table = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  for (guint i = 0; i < run->lines->len; i++)
    {
      JsonObject *event = g_ptr_array_index (run->lines, i);
      double loss;

      if (!g_str_equal (json_object_get_string_member (event, "event"), "step"))
        continue;
      loss = json_object_get_double_member (event, "loss");
      g_hash_table_insert (table, GINT_TO_POINTER ((int) json_object_get_int_member (event, "step")),
                           g_memdup2 (&loss, sizeof loss));
    }
  return table;
}

static void
assert_losses_close (const LkFixtureRun *a, const LkFixtureRun *b, guint steps, double tolerance)
{
  g_autoptr (GHashTable) x = losses_of (a), y = losses_of (b);

  for (guint step = 1; step <= steps; step++)
    {
      double *one = g_hash_table_lookup (x, GUINT_TO_POINTER (step)),
             *two = g_hash_table_lookup (y, GUINT_TO_POINTER (step));

      g_assert_true (one && two);
      if (tolerance == 0)
        g_assert_true (*one == *two);
      else
        g_assert_cmpfloat_with_epsilon (*one, *two, tolerance * fabs (*one));
    }
}

static const char *const settings_table[] = {
  "steps=11 eval-interval=3 checkpoint-interval=2 learning-rate=0.01",
  "steps=11 eval-interval=3 checkpoint-interval=2 learning-rate=0.01 dropout=0.2 packing=false batch=3 "
  "accumulation=2",
  "steps=11 eval-interval=4 checkpoint-interval=5 learning-rate=0.01 schedule=linear warmup=3 rslora=true "
  "rank=4 recompute=all targets=q_proj,down_proj",
};

/* The device a test that runs everywhere uses besides the CPU; NULL when there is none. */
static const char *
gpu_device (void)
{
  g_autoptr (LkBackend) backend = lk_backend_new ("vulkan", NULL);

  return backend ? "vulkan" : NULL;
}

static void
check_same_again (const char *settings)
{
  g_autoptr (LkRunFolder) a = lk_fixture_run (40, settings), b = lk_fixture_run (40, settings);
  g_auto (LkFixtureRun) one = LK_FIXTURE_RUN_INIT, two = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_fixture_train (a, FALSE, &one));
  g_assert_true (lk_fixture_train (b, FALSE, &two));
  g_assert_cmpint (one.outcome, ==, LK_OUTCOME_FINISHED);
  assert_losses_close (&one, &two, 11, 0);
  lk_fixture_assert_same (a, b, "adapter/last/adapter_model.safetensors");
  lk_fixture_assert_same (a, b, "adapter/best/adapter_model.safetensors");
}

static void
test_same_again (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    check_same_again (settings_table[i]);
}

/* Stopped at random steps, each time gone on with. */
static void
check_resume (const char *settings)
{
  g_autoptr (LkRunFolder) a = lk_fixture_run (40, settings), b = lk_fixture_run (40, settings);
  g_auto (LkFixtureRun) whole = LK_FIXTURE_RUN_INIT, pieces = LK_FIXTURE_RUN_INIT;
  gint64 at = 0;

  g_assert_true (lk_fixture_train (a, FALSE, &whole));
  for (gboolean resume = FALSE;; resume = TRUE)
    {
      pieces.stop_after = at + g_test_rand_int_range (1, 5);
      at = pieces.stop_after;
      g_assert_true (lk_fixture_train (b, resume, &pieces));
      if (pieces.outcome == LK_OUTCOME_FINISHED)
        break;
      g_assert_cmpstr (json_object_get_string_member (lk_fixture_last (&pieces, "state"), "state"), ==,
                       "stopped");
    }
  g_assert_cmpuint (lk_fixture_count (&pieces, "resume"), >, 0);
  g_assert_cmpuint (lk_fixture_count (&pieces, "step"), ==, 11);
  assert_losses_close (&whole, &pieces, 11, 0);
  lk_fixture_assert_same (a, b, "adapter/last/adapter_model.safetensors");
  lk_fixture_assert_same (a, b, "adapter/best/adapter_model.safetensors");
  lk_fixture_assert_same (a, b, "checkpoints/step-000011/optimizer.safetensors");
  g_assert_cmpuint (lk_fixture_count (&whole, "eval"), ==, lk_fixture_count (&pieces, "eval"));
}

static void
test_resume (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    check_resume (settings_table[i]);
}

static void
test_resume_gpu (void)
{
  g_autofree char *settings = NULL;

  if (!gpu_device ())
    {
      g_test_skip ("There is no Vulkan device");
      return;
    }
  settings = g_strconcat (settings_table[1], " device=", gpu_device (), NULL);
  check_same_again (settings);
  check_resume (settings);
}

/* Products of 16-bit floats where the recipe asks for them: nearly the same losses, and a run that goes on with other products says so. */
static void
test_precision (void)
{
#define SHORT "steps=2 checkpoint-interval=1 learning-rate=0.01 samples=0 held-out=0 batch=1 accumulation=2"
  g_autoptr (LkBackend) backend = lk_backend_new_precise ("vulkan", LK_PRECISION_FLOAT16_THREADS, NULL);
  g_autoptr (LkRunFolder) exact = lk_fixture_run (4, SHORT), half = lk_fixture_run (4, SHORT " device=vulkan precision=float16-threads");
  g_auto (LkFixtureRun) one = LK_FIXTURE_RUN_INIT, two = LK_FIXTURE_RUN_INIT, rest = LK_FIXTURE_RUN_INIT;
  g_autoptr (LkRecipe) recipe = NULL;
  g_autoptr (GError) error = NULL;

  if (!backend)
    {
      g_test_skip ("There is no Vulkan device with 16-bit floats");
      return;
    }
  two.stop_after = 1;
  g_assert_true (lk_fixture_train (exact, FALSE, &one));
  g_assert_true (lk_fixture_train (half, FALSE, &two));
  g_assert_cmpstr (json_object_get_string_member (lk_fixture_last (&one, "plan"), "products"), ==, "float32");
  g_assert_cmpstr (json_object_get_string_member (lk_fixture_last (&two, "plan"), "products"), ==, "float16");
  assert_losses_close (&one, &two, 1, 2e-3);

  recipe = lk_recipe_load (half->recipe, &error);
  g_assert_cmpuint (lk_recipe_get_precision (recipe), ==, LK_PRECISION_FLOAT16_THREADS);
  g_assert_true (lk_recipe_set_by_name (recipe, "precision", "auto", &error) && lk_recipe_set_by_name (recipe, "device", "cpu", &error)
                 && lk_recipe_save (recipe, half->recipe, &error));
  g_assert_true (lk_fixture_train (half, TRUE, &rest));
  g_assert_nonnull (strstr (json_object_get_string_member (lk_fixture_last (&rest, "warning"), "message"), "multiplied float16 until now"));
  g_assert_cmpstr (json_object_get_string_member (lk_fixture_last (&rest, "plan"), "products"), ==, "float32");
#undef SHORT
}

/* Packing, accumulation and recompute are ways to compute the same. */
static void
test_same_numbers (void)
{
  static const struct
  {
    const char *settings;
    double tolerance;
  } ways[] = {
    { "packing=true batch=8 accumulation=1", 0 },
    { "packing=true batch=1 accumulation=8", 0 },
    { "packing=false batch=8 accumulation=1", 1e-5 },
    { "packing=false batch=1 accumulation=8", 1e-5 },
    { "packing=true batch=2 accumulation=4 recompute=all", 1e-5 },
  };
  g_auto (LkFixtureRun) first = LK_FIXTURE_RUN_INIT;

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *settings
          = g_strconcat ("steps=6 learning-rate=0.01 held-out=0 ", ways[i].settings, NULL);
      g_autoptr (LkRunFolder) folder = lk_fixture_run (40, settings);
      g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

      g_assert_true (lk_fixture_train (folder, FALSE, i == 0 ? &first : &run));
      if (i > 0)
        assert_losses_close (&first, &run, 6, ways[i].tolerance);
    }
}

static void
test_learns (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (60, "epochs=6 learning-rate=0.02");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;
  JsonObject *plan, *eval;
  double before = NAN;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  plan = lk_fixture_last (&run, "plan");
  g_assert_cmpint (json_object_get_int_member (plan, "train_rows")
                       + json_object_get_int_member (plan, "held_out_rows"),
                   ==, 60);
  g_assert_cmpint (json_object_get_int_member (plan, "held_out_rows"), ==, 16);
  g_assert_cmpint (json_object_get_int_member (plan, "steps"), ==, 6 * 6);
  for (guint i = 0; i < run.lines->len && isnan (before); i++)
    if (g_str_equal (json_object_get_string_member (g_ptr_array_index (run.lines, i), "event"), "eval"))
      before = json_object_get_double_member (g_ptr_array_index (run.lines, i), "loss");
  eval = lk_fixture_last (&run, "eval");
  g_assert_cmpfloat (json_object_get_double_member (eval, "loss"), <, before - 0.3);
}

/* With a rate of zero nothing improves after the first measurement. */
static void
test_patience (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=50 eval-interval=2 patience=3 learning-rate=0");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_cmpint (run.outcome, ==, LK_OUTCOME_FINISHED);
  g_assert_cmpuint (lk_fixture_count (&run, "step"), ==, 6);
  g_assert_true (lk_fixture_train (folder, TRUE, &run));
  g_assert_cmpuint (lk_fixture_count (&run, "step"), ==, 6);
}

static void
flip_a_bit (const char *path)
{
  g_autofree char *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  bytes[size / 2] ^= 4;
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
}

/* Whatever file of the newest checkpoint is damaged, the one before it is used, and the end is the same. */
static void
test_damaged_checkpoint (void)
{
  static const char *const files[] = { "adapter_config.json", "adapter_model.safetensors",
                                       "optimizer.safetensors", "state.json", "manifest.json" };
  g_autoptr (LkRunFolder) undisturbed = lk_fixture_run (40, settings_table[0]);
  g_auto (LkFixtureRun) whole = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_fixture_train (undisturbed, FALSE, &whole));
  for (guint i = 0; i < G_N_ELEMENTS (files) + 1; i++)
    {
      g_autoptr (LkRunFolder) folder = lk_fixture_run (40, settings_table[0]);
      g_autofree char *path = g_build_filename (folder->checkpoints, "step-000006",
                                                i < G_N_ELEMENTS (files) ? files[i] : "manifest.json", NULL);
      g_auto (LkFixtureRun) run = { .stop_after = 6 };

      g_assert_true (lk_fixture_train (folder, FALSE, &run));
      if (i < G_N_ELEMENTS (files))
        flip_a_bit (path);
      else
        g_assert_cmpint (g_remove (path), ==, 0);
      run.stop_after = -1;
      g_assert_true (lk_fixture_train (folder, TRUE, &run));
      g_assert_cmpint (json_object_get_int_member (lk_fixture_last (&run, "resume"), "step"), ==, 4);
      g_assert_nonnull (strstr (json_object_get_string_member (lk_fixture_last (&run, "warning"), "message"),
                                "step-000006"));
      lk_fixture_assert_same (undisturbed, folder, "adapter/last/adapter_model.safetensors");
    }
}

static void
edit_recipe (LkRunFolder *folder, const char *from, const char *to)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *joined = NULL;

  g_assert_true (g_file_get_contents (folder->recipe, &text, NULL, NULL));
  parts = g_strsplit (text, from, -1);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  joined = g_strjoinv (to, parts);
  g_assert_true (g_file_set_contents (folder->recipe, joined, -1, NULL));
}

/* Another setting, dataset or model is refused by name, and nothing is touched. */
static void
test_refuse_resume (void)
{
  static const char *const edits[][3] = {
    { "\"rank\": 16", "\"rank\": 8", "“rank” was 16" },
    { "\"seed\": 42", "\"seed\": 43", "“seed” was 42" },
    { "\"schedule\": \"cosine\"", "\"schedule\": \"linear\"", "“schedule” was cosine" },
    { "\"learning_rate\": 0.01", "\"learning_rate\": 0.02", "“learning-rate” was 0.01" },
    { "\"packing\": true", "\"packing\": false", "“packing” was true" },
    { "rows-40.jsonl", "rows-41.jsonl", "“data_sha256” differs" },
    { "nano.gguf", "other.gguf", "“model_sha256” differs" },
  };
  g_autofree char *other = g_build_filename (lk_fixture_folder (), "other.gguf", NULL);
  g_autofree char *model = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (lk_fixture_model (), &model, &size, NULL));
  model[size - 1] ^= 1;
  g_assert_true (g_file_set_contents (other, model, (gssize) size, NULL));
  lk_fixture_data (41);
  for (guint i = 0; i < G_N_ELEMENTS (edits); i++)
    {
      g_autoptr (LkRunFolder) folder = lk_fixture_run (40, settings_table[0]);
      g_auto (LkFixtureRun) run = { .stop_after = 3 };

      g_assert_true (lk_fixture_train (folder, FALSE, &run));
      edit_recipe (folder, edits[i][0], edits[i][1]);
      g_assert_false (lk_fixture_train (folder, TRUE, &run));
      g_assert_error (run.error, LK_ERROR, LK_ERROR_MISMATCH);
      g_assert_nonnull (strstr (run.error->message, edits[i][2]));
      g_assert_cmpstr (json_object_get_string_member (lk_fixture_last (&run, "state"), "state"), ==,
                       "failed");
      edit_recipe (folder, edits[i][1], edits[i][0]);
      g_assert_true (lk_fixture_train (folder, TRUE, &run));
    }
}

static void
test_begin_twice (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=2");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_false (lk_fixture_train (folder, FALSE, &run));
  g_assert_error (run.error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (json_object_get_string_member (lk_fixture_last (&run, "state"), "state"), ==, "finished");
}

/* The best adapter is the one of the lowest held-out loss, and two whole checkpoints stay. */
static void
test_kept (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (
      40, "steps=12 checkpoint-interval=1 eval-interval=1 learning-rate=0.05 keep-checkpoints=2");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;
  g_autoptr (GDir) dir = NULL;
  double best = INFINITY;
  gint64 best_step = -1;
  guint n = 0;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  for (guint i = 0; i < run.lines->len; i++)
    {
      JsonObject *event = g_ptr_array_index (run.lines, i);

      if (!g_str_equal (json_object_get_string_member (event, "event"), "eval"))
        continue;
      g_assert_true (json_object_get_boolean_member (event, "best")
                     == (json_object_get_double_member (event, "loss") < best));
      if (json_object_get_boolean_member (event, "best"))
        best_step = json_object_get_int_member (event, "step");
      best = MIN (best, json_object_get_double_member (event, "loss"));
    }
  dir = g_dir_open (folder->checkpoints, 0, NULL);
  while (g_dir_read_name (dir))
    n++;
  g_assert_cmpuint (n, ==, best_step < 11 ? 3 : 2);
  if (best_step > 0)
    {
      g_autofree char *best_file
          = g_strdup_printf ("%s/step-%06d/adapter_model.safetensors", folder->checkpoints, (int) best_step);
      g_autofree char *kept = g_build_filename (folder->adapters, "best", "adapter_model.safetensors", NULL);
      g_autofree char *x = lk_file_sha256 (best_file, NULL), *y = lk_file_sha256 (kept, NULL);

      g_assert_cmpstr (x, ==, y);
    }
}

/* While checkpoints cannot be written the run goes on and says so; at the end there is one again. */
static void
break_checkpoints (JsonObject *event, gpointer data)
{
  LkRunFolder *folder = data;
  gint64 step = json_object_get_int_member_with_default (event, "step", -1);

  if (!g_str_equal (json_object_get_string_member (event, "event"), "step"))
    return;
  if (step == 3)
    {
      g_assert_true (lk_remove_recursively (folder->checkpoints, NULL));
      g_assert_true (g_file_set_contents (folder->checkpoints, "", 0, NULL));
    }
  if (step == 7)
    {
      g_assert_cmpint (g_remove (folder->checkpoints), ==, 0);
      g_assert_cmpint (g_mkdir (folder->checkpoints, 0755), ==, 0);
    }
}

static void
test_disk_trouble (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=8 checkpoint-interval=4");
  g_auto (LkFixtureRun) run = { .stop_after = -1, .on_event = break_checkpoints, .data = folder };

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_cmpuint (lk_fixture_count (&run, "warning"), ==, 1);
  g_assert_cmpuint (lk_fixture_count (&run, "checkpoint"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (lk_fixture_last (&run, "checkpoint"), "step"), ==, 8);
}

/* Where there can be no socket the run says so and goes on. */
static void
test_no_socket (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=2");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  g_assert_cmpint (g_mkdir (folder->socket, 0755), ==, 0);
  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_cmpuint (lk_fixture_count (&run, "warning"), ==, 1);
  g_assert_cmpint (run.outcome, ==, LK_OUTCOME_FINISHED);
}

/* Weights that are not numbers: said twice, then the end; no step is taken. */
static gboolean
poison (LkModel *model, LkAdapter *adapter, LkBackend *backend, gpointer data, GError **error)
{
  float bad = NAN;

  return lk_backend_write (backend, lk_adapter_get_parameters (adapter), 64, &bad, sizeof bad, error);
}

static void
test_not_finite (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=20 checkpoint-interval=50 held-out=0");
  g_auto (LkFixtureRun) run = { .stop_after = -1, .setup = poison };

  g_assert_false (lk_fixture_train (folder, FALSE, &run));
  g_assert_error (run.error, LK_ERROR, LK_ERROR_NOT_FINITE);
  g_assert_cmpuint (lk_fixture_count (&run, "warning"), ==, 2);
  g_assert_cmpuint (lk_fixture_count (&run, "step"), ==, 3);
  g_assert_true (json_object_has_member (lk_fixture_last (&run, "state"), "detail"));
}

/* Samples are held-out questions; one that fails ends the samples, not the run. */
static char *
sample (JsonArray *messages, gpointer data, GError **error)
{
  guint *calls = data;

  g_assert_cmpuint (json_array_get_length (messages), ==, 1);
  g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (messages, 0), "role"), ==,
                   "user");
  if (++*calls <= 4)
    return g_strdup ("an answer");
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED, "No more");
  return NULL;
}

static void
test_samples (void)
{
  guint calls = 0;
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=8 eval-interval=2 samples=2");
  g_auto (LkFixtureRun) run = { .stop_after = -1, .sample = sample, .data = &calls };

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_cmpuint (calls, ==, 5);
  g_assert_cmpuint (lk_fixture_count (&run, "sample"), ==, 4);
  g_assert_cmpuint (lk_fixture_count (&run, "warning"), ==, 1);
  g_assert_cmpint (run.outcome, ==, LK_OUTCOME_FINISHED);
}

/* Somebody at the control socket: pause after step 3, go on, look and save now and then, stop after step 300.
 */
typedef struct
{
  LkRunFolder *folder;
  const char *command;
  GThread *thread;
  guint answered;
  gboolean paused;
} Asker;

static gpointer
send_command (gpointer data)
{
  Asker *self = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (self->folder->socket);
  g_auto (GStrv) commands = g_strsplit (self->command, " ", -1);

  for (guint i = 0; commands[i]; i++)
    {
      g_autoptr (GSocketConnection) connection
          = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, NULL);
      g_autofree char *line = g_strdup_printf ("{\"command\": \"%s\"}\n", commands[i]);
      GIOStream *stream = G_IO_STREAM (connection);
      char answer[100] = "";

      if (!connection)
        break;
      g_output_stream_write_all (g_io_stream_get_output_stream (stream), line, strlen (line), NULL, NULL,
                                 NULL);
      g_input_stream_read (g_io_stream_get_input_stream (stream), answer, sizeof answer - 1, NULL, NULL);
      self->answered += strstr (answer, "true") != NULL;
    }
  return NULL;
}

static void
start_asking (Asker *self, const char *command)
{
  g_clear_pointer (&self->thread, g_thread_join);
  self->command = command;
  self->thread = g_thread_new ("asker", send_command, self);
}

static void
ask_now (JsonObject *event, gpointer data)
{
  Asker *self = data;
  const char *name = json_object_get_string_member (event, "event");
  gint64 step = json_object_get_int_member_with_default (event, "step", -1);

  if (g_str_equal (name, "step") && step == 3)
    start_asking (self, "pause");
  if (g_str_equal (name, "state") && g_str_equal (json_object_get_string_member (event, "state"), "paused"))
    {
      self->paused = TRUE;
      start_asking (self, "save resume");
    }
  if (g_str_equal (name, "step") && self->paused && step % 10 == 0)
    start_asking (self, step >= 300 ? "stop" : step % 20 ? "evaluate" : "save");
}

static void
test_controlled (void)
{
  g_autoptr (LkRunFolder) folder
      = lk_fixture_run (40, "steps=100000 eval-interval=100000 checkpoint-interval=100000");
  Asker asker = { folder };
  g_auto (LkFixtureRun) run = { .stop_after = -1, .on_event = ask_now, .data = &asker };
  gint64 step;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_clear_pointer (&asker.thread, g_thread_join);
  g_assert_cmpint (run.outcome, ==, LK_OUTCOME_STOPPED);
  g_assert_true (asker.paused);
  g_assert_cmpuint (asker.answered, >=, 4);
  g_assert_cmpuint (lk_fixture_count (&run, "eval"), >=, 2);
  g_assert_cmpuint (lk_fixture_count (&run, "checkpoint"), >=, 2);
  step = json_object_get_int_member (lk_fixture_last (&run, "step"), "step");
  g_assert_cmpint (step, >=, 300);
  g_assert_cmpint (json_object_get_int_member (lk_fixture_last (&run, "checkpoint"), "step"), ==, step);
  /* looks that somebody asked for do not count as measurements of the run */
  g_assert_false (json_object_get_boolean_member (lk_fixture_last (&run, "eval"), "best"));
}

static LkRunFolder *
run_on_text (const char *text, const char *settings)
{
  g_autofree char *path = lk_fixture_path ("data");
  LkRunFolder *folder = lk_fixture_run (40, settings);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  edit_recipe (folder, lk_fixture_data (40), path);
  return folder;
}

static void
test_bad_rows (void)
{
  static const char text[]
      = "{\"prompt\": \"One\", \"completion\": \" is one\"}\n"
        "{\"prompt\": \"Two\", \"completion\": \"\"}\n"
        "{\"prompt\": \"Three\"}\n"
        "{\"prompt\": \"A question so long that nothing of its answer is left\", \"completion\": \"cut\"}\n"
        "not JSON\n"
        "{\"prompt\": \"Four\", \"completion\": \" is four\"}\n"
        "{\"prompt\": \"Five\", \"completion\": \" is a very long answer of many words\"}\n";
  g_autoptr (LkRunFolder) folder = run_on_text (text, "steps=2 length=28 held-out=0");
  g_autoptr (LkRunFolder) none
      = run_on_text ("{\"prompt\": \"A question much longer than the limit\", \"completion\": \"x\"}\n",
                     "length=8 held-out=0");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT, failed = LK_FIXTURE_RUN_INIT;
  JsonObject *plan;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  plan = lk_fixture_last (&run, "plan");
  g_assert_cmpint (json_object_get_int_member (plan, "problems"), ==, 5);
  g_assert_cmpuint (lk_fixture_count (&run, "problem"), ==, 5);
  g_assert_cmpint (json_object_get_int_member (plan, "train_rows"), ==, 3);
  g_assert_false (lk_fixture_train (none, FALSE, &failed));
  g_assert_error (failed.error, LK_ERROR, LK_ERROR_BAD_DATA);
}

/* Many bad rows: a hundred are named, the others counted and said. */
static void
test_many_problems (void)
{
  GString *text = g_string_new ("{\"prompt\": \"One\", \"completion\": \" is one\"}\n");
  g_autoptr (LkRunFolder) folder = NULL;
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  for (guint i = 0; i < 130; i++)
    g_string_append (text, "not JSON\n");
  folder = run_on_text (text->str, "steps=1 held-out=0");
  g_string_free (text, TRUE);
  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_cmpuint (lk_fixture_count (&run, "problem"), ==, 100);
  g_assert_cmpint (json_object_get_int_member (lk_fixture_last (&run, "plan"), "problems"), ==, 130);
  g_assert_nonnull (
      strstr (json_object_get_string_member (lk_fixture_last (&run, "warning"), "message"), "30 more rows"));
}

/* A limit beyond what the model can read is the model's, and the row says so. */
static void
test_long_rows (void)
{
  g_autofree char *words = g_strnfill (4000, 'x');
  g_autofree char *text = g_strdup_printf ("{\"prompt\": \"One\", \"completion\": \"%s\"}\n", words);
  g_autoptr (LkRunFolder) folder = run_on_text (text, "steps=1 held-out=0 length=100000");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_nonnull (strstr (json_object_get_string_member (lk_fixture_last (&run, "problem"), "reason"),
                            "all the model can read"));
}

/* No whole checkpoint is left: not without being told to, and then from the first step, which is said. */
static void
test_all_damaged (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=2 checkpoint-interval=2");
  g_autofree char *path = g_build_filename (folder->checkpoints, "step-000002", "state.json", NULL);
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  flip_a_bit (path);
  g_assert_false (lk_fixture_train (folder, FALSE, &run));
  g_assert_error (run.error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (run.error->message, "damaged"));
  g_assert_true (lk_fixture_train (folder, TRUE, &run));
  g_assert_cmpint (json_object_get_int_member (lk_fixture_last (&run, "resume"), "step"), ==, 0);
  g_assert_nonnull (
      strstr (json_object_get_string_member (lk_fixture_last (&run, "warning"), "message"), "first step"));
}

static void
test_locked (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=2");
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;

  g_assert_true (lk_run_folder_lock (folder, NULL));
  g_assert_false (lk_fixture_train (folder, FALSE, &run));
  g_assert_error (run.error, LK_ERROR, LK_ERROR_BUSY);
  g_assert_cmpuint (run.lines->len, ==, 0);
}

/* A run of an imported dataset keeps to the copy it took, whatever becomes of the dataset, and eval finds its held-out rows. */
static void
test_imported (void)
{
  g_autoptr (LkRecipe) recipe = lk_fixture_recipe (60, "steps=6 batch=2 accumulation=1 held-out=0.25"), saved = NULL;
  g_autofree char *store_path = lk_fixture_path ("set.lkdata"), *path = lk_fixture_path ("imported");
  const LkImportFile file = { lk_fixture_data (60), NULL, 1 };
  const gint32 gone[] = { 3, 4 };
  g_autoptr (LkRowStore) store = NULL;
  g_autoptr (LkRecipe) imported = lk_recipe_new ();
  g_autoptr (LkRunFolder) folder = NULL;
  LkFixtureRun run = { .stop_after = 3 };
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = NULL, *lines = NULL, *sum = NULL;
  g_auto (GStrv) rows = NULL;

  lk_row_store_import (store_path, "Set", &file, 1, NULL, NULL, &error);
  g_assert_no_error (error);
  store = lk_row_store_open (store_path, TRUE, NULL);
  g_assert_true (lk_row_store_exclude (store, gone, 2, TRUE, NULL));
  lk_recipe_set_name (imported, "imported");
  lk_recipe_set_model (imported, lk_recipe_get_model (recipe));
  lk_recipe_add_data (imported, store_path);
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    if (i == LK_SETTING_STEPS || i == LK_SETTING_BATCH || i == LK_SETTING_ACCUMULATION)
      {
        g_autofree char *value = g_strdup_printf ("%d", (int) lk_recipe_get_int (recipe, i));
        g_assert_true (lk_recipe_set (imported, i, value, NULL));
      }
  g_assert_true (lk_recipe_set_by_name (imported, "device", "cpu", NULL));
  folder = lk_run_folder_create (path, imported, &error);
  g_assert_no_error (error);
  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_no_error (run.error);
  saved = lk_recipe_load (folder->recipe, NULL);
  copy = g_build_filename (folder->path, "data.jsonl", NULL);
  g_assert_cmpstr (lk_recipe_get_data (saved)[0], ==, copy);
  g_assert_cmpstr (lk_recipe_get_datasets (saved)[0], ==, store_path);
  sum = lk_file_sha256 (copy, NULL);
  g_assert_cmpstr (lk_recipe_get_data_hash (saved), ==, sum);
  g_assert_true (g_file_get_contents (copy, &lines, NULL, NULL));
  rows = g_strsplit (g_strchomp (lines), "\n", -1);
  g_assert_cmpuint (g_strv_length (rows), ==, 58);
  g_assert_true (lk_row_store_exclude (store, gone, 1, FALSE, NULL)); /* afterwards: nothing to the run */
  run.stop_after = 0;
  g_assert_true (lk_fixture_train (folder, TRUE, &run));
  g_assert_cmpint (json_object_get_int_member (lk_fixture_last (&run, "step"), "step"), ==, 6);
  lk_fixture_run_clear (&run);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/run/same-again", test_same_again);
  g_test_add_func ("/train/run/resume", test_resume);
  g_test_add_func ("/train/run/resume-gpu", test_resume_gpu);
  g_test_add_func ("/train/run/precision", test_precision);
  g_test_add_func ("/train/run/same-numbers", test_same_numbers);
  g_test_add_func ("/train/run/learns", test_learns);
  g_test_add_func ("/train/run/patience", test_patience);
  g_test_add_func ("/train/run/damaged-checkpoint", test_damaged_checkpoint);
  g_test_add_func ("/train/run/refuse-resume", test_refuse_resume);
  g_test_add_func ("/train/run/begin-twice", test_begin_twice);
  g_test_add_func ("/train/run/kept", test_kept);
  g_test_add_func ("/train/run/disk-trouble", test_disk_trouble);
  g_test_add_func ("/train/run/no-socket", test_no_socket);
  g_test_add_func ("/train/run/not-finite", test_not_finite);
  g_test_add_func ("/train/run/samples", test_samples);
  g_test_add_func ("/train/run/controlled", test_controlled);
  g_test_add_func ("/train/run/bad-rows", test_bad_rows);
  g_test_add_func ("/train/run/many-problems", test_many_problems);
  g_test_add_func ("/train/run/long-rows", test_long_rows);
  g_test_add_func ("/train/run/all-damaged", test_all_damaged);
  g_test_add_func ("/train/run/locked", test_locked);
  g_test_add_func ("/train/run/imported", test_imported);
  status = g_test_run ();
  lk_fixture_remove ();
  return status;
}
