/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-command.h"

#include <gio/gunixinputstream.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lk-json.h"

/* U+FDD0, a noncharacter: no text holds it on purpose. */
#define NUL_STANDS "\xef\xb7\x90"

static int
exit_code_of_lk_error (int code)
{
  static const guint8 codes[] = {
    [LK_ERROR_FAILED] = LK_EXIT_FAILED,          [LK_ERROR_BAD_FILE] = LK_EXIT_BAD_INPUT,
    [LK_ERROR_BAD_DATA] = LK_EXIT_BAD_INPUT,     [LK_ERROR_UNSUPPORTED] = LK_EXIT_BAD_INPUT,
    [LK_ERROR_NOT_FOUND] = LK_EXIT_BAD_INPUT,    [LK_ERROR_MISMATCH] = LK_EXIT_BAD_INPUT,
    [LK_ERROR_INVALID_ARGUMENT] = LK_EXIT_USAGE, [LK_ERROR_NO_SPACE] = LK_EXIT_NO_ROOM,
    [LK_ERROR_OUT_OF_MEMORY] = LK_EXIT_NO_ROOM,  [LK_ERROR_DEVICE] = LK_EXIT_DEVICE,
    [LK_ERROR_DEVICE_LOST] = LK_EXIT_DEVICE,     [LK_ERROR_BUSY] = LK_EXIT_BUSY,
    [LK_ERROR_CANCELLED] = LK_EXIT_INTERRUPTED,  [LK_ERROR_NOT_FINITE] = LK_EXIT_NOT_FINITE,
  };

  return code >= 0 && code < (int) G_N_ELEMENTS (codes) ? codes[code] : LK_EXIT_FAILED;
}

int
lk_cli_exit_code (const GError *error)
{
  if (!error)
    return LK_EXIT_FAILED;
  if (error->domain == LK_ERROR)
    return exit_code_of_lk_error (error->code);
  if (error->domain == G_OPTION_ERROR)
    return LK_EXIT_USAGE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return LK_EXIT_INTERRUPTED;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE)
      || g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
    return LK_EXIT_NO_ROOM;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
      || g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return LK_EXIT_BAD_INPUT;
  return LK_EXIT_FAILED;
}

static gboolean
turns_direction (gunichar c)
{
  return (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x61c;
}

char *
lk_cli_tame (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_sized_new (strlen (valid));

  for (const char *p = valid; *p; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gboolean harmless = c == '\n' || c == '\t' || !(g_unichar_iscntrl (c) || turns_direction (c));

      g_string_append_unichar (out, harmless ? c : 0xfffd);
    }
  return g_string_free (out, FALSE);
}

/* One line, ending like a sentence. */
static void
complain (const char *message)
{
  g_autofree char *line = lk_cli_tame (message);
  gsize n;

  g_strdelimit (line, "\n\r", ' ');
  g_strchomp (line);
  n = strlen (line);
  fflush (stdout);
  fprintf (stderr, "lorikeet-cli: %s%s\n", line, n > 0 && strchr (".!?)", line[n - 1]) ? "" : ".");
}

int
lk_cli_fail (const GError *error)
{
  complain (error && error->message && error->message[0] ? error->message : "It failed and did not say why");
  return lk_cli_exit_code (error);
}

int
lk_cli_fail_usage (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  complain (message);
  return LK_EXIT_USAGE;
}

void
lk_cli_note (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  complain (message);
}

gboolean
lk_cli_check_count (const char *name, gint64 value, gint64 least, GError **error)
{
  if (value >= least)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               "%s must be at least %" G_GINT64_FORMAT "; %" G_GINT64_FORMAT " is not", name, least, value);
  return FALSE;
}

static GPtrArray *given; /* names of options on the command line, borrowed from their entries */

static const GOptionEntry *
find_entry (const GOptionEntry *entries, const char *name, gsize length, char letter)
{
  for (; entries && entries->long_name; entries++)
    if (letter ? entries->short_name == letter : strlen (entries->long_name) == length && strncmp (entries->long_name, name, length) == 0)
      return entries;
  return NULL;
}

static gboolean
takes_value (const GOptionEntry *entry)
{
  return entry->arg != G_OPTION_ARG_NONE && !(entry->arg == G_OPTION_ARG_CALLBACK && (entry->flags & G_OPTION_FLAG_NO_ARG));
}

/* One word of the command line; TRUE: the next one is its value. */
static gboolean
note_option (const GOptionEntry *entries, const char *word)
{
  const char *name = word + 2;
  const GOptionEntry *entry = NULL;

  if (g_str_has_prefix (word, "--"))
    {
      entry = find_entry (entries, name, strcspn (name, "="), 0);
      if (entry)
        g_ptr_array_add (given, (gpointer) entry->long_name);
      return entry && takes_value (entry) && !strchr (name, '=');
    }
  for (const char *letter = word + 1; *letter; letter++)
    {
      entry = find_entry (entries, NULL, 0, *letter);
      if (!entry)
        return FALSE;
      g_ptr_array_add (given, (gpointer) entry->long_name);
      if (takes_value (entry))
        return !letter[1];
    }
  return FALSE;
}

