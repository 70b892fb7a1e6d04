/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of a run by themselves.
 */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "lk-control.h"
#include "lk-json.h"
#include "lk-schedule.h"
#include "lk-train-fixture.h"

/* Multipliers of torch's LambdaLR schedules for ten steps, two of them warm-up. */
static void
test_schedules (void)
{
  static const struct
  {
    const char *name;
    double expected[10];
  } table[] = {
    { "linear", { 0, .5, 1, .875, .75, .625, .5, .375, .25, .125 } },
    { "cosine", { 0, .5, 1, .961940, .853553, .691342, .5, .308658, .146447, .038060 } },
    { "constant", { 0, .5, 1, 1, 1, 1, 1, 1, 1, 1 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    for (gint64 step = 0; step < 10; step++)
      g_assert_cmpfloat_with_epsilon (lk_schedule_multiplier (table[i].name, step, 10, 2),
                                      table[i].expected[step], 1e-6);
  g_assert_cmpfloat (lk_schedule_multiplier ("cosine", 0, 10, 0), ==, 1);
  g_assert_cmpint (lk_schedule_warmup (0.03, 100), ==, 3);
  g_assert_cmpint (lk_schedule_warmup (0.03, 101), ==, 4);
  g_assert_cmpint (lk_schedule_warmup (0, 100), ==, 0);
  g_assert_cmpint (lk_schedule_warmup (5, 100), ==, 5);
}

static void
test_recipe_round_trip (void)
{
  g_autoptr (LkRecipe) recipe = lk_recipe_new (), again = NULL;
  g_autofree char *path = lk_fixture_path ("recipe");
  g_autoptr (GError) error = NULL;

  lk_recipe_set_name (recipe, "Täst “1”");
  lk_recipe_set_model (recipe, "/models/m.gguf");
  lk_recipe_add_data (recipe, "/data/one.json");
  lk_recipe_add_data (recipe, "/data/two.jsonl");
  lk_recipe_set_hashes (recipe, "abc", "def");
  g_assert_true (lk_recipe_set_by_name (recipe, "learning-rate", "3e-05", &error));
  g_assert_true (lk_recipe_set_by_name (recipe, "schedule", "linear", &error));
  g_assert_true (lk_recipe_set_by_name (recipe, "packing", "no", &error));
  g_assert_true (lk_recipe_set_by_name (recipe, "targets", "q_proj,v_proj", &error));
  g_assert_true (lk_recipe_save (recipe, path, &error));
  again = lk_recipe_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lk_recipe_get_name (again), ==, "Täst “1”");
  g_assert_cmpstr (lk_recipe_get_model_hash (again), ==, "abc");
  g_assert_cmpuint (g_strv_length ((char **) lk_recipe_get_data (again)), ==, 2);
  g_assert_cmpstr (lk_recipe_get_data (again)[1], ==, "/data/two.jsonl");
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      g_assert_true (lk_recipe_get_number (again, i) == lk_recipe_get_number (recipe, i));
      g_assert_cmpstr (lk_recipe_get_text (again, i), ==, lk_recipe_get_text (recipe, i));
    }
  g_assert_true (lk_recipe_get_number (again, LK_SETTING_LEARNING_RATE) == 3e-05);
}

/* Each setting's default is in its own range, and values beyond are refused by name. */
static void
test_recipe_ranges (void)
{
  static const char *const bad[][2] = {
    { "rank", "0" },
    { "rank", "1.5" },
    { "rank", "many" },
    { "rank", "" },
    { "dropout", "0.91" },
    { "schedule", "stairs" },
    { "packing", "maybe" },
    { "learning-rate", "-1" },
    { "learning-rate", "nan" },
    { "keep-checkpoints", "1" },
    { "steps", "1e9" },
    { "precision", "half" },
  };
  g_autoptr (LkRecipe) recipe = lk_recipe_new ();

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (lk_recipe_set_by_name (recipe, bad[i][0], bad[i][1], &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, bad[i][0]));
    }
  g_assert_false (lk_recipe_set_by_name (recipe, "colour", "red", NULL));
  g_assert_cmpuint (lk_recipe_get_precision (recipe), ==, LK_PRECISION_AUTO);
  g_assert_true (lk_recipe_set_by_name (recipe, "precision", "float16-matrix8", NULL));
  g_assert_cmpuint (lk_recipe_get_precision (recipe), ==, LK_PRECISION_FLOAT16_MATRIX8);
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      const LkSetting *s = &lk_settings[i];

      g_assert_true (s->name && s->label && s->help && s->group);
      if (s->type == LK_SETTING_INT || s->type == LK_SETTING_DOUBLE)
        g_assert_true (s->number >= s->minimum && s->number <= s->maximum && s->minimum < s->maximum);
      if (s->choices)
        g_assert_true (g_strv_contains (s->choices, s->text));
    }
}

