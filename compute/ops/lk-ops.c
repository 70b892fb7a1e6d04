/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-ops.h"

#include "lk-program-private.h"

void
lk_ops_init (void)
{
  _lk_gradients_set_copy (lk_op_copy);
}
