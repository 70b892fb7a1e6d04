/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-conversation.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-paths.h"
#include "lk-words.h"

#define SUFFIX ".jsonl"
#define VERSION 1
#define LIMIT (64 * 1024 * 1024)
#define MAX_TURNS 100000

static JsonObject *
answers_to_json (LkChatTurn *turn)
{
  JsonObject *answers = json_object_new ();

  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    {
      LkChatAnswer *answer = lk_chat_turn_get_answer (turn, voice);
      JsonObject *object;

      if (!lk_chat_answer_was_asked (answer))
        continue;
      object = json_object_new ();
      json_object_set_string_member (object, "text", lk_chat_answer_get_text (answer));
      json_object_set_string_member (object, "end", lk_answer_end_name (lk_chat_answer_get_end (answer)));
      if (lk_chat_answer_get_error (answer) != NULL)
        json_object_set_string_member (object, "error", lk_chat_answer_get_error (answer));
      json_object_set_object_member (answers, lk_chat_voice_name (voice), object);
    }
  return answers;
}

static void
append_line (GString *text, JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *line = NULL;

  json_node_take_object (node, object);
  line = lk_json_to_string (node, FALSE);
  g_string_append_printf (text, "%s\n", line);
}

static gint64
position_of (GPtrArray *turns, LkChatTurn *turn)
{
  guint position;

  return turn != NULL && g_ptr_array_find (turns, turn, &position) ? (gint64) position : -1;
}

gboolean
lk_conversation_save (const char *path, GPtrArray *turns, LkChatTurn *view, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  JsonObject *head = json_object_new ();

  json_object_set_int_member (head, "conversation", VERSION);
  json_object_set_int_member (head, "view", position_of (turns, view));
  append_line (text, head);
  for (guint i = 0; i < turns->len; i++)
    {
      LkChatTurn *turn = turns->pdata[i];
      JsonObject *line = json_object_new ();

      json_object_set_int_member (line, "parent", position_of (turns, lk_chat_turn_get_parent (turn)));
      json_object_set_string_member (line, "question", lk_chat_turn_get_question (turn));
      if (lk_chat_turn_get_system_prompt (turn) != NULL)
        json_object_set_string_member (line, "system_prompt", lk_chat_turn_get_system_prompt (turn));
      json_object_set_object_member (line, "answers", answers_to_json (turn));
      append_line (text, line);
    }
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), folder);
  return lk_file_write (path, text->str, (gssize) text->len, error);
}

static gboolean
read_answers (LkChatTurn *turn, JsonObject *line, const char *where, GError **error)
{
  JsonObject *answers = NULL;

  if (!lk_json_get_object (line, "answers", where, &answers, error))
    return FALSE;
  for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
    {
      LkChatAnswer *answer = lk_chat_turn_get_answer (turn, voice);
      JsonObject *object = NULL;
      const char *text = "", *end = "", *failure = NULL;

      if (answers != NULL && !lk_json_get_object (answers, lk_chat_voice_name (voice), where, &object, error))
        return FALSE;
      if (object == NULL)
        {
          lk_chat_answer_skip (answer);
          continue;
        }
      if (!lk_json_get_string (object, "text", where, &text, error) || !lk_json_get_string (object, "end", where, &end, error)
          || !lk_json_get_string (object, "error", where, &failure, error))
        return FALSE;
      lk_chat_answer_append (answer, text);
      lk_chat_answer_finish_as (answer, lk_answer_end_from_name (end), failure);
    }
  return TRUE;
}

/* One more turn of @turns from a line. */
static gboolean
read_turn (GPtrArray *turns, JsonObject *line, const char *where, GError **error)
{
  g_autoptr (LkChatTurn) turn = NULL;
  const char *question = NULL, *system_prompt = NULL;
  gint64 parent = -1;

  if (!lk_json_get_int (line, "parent", where, &parent, error) || !lk_json_get_string (line, "question", where, &question, error)
      || !lk_json_get_string (line, "system_prompt", where, &system_prompt, error))
    return FALSE;
  if (question == NULL || parent < -1 || parent >= turns->len || turns->len >= MAX_TURNS)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, _ ("%s is no turn of a conversation"), where);
      return FALSE;
    }
  turn = lk_chat_turn_new (parent >= 0 ? turns->pdata[parent] : NULL, question, system_prompt);
  if (!read_answers (turn, line, where, error))
    return FALSE;
  g_ptr_array_add (turns, g_steal_pointer (&turn));
  return TRUE;
}

static gboolean
read_line (GPtrArray *turns, const char *path, const char *begin, gsize size, guint number, gint64 *view, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  g_autofree char *where = g_strdup_printf (_ ("“%s”, line %u"), name, number);
  g_autoptr (JsonNode) node = lk_json_parse (begin, size, where, error);
  JsonObject *object = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (node == NULL)
    return FALSE;
  if (object == NULL || (number == 1 && lk_json_peek_int (object, "conversation", 0) != VERSION))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, _ ("%s is no conversation of this program"), where);
      return FALSE;
    }
  return number == 1 ? lk_json_get_int (object, "view", where, view, error) : read_turn (turns, object, where, error);
}

