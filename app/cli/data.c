/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "lk-cli-store.h"

static const LkCommand *const actions[]
    = { &lk_data_import, &lk_data_list,    &lk_data_stats, &lk_data_rows,   &lk_data_show,  &lk_data_count,
        &lk_data_exclude, &lk_data_restore, &lk_data_edit,  &lk_data_weight, &lk_data_export };

static void
print_help (FILE *stream)
{
  fprintf (stream, "Imports datasets, looks into them and tidies them up, leaving the files as they are.\n\n"
                   "Usage: lorikeet-cli data ACTION [OPTION…]\n\nActions:\n");
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    fprintf (stream, "  %-10s %s\n", actions[i]->name + sizeof "data", actions[i]->summary);
  fprintf (stream, "\n“lorikeet-cli data ACTION --help” says more. A DATASET is a path, or a name “data list” knows.\n"
                   "“lorikeet-cli train --data” and other commands take an imported dataset where they take a file.\n");
}

static int
run (int argc, char **argv)
{
  if (argc < 2)
    {
      print_help (stderr);
      return LK_EXIT_USAGE;
    }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h"))
    {
      print_help (stdout);
      return LK_EXIT_OK;
    }
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (actions[i]->name + sizeof "data", argv[1]))
      return actions[i]->run (argc - 1, argv + 1);
  return lk_cli_fail_usage ("“data” knows no “%s”; “lorikeet-cli data --help” lists what it does", argv[1]);
}

const LkCommand lk_command_data = { "data", "Import datasets, look into them, tidy them up", run };
