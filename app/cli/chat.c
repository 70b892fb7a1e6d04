/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lk-cli-model.h"
#include "lk-command.h"
#include "lk-prompt.h"

static char *model_path, *adapter_path, *device, *system_text;
static int context;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "A GGUF file, a model folder or a run; default: the shipped model", "MODEL" },
  { "adapter", 'a', 0, G_OPTION_ARG_FILENAME, &adapter_path, "An adapter folder or a run", "ADAPTER" },
  { "system", 0, 0, G_OPTION_ARG_STRING, &system_text, "The system message", "TEXT" },
  { "context", 0, 0, G_OPTION_ARG_INT, &context, "Tokens of the conversation; default 2048 or the model's",
    "N" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, vulkan or vulkan:N; default auto", "DEVICE" },
  { NULL },
};

typedef struct
{
  LkCliModel cli;
  LkGenerator *generator;
  JsonArray *messages;
  gboolean terminal;
} Chat;

static gboolean
print_piece (const char *text, gpointer data)
{
  fputs (text, stdout);
  fflush (stdout);
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

/* Ctrl-C while nobody computes ends at once; else the answer ends first. */
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
    printf ("/base, /tuned (with or without the adapter), /reset (a new conversation), /quit\n");
  else if (!self->cli.adapter)
    printf ("There is no adapter: this is the base.\n");
  else
    {
      printf (tuned ? "The tuned model answers.\n" : "The base alone answers.\n");
      return lk_generator_set_strength (self->generator, 0, tuned ? 1 : 0, error);
    }
  return TRUE;
}

static gboolean
answer (Chat *self, const char *line, GError **error)
{
  LkGenerateOptions options = { .func = print_piece, .cancellable = lk_cli_cancellable () };
  g_auto (LkGenerated) out = { 0 };
  g_autoptr (GArray) ids = NULL;

  lk_cli_add_message (self->messages, "user", line);
  ids = lk_prompt_from_messages (self->cli.model, self->messages, NULL, error);
  if (!ids)
    return FALSE;
  lk_cli_sampling_fill (&options);
  if (!lk_generator_run (self->generator, (const gint32 *) (void *) ids->data, ids->len, &options, &out,
                         error))
    return FALSE;
  lk_cli_add_message (self->messages, "assistant", out.text->str);
  putchar ('\n');
  fflush (stdout);
  if (out.finish == LK_FINISH_CONTEXT)
    g_printerr ("lorikeet-cli: The answer was cut: the context of %u tokens is full; /reset begins a new "
                "conversation.\n",
                lk_generator_get_context (self->generator));
  if (self->terminal && out.answer_seconds > 0)
    g_printerr ("(%u tokens, %.1f a second)\n", out.ids->len, out.ids->len / (out.answer_seconds + 1e-9));
  if (out.finish != LK_FINISH_CANCELLED)
    return TRUE;
  g_set_error_literal (error, LK_ERROR, LK_ERROR_CANCELLED, "Interrupted");
  return FALSE;
}

static gboolean
talk (Chat *self, GError **error)
{
  g_autofree char *line = NULL;
  size_t room = 0;
  ssize_t n;

  for (;;)
    {
      if (self->terminal)
        {
          fputs ("> ", stdout);
          fflush (stdout);
        }
      g_atomic_int_set (&waiting, TRUE);
      n = getline (&line, &room, stdin);
      g_atomic_int_set (&waiting, FALSE);
      if (n < 0)
        return TRUE;
      line[strcspn (line, "\n")] = 0;
      if (!g_utf8_validate (line, -1, NULL))
        {
          g_set_error_literal (error, LK_ERROR, LK_ERROR_BAD_DATA, "What was written is not UTF-8");
          return FALSE;
        }
      if (line[0] == '/')
        {
          if (!obey (self, line, error))
            return *error == NULL;
        }
      else if (line[0] && !answer (self, line, error))
        return FALSE;
    }
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "",
    .description = "Each line of standard input is a message; the answer comes as it is made. Lines that "
                   "begin with “/” are\n"
                   "commands: /base and /tuned switch the adapter off and on, /reset begins a new "
                   "conversation, /quit or Ctrl-C ends.",
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
  if (lk_cli_model_open (&self.cli, model_path, adapter_path, device, &error))
    {
      make = (LkGeneratorOptions){ self.cli.model, self.cli.backend, &self.cli.adapter,
                                   self.cli.adapter != NULL, (guint) MAX (0, context) };
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
