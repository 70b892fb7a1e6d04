/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A graphics card that is lost, hangs or has no more memory in the middle of a run: the run finishes, says what happened, and where the way
 * it computes stayed the same its files are, bit for bit, those of a run that nothing disturbed. With LK_THOROUGH=1 at every allocation
 * and every submission of twenty steps, else at a few places.
 */
#include <math.h>
#include <string.h>

#include "lk-gpu-device.h"
#include "lk-json.h"
#include "lk-train-fixture.h"

#define COMMON "device=vulkan eval-interval=2 learning-rate=0.01 rank=4 "
#define SHORT COMMON "steps=2 checkpoint-interval=1 samples=0"
#define LONG COMMON "steps=20 checkpoint-interval=6 samples=1"
#define ROWS 12
#define MOST_STEPS 20

/* What events.jsonl tells, with what was told again in the place of what was told before. */
typedef struct
{
  double losses[MOST_STEPS + 1];
  guint n_faults, n_recoveries, n_resumes, n_plans;
  gint64 rows, recompute; /* of the last plan */
  char *state, *warning;  /* the last ones */
} Story;

static void
story_clear (Story *self)
{
  g_free (self->state);
  g_free (self->warning);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Story, story_clear)

static void
story_add (Story *self, JsonObject *event)
{
  const char *name = json_object_get_string_member (event, "event");

  if (g_str_equal (name, "step"))
    self->losses[lk_json_peek_int (event, "step", 0)] = json_object_get_double_member (event, "loss");
  self->n_resumes += g_str_equal (name, "resume");
  if (g_str_equal (name, "plan"))
    {
      self->n_plans++;
      self->rows = lk_json_peek_int (event, "tokens_at_once", 0);
      self->recompute = lk_json_peek_int (event, "recompute_layers", -1);
    }
  if (g_str_equal (name, "warning") && strstr (json_object_get_string_member (event, "message"), "(VK_"))
    {
      self->n_faults++;
      self->n_recoveries += strstr (json_object_get_string_member (event, "message"), "The run ") != NULL;
      g_free (self->warning);
      self->warning = g_strdup (json_object_get_string_member (event, "message"));
    }
  if (g_str_equal (name, "state"))
    {
      g_free (self->state);
      self->state = g_strdup (json_object_get_string_member (event, "state"));
    }
}

