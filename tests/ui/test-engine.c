/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is made of the answers of the engine: chat, export, estimate, inspection.
 */
#include <string.h>
#include <unistd.h>

#include "lk-app-test.h"
#include "lk-chat.h"
#include "lk-chat-turn.h"
#include "lk-conversation.h"
#include "lk-data-job.h"
#include "lk-engine.h"
#include "lk-error.h"
#include "lk-estimate.h"
#include "lk-fit.h"
#include "lk-found-model.h"
#include "lk-export-job.h"
#include "lk-export-name.h"
#include "lk-export-sizes.h"
#include "lk-json.h"
#include "lk-inspection.h"
#include "lk-preview-row.h"

static void
test_chat (void)
{
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) turn = NULL;

  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  g_assert_false (lk_chat_ask (chat, "  "));
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 0);
  g_assert_true (lk_chat_ask (chat, "How do you do?"));
  g_assert_false (lk_chat_ask (chat, "too early"));
  lk_test_wait_for (lk_test_is_idle, chat);
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 1);
  turn = g_list_model_get_item (lk_chat_get_turns (chat), 0);
  g_assert_cmpstr (lk_chat_answer_get_error (lk_chat_turn_get_answer (turn, LK_VOICE_BASE)), ==, NULL);
  g_assert_cmpstr (lk_chat_answer_get_text (lk_chat_turn_get_answer (turn, LK_VOICE_BASE)), ==, "bird the bird of ");
  g_assert_nonnull (strstr (lk_chat_answer_get_text (lk_chat_turn_get_answer (turn, LK_VOICE_TUNED)), "polite"));
}

static LkChatTurn *
turn_at (LkChat *chat, guint position)
{
  return g_list_model_get_item (lk_chat_get_turns (chat), position);
}

static const char *
answer_of (LkChatTurn *turn, LkChatVoice voice)
{
  return lk_chat_answer_get_text (lk_chat_turn_get_answer (turn, voice));
}

/* What the fake engine was asked last by that voice: it writes its requests down. */
static char *
last_request (const char *log, const char *model)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *mark = g_strdup_printf ("\"model\":\"%s\"", model);
  char *found = NULL;

  g_assert_true (g_file_get_contents (log, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], mark) != NULL)
      {
        g_free (found);
        found = g_strdup (lines[i]);
      }
  return found;
}

/* Three voices, one of them hidden; sampling and the system prompt reach the engine, and each voice remembers its own answers. */
static void
test_chat_voices (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *log = g_build_filename (folder, "requests", NULL);
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) first = NULL, second = NULL;
  g_autofree char *tuned = NULL, *base = NULL, *speed = NULL;

  g_setenv ("LK_FAKE_REQUESTS", log, TRUE);
  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  g_assert_false (lk_chat_has_voice (chat, LK_VOICE_PROMPTED)); /* no system prompt yet */
  g_object_set (chat, "system-prompt", "Be a bird.", "temperature", 0.5, "top-k", 7, "min-p", 0.25, "seed", (gint64) 42, "strength",
                0.5, NULL);
  lk_chat_ask (chat, "How do you do?");
  lk_test_wait_for (lk_test_is_idle, chat);
  first = turn_at (chat, 0);
  g_assert_cmpstr (answer_of (first, LK_VOICE_PROMPTED), ==, "I was told: Be a bird. ");
  g_assert_cmpstr (answer_of (first, LK_VOICE_BASE), ==, "bird the bird of ");
  speed = lk_test_text_of (lk_chat_turn_get_answer (first, LK_VOICE_BASE), "speed-text");
  g_assert_cmpstr (speed, ==, "20.0 tokens a second · 30 of 2048 tokens of the context");
  g_object_set (chat, "show-base", FALSE, NULL);
  lk_chat_ask (chat, "And now?");
  lk_test_wait_for (lk_test_is_idle, chat);
  second = turn_at (chat, 1);
  g_assert_cmpstr (answer_of (second, LK_VOICE_BASE), ==, "");
  g_assert_nonnull (strstr (answer_of (second, LK_VOICE_TUNED), "polite"));
  tuned = last_request (log, "tuned");
  g_assert_nonnull (strstr (tuned, "\"adapter_strength\":0.5"));
  g_assert_nonnull (strstr (tuned, "\"top_k\":7"));
  g_assert_nonnull (strstr (tuned, "\"min_p\":0.25"));
  g_assert_nonnull (strstr (tuned, "\"seed\":42"));
  g_assert_null (strstr (tuned, "Be a bird."));
  g_assert_nonnull (strstr (tuned, "A polite answer it is, my friend. \"},{\"role\":\"user\",\"content\":\"And now?\"}"));
  base = last_request (log, "base"); /* the prompted voice: the base alone was hidden */
  g_assert_nonnull (strstr (base, "{\"role\":\"system\",\"content\":\"Be a bird.\"}"));
  g_object_set (chat, "show-prompted", FALSE, "show-tuned", FALSE, NULL);
  g_assert_false (lk_chat_ask (chat, "Nobody is left to ask"));
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 2);
  g_unsetenv ("LK_FAKE_REQUESTS");
  lk_test_clean (folder);
}

