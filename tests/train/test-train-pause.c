/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A pause that gives the memory back changes no number; a run can be made longer, and can begin with what another one
 * has learned.
 */
#include <gio/gunixsocketaddress.h>
#include <math.h>
#include <string.h>

#include "lk-error.h"
#include "lk-json.h"
#include "lk-train-fixture.h"

/* Pauses a run after step 2, and lets it go on, or ends it, as soon as it says that it is paused. */
typedef struct
{
  LkRunFolder *folder;
  GThread *thread;
  guint setups, releases, releases_at_pause;
  gboolean asked, stops; /* @stops: it is ended instead of going on */
} Pauser;

typedef struct
{
  char *socket;
  const char *command;
} Request;

static gpointer
send_command (gpointer data)
{
  Request *request = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (request->socket);
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, NULL);

  g_assert_nonnull (connection);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request->command,
                             strlen (request->command), NULL, NULL, NULL);
  g_free (request->socket);
  g_free (request);
  return NULL;
}

static void
ask (Pauser *self, const char *command)
{
  Request *request = g_new (Request, 1);

  *request = (Request){ g_strdup (self->folder->socket), command };
  g_clear_pointer (&self->thread, g_thread_join);
  self->thread = g_thread_new ("pauser", send_command, request);
}

static void
pause_once (JsonObject *event, gpointer data)
{
  Pauser *self = data;
  const char *name = json_object_get_string_member (event, "event");

  if (g_str_equal (name, "step") && !self->asked && lk_json_peek_int (event, "step", 0) == 2)
    {
      self->asked = TRUE;
      ask (self, "{\"command\": \"pause\"}\n");
      /* sent, not answered: it waits for the next look at the socket */
      g_clear_pointer (&self->thread, g_thread_join);
    }
  if (g_str_equal (name, "state") && g_str_equal (lk_json_peek_string (event, "state", ""), "paused"))
    {
      self->releases_at_pause = self->releases;
      ask (self, self->stops ? "{\"command\": \"stop\"}\n" : "{\"command\": \"resume\"}\n");
    }
}

static gboolean
setup (LkModel *model, LkAdapter *adapter, LkBackend *backend, gpointer data, GError **error)
{
  ((Pauser *) data)->setups++;
  return TRUE;
}

static void
release (gpointer data)
{
  ((Pauser *) data)->releases++;
}

static char *
answer (JsonArray *messages, gpointer data, GError **error)
{
  return g_strdup ("yes");
}

static void
check_pause (const char *settings)
{
  g_autoptr (LkRunFolder) whole = lk_fixture_run (40, settings), paused = lk_fixture_run (40, settings);
  Pauser pauser = { .folder = paused };
  g_auto (LkFixtureRun) first = LK_FIXTURE_RUN_INIT;
  g_auto (LkFixtureRun) second = { .stop_after = -1, .on_event = pause_once, .data = &pauser, .setup = setup,
                                   .release = release, .sample = answer };

  g_assert_true (lk_fixture_train (whole, FALSE, &first));
  g_assert_true (lk_fixture_train (paused, FALSE, &second));
  g_clear_pointer (&pauser.thread, g_thread_join);
  g_assert_cmpint (second.outcome, ==, LK_OUTCOME_FINISHED);
  g_assert_cmpuint (pauser.releases_at_pause, ==, 1);
  g_assert_cmpuint (pauser.setups, ==, 2);
  g_assert_cmpuint (lk_fixture_count (&second, "resume"), ==, 1);
  g_assert_cmpuint (lk_fixture_count (&second, "step"), ==, lk_fixture_count (&first, "step"));
  lk_fixture_assert_same (whole, paused, "adapter/last/adapter_model.safetensors");
}

static void
test_pause (void)
{
  check_pause ("steps=6 learning-rate=0.01 dropout=0.1");
}

/* With nothing in memory any more, the end of a paused run is the checkpoint the pause began with. */
static void
test_stop (void)
{
  const char *settings = "steps=6 learning-rate=0.01 dropout=0.1";
  g_autoptr (LkRunFolder) whole = lk_fixture_run (40, settings), paused = lk_fixture_run (40, settings);
  Pauser pauser = { .folder = paused, .stops = TRUE };
  g_auto (LkFixtureRun) first = LK_FIXTURE_RUN_INIT, third = LK_FIXTURE_RUN_INIT;
  g_auto (LkFixtureRun) second = { .stop_after = -1, .on_event = pause_once, .data = &pauser, .setup = setup,
                                   .release = release, .sample = answer };

  g_assert_true (lk_fixture_train (whole, FALSE, &first));
  g_assert_true (lk_fixture_train (paused, FALSE, &second));
  g_clear_pointer (&pauser.thread, g_thread_join);
  g_assert_cmpint (second.outcome, ==, LK_OUTCOME_STOPPED);
  g_assert_cmpuint (pauser.setups, ==, 1);
  g_assert_cmpuint (lk_fixture_count (&second, "step"), ==, 2);
  g_assert_true (lk_fixture_train (paused, TRUE, &third));
  lk_fixture_assert_same (whole, paused, "adapter/last/adapter_model.safetensors");
}