static void
read_story (LkRunFolder *folder, Story *story)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  *story = (Story){ .losses = { 0 } };
  g_assert_true (g_file_get_contents (folder->events, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      {
        g_autoptr (JsonNode) node = lk_json_parse (lines[i], strlen (lines[i]), "event", NULL);

        g_assert_nonnull (node);
        story_add (story, json_node_get_object (node));
      }
}

/* A worker of its own, as faults are counted over a process. (transfer full) */
static LkRunFolder *
train (const char *settings, const char *fault, gint *status, Story *story)
{
  LkRunFolder *folder = lk_fixture_run (ROWS, settings);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  if (fault)
    g_subprocess_launcher_setenv (launcher, "LK_GPU_FAULT", fault, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, g_getenv ("LK_CLI"), "train", folder->path, NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
  g_assert_true (g_subprocess_get_if_exited (process)); /* it never crashes */
  *status = g_subprocess_get_exit_status (process);
  read_story (folder, story);
  return folder;
}

static gboolean
have_device (void)
{
  const LkDeviceChoice choice = { LK_DEVICE_WANT_VULKAN, -1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGpuDevice) device = lk_gpu_device_new (&choice, LK_GPU_DEFAULT, &error);

  if (!device)
    g_test_skip (error->message);
  return device != NULL;
}

typedef struct
{
  const char *settings, *last; /* the last checkpoint's moments */
  LkRunFolder *folder;
  Story story;
} Undisturbed;

static void
undisturbed_init (Undisturbed *self, const char *settings, const char *last)
{
  gint status;

  *self = (Undisturbed){ .settings = settings, .last = last };
  self->folder = train (settings, NULL, &status, &self->story);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (self->story.n_faults, ==, 0);
}

/* How many of the faults were met: those beyond the end of the run are not. */
static guint
check_fault (Undisturbed *self, const char *fault)
{
  g_auto (Story) story = { 0 };
  gint status;
  g_autoptr (LkRunFolder) folder = train (self->settings, fault, &status, &story);
  gboolean same;

  g_test_message ("%s: %u plans, %s", fault, story.n_plans, story.warning ? story.warning : "nothing was said");
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (story.state, ==, "finished");
  same = story.rows == self->story.rows && story.recompute == self->story.recompute;
  if (!strstr (fault, "allocation"))
    g_assert_true (same);
  for (guint i = 1; i <= MOST_STEPS; i++)
    if (same)
      g_assert_cmpfloat (story.losses[i], ==, self->story.losses[i]);
    else
      g_assert_cmpfloat (fabs (story.losses[i] - self->story.losses[i]), <=, 1e-3 * self->story.losses[i]);
  if (same)
    {
      lk_fixture_assert_same (folder, self->folder, "adapter/last/adapter_model.safetensors");
      lk_fixture_assert_same (folder, self->folder, "adapter/best/adapter_model.safetensors");
      lk_fixture_assert_same (folder, self->folder, self->last);
    }
  g_assert_cmpuint (story.n_resumes, ==, story.n_recoveries); /* what only samples want costs the samples, not the run */
  return story.n_faults;
}

static void
test_some (void)
{
  Undisturbed whole;

  if (!have_device ())
    return;
  undisturbed_init (&whole, SHORT, "checkpoints/step-000002/optimizer.safetensors");
  g_assert_cmpuint (check_fault (&whole, "allocation:2"), ==, 1);        /* while it gets ready */
  g_assert_cmpuint (check_fault (&whole, "submission:1,wait:5"), ==, 2); /* twice in the same run */
  story_clear (&whole.story);
  lk_run_folder_free (whole.folder);
}

/* A card that never has the memory, or that stays lost: the run ends, and says so once for each way it tried. */
static void
test_for_good (void)
{
  static const struct
  {
    const char *fault;
    guint least, most; /* recoveries: the ways there are, or the losses that are borne */
  } kinds[] = { { "allocation:1+", 0, 24 }, { "allocation:4+", 0, 24 }, { "submission:3+", 4, 4 } };

  if (!have_device ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_auto (Story) story = { 0 };
      gint status;
      g_autoptr (LkRunFolder) folder = train (SHORT, kinds[i].fault, &status, &story);

      g_test_message ("%s: %u plans, %u recoveries, %s", kinds[i].fault, story.n_plans, story.n_recoveries, story.warning ? story.warning : "no warning");
      g_assert_nonnull (folder);
      g_assert_cmpint (status, !=, 0);
      g_assert_cmpstr (story.state, ==, "failed");
      g_assert_cmpuint (story.n_recoveries, >=, kinds[i].least);
      g_assert_cmpuint (story.n_recoveries, <=, kinds[i].most);
    }
}

static void
test_everywhere (void)
{
  static const struct
  {
    const char *name;
    guint least; /* places: a step submits once at least */
  } kinds[] = { { "allocation", 3 }, { "submission", 20 } };
  Undisturbed whole;

  if (g_strcmp0 (g_getenv ("LK_THOROUGH"), "1") != 0)
    {
      g_test_skip ("Every place is for builds with -Dthorough=true");
      return;
    }
  if (!have_device ())
    return;
  undisturbed_init (&whole, LONG, "checkpoints/step-000020/optimizer.safetensors");
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      guint n = 0, met = 1;

      while (met > 0)
        {
          g_autofree char *fault = g_strdup_printf ("%s:%u", kinds[k].name, ++n);

          met = check_fault (&whole, fault);
        }
      g_test_message ("each of %u, %s", n - 1, kinds[k].name);
      g_assert_cmpuint (n, >, kinds[k].least);
    }
  story_clear (&whole.story);
  lk_run_folder_free (whole.folder);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/recover/some", test_some);
  g_test_add_func ("/train/recover/for-good", test_for_good);
  g_test_add_func ("/train/recover/everywhere", test_everywhere);
  status = g_test_run ();
  lk_fixture_remove ();
  return status;
}