static void
test_recipe_files (void)
{
  static const char *const bad[] = {
    "{}",
    "[]",
    "{\"model\": \"m\"}",
    "{\"model\": 3, \"data\": []}",
    "{\"model\": \"m\", \"data\": [], \"settings\": {\"rnak\": 3}}",
    "{\"model\": \"m\", \"data\": [], \"settings\": {\"rank\": \"3\"}}",
    "{\"model\": \"m\", \"data\": [], \"settings\": {\"rank\": 0}}",
    "{\"model\": \"m\", \"data\": [], \"settings\": {\"schedule\": \"x\"}}",
    "{\"model\": \"m\", \"data\": [], \"settings\": []}",
  };
  g_autofree char *path = lk_fixture_path ("recipe");

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents (path, bad[i], -1, NULL));
      g_assert_null (lk_recipe_load (path, &error));
      g_assert_nonnull (error);
      g_test_message ("%s", error->message);
    }
}

static void
test_describe (void)
{
  g_autofree char *text = lk_settings_describe ();
  g_autoptr (JsonNode) node = lk_json_parse (text, strlen (text), "describe", NULL);
  JsonArray *settings = json_object_get_array_member (json_node_get_object (node), "settings");

  g_assert_cmpuint (json_array_get_length (settings), ==, LK_N_SETTINGS);
  for (guint i = 0; i < LK_N_SETTINGS; i++)
    {
      JsonObject *one = json_array_get_object_element (settings, i);

      g_assert_true (json_object_has_member (one, "default") && json_object_has_member (one, "help")
                     && json_object_has_member (one, "advanced"));
      g_assert_true (json_object_has_member (one, "choices") == (lk_settings[i].choices != NULL));
      if (lk_settings[i].choices)
        g_assert_cmpuint (json_array_get_length (json_object_get_array_member (one, "choices")), ==,
                          i == LK_SETTING_PRECISION ? 3 : g_strv_length ((char **) lk_settings[i].choices));
    }
}

static void
count_line (const char *line, gpointer data)
{
  g_assert_null (strchr (line, '\n'));
  ++*(guint *) data;
}

/* A line cut by a crash is ended; ours stand alone. */
static void
test_events (void)
{
  g_autofree char *path = lk_fixture_path ("events");
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint heard = 0;

  g_assert_true (g_file_set_contents (path, "{\"event\":\"step\",\"st", -1, NULL));
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (LkEvents) events = lk_events_open (path, NULL);

      g_assert_false (lk_events_is_fresh (events));
      lk_events_set_listener (events, count_line, &heard);
      g_assert_true (lk_events_write_state (events, "running", "a\nb", NULL));
      g_assert_true (lk_events_write_warning (events, "“quoted” \"text\"", NULL));
    }
  g_assert_cmpuint (heard, ==, 4);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 6);
  for (guint i = 1; i < 5; i++)
    {
      g_autoptr (JsonNode) node = lk_json_parse (lines[i], strlen (lines[i]), "line", NULL);

      g_assert_nonnull (node);
      g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (node), "time"), >, 1e9);
    }
}

/* No room for an event is no reason to end. */
static void
test_events_full (void)
{
  g_autoptr (LkEvents) events = NULL;
  guint heard = 0;

  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS))
    {
      g_test_skip ("There is no /dev/full");
      return;
    }
  events = lk_events_open ("/dev/full", NULL);
  g_assert_nonnull (events);
  lk_events_set_listener (events, count_line, &heard);
  g_assert_true (lk_events_write_state (events, "running", NULL, NULL));
  g_assert_true (lk_events_write_state (events, "running", NULL, NULL));
  g_assert_cmpuint (heard, ==, 2);
}

