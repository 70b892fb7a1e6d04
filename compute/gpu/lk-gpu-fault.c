/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Faults on purpose, so that what follows a failing driver can be tested on a driver that does not fail. The
 * environment's LK_GPU_FAULT, read once a process, is a list like "allocation:3,submission:10": the third
 * allocation of memory is refused, the tenth submission of work loses the device. Each happens once, counted
 * over all devices of the process, so that a device opened after it works.
 */
#include "lk-gpu-private.h"

#include <string.h>

typedef struct
{
  const char *name;
  VkResult result;
  guint64 number; /* which one fails; 0: none */
  guint64 count;  /* atomic */
} Fault;

static Fault faults[LK_GPU_N_FAULTS] = {
  [LK_GPU_FAULT_ALLOCATION] = { "allocation", VK_ERROR_OUT_OF_DEVICE_MEMORY, 0, 0 },
  [LK_GPU_FAULT_SUBMISSION] = { "submission", VK_ERROR_DEVICE_LOST, 0, 0 },
  [LK_GPU_FAULT_WAIT] = { "wait", VK_TIMEOUT, 0, 0 },
};

static gboolean
parse_one (const char *word)
{
  for (guint i = 0; i < LK_GPU_N_FAULTS; i++)
    {
      gsize n = strlen (faults[i].name);
      if (strncmp (word, faults[i].name, n) == 0 && word[n] == ':')
        return g_ascii_string_to_unsigned (word + n + 1, 10, 1, G_MAXINT64, &faults[i].number, NULL);
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
               "LK_GPU_FAULT: “%s” is not “allocation:N”, “submission:N” or “wait:N” with N from 1", bad);
  return FALSE;
}

VkResult
lk_gpu_fault (LkGpuFault fault)
{
  Fault *self = &faults[fault];

  if (self->number == 0 || __atomic_add_fetch (&self->count, 1, __ATOMIC_RELAXED) != self->number)
    return VK_SUCCESS;
  return self->result;
}
