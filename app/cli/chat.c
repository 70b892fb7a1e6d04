/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-prompt.h"

static char *model_path, *adapter_path, *device, *system_text;
static int context;
static gboolean as_json;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "A GGUF file, a model folder or a run; default: the shipped model", "MODEL" },
  { "adapter", 'a', 0, G_OPTION_ARG_FILENAME, &adapter_path, "An adapter folder or a run", "ADAPTER" },
  { "system", 0, 0, G_OPTION_ARG_STRING, &system_text, "The system message", "TEXT" },
  { "context", 0, 0, G_OPTION_ARG_INT, &context, "Tokens of the conversation; default 2048 or the model's",
    "N" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, vulkan or vulkan:N; default auto", "DEVICE" },
  LK_CLI_BASE_TYPE,
  LK_CLI_PRECISION,
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Each answer as one line of JSON", NULL },
  { NULL },
};

typedef struct
{
  LkCliModel cli;
  LkGenerator *generator;
  JsonArray *messages;
  LkGenerateOptions options;
  gboolean terminal;
} Chat;

static gboolean
print_piece (const char *text, gpointer data)
{
  lk_cli_print_piece (text);
  return TRUE;
}

static void
begin_again (Chat *self)
{
  g_clear_pointer (&self->messages, json_array_unref);
  self->messages = json_array_new ();
  if (system_text)
    lk_cli_add_message (self->messages, "system", system_text);
}

/* Ctrl-C while nobody computes ends the chat; else it ends the answer. */
static gint waiting;

static void
interrupted_cb (GCancellable *cancellable, gpointer data)
{
  if (g_atomic_int_get (&waiting))
    _exit (LK_EXIT_INTERRUPTED);
}

/* "/base", "/tuned", "/reset", "/quit". FALSE: quit. */
static gboolean
obey (Chat *self, const char *command, GError **error)
{
  gboolean tuned = g_str_equal (command, "/tuned");

  if (g_str_equal (command, "/quit"))
    return FALSE;
  if (g_str_equal (command, "/reset"))
    begin_again (self);
  else if (!tuned && !g_str_equal (command, "/base"))
    lk_cli_print ("/base, /tuned (with or without the adapter), /reset (a new conversation), /quit");
  else if (!self->cli.adapter)
    lk_cli_print ("There is no adapter: this is the base.");
  else
    {
      lk_cli_print ("%s", tuned ? "The tuned model answers." : "The base alone answers.");
      return lk_generator_set_strength (self->generator, 0, tuned ? 1 : 0, error);
    }
  return TRUE;
}

static void
take_back_question (Chat *self)
{
  json_array_remove_element (self->messages, json_array_get_length (self->messages) - 1);
}

static void
tell_answer (Chat *self, const LkGenerated *out)
{
  JsonObject *object;

  if (!as_json)
    {
      putchar ('\n');
      fflush (stdout);
      if (self->terminal && out->answer_seconds > 0)
        lk_cli_note ("%u tokens, %.1f a second", out->ids->len, out->ids->len / out->answer_seconds);
      return;
    }
  object = json_object_new ();
  json_object_set_string_member (object, "text", out->text->str);
  json_object_set_string_member (object, "finish", lk_finish_name (out->finish));
  json_object_set_int_member (object, "tokens", out->ids->len);
  json_object_set_int_member (object, "prompt_tokens", out->prompt_tokens);
  json_object_set_double_member (object, "prompt_seconds", out->prompt_seconds);
  json_object_set_double_member (object, "answer_seconds", out->answer_seconds);
  lk_cli_take_json (object);
}

/* An answer somebody stopped is part of the conversation as far as it came. */
static gboolean
answer (Chat *self, const char *line, GError **error)
{
  g_auto (LkGenerated) out = { 0 };
  g_autoptr (GArray) ids = NULL;

  lk_cli_add_message (self->messages, "user", line);
  ids = lk_prompt_from_messages (self->cli.model, self->messages, NULL, error);
  if (!ids
      || !lk_generator_run (self->generator, (const gint32 *) (void *) ids->data, ids->len, &self->options, &out,
                            error))
    {
      take_back_question (self);
      return FALSE;
    }
  tell_answer (self, &out);
  if (out.text->len > 0)
    lk_cli_add_message (self->messages, "assistant", out.text->str);
  else
    take_back_question (self);
  if (out.finish == LK_FINISH_CONTEXT)
    lk_cli_note ("The answer was cut: the context of %u tokens is full; /reset begins a new conversation",
                 lk_generator_get_context (self->generator));
  if (out.finish != LK_FINISH_CANCELLED || lk_cli_take_interrupt ())
    return TRUE;
  g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
  return FALSE;
}