/* What was asked with a system prompt is asked again, and kept, with that one, whatever the next question is asked with. */
static void
test_chat_system_prompt (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "answers.jsonl", NULL);
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) first = NULL, again = NULL, next = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *kept = NULL;

  lk_chat_set_models (chat, "/m.gguf", NULL);
  g_object_set (chat, "system-prompt", "Be a bird.", "show-base", FALSE, NULL);
  lk_chat_ask (chat, "Who are you?");
  lk_test_wait_for (lk_test_is_idle, chat);
  first = turn_at (chat, 0);
  g_object_set (chat, "system-prompt", "Be a fish.", NULL);
  kept = lk_test_text_of (first, "system-prompt");
  g_assert_cmpstr (kept, ==, "Be a bird.");
  g_assert_true (lk_chat_add_to_dataset (chat, first, LK_VOICE_PROMPTED, path, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "{\"messages\":[{\"role\":\"system\",\"content\":\"Be a bird.\"}"));
  g_assert_true (lk_chat_ask_instead (chat, first, "Who are you?"));
  lk_test_wait_for (lk_test_is_idle, chat);
  again = turn_at (chat, 0);
  g_assert_cmpstr (answer_of (again, LK_VOICE_PROMPTED), ==, "I was told: Be a bird. ");
  g_object_set (chat, "system-prompt", "", NULL);
  g_assert_true (lk_chat_ask_instead (chat, again, "And what?"));
  lk_test_wait_for (lk_test_is_idle, chat);
  g_assert_false (lk_chat_ask (chat, "Nobody has a system prompt"));
  g_object_set (chat, "system-prompt", "Be a fish.", NULL);
  lk_chat_ask (chat, "And now?");
  lk_test_wait_for (lk_test_is_idle, chat);
  next = turn_at (chat, 1);
  g_assert_cmpstr (answer_of (next, LK_VOICE_PROMPTED), ==, "I was told: Be a fish. ");
  lk_test_clean (folder);
}

/* An answer that its limit or the person ended says so, and is no example; nor is what comes after it. */
static void
test_chat_cut (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "answers.jsonl", NULL);
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) cut = NULL, whole = NULL, stopped = NULL;
  g_autofree char *cut_note = NULL, *no_note = NULL, *stopped_note = NULL;
  g_autoptr (GError) error = NULL;

  lk_chat_set_models (chat, "/m.gguf", NULL);
  g_object_set (chat, "max-tokens", 2, NULL);
  lk_chat_ask (chat, "One");
  lk_test_wait_for (lk_test_is_idle, chat);
  cut = turn_at (chat, 0);
  g_assert_cmpstr (answer_of (cut, LK_VOICE_BASE), ==, "bird the ");
  cut_note = lk_test_text_of (lk_chat_turn_get_answer (cut, LK_VOICE_BASE), "note");
  g_assert_cmpstr (cut_note, ==, "Cut off: it reached the longest answer of the settings.");
  g_assert_false (lk_chat_add_to_dataset (chat, cut, LK_VOICE_BASE, path, &error));
  g_assert_nonnull (strstr (error->message, "This answer is not whole"));
  g_clear_error (&error);
  g_object_set (chat, "max-tokens", 4, NULL);
  lk_chat_ask (chat, "Two");
  lk_test_wait_for (lk_test_is_idle, chat);
  whole = turn_at (chat, 1);
  no_note = lk_test_text_of (lk_chat_turn_get_answer (whole, LK_VOICE_BASE), "note");
  g_assert_null (no_note);
  g_assert_false (lk_chat_add_to_dataset (chat, whole, LK_VOICE_BASE, path, &error));
  g_assert_nonnull (strstr (error->message, "An answer before this one"));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  lk_chat_ask (chat, "Three");
  lk_chat_stop (chat);
  lk_test_wait_for (lk_test_is_idle, chat);
  stopped = turn_at (chat, 2);
  stopped_note = lk_test_text_of (lk_chat_turn_get_answer (stopped, LK_VOICE_BASE), "note");
  g_assert_cmpstr (stopped_note, ==, "Stopped before its end.");
  lk_test_clean (folder);
}