GPtrArray *
lk_conversation_load (const char *path, LkChatTurn **view, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_read (path, LIMIT, error);
  g_autoptr (GPtrArray) turns = g_ptr_array_new_with_free_func (g_object_unref);
  gsize size = 0;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  gint64 at = -1;
  guint number = 0;

  if (bytes == NULL)
    return NULL;
  for (gsize begin = 0, length; begin < size; begin += length + 1)
    {
      const char *end = memchr (text + begin, '\n', size - begin);

      length = end != NULL ? (gsize) (end - (text + begin)) : size - begin;
      if (!read_line (turns, path, text + begin, length, ++number, &at, error))
        return NULL;
    }
  if (turns->len == 0)
    {
      g_autofree char *name = g_filename_display_name (path);

      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, _ ("“%s” holds no conversation"), name);
      return NULL;
    }
  *view = turns->pdata[at >= 0 && at < turns->len ? at : turns->len - 1];
  return g_steal_pointer (&turns);
}

static void
entry_free (gpointer data)
{
  LkConversationEntry *entry = data;

  g_free (entry->path);
  g_free (entry->title);
  g_free (entry);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const LkConversationEntry *left = *(const LkConversationEntry *const *) a, *right = *(const LkConversationEntry *const *) b;

  /* names begin with when they were made */
  return left->changed != right->changed ? (left->changed < right->changed ? 1 : -1) : -strcmp (left->path, right->path);
}

/* Without titles. */
static GPtrArray *
list_files (const char *folder)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func (entry_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *leaf;

  while (dir != NULL && (leaf = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, leaf, NULL);
      LkConversationEntry *entry;
      GStatBuf info;

      if (leaf[0] == '.' || !g_str_has_suffix (leaf, SUFFIX) || g_stat (path, &info) != 0)
        continue;
      entry = g_new0 (LkConversationEntry, 1);
      entry->path = g_steal_pointer (&path);
      entry->changed = info.st_mtime;
      g_ptr_array_add (entries, entry);
    }
  g_ptr_array_sort (entries, compare);
  return entries;
}

static gboolean
holds (const char *text, const char *folded)
{
  g_autofree char *own = g_utf8_casefold (text, -1);

  return strstr (own, folded) != NULL;
}

static gboolean
matches (GPtrArray *turns, const char *folded)
{
  for (guint i = 0; i < turns->len; i++)
    {
      if (holds (lk_chat_turn_get_question (turns->pdata[i]), folded))
        return TRUE;
      for (LkChatVoice voice = 0; voice < LK_N_VOICES; voice++)
        if (holds (lk_chat_answer_get_text (lk_chat_turn_get_answer (turns->pdata[i], voice)), folded))
          return TRUE;
    }
  return FALSE;
}

typedef struct
{
  char *folder, *folded;
} Wanted;

static void
wanted_free (gpointer data)
{
  Wanted *wanted = data;

  g_free (wanted->folder);
  g_free (wanted->folded);
  g_free (wanted);
}

static void
list_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  const Wanted *wanted = task_data;
  GPtrArray *entries = list_files (wanted->folder);

  for (guint i = 0; i < entries->len && !g_cancellable_is_cancelled (cancellable);)
    {
      LkConversationEntry *entry = entries->pdata[i];
      g_autoptr (GError) error = NULL;
      LkChatTurn *view;
      g_autoptr (GPtrArray) turns = lk_conversation_load (entry->path, &view, &error);

      if (turns == NULL)
        g_debug ("not listed: %s", error->message);
      if (turns == NULL || !matches (turns, wanted->folded))
        g_ptr_array_remove_index (entries, i);
      else
        {
          entry->title = lk_words_shorten (lk_chat_turn_get_question (turns->pdata[0]), 60);
          i++;
        }
    }
  g_task_return_pointer (task, entries, (GDestroyNotify) g_ptr_array_unref);
}

void
lk_conversation_list_async (const char *folder, const char *words, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autofree char *stripped = g_strstrip (g_strdup (words != NULL ? words : ""));
  Wanted *wanted = g_new0 (Wanted, 1);

  wanted->folder = g_strdup (folder);
  wanted->folded = g_utf8_casefold (stripped, -1);
  g_task_set_task_data (task, wanted, wanted_free);
  g_task_run_in_thread (task, list_thread);
}

GPtrArray *
lk_conversation_list_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

char *
lk_conversation_find_latest (const char *folder)
{
  g_autoptr (GPtrArray) entries = list_files (folder);

  return entries->len > 0 ? g_strdup (((LkConversationEntry *) entries->pdata[0])->path) : NULL;
}

char *
lk_conversation_folder (const char *subject)
{
  g_autofree char *home = lk_paths_get_conversations_dir ();
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, subject, -1);

  hash[32] = 0;
  return g_build_filename (home, hash, NULL);
}

char *
lk_conversation_new_path (const char *folder)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%S");
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *leaf = g_strdup_printf ("%s-%.8s" SUFFIX, time, uuid);

  return g_build_filename (folder, leaf, NULL);
}
