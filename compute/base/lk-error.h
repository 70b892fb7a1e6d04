/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one error domain of the engine. Messages are sentences for people: what, in which file,
 * which field, at which place. Codes let callers decide (retry on a smaller plan, offer resume…).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LK_ERROR (lk_error_quark ())

typedef enum
{
  LK_ERROR_FAILED,           /* nothing better fits */
  LK_ERROR_BAD_FILE,         /* a file from outside is malformed; the message names file, field, place */
  LK_ERROR_BAD_DATA,         /* a dataset cannot be used */
  LK_ERROR_UNSUPPORTED,      /* well-formed, but of a kind this program does not handle */
  LK_ERROR_NOT_FOUND,        /* a file, tensor, device or run that does not exist */
  LK_ERROR_MISMATCH,         /* two things do not belong together (adapter and model, checkpoint and recipe) */
  LK_ERROR_INVALID_ARGUMENT, /* a setting out of range, an unknown option */
  LK_ERROR_NO_SPACE,         /* disk full */
  LK_ERROR_OUT_OF_MEMORY,    /* host or device memory; the plan does not fit */
  LK_ERROR_DEVICE,           /* a Vulkan call failed */
  LK_ERROR_DEVICE_LOST,      /* the device is gone; a new one may be created */
  LK_ERROR_BUSY,             /* somebody else holds the run */
  LK_ERROR_CANCELLED,        /* asked to stop */
  LK_ERROR_NOT_FINITE,       /* loss or gradient is not a number */
} LkError;

GQuark lk_error_quark (void);

/* Sets *error from errno @saved_errno, ENOSPC, EDQUOT and EFBIG (a limit on the size of files) as
 * LK_ERROR_NO_SPACE. Always returns FALSE.
 * @format says what was tried, e.g. "Could not write “%s”". */
gboolean lk_error_set_errno (GError **error, int saved_errno, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
