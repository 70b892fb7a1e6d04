/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of lorikeet-cli, one a file, and what they share: parsing of their arguments, one way to fail,
 * lines of JSON in and out, being interrupted.
 *
 * Errors go to standard error as one sentence after "lorikeet-cli: "; the process ends with the code its
 * error asks for (lk_cli_exit_code). What a command answers goes to standard output, nothing else does.
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "lk-error.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  const char *summary;                /* one line for the list */
  int (*run) (int argc, char **argv); /* argv[0] is the name; returns an exit code */
} LkCommand;

extern const LkCommand lk_command_train, lk_command_chat, lk_command_generate, lk_command_eval,
    lk_command_merge, lk_command_export, lk_command_inspect, lk_command_tokenize, lk_command_render,
    lk_command_devices, lk_command_estimate, lk_command_chart, lk_command_bench, lk_command_serve,
    lk_command_pretrain, lk_command_data;

enum
{
  LK_EXIT_OK = 0,
  LK_EXIT_FAILED = 1,
  LK_EXIT_USAGE = 2, /* unknown option, missing argument, a value out of range */
  LK_EXIT_BAD_INPUT
  = 3, /* a file that is missing, damaged, of an unsupported kind, or does not belong to another */
  LK_EXIT_NO_ROOM = 4,    /* memory or disk: it does not fit */
  LK_EXIT_DEVICE = 5,     /* the graphics card */
  LK_EXIT_BUSY = 6,       /* somebody else holds the run */
  LK_EXIT_NOT_FINITE = 7, /* the numbers went out of range */
  LK_EXIT_INTERRUPTED = 130,
};

/* The exit code an error asks for. */
int lk_cli_exit_code (const GError *error);
/* Prints @error (may be NULL: an unknown failure) as a sentence; returns its exit code. Frees nothing. */
int lk_cli_fail (const GError *error);
/* Prints a sentence; returns LK_EXIT_USAGE. */
int lk_cli_fail_usage (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* How a command is called. */
typedef struct
{
  const char *arguments;       /* "MODEL [FILE…]" */
  const char *description;     /* printed by --help below the options; may be NULL */
  const GOptionEntry *entries; /* may be NULL */
  guint min, max;              /* number of arguments that are no options */
} LkCliUsage;

/* Parses options out of argv (in place; argv[1] … are then the arguments). FALSE: the command is over,
 * *status says with which code; the reason has been printed. --help prints and ends the process with 0. */
gboolean lk_cli_parse (const LkCommand *command, const LkCliUsage *usage, int *argc, char ***argv,
                       int *status);

/* A sentence on standard error that is no failure. */
void lk_cli_note (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* @text without what a terminal would obey: control characters but newline and tab, and characters that turn the
 * direction of writing, become U+FFFD. Files from outside hold such. (transfer full) */
char *lk_cli_tame (const char *text);
/* A piece of a model's answer to standard output, flushed: tamed for a terminal, byte for byte elsewhere. */
void lk_cli_print_piece (const char *text);
/* What could not be written to standard output is a failure: the exit code instead of @status. */
int lk_cli_end_output (int status);
/* A count from an option: FALSE when it is below @least. @name as typed: "--rows". */
gboolean lk_cli_check_count (const char *name, gint64 value, gint64 least, GError **error);

/* Whether the option of this name (“rows”, without dashes) was on the command line. After lk_cli_parse. */
gboolean lk_cli_was_given (const char *name);
/* Options that would mean nothing are refused instead of ignored: FALSE when @idle and one of @names, apart by spaces, was given.
 * @why ends the sentence “--rows would mean nothing: ”. */
gboolean lk_cli_check_idle (gboolean idle, const char *names, const char *why, GError **error);

/* Cancelled by the first Ctrl-C, SIGTERM or SIGHUP (a SIGHUP that nohup had ignored stays ignored); another, a second later or
 * more, ends the process. One for the process, never freed. */
GCancellable *lk_cli_cancellable (void);
/* TRUE when it was Ctrl-C that cancelled: the cancellable is as new. */
gboolean lk_cli_take_interrupt (void);

/* One line of JSON to standard output, flushed. (node transfer none) */
void lk_cli_print_json (JsonNode *node);
/* The same for an object, which is freed. (transfer full) */
void lk_cli_take_json (JsonObject *object);
/* For people when standard output is a terminal or a file: the text and a newline. */
void lk_cli_print (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* A line of standard input as an object; *line counts them. NULL without error at the end. Empty lines are
 * skipped. NUL characters in strings, which JSON may hold and C strings cannot, become U+FDD0, as
 * lk_cli_restore_nul undoes. */
typedef struct _LkCliLines LkCliLines;
LkCliLines *lk_cli_lines_new (void);
void lk_cli_lines_free (LkCliLines *self);
JsonObject *lk_cli_lines_next (LkCliLines *self, GError **error);
/* "line 3 of standard input" */
const char *lk_cli_lines_get_place (LkCliLines *self);
/* Bytes of @text with U+FDD0 turned into NUL. */
GString *lk_cli_restore_nul (const char *text);
/* The inverse, for output: lk_cli_print_json writes U+FDD0 as \u0000. (transfer full) */
char *lk_cli_protect_nul (const GString *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkCliLines, lk_cli_lines_free)

G_END_DECLS
