/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What `export` and `merge` do.
 */
#pragma once

#include "lk-command.h"

G_BEGIN_DECLS

/* @merged_only: the forms that hold the merged weights, “hf” where none is named and the name does not end in
 * .gguf. */
int lk_cli_export_main (const LkCommand *command, const char *description, gboolean merged_only, int argc,
                        char **argv);

G_END_DECLS
