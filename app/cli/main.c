/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lorikeet-cli: the engine on the command line.
 */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lk-cli-changed.h"
#include "lk-command.h"
#include "lk-config.h"

#define LK_COMMAND(name) &lk_command_##name,
static const LkCommand *const commands[] = {
#include "lk-command-list.h"
};

static void
print_help (FILE *stream)
{
  fprintf (stream, "Lorikeet fine-tunes language models on this computer.\n\n"
                   "Usage: lorikeet-cli COMMAND [OPTION…]\n\nCommands:\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
  fprintf (
      stream,
      "\n“lorikeet-cli COMMAND --help” says more.\n\n"
      "Exit codes: %d done, %d failed, %d wrong usage, %d an input that is missing, damaged or unsupported,\n"
      "%d does not fit into memory or on the disk, %d the graphics card failed, %d the run is busy,\n"
      "%d the numbers went out of range, %d interrupted.\n",
      LK_EXIT_OK, LK_EXIT_FAILED, LK_EXIT_USAGE, LK_EXIT_BAD_INPUT, LK_EXIT_NO_ROOM, LK_EXIT_DEVICE,
      LK_EXIT_BUSY, LK_EXIT_NOT_FINITE, LK_EXIT_INTERRUPTED);
}

static int
run_command (int argc, char **argv)
{
  if (argc < 2)
    {
      print_help (stderr);
      return LK_EXIT_USAGE;
    }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "help"))
    {
      print_help (stdout);
      return lk_cli_end_output (LK_EXIT_OK);
    }
  if (g_str_equal (argv[1], "--version"))
    {
      puts ("lorikeet-cli " LK_VERSION);
      return lk_cli_end_output (LK_EXIT_OK);
    }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i]->name, argv[1]))
      return lk_cli_end_output (commands[i]->run (argc - 1, argv + 1));
  return lk_cli_fail_usage ("There is no command “%s”; “lorikeet-cli --help” lists them", argv[1]);
}

/* Each thread that asks for memory has a place of its own to take it from, 64 MiB of address space: not where that is limited. */
static void
be_frugal (void)
{
#ifdef M_ARENA_MAX
  struct rlimit limit;

  if (getrlimit (RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    mallopt (M_ARENA_MAX, 1);
#endif
}

int
main (int argc, char **argv)
{
  int status;

  be_frugal ();
  setlocale (LC_ALL, "");
  /* numbers in JSON and on the command line are never written with a comma */
  setlocale (LC_NUMERIC, "C");
  g_set_prgname ("lorikeet-cli");
  /* a limit on the size of files is an error of the write, which cleans up behind itself, and not the end of the process */
  signal (SIGXFSZ, SIG_IGN);
  lk_cli_watch_files ();
  status = run_command (argc, argv);
  fflush (NULL);
  /* On its way out OpenBLAS waits for threads of its own, which wait for ever for memory where a limit leaves them none. */
  _exit (status);
}
