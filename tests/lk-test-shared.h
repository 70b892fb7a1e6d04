/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files of the shared folder (golden numbers, real datasets), which a machine has as a whole or not at all.
 */
#pragma once

#include <glib.h>

/* $LK_SHARED_DIR/@rest. NULL after skipping the test where there is no such folder; a file that is missing inside it is a failure: a test
 * that passes for lack of cases proves nothing. (transfer full) */
static inline char *
lk_test_shared (const char *rest)
{
  const char *shared = g_getenv ("LK_SHARED_DIR");
  char *path;

  if (!shared || !*shared)
    {
      g_test_skip ("LK_SHARED_DIR is not set");
      return NULL;
    }
  path = g_build_filename (shared, rest, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_error ("“%s” is missing", path);
  return path;
}