static void
note_options (const GOptionEntry *entries, int argc, char **argv)
{
  given = g_ptr_array_new ();
  for (int i = 1; i < argc && !g_str_equal (argv[i], "--"); i++)
    if (argv[i][0] == '-' && argv[i][1] && note_option (entries, argv[i]))
      i++;
}

gboolean
lk_cli_was_given (const char *name)
{
  return g_ptr_array_find_with_equal_func (given, name, g_str_equal, NULL);
}

gboolean
lk_cli_check_idle (gboolean idle, const char *names, const char *why, GError **error)
{
  g_auto (GStrv) all = g_strsplit (names, " ", -1);

  for (guint i = 0; idle && all[i]; i++)
    if (lk_cli_was_given (all[i]))
      {
        g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "--%s would mean nothing: %s", all[i], why);
        return FALSE;
      }
  return TRUE;
}

/* An option that takes a text got other bytes: names the first argument like that, and what stands before it. */
static int
fail_not_utf8 (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (!g_utf8_validate (argv[i], -1, NULL))
      {
        g_autofree char *shown = g_utf8_make_valid (argv[i], -1);

        return lk_cli_fail_usage ("The argument “%s” behind “%s” is not valid UTF-8", shown, argv[i - 1]);
      }
  return lk_cli_fail_usage ("An argument is not valid UTF-8");
}

gboolean
lk_cli_parse (const LkCommand *command, const LkCliUsage *usage, int *argc, char ***argv, int *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (usage->arguments);
  g_autofree char *program = g_strconcat ("lorikeet-cli ", command->name, NULL);
  g_autofree char *summary = g_strconcat (command->summary, ".", NULL);
  g_autoptr (GError) error = NULL;

  g_set_prgname (program);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, usage->description);
  if (usage->entries)
    g_option_context_add_main_entries (context, usage->entries, NULL);
  note_options (usage->entries, *argc, *argv);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      *status = error->domain == G_CONVERT_ERROR ? fail_not_utf8 (*argc, *argv) : lk_cli_fail (error);
      return FALSE;
    }
  /* "--" ends the options; GOption leaves it where it separated something */
  if (*argc > 1 && g_str_equal ((*argv)[1], "--"))
    {
      memmove (*argv + 1, *argv + 2, (gsize) (*argc - 1) * sizeof (char *));
      (*argc)--;
    }
  if ((guint) *argc - 1 < usage->min || (guint) *argc - 1 > usage->max)
    {
      *status = lk_cli_fail_usage ("“lorikeet-cli %s” is called as: lorikeet-cli %s %s", command->name,
                                   command->name, usage->arguments);
      return FALSE;
    }
  return TRUE;
}

static GCancellable *the_cancellable;
static int signal_pipe[2];
static gint last_signal; /* 0: none since the cancellable was new */

/* Any thread may get the signal, those of libraries too: all that is done here is safe anywhere. */
static void
signal_cb (int signal_number)
{
  int saved_errno = errno;
  char byte = (char) signal_number;

  if (write (signal_pipe[1], &byte, 1) < 0)
    _exit (LK_EXIT_INTERRUPTED);
  errno = saved_errno;
}

/* A second signal within this time says the same again: timeout and other programs signal a process and then its whole group. Later
 * it is impatience. */
#define SAME_WISH_US (G_USEC_PER_SEC)

static gpointer
watch_signals (gpointer data)
{
  gint64 first = 0;
  char byte;

  for (;;)
    {
      while (read (signal_pipe[0], &byte, 1) < 0 && errno == EINTR)
        ;
      if (g_atomic_int_compare_and_exchange (&last_signal, 0, byte))
        first = g_get_monotonic_time ();
      else if (g_get_monotonic_time () - first >= SAME_WISH_US)
        _exit (LK_EXIT_INTERRUPTED);
      g_cancellable_cancel (the_cancellable);
    }
  return NULL;
}

gboolean
lk_cli_take_interrupt (void)
{
  if (g_atomic_int_get (&last_signal) != SIGINT)
    return FALSE;
  g_cancellable_reset (the_cancellable);
  g_atomic_int_set (&last_signal, 0);
  return TRUE;
}