/* What the device holds is given back and comes back the same. */
static void
test_pause_gpu (void)
{
  g_autoptr (LkBackend) backend = lk_backend_new ("vulkan", NULL);

  if (backend == NULL)
    {
      g_test_skip ("There is no Vulkan device");
      return;
    }
  check_pause ("steps=4 learning-rate=0.01 device=vulkan");
}

static void
test_longer (void)
{
  g_autoptr (LkRunFolder) folder = lk_fixture_run (40, "steps=3 learning-rate=0.01");
  g_autoptr (LkRecipe) recipe = lk_recipe_load (folder->recipe, NULL);
  g_auto (LkFixtureRun) run = LK_FIXTURE_RUN_INIT;
  g_autoptr (GError) error = NULL;

  g_assert_true (lk_fixture_train (folder, FALSE, &run));
  g_assert_cmpint (lk_json_peek_int (lk_fixture_last (&run, "step"), "step", 0), ==, 3);
  g_clear_pointer (&recipe, lk_recipe_free);
  recipe = lk_recipe_load (folder->recipe, &error);
  g_assert_no_error (error);
  g_assert_true (lk_recipe_set (recipe, LK_SETTING_STEPS, "5", NULL));
  g_assert_true (lk_recipe_save (recipe, folder->recipe, NULL));
  g_assert_true (lk_fixture_train (folder, TRUE, &run));
  g_assert_cmpint (lk_json_peek_int (lk_fixture_last (&run, "step"), "step", 0), ==, 5);
  g_assert_cmpuint (lk_fixture_count (&run, "step"), ==, 5);
}

/* A run that begins with another one's adapter begins at that one's loss; another rank is refused by name. */
static void
test_continue_from (void)
{
  g_autoptr (LkRunFolder) one = lk_fixture_run (60, "epochs=6 learning-rate=0.02");
  g_autoptr (LkRunFolder) two = lk_fixture_run (60, "steps=2 learning-rate=0.0001");
  g_autoptr (LkRunFolder) three = lk_fixture_run (60, "steps=2 rank=4");
  g_autofree char *adapter = g_build_filename (one->adapters, "last", NULL);
  g_auto (LkFixtureRun) first = LK_FIXTURE_RUN_INIT, second = LK_FIXTURE_RUN_INIT, third = LK_FIXTURE_RUN_INIT;
  LkRunFolder *others[] = { two, three };
  JsonObject *begin = NULL;
  double before, after;

  g_assert_true (lk_fixture_train (one, FALSE, &first));
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (LkRecipe) recipe = lk_recipe_load (others[i]->recipe, NULL);

      lk_recipe_set_adapter (recipe, adapter);
      g_assert_true (lk_recipe_save (recipe, others[i]->recipe, NULL));
    }
  g_assert_true (lk_fixture_train (two, FALSE, &second));
  for (guint i = 0; i < second.lines->len && begin == NULL; i++)
    if (g_str_equal (json_object_get_string_member (g_ptr_array_index (second.lines, i), "event"), "eval"))
      begin = g_ptr_array_index (second.lines, i);
  after = lk_json_peek_double (lk_fixture_last (&first, "eval"), "loss", NAN);
  before = lk_json_peek_double (begin, "loss", NAN);
  g_assert_cmpfloat_with_epsilon (before, after, 1e-4);
  g_assert_false (lk_fixture_train (three, FALSE, &third));
  g_assert_error (third.error, LK_ERROR, LK_ERROR_MISMATCH);
  g_assert_nonnull (strstr (third.error->message, "“rank” is 4"));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/pause/same", test_pause);
  g_test_add_func ("/train/pause/stop", test_stop);
  g_test_add_func ("/train/pause/same-gpu", test_pause_gpu);
  g_test_add_func ("/train/pause/longer", test_longer);
  g_test_add_func ("/train/pause/continue-from", test_continue_from);
  status = g_test_run ();
  lk_fixture_remove ();
  return status;
}