static gpointer
ask (gpointer data)
{
  const char *const *question = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (question[0]);
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, NULL);
  char answer[256] = "";
  gssize n = 0;

  g_assert_nonnull (connection);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), question[1],
                             strlen (question[1]), NULL, NULL, NULL);
  n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), answer, sizeof answer - 1,
                           NULL, NULL);
  return n > 0 ? g_strdup (answer) : NULL;
}

static void
test_control (void)
{
  static const struct
  {
    const char *line;
    LkRequest request;
  } table[] = {
    { "{\"command\": \"stop\"}\n", LK_REQUEST_STOP },
    { "{\"command\": \"pause\"}\n", LK_REQUEST_PAUSE },
    { "{\"command\": \"resume\"}\n", LK_REQUEST_RESUME },
    { "{\"command\": \"save\"}\n", LK_REQUEST_SAVE },
    { "{\"command\": \"sample\"}\n", LK_REQUEST_SAMPLE },
    { "{\"command\": \"evaluate\"}\n", LK_REQUEST_EVALUATE },
    { "{\"command\": \"dance\"}\n", 0 },
    { "{\"command\": 3}\n", 0 },
    { "[]\n", 0 },
    { "\n", 0 },
  };
  g_autofree char *path = lk_fixture_path ("control.sock");
  g_autoptr (LkControl) control = NULL;

  /* one left by a dead worker is in the way */
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  control = lk_control_new (path, NULL);
  g_assert_nonnull (control);
  g_assert_cmpint (lk_control_poll (control, 0), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      const char *question[] = { path, table[i].line };
      GThread *thread = g_thread_new ("ask", ask, question);
      LkRequest request = lk_control_poll (control, 5000);
      g_autofree char *answer = g_thread_join (thread);

      g_assert_cmpint (request, ==, table[i].request);
      g_assert_nonnull (answer);
      g_assert_nonnull (strstr (answer, table[i].request ? "\"ok\": true" : "\"ok\": false"));
    }
  g_clear_pointer (&control, lk_control_free);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_folder (void)
{
  g_autoptr (LkRecipe) recipe = lk_recipe_new ();
  g_autoptr (LkRunFolder) one = NULL, two = NULL, other = NULL, none = NULL;
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *left = NULL, *name = NULL, *second = NULL;

  lk_recipe_set_name (recipe, "../My mails: 2nd try/");
  one = lk_run_folder_create (NULL, recipe, &error);
  two = lk_run_folder_create (NULL, recipe, &error);
  g_assert_no_error (error);
  name = g_path_get_basename (one->path);
  second = g_path_get_basename (two->path);
  g_assert_true (g_str_has_suffix (name, "-my-mails-2nd-try"));
  g_assert_true (g_str_has_suffix (second, "-my-mails-2nd-try-2"));
  g_assert_null (lk_run_folder_create (one->path, recipe, NULL));
  g_assert_true (lk_run_folder_lock (one, &error));
  other = lk_run_folder_open (one->path, NULL);
  g_assert_false (lk_run_folder_lock (other, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BUSY);
  left = g_build_filename (one->checkpoints, ".step-000004.tmp-ABCDEF", NULL);
  g_assert_cmpint (g_mkdir (left, 0755), ==, 0);
  lk_run_folder_tidy (one, notes);
  g_assert_cmpuint (notes->len, ==, 1);
  g_assert_false (g_file_test (left, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  none = lk_run_folder_open (lk_fixture_folder (), &error);
  g_assert_null (none);
  g_assert_error (error, LK_ERROR, LK_ERROR_NOT_FOUND);
}

static void
test_buckets (void)
{
  static const guint expected[][2] = { { 1, 64 },    { 64, 64 },   { 65, 96 },   { 97, 128 },
                                       { 129, 192 }, { 193, 256 }, { 300, 384 }, { 2000, 2048 } };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpuint (lk_train_bucket (expected[i][0], 4096), ==, expected[i][1]);
  g_assert_cmpuint (lk_train_bucket (900, 1000), ==, 1000);
  g_assert_cmpuint (lk_train_bucket (20, 40), ==, 40);
  for (guint n = 1; n < 5000; n++)
    g_assert_true (lk_train_bucket (n, 5000) >= n && (n < 64 || lk_train_bucket (n, 5000) <= n + n / 2));
}

/* Each example once an epoch, as many in each step; another order in each epoch; the same after a detour. */
static void
test_data_order (void)
{
  g_autoptr (LkRecipe) recipe = lk_fixture_recipe (60, "batch=2 accumulation=3 held-out=0.1");
  g_autoptr (LkModel) model = lk_model_open (lk_fixture_model (), NULL);
  const char *path = lk_fixture_data (60);
  g_autoptr (LkDataset) dataset = lk_dataset_load (&path, 1, NULL);
  g_autoptr (LkTrainData) data = lk_train_data_new (model, dataset, recipe, NULL, NULL, NULL);
  gint64 tokens = 0, targets = 0;
  g_autoptr (GArray) first = NULL, again = NULL;

  g_assert_nonnull (data);
  g_assert_cmpuint (lk_train_data_get_n_train (data), ==, 44);
  g_assert_cmpint (lk_train_data_get_steps_per_epoch (data), ==, 8);
  for (gint64 step = 0; step < 8; step++)
    {
      g_autoptr (GArray) batches = lk_train_data_step (data, step, 256);

      for (guint i = 0; i < batches->len; i++)
        {
          LkTrainBatch *batch = &g_array_index (batches, LkTrainBatch, i);

          g_assert_cmpuint (batch->batch->n, ==, batch->rows * batch->length);
          g_assert_cmpuint (batch->batch->n, <=, 256);
          tokens += batch->tokens;
          targets += batch->batch->n_targets;
        }
    }
  g_assert_cmpint (tokens, ==, lk_train_data_get_tokens (data));
  g_assert_cmpint (targets, ==, lk_train_data_get_targets (data));
  first = lk_train_data_step (data, 3, 256);
  g_array_unref (lk_train_data_step (data, 11, 256));
  again = lk_train_data_step (data, 3, 256);
  g_assert_cmpuint (first->len, ==, again->len);
  g_assert_cmpmem (g_array_index (first, LkTrainBatch, 0).batch->ids, 256,
                   g_array_index (again, LkTrainBatch, 0).batch->ids, 256);
  g_array_unref (again);
  again = lk_train_data_step (data, 3 + 8, 256);
  g_assert_true (first->len != again->len
                 || memcmp (g_array_index (first, LkTrainBatch, 0).batch->ids,
                            g_array_index (again, LkTrainBatch, 0).batch->ids, 256)
                        != 0);
}

/* What fits is found by computing layers twice, then fewer rows; what does not is refused before anything is
 * allocated. */
/* On the processor a model's file is used where it is mapped; weights that are made 4-bit when they are loaded are allocated and count. */
static void
test_memory_of_weights (void)
{
  g_autoptr (LkBackend) backend = lk_backend_new_cpu (1);
  LkAdapterConfig config = { .rank = 4, .alpha = 8, .seed = 1 };
  const LkType types[] = { LK_TYPE_INVALID, LK_TYPE_NF4 };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkModel) model = lk_model_open_as (lk_fixture_model (), types[i], &error);
      g_autoptr (LkAdapter) adapter = lk_adapter_new (model, "adapter", &config, NULL);
      LkTrainStepOptions options = { .model = model, .adapter = adapter, .backend = backend, .length = 128, .recompute_layers = -1 };
      LkTrainPlan plan;
      guint64 allocated;

      g_assert_no_error (error);
      g_assert_true (lk_train_plan_make (&options, &plan, &error));
      allocated = plan.memory.weights - plan.memory.in_place;
      g_test_message ("%u: weights %" G_GUINT64_FORMAT ", in place %" G_GUINT64_FORMAT, i, plan.memory.weights, plan.memory.in_place);
      if (types[i] == LK_TYPE_INVALID)
        g_assert_cmpuint (plan.memory.in_place, >, plan.memory.weights / 2);
      else
        g_assert_cmpuint (allocated, >, plan.memory.weights / 4);
      options.memory_limit = lk_train_plan_total (&plan) - plan.memory.in_place; /* all that is allocated, and not a byte more */
      g_assert_true (lk_train_plan_make (&options, &plan, &error));
      g_assert_cmpuint (plan.recompute_layers, ==, 0);
      options.memory_limit--;
      g_assert_true (lk_train_plan_make (&options, &plan, &error));
      g_assert_cmpuint (plan.recompute_layers, >, 0);
    }
}

static void
test_memory (void)
{
  g_autoptr (LkModel) model = lk_model_open (lk_fixture_model (), NULL);
  g_autoptr (LkBackend) backend = lk_backend_new_cpu (1);
  LkAdapterConfig config = { .rank = 4, .alpha = 8, .seed = 1 };
  g_autoptr (LkAdapter) adapter = lk_adapter_new (model, "adapter", &config, NULL);
  LkTrainStepOptions options
      = { .model = model, .adapter = adapter, .backend = backend, .length = 128, .recompute_layers = -1 };
  g_autoptr (GError) error = NULL;
  LkTrainPlan free_plan, tight, tighter;
  guint n_variables;
  guint64 beside;

  g_assert_true (lk_train_plan_make (&options, &free_plan, &error));
  n_variables = lk_variables_get_n (lk_model_get_variables (model));
  g_assert_cmpuint (free_plan.rows, ==, 4);
  g_assert_cmpuint (free_plan.recompute_layers, ==, 0);
  beside = free_plan.memory.parameters * 3 + free_plan.memory.state + free_plan.memory.inputs;
  options.memory_limit = free_plan.memory.activations + beside - 1;
  g_assert_true (lk_train_plan_make (&options, &tight, &error));
  g_assert_cmpuint (tight.recompute_layers, >, 0);
  g_assert_cmpuint (tight.memory.activations, <, free_plan.memory.activations);
  options.memory_limit = free_plan.memory.activations / 4 + beside;
  g_assert_true (lk_train_plan_make (&options, &tighter, &error));
  g_assert_cmpuint (tighter.rows, <, 4);
  g_assert_cmpuint (lk_variables_get_n (lk_model_get_variables (model)), ==, n_variables); /* planning leaves nothing */
  options.memory_limit = 10000;
  g_assert_false (lk_train_plan_make (&options, &tighter, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "even when every layer is computed twice"));
  g_assert_null (lk_train_step_new (&options, NULL, NULL));
  g_clear_error (&error);
  options.recompute_layers = 0;
  g_assert_false (lk_train_plan_make (&options, &tighter, &error));
  g_assert_nonnull (strstr (error->message, "when 0 of "));
  g_clear_error (&error);
  options.rows = (1 << 25) + 1; /* 2³² tokens and 128 more are not 128 */
  g_assert_false (lk_train_plan_make (&options, &tighter, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
}

/* How the four examples of a step are laid out and cut. */
typedef struct
{
  const char *settings;
  guint rows;    /* computed at once */
  guint cuts;    /* each batch is computed in so many parts */
  guint batches; /* so many it takes */
} LkStepWay;

/* ∂Σ −log p/∂adapter of step 0, before the optimizer; A and B are both such that neither gradient is zero. (transfer full) */
static float *
step_gradient (const LkStepWay *way, gsize *n, guint *positions)
{
  g_autoptr (LkRecipe) recipe = lk_fixture_recipe (40, way->settings);
  g_autoptr (LkModel) model = lk_model_open (lk_fixture_model (), NULL);
  const char *path = lk_fixture_data (40);
  g_autoptr (LkDataset) dataset = lk_dataset_load (&path, 1, NULL);
  g_autoptr (LkTrainData) data = lk_train_data_new (model, dataset, recipe, NULL, NULL, NULL);
  g_autoptr (LkBackend) backend = lk_backend_new_cpu (2);
  LkAdapterConfig config = { .rank = 4, .alpha = 8, .seed = 1 };
  g_autoptr (LkAdapter) adapter = lk_adapter_new (model, "adapter", &config, NULL);
  LkVariable *parameters = lk_adapter_get_parameters (adapter), *gradients = lk_adapter_get_gradients (adapter);
  g_autofree float *values = g_malloc (parameters->bytes);
  float *result = g_malloc (gradients->bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkTrainStep) step = NULL;
  g_autoptr (GArray) batches = NULL;
  LkTrainStepOptions options;

  lk_trainer_step_options (recipe, model, adapter, backend, data, &options);
  options.rows = way->rows;
  step = lk_train_step_new (&options, NULL, &error);
  g_assert_no_error (error);
  g_assert_true ((lk_train_step_get_plan (step)->recompute_layers > 0) == (strstr (way->settings, "recompute=all") != NULL));
  g_assert_cmpuint (lk_train_step_get_plan (step)->rows, ==, way->rows);
  *n = gradients->bytes / sizeof (float);
  for (gsize i = 0; i < *n; i++)
    values[i] = sinf ((float) i * 0.73f) * 0.1f;
  g_assert_true (lk_backend_write (backend, parameters, 0, values, parameters->bytes, &error));
  batches = lk_train_data_step (data, 0, lk_train_step_get_capacity (step) * way->cuts);
  g_assert_true (lk_train_step_begin (step, 0, &error));
  g_assert_cmpuint (batches->len, ==, way->batches);
  *positions = 0;
  for (guint i = 0; i < batches->len; i++)
    {
      LkTrainBatch *batch = &g_array_index (batches, LkTrainBatch, i);

      *positions += batch->rows * batch->length;
      g_assert_true (lk_train_step_add (step, batch->batch, batch->rows, batch->length, &error));
    }
  g_assert_true (lk_backend_read (backend, gradients, 0, result, gradients->bytes, &error));
  return result;
}

/* Rows packed or apart, together or one after the other: the step's gradient is the same sum. */
static void
test_same_gradients (void)
{
  static const LkStepWay ways[] = {
    { "held-out=0 packing=false batch=4 accumulation=1", 4, 1, 1 },
    { "held-out=0 packing=false batch=1 accumulation=4", 1, 1, 4 },
    { "held-out=0 packing=false batch=4 accumulation=1", 1, 4, 1 },
    { "held-out=0 packing=true batch=4 accumulation=1", 4, 1, 1 },
    { "held-out=0 packing=false batch=4 accumulation=1 recompute=all", 4, 1, 1 },
  };
  gsize n;
  guint apart;
  g_autofree float *first = step_gradient (&ways[0], &n, &apart);

  for (guint i = 1; i < G_N_ELEMENTS (ways); i++)
    {
      double difference = 0, norm = 0;
      guint positions;
      gsize m;
      g_autofree float *other = step_gradient (&ways[i], &m, &positions);

      g_assert_cmpuint (m, ==, n);
      for (gsize k = 0; k < n; k++)
        {
          difference += ((double) other[k] - (double) first[k]) * ((double) other[k] - (double) first[k]);
          norm += (double) first[k] * (double) first[k];
        }
      g_test_message ("%s: %u positions, deviates %.1e", ways[i].settings, positions, sqrt (difference / norm));
      g_assert_cmpfloat (norm, >, 0);
      g_assert_cmpfloat (sqrt (difference / norm), <, 1e-5);
      if (strstr (ways[i].settings, "packing=true"))
        g_assert_cmpuint (positions, <, apart); /* they did share a row */
      else
        g_assert_cmpuint (positions, ==, apart);
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_setenv ("XDG_DATA_HOME", lk_fixture_folder (), TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/schedules", test_schedules);
  g_test_add_func ("/train/recipe/round-trip", test_recipe_round_trip);
  g_test_add_func ("/train/recipe/ranges", test_recipe_ranges);
  g_test_add_func ("/train/recipe/files", test_recipe_files);
  g_test_add_func ("/train/recipe/describe", test_describe);
  g_test_add_func ("/train/events/lines", test_events);
  g_test_add_func ("/train/events/full", test_events_full);
  g_test_add_func ("/train/control", test_control);
  g_test_add_func ("/train/folder", test_folder);
  g_test_add_func ("/train/buckets", test_buckets);
  g_test_add_func ("/train/data/order", test_data_order);
  g_test_add_func ("/train/memory", test_memory);
  g_test_add_func ("/train/memory-of-weights", test_memory_of_weights);
  g_test_add_func ("/train/step/same-gradients", test_same_gradients);
  status = g_test_run ();
  lk_fixture_remove ();
  return status;
}
