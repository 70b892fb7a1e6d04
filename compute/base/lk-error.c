/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-error.h"

#include <errno.h>

G_DEFINE_QUARK (lk-error-quark, lk_error)

gboolean
lk_error_set_errno (GError **error, int saved_errno, const char *format, ...)
{
  g_autofree char *what = NULL;
  LkError code = LK_ERROR_FAILED;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);

  if (saved_errno == ENOSPC || saved_errno == EDQUOT || saved_errno == EFBIG)
    code = LK_ERROR_NO_SPACE;
  else if (saved_errno == ENOENT)
    code = LK_ERROR_NOT_FOUND;
  else if (saved_errno == ENOMEM)
    code = LK_ERROR_OUT_OF_MEMORY;

  g_set_error (error, LK_ERROR, code, "%s: %s", what, g_strerror (saved_errno));
  return FALSE;
}