/* A question that is asked otherwise begins a branch; what was answered before comes back with the way to it. */
static void
test_chat_branches (void)
{
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) first = NULL, second = NULL, other = NULL;
  g_autofree char *branch = NULL, *none = NULL;
  gboolean has_adapter = TRUE;

  lk_chat_set_models (chat, "/m.gguf", NULL);
  lk_chat_ask (chat, "One");
  lk_test_wait_for (lk_test_is_idle, chat);
  lk_chat_ask (chat, "Two");
  lk_test_wait_for (lk_test_is_idle, chat);
  first = turn_at (chat, 0);
  second = turn_at (chat, 1);
  g_object_get (chat, "has-adapter", &has_adapter, NULL);
  g_assert_false (has_adapter);
  none = lk_test_text_of (first, "branch-text");
  g_assert_null (none);
  lk_chat_ask_instead (chat, first, "Another one");
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 1);
  other = turn_at (chat, 0);
  lk_chat_switch_branch (chat, other, -1); /* not while it answers */
  g_assert_true (other == g_list_model_get_item (lk_chat_get_turns (chat), 0));
  g_object_unref (other);
  lk_test_wait_for (lk_test_is_idle, chat);
  g_assert_cmpstr (lk_chat_turn_get_question (other), ==, "Another one");
  branch = lk_test_text_of (other, "branch-text");
  g_assert_cmpstr (branch, ==, "2 of 2");
  lk_chat_switch_branch (chat, other, 1); /* there is none behind it */
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 1);
  lk_chat_switch_branch (chat, other, -1);
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (chat)), ==, 2);
  g_assert_true (first == g_list_model_get_item (lk_chat_get_turns (chat), 0));
  g_object_unref (first);
  g_assert_true (second == g_list_model_get_item (lk_chat_get_turns (chat), 1));
  g_object_unref (second);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  *(GPtrArray **) user_data = lk_conversation_list_finish (result, &error);
  g_assert_no_error (error);
}

static gboolean
is_there (gpointer data)
{
  return *(gpointer *) data != NULL;
}

/* The titles of what is found, in one string. */
static char *
list_conversations (const char *folder, const char *words)
{
  GPtrArray *entries = NULL;
  GString *text = g_string_new (NULL);

  lk_conversation_list_async (folder, words, NULL, listed_cb, &entries);
  lk_test_wait_for (is_there, &entries);
  for (guint i = 0; i < entries->len; i++)
    g_string_append_printf (text, "%s;", ((LkConversationEntry *) entries->pdata[i])->title);
  g_ptr_array_unref (entries);
  return g_string_free (text, FALSE);
}

