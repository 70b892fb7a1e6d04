/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What must be settled before the libraries begin.
 *
 * OpenBLAS starts a thread for each processor when it is loaded, before main; they are never used, as its products run on the
 * engine's own threads. Where a limit of address space leaves no room for their stacks it ends the process by a signal, or, where
 * that signal is ignored, waits for ever at the end. It reads its environment first, so the process begins again with one
 * that asks for a single thread: what does not fit is then said by the engine.
 */
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ONE_THREAD "OPENBLAS_NUM_THREADS=1"
#define MOST_VARIABLES 4096

/* Runs before the constructors of shared libraries, libc's and the sanitizers' among them: nothing here but system calls and strings. */
__attribute__ ((no_sanitize ("address", "undefined"))) static void
begin_frugally (int argc, char **argv, char **environment)
{
  static char one_thread[] = ONE_THREAD;
  static char self[PATH_MAX];
  static char *more[MOST_VARIABLES + 2];
  struct rlimit limit;
  size_t n = 0;
  ssize_t length;

  if (getrlimit (RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return;
  for (; environment[n] && n < MOST_VARIABLES; n++)
    {
      if (strncmp (environment[n], ONE_THREAD, strlen (ONE_THREAD) - 1) == 0)
        return;
      more[n] = environment[n];
    }
  if (environment[n])
    return;
  more[n] = one_thread;
  more[n + 1] = NULL;
  length = readlink ("/proc/self/exe", self, sizeof self - 1);
  if (length > 0)
    execve (self, argv, more); /* where that fails, the process goes on as it is */
}

__attribute__ ((section (".preinit_array"), used)) static void (*early) (int, char **, char **) = begin_frugally;
