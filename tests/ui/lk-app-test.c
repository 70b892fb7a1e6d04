/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-app-test.h"

#include <string.h>

#include "lk-file.h"
#include "lk-json.h"

#define WAIT_SECONDS 20

static gboolean
wake_cb (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main loop until @condition holds; fails the test when it does not in time. */
void
lk_test_wait_for (LkTestCondition condition, gpointer data)
{
  gint64 end = g_get_monotonic_time () + WAIT_SECONDS * G_USEC_PER_SEC;
  guint wake = g_timeout_add (20, wake_cb, NULL);

  while (!condition (data))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (wake);
}

char *
lk_test_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("lorikeet-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

void
lk_test_clean (char *folder)
{
  g_autoptr (GError) error = NULL;

  lk_remove_recursively (folder, &error);
  g_assert_no_error (error);
  g_free (folder);
}

char *
lk_test_text_of (gpointer object, const char *property)
{
  char *text = NULL;

  g_object_get (object, property, &text, NULL);
  return text;
}

gboolean
lk_test_is_idle (gpointer data)
{
  gboolean busy = TRUE;

  g_object_get (data, "busy", &busy, NULL);
  return !busy;
}

LkDraft *
lk_test_make_draft (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  LkDraft *draft = lk_draft_new ();
  const char *text
      = "{\"settings\":[{\"name\":\"rank\",\"type\":\"int\",\"default\":16,\"minimum\":1,\"maximum\":256,"
        "\"label\":\"Rank\"},{\"name\":\"learning_rate\",\"type\":\"double\",\"default\":0.0002},"
        "{\"name\":\"schedule\",\"type\":\"choice\",\"default\":\"cosine\",\"choices\":[\"linear\","
        "\"cosine\"]},{\"name\":\"rslora\",\"type\":\"bool\",\"default\":false}]}";

  node = lk_json_parse (text, strlen (text), "test", &error);
  g_assert_no_error (error);
  g_assert_true (lk_draft_load_from_json (draft, node, &error));
  g_assert_no_error (error);
  return draft;
}
