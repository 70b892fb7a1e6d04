/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-changed.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lk-command.h"
#include "lk-events.h"
#include "lk-file.h"

static struct sigaction before;
static gint ending;

/* LK_FILE_CHANGED_FORMAT with @name, cut where it is endless, and without what a terminal would obey. */
static void
make_message (char *message, gsize size, const char *name)
{
  static const char format[] = LK_FILE_CHANGED_FORMAT;
  const char *place = strstr (format, "%s");
  gsize head = (gsize) (place - format), tail = sizeof format - head - 2, length = MIN (strlen (name), size - head - tail);

  while (name[length] && ((guchar) name[length] & 0xc0) == 0x80)
    length--;
  memcpy (message, format, head);
  for (gsize i = 0; i < length; i++)
    message[head + i] = (guchar) name[i] < 0x20 || name[i] == 0x7f ? '?' : name[i];
  memcpy (message + head + length, place + 2, tail);
}

/* In any thread, at any moment: nothing but what a handler may do. */
static void
bus_cb (int number, siginfo_t *info, void *context)
{
  const char *name = lk_file_map_find (info->si_addr);
  char message[6144];

  if (!name)
    {
      sigaction (SIGBUS, &before, NULL); /* the access is tried again, and ends the process as it would have */
      return;
    }
  while (!g_atomic_int_compare_and_exchange (&ending, 0, 1))
    pause (); /* another thread is about to end the process */
  make_message (message, sizeof message, name);
  lk_events_write_last (message, "Put the file back as it was: the run can then go on from its last checkpoint.");
  if ((isatty (STDERR_FILENO) && write (STDERR_FILENO, "\r\033[K", 4) < 0) || write (STDERR_FILENO, "lorikeet-cli: ", 14) < 0
      || write (STDERR_FILENO, message, strlen (message)) < 0 || write (STDERR_FILENO, ".\n", 2) < 0)
    _exit (LK_EXIT_BAD_INPUT); /* nobody listens */
  _exit (LK_EXIT_BAD_INPUT);
}

void
lk_cli_watch_files (void)
{
  struct sigaction action = { .sa_sigaction = bus_cb, .sa_flags = SA_SIGINFO };

  sigemptyset (&action.sa_mask);
  sigaction (SIGBUS, &action, &before);
}