GCancellable *
lk_cli_cancellable (void)
{
  struct sigaction action = { .sa_handler = signal_cb, .sa_flags = SA_RESTART }, before;
  GThread *thread;

  if (the_cancellable)
    return the_cancellable;
  the_cancellable = g_cancellable_new ();
  if (g_unix_open_pipe (signal_pipe, FD_CLOEXEC, NULL))
    {
      sigemptyset (&action.sa_mask);
      thread = g_thread_try_new ("signals", watch_signals, NULL, NULL);
      if (!thread)
        {
          lk_cli_note ("There is not enough memory to begin.");
          _exit (LK_EXIT_NO_ROOM); /* exit would wait for OpenBLAS */
        }
      g_thread_unref (thread);
      sigaction (SIGINT, &action, NULL);
      sigaction (SIGTERM, &action, NULL);
      if (sigaction (SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction (SIGHUP, &action, NULL);
    }
  return the_cancellable;
}

static int output_errno; /* of the first write to standard output that failed; 0: none */

static void
flush_output (void)
{
  errno = 0;
  if ((fflush (stdout) != 0 || ferror (stdout)) && output_errno == 0)
    output_errno = errno ? errno : EIO;
}

/* Nobody is told where it was the reader who went away. */
int
lk_cli_end_output (int status)
{
  flush_output ();
  if (output_errno == 0 || output_errno == EPIPE || status != LK_EXIT_OK)
    return status;
  lk_cli_note ("Could not write the answer: %s", g_strerror (output_errno));
  return output_errno == ENOSPC || output_errno == EDQUOT || output_errno == EFBIG ? LK_EXIT_NO_ROOM : LK_EXIT_FAILED;
}

void
lk_cli_print_json (JsonNode *node)
{
  g_autofree char *text = lk_json_to_string (node, FALSE);
  g_auto (GStrv) parts = g_strsplit (text, NUL_STANDS, -1);
  g_autofree char *line = g_strjoinv ("\\u0000", parts);

  puts (line);
  flush_output ();
}

void
lk_cli_take_json (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  lk_cli_print_json (node);
}

void
lk_cli_print (const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *tame = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  tame = lk_cli_tame (text);
  puts (tame);
  flush_output (); /* who follows a run through a pipe sees each line when it is said */
}

void
lk_cli_print_piece (const char *text)
{
  g_autofree char *tame = isatty (STDOUT_FILENO) ? lk_cli_tame (text) : NULL;

  fputs (tame ? tame : text, stdout);
  flush_output ();
}

struct _LkCliLines
{
  GDataInputStream *stream;
  guint line;
  char *place;
};

LkCliLines *
lk_cli_lines_new (void)
{
  LkCliLines *self = g_new0 (LkCliLines, 1);
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);

  self->stream = g_data_input_stream_new (input);
  g_data_input_stream_set_newline_type (self->stream, G_DATA_STREAM_NEWLINE_TYPE_LF);
  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (self->stream), 1 << 16);
  return self;
}

void
lk_cli_lines_free (LkCliLines *self)
{
  g_object_unref (self->stream);
  g_free (self->place);
  g_free (self);
}

const char *
lk_cli_lines_get_place (LkCliLines *self)
{
  return self->place;
}

/* \u0000 → U+FDD0, but not where the backslash is itself escaped. */
static GString *
hide_nul (const char *line, gsize size)
{
  GString *out = g_string_sized_new (size);

  for (gsize i = 0; i < size;)
    if (line[i] != '\\' || i + 1 >= size)
      g_string_append_c (out, line[i++]);
    else if (size - i >= 6 && memcmp (line + i, "\\u0000", 6) == 0)
      {
        g_string_append (out, NUL_STANDS);
        i += 6;
      }
    else
      {
        g_string_append_len (out, line + i, 2);
        i += 2;
      }
  return out;
}

JsonObject *
lk_cli_lines_next (LkCliLines *self, GError **error)
{
  gsize size = 0;
  g_autofree char *line = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) local = NULL;

  do
    {
      g_free (line);
      line = g_data_input_stream_read_line (self->stream, &size, NULL, &local);
      if (!line)
        {
          if (local)
            g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
      self->line++;
    }
  while (strspn (line, " \t\r") == size);

  g_free (self->place);
  self->place = g_strdup_printf ("line %u of standard input", self->line);
  g_autoptr (GString) shown = hide_nul (line, size);
  node = lk_json_parse (shown->str, shown->len, self->place, error);
  if (!node)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: a JSON object was expected", self->place);
      return NULL;
    }
  return json_node_dup_object (node);
}

GString *
lk_cli_restore_nul (const char *text)
{
  GString *out = g_string_new (NULL);
  const char *found;

  while ((found = strstr (text, NUL_STANDS)))
    {
      g_string_append_len (out, text, found - text);
      g_string_append_c (out, 0);
      text = found + strlen (NUL_STANDS);
    }
  g_string_append (out, text);
  return out;
}

char *
lk_cli_protect_nul (const GString *text)
{
  GString *out = g_string_sized_new (text->len);

  for (gsize i = 0; i < text->len; i++)
    if (text->str[i])
      g_string_append_c (out, text->str[i]);
    else
      g_string_append (out, NUL_STANDS);
  return g_string_free (out, FALSE);
}