/* NULL at the end of the input. */
static const char *
read_line (Chat *self, char **line, size_t *room)
{
  ssize_t n;

  if (self->terminal)
    {
      fputs ("> ", stdout);
      fflush (stdout);
    }
  g_atomic_int_set (&waiting, TRUE);
  lk_cli_take_interrupt (); /* one that came when the answer had just ended */
  n = getline (line, room, stdin);
  g_atomic_int_set (&waiting, FALSE);
  if (n < 0)
    return NULL;
  (*line)[strcspn (*line, "\r\n")] = 0;
  return *line;
}

/* FALSE without error: somebody wants to quit. */
static gboolean
reply (Chat *self, const char *line, GError **error)
{
  if (!g_utf8_validate (line, -1, NULL))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA, "What was written is not UTF-8");
      return FALSE;
    }
  if (line[0] == '/')
    return obey (self, line, error);
  return !line[0] || answer (self, line, error);
}

/* Whether somebody who sits there can do something about it: ask something else, begin again. */
static gboolean
can_go_on (Chat *self, const GError *error)
{
  static const LkError codes[] = { LK_ERROR_BAD_DATA, LK_ERROR_INVALID_ARGUMENT, LK_ERROR_BAD_FILE };

  for (guint i = 0; self->terminal && i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, LK_ERROR, (int) codes[i]))
      return TRUE;
  return FALSE;
}

static gboolean
talk (Chat *self, GError **error)
{
  g_autofree char *line = NULL;
  size_t room = 0;

  while (read_line (self, &line, &room))
    {
      g_autoptr (GError) local = NULL;

      if (reply (self, line, &local))
        continue;
      if (!local)
        return TRUE;
      if (!can_go_on (self, local))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      lk_cli_fail (local);
    }
  return TRUE;
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "",
    .description = "Each line of standard input is a message; the answer comes as it is made. Lines that "
                   "begin with “/” are\n"
                   "commands: /base and /tuned switch the adapter off and on, /reset begins a new "
                   "conversation, /quit ends.\n"
                   "Ctrl-C stops an answer; where none is being written, it ends the chat.\n"
                   "With --json, a line for each answer: “text”, “finish” (end, stop, length, context, cancelled), “tokens”, and\n"
                   "“prompt_seconds” and “answer_seconds”.",
    .max = 0,
  };
  g_autofree GOptionEntry *all = lk_cli_with_sampling (entries);
  LkCliUsage with_entries = usage;
  Chat self = { .terminal = isatty (STDIN_FILENO) && isatty (STDOUT_FILENO) };
  LkGeneratorOptions make = { .context = 0 };
  g_autoptr (GError) error = NULL;
  int status = LK_EXIT_OK;

  with_entries.entries = all;
  if (!lk_cli_parse (&lk_command_chat, &with_entries, &argc, &argv, &status))
    return status;
  g_cancellable_connect (lk_cli_cancellable (), G_CALLBACK (interrupted_cb), NULL, NULL);
  begin_again (&self);
  if (lk_cli_check_count ("--context", context, 0, &error) && lk_cli_sampling_fill (&self.options, &error)
      && lk_cli_model_open (&self.cli, model_path, adapter_path, device, &error))
    {
      lk_cli_tell_template (self.cli.model);
      self.options.func = as_json ? NULL : print_piece;
      self.options.cancellable = lk_cli_cancellable ();
      make = (LkGeneratorOptions){ self.cli.model, self.cli.backend, &self.cli.adapter,
                                   self.cli.adapter != NULL, (guint) context };
      self.generator = lk_generator_new (&make, &error);
    }
  if (!self.generator || !talk (&self, &error))
    status = lk_cli_fail (error);
  g_clear_pointer (&self.generator, lk_generator_free);
  json_array_unref (self.messages);
  lk_cli_model_clear (&self.cli);
  return status;
}

const LkCommand lk_command_chat = { "chat", "Talk with a model", run };
