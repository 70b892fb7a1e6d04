/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Faults on purpose, so that what follows a failing driver can be tested on a driver that does not fail. The
 * environment's LK_GPU_FAULT, read once a process, is a list like "allocation:3,submission:10": the third
 * allocation of memory is refused, the tenth submission of work loses the device. Each happens once, counted
 * over all devices of the process, so that a device opened after it works; with "allocation:3+" the third and
 * all that follow are refused.
 */
#include "lk-gpu-private.h"

#include <string.h>

typedef struct
{
  const char *name;
  VkResult result;
  guint64 number;   /* which one fails; 0: none */
  gboolean go_on;   /* and all after it */
  guint64 count;    /* atomic */
} Fault;

static Fault faults[LK_GPU_N_FAULTS] = {
  [LK_GPU_FAULT_ALLOCATION] = { "allocation", VK_ERROR_OUT_OF_DEVICE_MEMORY, 0, FALSE, 0 },
  [LK_GPU_FAULT_SUBMISSION] = { "submission", VK_ERROR_DEVICE_LOST, 0, FALSE, 0 },
  [LK_GPU_FAULT_WAIT] = { "wait", VK_TIMEOUT, 0, FALSE, 0 },
};

static gboolean
parse_one (const char *word)
{
  for (guint i = 0; i < LK_GPU_N_FAULTS; i++)
    {
      gsize n = strlen (faults[i].name);
      if (strncmp (word, faults[i].name, n) == 0 && word[n] == ':')
        {
          g_autofree char *number = g_strdup (word + n + 1);

          faults[i].go_on = g_str_has_suffix (number, "+");
          if (faults[i].go_on)
            number[strlen (number) - 1] = 0;
          return g_ascii_string_to_unsigned (number, 10, 1, G_MAXINT64, &faults[i].number, NULL);
        }
    }
  return FALSE;
}

gboolean
lk_gpu_fault_read (GError **error)
{
  static gsize once;
  static char *bad;

  if (g_once_init_enter (&once))
    {
      const char *text = g_getenv ("LK_GPU_FAULT");
      g_auto (GStrv) words = g_strsplit (text ? text : "", ",", -1);

      for (guint i = 0; words[i] && !bad; i++)
        if (*words[i] && !parse_one (words[i]))
          bad = g_strdup (words[i]);
      g_once_init_leave (&once, 1);
    }
  if (!bad)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               "LK_GPU_FAULT: “%s” is not “allocation:N”, “submission:N” or “wait:N” with N from 1, or N+ for all from there", bad);
  return FALSE;
}

VkResult
lk_gpu_fault (LkGpuFault fault)
{
  Fault *self = &faults[fault];
  guint64 count;

  if (self->number == 0)
    return VK_SUCCESS;
  count = __atomic_add_fetch (&self->count, 1, __ATOMIC_RELAXED);
  return count == self->number || (self->go_on && count > self->number) ? self->result : VK_SUCCESS;
}