/* What was said is kept with each answer, comes back with its branches, is found by its words and goes away for good. */
static void
test_chat_kept (void)
{
  char *home = lk_test_make_folder ();
  g_autofree char *folder = g_build_filename (home, "conversations", "a", NULL);
  g_autofree char *path = NULL, *branch = NULL, *note = NULL, *found = NULL, *by_answer = NULL, *none = NULL, *gone = NULL;
  g_autofree char *begun = NULL;
  g_autoptr (LkChat) chat = lk_chat_new (), later = lk_chat_new ();
  g_autoptr (LkChatTurn) first = NULL, second = NULL;
  g_autoptr (GError) error = NULL;

  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  g_assert_true (lk_chat_set_folder (chat, folder));
  g_assert_false (lk_chat_set_folder (chat, folder));
  g_object_set (chat, "system-prompt", "Be a bird.", "show-base", FALSE, NULL);
  lk_chat_ask (chat, "Wie geht's, Ümit?");
  lk_test_wait_for (lk_test_is_idle, chat);
  first = turn_at (chat, 0);
  lk_chat_ask_instead (chat, first, "Otherwise");
  lk_test_wait_for (lk_test_is_idle, chat);
  g_object_set (chat, "max-tokens", 2, NULL);
  lk_chat_ask (chat, "And?");
  lk_test_wait_for (lk_test_is_idle, chat);
  path = lk_conversation_find_latest (folder);
  lk_chat_clear (chat);
  lk_chat_ask (chat, "Another one");
  lk_chat_close (chat); /* in the middle of it */

  lk_chat_open (later, path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (later)), ==, 2);
  second = turn_at (later, 1);
  g_assert_cmpstr (lk_chat_turn_get_question (second), ==, "And?");
  g_assert_cmpstr (lk_chat_turn_get_system_prompt (second), ==, "Be a bird.");
  g_assert_cmpstr (answer_of (second, LK_VOICE_TUNED), ==, "Awk! A ");
  note = lk_test_text_of (lk_chat_turn_get_answer (second, LK_VOICE_TUNED), "note");
  g_assert_cmpstr (note, ==, "Cut off: it reached the longest answer of the settings.");
  g_assert_false (lk_chat_answer_was_asked (lk_chat_turn_get_answer (second, LK_VOICE_BASE)));
  branch = lk_test_text_of (lk_chat_turn_get_parent (second), "branch-text");
  g_assert_cmpstr (branch, ==, "2 of 2");

  found = list_conversations (folder, " ÜMIT");
  g_assert_cmpstr (found, ==, "Wie geht's, Ümit?;");
  by_answer = list_conversations (folder, "polite answer");
  g_assert_cmpstr (by_answer, ==, "Wie geht's, Ümit?;");
  none = list_conversations (folder, "never said");
  g_assert_cmpstr (none, ==, "");
  begun = list_conversations (folder, "another");
  g_assert_cmpstr (begun, ==, "Another one;");
  g_assert_true (lk_chat_delete (later, path, &error));
  g_assert_cmpuint (g_list_model_get_n_items (lk_chat_get_turns (later)), ==, 0);
  gone = list_conversations (folder, "");
  g_assert_cmpstr (gone, ==, "Another one;");
  lk_test_clean (home);
}

/* What is no conversation is said with file and place, and leaves what is in view. */
static void
test_chat_damaged (void)
{
  static const struct
  {
    const char *text, *error;
  } cases[] = {
    { "", "holds no conversation" },
    { "{\"conversation\":2}\n", "line 1 is no conversation" },
    { "[]\n", "line 1 is no conversation" },
    { "{\"conversation\":1,\"view\":0}\n", "holds no conversation" },
    { "{\"conversation\":1,\"view\":0}\n{\"parent\":0,\"question\":\"x\"}\n", "line 2 is no turn" },
    { "{\"conversation\":1,\"view\":0}\n{\"parent\":-1}\n", "line 2 is no turn" },
    { "{\"conversation\":1,\"view\":0}\n{\"parent\":-1,\"question\":\"x\",\"answers\":7}\n", "line 2" },
    { "{\"conversation\":1,\"view\":0}\n{\"parent\":-1,\"question\":\"x\",\"answers\":{\"base\":{\"text\":1}}}\n", "line 2" },
    { "{\"conversation\":1,\"view\":9}\n{\"parent\":-1,\"quest", "line 2" },
  };
  char *home = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (home, "x.jsonl", NULL);
  g_autofree char *listed = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LkChat) chat = lk_chat_new ();
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents (path, cases[i].text, -1, NULL));
      g_assert_false (lk_chat_open (chat, path, &error));
      g_assert_nonnull (strstr (error->message, cases[i].error));
      g_assert_nonnull (strstr (error->message, "x.jsonl"));
    }
  listed = list_conversations (home, "");
  g_assert_cmpstr (listed, ==, "");
  lk_test_clean (home);
}

