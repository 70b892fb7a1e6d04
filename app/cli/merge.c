/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-export.h"

static int
run (int argc, char **argv)
{
  return lk_cli_export_main (&lk_command_merge,
                             "The same as “export” with the format hf, or gguf where the name ends in .gguf: "
                             "the base with the adapter\n"
                             "merged into its weights.",
                             TRUE, argc, argv);
}

const LkCommand lk_command_merge = { "merge", "Write the base with an adapter merged into it", run };
