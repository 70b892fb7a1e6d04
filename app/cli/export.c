/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-export.h"

static int
run (int argc, char **argv)
{
  return lk_cli_export_main (&lk_command_export,
                             "Writes what a run has made: its adapter for PEFT, or the base with the adapter "
                             "merged, as a Hugging Face\n"
                             "folder or one GGUF file. It appears whole or not at all. Then it is opened "
                             "again and asked two questions;\n"
                             "for float32 and adapters a different answer is a failure, for rounded types "
                             "the agreement is told, and, of\n"
                             "a run, the perplexity on held-out rows. An adapter trained on quantised weights (--base-type of “train”) is\n"
                             "merged into the weights as the file has them; what that changes is told. With --json: lines of “progress”, "
                             "“verified”, “done” or “error”.",
                             FALSE, argc, argv);
}

const LkCommand lk_command_export = { "export", "Write an adapter or a merged model to disk", run };