/* An answer becomes an example, with all that led to it. */
static void
test_chat_collect (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "answers.jsonl", NULL);
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) turn = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  lk_chat_ask (chat, "Who \"are\" you?");
  lk_test_wait_for (lk_test_is_idle, chat);
  turn = turn_at (chat, 0);
  g_assert_true (lk_chat_add_to_dataset (chat, turn, LK_VOICE_BASE, path, &error));
  g_assert_true (lk_chat_add_to_dataset (chat, turn, LK_VOICE_TUNED, path, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==,
                   "{\"messages\":[{\"role\":\"user\",\"content\":\"Who \\\"are\\\" you?\"},"
                   "{\"role\":\"assistant\",\"content\":\"bird the bird of \"}]}\n"
                   "{\"messages\":[{\"role\":\"user\",\"content\":\"Who \\\"are\\\" you?\"},"
                   "{\"role\":\"assistant\",\"content\":\"Awk! A polite answer it is, my friend. \"}]}\n");
  g_assert_false (lk_chat_add_to_dataset (chat, turn, LK_VOICE_BASE, folder, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);

  /* also when the branch is not in view any more */
  lk_chat_ask_instead (chat, turn, "And you?");
  lk_test_wait_for (lk_test_is_idle, chat);
  g_assert_true (lk_chat_add_to_dataset (chat, turn, LK_VOICE_BASE, path, &error));
  g_assert_no_error (error);
  g_clear_pointer (&text, g_free);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_suffix (text, "\"content\":\"bird the bird of \"}]}\n"));
  g_assert_null (strstr (text, "And you?"));
  lk_test_clean (folder);
}

static void
test_chat_without_engine (void)
{
  g_autofree char *cli = g_strdup (g_getenv ("LORIKEET_CLI"));
  g_autoptr (LkChat) chat = lk_chat_new ();
  g_autoptr (LkChatTurn) turn = NULL;

  g_setenv ("LORIKEET_CLI", "/bin/false", TRUE);
  lk_chat_set_models (chat, "/m.gguf", "/adapter");
  lk_chat_ask (chat, "How do you do?");
  lk_test_wait_for (lk_test_is_idle, chat);
  g_setenv ("LORIKEET_CLI", cli, TRUE);
  turn = g_list_model_get_item (lk_chat_get_turns (chat), 0);
  g_assert_cmpstr (lk_chat_answer_get_error (lk_chat_turn_get_answer (turn, LK_VOICE_TUNED)), ==,
                   "The engine ended: its exit code was 1.");
}

static void
called_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError **error = user_data;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, error);

  g_assert_true ((node == NULL) == (*error != NULL));
  if (*error == NULL)
    g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED, "answered");
}

static gboolean
is_set (gpointer data)
{
  return *(GError **) data != NULL;
}

/* Whoever asks takes the answer for an object: what is none is an error, as what is no JSON is. */
static void
test_odd_answers (void)
{
  static const struct
  {
    const char *answer, *words;
  } cases[] = { { "{}", "answered" }, { "[1]", "not what was asked for" }, { "null", "not what was asked for" }, { "{", "the engine's answer" },
              { "", "the engine's answer" } };
  const char *arguments[] = { "inspect", NULL };
  g_autofree char *cli = g_strdup (g_getenv ("LORIKEET_CLI"));
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "engine", NULL);

  g_setenv ("LORIKEET_CLI", path, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *script = g_strdup_printf ("#!/bin/sh\necho '%s'\n", cases[i].answer);
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents_full (path, script, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0700, NULL));
      lk_engine_call_async (arguments, NULL, called_cb, &error);
      lk_test_wait_for (is_set, &error);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
  g_setenv ("LORIKEET_CLI", cli, TRUE);
  lk_test_clean (folder);
}

static gboolean
is_exported (gpointer data)
{
  gboolean running = TRUE;

  g_object_get (data, "running", &running, NULL);
  return !running;
}

