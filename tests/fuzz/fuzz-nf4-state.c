/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What bitsandbytes writes beside an NF4 weight.
 */
#include <math.h>

#include "lk-fuzz.h"
#include "lk-nf4-state.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  GError *error = NULL;
  LkNf4State state;

  if (!lk_nf4_state_parse ((const char *) data, size, "state", &state, &error))
    {
      lk_fuzz_refused (error);
      return 0;
    }
  g_assert_true (isfinite (state.nested_offset));
  lk_fuzz_accepted (data, size);
  return 0;
}