/* What the engine says of sizes is known by format and type; how to use what was exported follows from what it is. */
static void
test_export_sizes (void)
{
  static const struct
  {
    const char *format, *path, *base, *modelfile, *command;
    guint rank;
  } cases[] = {
    { "gguf", "/x/My mails.gguf", NULL, NULL, "llama-cli -cnv -m '/x/My mails.gguf'" },
    { "gguf", "/x/My mails.gguf", NULL, "/x/My mails.Modelfile", "ollama create my-mails -f '/x/My mails.Modelfile' && ollama run my-mails" },
    { "hf", "/x/a", NULL, NULL, "vllm serve /x/a" },
    { "adapter", "/x/a", "/m/base", NULL, "vllm serve /m/base --enable-lora --lora-modules tuned=/x/a" },
    { "adapter", "/x/a", "/m/base", NULL, "vllm serve /m/base --enable-lora --lora-modules tuned=/x/a", 16 },
    { "adapter", "/x/a", "/m/base", NULL, "vllm serve /m/base --enable-lora --lora-modules tuned=/x/a --max-lora-rank 32", 17 },
    { "adapter", "/x/a", "/m/base", NULL, "vllm serve /m/base --enable-lora --lora-modules tuned=/x/a --max-lora-rank 256", 200 },
    { "adapter", "/x/a", "/m/base", NULL, NULL, 513 },
    { "adapter", "/x/a", "/m/base.gguf", NULL, NULL },
    { "lora-gguf", "/x/a.gguf", "/m/base.gguf", NULL, "llama-cli -cnv -m /m/base.gguf --lora /x/a.gguf" },
    { "lora-gguf", "/x/a.gguf", "/m/base", NULL, NULL },
  };
  static const char answer[] = "{\"sizes\": [{\"format\": \"gguf\", \"type\": \"Q8_0\", \"bytes\": 12}, {\"format\": \"adapter\", "
                               "\"bytes\": 3}, 7, {\"format\": \"hf\"}]}";
  g_autoptr (LkExportSizes) sizes = lk_export_sizes_new ();
  g_autoptr (JsonNode) node = lk_json_parse (answer, strlen (answer), "test", NULL);

  lk_export_sizes_take_answer (sizes, json_node_get_object (node));
  g_assert_cmpint (lk_export_sizes_get (sizes, "gguf", "Q8_0"), ==, 12);
  g_assert_cmpint (lk_export_sizes_get (sizes, "gguf", "F16"), ==, -1);
  g_assert_cmpint (lk_export_sizes_get (sizes, "adapter", NULL), ==, 3);
  g_assert_cmpint (lk_export_sizes_get (sizes, "hf", NULL), ==, -1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *command = lk_export_make_command (cases[i].format, cases[i].path, cases[i].base, cases[i].modelfile, cases[i].rank);

      g_assert_cmpstr (command, ==, cases[i].command);
    }
}

/* A name that nothing has yet, nor the Modelfile beside it. */
static void
test_export_name (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *taken = g_build_filename (folder, "_mine-s.gguf", NULL);
  g_autofree char *second = g_build_filename (folder, "_mine-s 2.gguf", NULL);
  g_autofree char *third = g_build_filename (folder, "_mine-s 3.gguf", NULL);
  g_autofree char *modelfile = lk_export_name_modelfile (second);
  g_autofree char *free_name = lk_export_name_choose (folder, "-mine/s", ".gguf", TRUE);
  g_autofree char *beside = NULL, *alone = NULL, *with = NULL;

  g_assert_cmpstr (free_name, ==, taken);
  g_assert_true (g_str_has_suffix (modelfile, "/_mine-s 2.Modelfile"));
  g_assert_cmpint (symlink ("/nowhere", taken), ==, 0);
  beside = lk_export_name_choose (folder, "-mine/s", ".gguf", TRUE);
  g_assert_cmpstr (beside, ==, second);
  g_assert_true (g_file_set_contents (modelfile, "FROM x", -1, NULL));
  alone = lk_export_name_choose (folder, "-mine/s", ".gguf", FALSE);
  g_assert_cmpstr (alone, ==, second);
  with = lk_export_name_choose (folder, "-mine/s", ".gguf", TRUE);
  g_assert_cmpstr (with, ==, third);
  lk_test_clean (folder);
}

static void
test_export (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "model.gguf", NULL);
  g_autoptr (LkExportJob) job = lk_export_job_new ();
  g_autoptr (LkExportJob) failing = lk_export_job_new ();
  g_autofree char *verdict = NULL;
  g_autofree char *error = NULL;
  gboolean done = FALSE;

  lk_export_job_start (job, &(LkExportWish){ .run = "/run", .format = "gguf", .type = "F16", .path = path });
  lk_test_wait_for (is_exported, job);
  g_object_get (job, "done", &done, "verdict", &verdict, NULL);
  g_assert_true (done);
  g_assert_nonnull (strstr (verdict, "answers as the trained model does"));
  lk_export_job_start (failing, &(LkExportWish){ .run = "/run", .format = "gguf", .type = "F16", .path = "/nowhere/at/all.gguf" });
  lk_test_wait_for (is_exported, failing);
  g_object_get (failing, "done", &done, "error", &error, NULL);
  g_assert_false (done);
  g_assert_nonnull (strstr (error, "No such file"));
  lk_test_clean (folder);
}

static void
job_told_cb (LkDataJob *job)
{
  if (lk_data_job_is_running (job) && lk_data_job_get_fraction (job) > 0)
    lk_data_job_cancel (job);
}

static void
job_ended_cb (LkDataJob *job, gboolean well, gpointer data)
{
  *(int *) data = well ? 1 : -1;
}

static gboolean
has_ended (gpointer data)
{
  return *(int *) data != 0;
}

/* A job ends once, with the engine's own words where it failed; cancelled by who hears of its progress it says nothing more. */
static void
test_data_job (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "model.gguf", NULL);
  const char *good[] = { "export", "/run", "--format", "gguf", "-o", path, NULL };
  const char *bad[] = { "export", "/run", "--format", "gguf", "-o", "/nowhere/at/all.gguf", NULL };
  g_autoptr (LkDataJob) job = lk_data_job_new ();
  g_autoptr (LkDataJob) dropped = lk_data_job_new ();
  int ended = 0, heard = 0;

  g_signal_connect (dropped, "notify::fraction", G_CALLBACK (job_told_cb), NULL);
  g_signal_connect (dropped, "ended", G_CALLBACK (job_ended_cb), &heard);
  lk_data_job_start (dropped, good);
  g_signal_connect (job, "ended", G_CALLBACK (job_ended_cb), &ended);
  lk_data_job_start (job, bad);
  lk_test_wait_for (has_ended, &ended);
  g_assert_cmpint (ended, ==, -1);
  g_assert_nonnull (strstr (lk_data_job_get_error (job), "No such file"));
  ended = 0;
  lk_data_job_start (job, good);
  lk_test_wait_for (has_ended, &ended);
  g_assert_cmpint (ended, ==, 1);
  g_assert_null (lk_data_job_get_error (job));
  g_assert_cmpstr (lk_data_job_get_path (job), ==, path);
  g_assert_false (lk_data_job_is_running (dropped));
  g_assert_cmpfloat (lk_data_job_get_fraction (dropped), >, 0);
  g_assert_cmpint (heard, ==, 0);
  lk_test_clean (folder);
}

static gboolean
is_estimated (gpointer data)
{
  gboolean known = FALSE;

  g_object_get (data, "known", &known, NULL);
  return known;
}

static gboolean
is_too_large (gpointer data)
{
  gboolean known = FALSE, fits = TRUE;

  g_object_get (data, "known", &known, "fits", &fits, NULL);
  return known && !fits;
}

static void
test_estimate (void)
{
  g_autoptr (LkDraft) draft = lk_test_make_draft ();
  g_autoptr (LkEstimate) estimate = lk_estimate_new (draft);
  g_autofree char *fits = NULL;
  g_autofree char *too_large = NULL;

  lk_draft_set_model (draft, "/m.gguf");
  lk_draft_set_data (draft, "/d.jsonl");
  lk_test_wait_for (is_estimated, estimate);
  fits = lk_test_text_of (estimate, "memory-text");
  g_assert_true (g_str_has_prefix (fits, "Fits: needs 96.4"));
  lk_option_set_value (lk_draft_find (draft, "rank"), "256");
  lk_test_wait_for (is_too_large, estimate);
  too_large = lk_test_text_of (estimate, "memory-text");
  g_assert_true (g_str_has_prefix (too_large, "Does not fit"));
}

static void
assert_fit (const char *methods, const char *words, gboolean trains)
{
  g_autofree char *text = g_strdup_printf ("{\"methods\":[%s]}", methods);
  g_autoptr (JsonNode) node = lk_json_parse (text, strlen (text), "test", NULL);
  g_autofree char *is = lk_fit_words (json_node_get_object (node));

  g_assert_cmpstr (is, ==, words);
  g_assert_cmpint (lk_fit_can_train (json_node_get_object (node)), ==, trains);
}

static void
test_fit (void)
{
#define CHAT "{\"method\":\"chat\",\"total_bytes\":14200000,\"fits\":true}"
#define QLORA(fits) ",{\"method\":\"qlora\",\"total_bytes\":4000000000,\"fits\":" fits "}"
  assert_fit ("", NULL, FALSE);
  assert_fit ("1,[],{\"method\":5}", NULL, FALSE);
  assert_fit (CHAT QLORA ("true"), "Fits here for: chat 14.2\u00a0MB, QLoRA 4.0\u00a0GB", TRUE);
  assert_fit (CHAT QLORA ("false"), "Fits here for: chat 14.2\u00a0MB. Too large for: QLoRA 4.0\u00a0GB", FALSE);
  assert_fit ("{\"method\":\"lora\",\"total_bytes\":9000000000,\"fits\":false}", "Too large here for: LoRA 9.0\u00a0GB", FALSE);
}

static void
set_true_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

static gboolean
says_fit (gpointer data)
{
  g_autofree char *subtitle = lk_test_text_of (data, "subtitle");

  return subtitle != NULL && strstr (subtitle, "Too large for") != NULL;
}

/* What the library and New Fine-Tune say below a model's facts. */
static void
test_fit_line (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "tiny.gguf", NULL);
  g_autoptr (LkInspection) inspection = lk_inspection_new ();
  g_autoptr (LkFoundModel) model = lk_found_model_new (LK_PLACE_OWN, path, NULL);
  g_autofree char *chosen = NULL, *found = NULL;
  gboolean done = FALSE;

  g_assert_true (g_file_set_contents (path, "GGUF", -1, NULL));
  lk_inspection_look_at_model (inspection, path);
  lk_test_wait_for (says_fit, inspection);
  chosen = lk_test_text_of (inspection, "subtitle");
  lk_found_model_look (model, set_true_cb, &done);
  lk_test_wait_for (is_true, &done);
  found = lk_test_text_of (model, "subtitle");
  g_assert_cmpstr (chosen, ==, found);
  g_assert_true (g_str_has_suffix (found, "\nFits here for: chat 14.2\u00a0MB, QLoRA 90.0\u00a0MB. Too large for: LoRA 190.0\u00a0MB"));
  lk_test_clean (folder);
}

static void
test_inspection (void)
{
  char *folder = lk_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "birds.jsonl", NULL);
  g_autoptr (LkInspection) inspection = lk_inspection_new ();
  g_autoptr (LkPreviewRow) row = NULL;
  g_autofree char *subtitle = NULL;
  g_autofree char *problems = NULL;
  g_autofree char *error = NULL;
  const LkPreviewSpan *spans;
  guint n = 0;

  g_file_set_contents (path, "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a\"}\n", -1, NULL);
  lk_inspection_look_at_data (inspection, path, NULL);
  lk_test_wait_for (lk_test_is_idle, inspection);
  subtitle = lk_test_text_of (inspection, "subtitle");
  problems = lk_test_text_of (inspection, "problems-title");
  g_assert_cmpstr (subtitle, ==, "1 example · prompt and completion");
  g_assert_cmpstr (problems, ==, "1 row cannot be used");
  g_assert_cmpuint (g_list_model_get_n_items (lk_inspection_get_rows (inspection)), ==, 1);
  row = g_list_model_get_item (lk_inspection_get_rows (inspection), 0);
  spans = lk_preview_row_get_spans (row, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (spans[0].end, >, spans[0].start);
  lk_inspection_look_at_data (inspection, "/nowhere.jsonl", NULL);
  lk_test_wait_for (lk_test_is_idle, inspection);
  error = lk_test_text_of (inspection, "error");
  g_assert_cmpstr (error, ==, "“/nowhere.jsonl” does not exist.");
  lk_test_clean (folder);
}

void
lk_test_add_engine (void)
{
  g_test_add_func ("/app/odd-answers", test_odd_answers);
  g_test_add_func ("/app/estimate", test_estimate);
  g_test_add_func ("/app/fit/words", test_fit);
  g_test_add_func ("/app/fit/line", test_fit_line);
  g_test_add_func ("/app/inspection", test_inspection);
  g_test_add_func ("/app/chat", test_chat);
  g_test_add_func ("/app/chat/voices", test_chat_voices);
  g_test_add_func ("/app/chat/system-prompt", test_chat_system_prompt);
  g_test_add_func ("/app/chat/cut", test_chat_cut);
  g_test_add_func ("/app/chat/kept", test_chat_kept);
  g_test_add_func ("/app/chat/damaged", test_chat_damaged);
  g_test_add_func ("/app/chat/branches", test_chat_branches);
  g_test_add_func ("/app/chat/collect", test_chat_collect);
  g_test_add_func ("/app/chat/no-engine", test_chat_without_engine);
  g_test_add_func ("/app/export/name", test_export_name);
  g_test_add_func ("/app/export", test_export);
  g_test_add_func ("/app/export-sizes", test_export_sizes);
  g_test_add_func ("/app/data-job", test_data_job);
}
