/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cli-store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lk-cli-progress.h"

static char *only, *search;
static gint64 limit = LK_DEFAULT_LIMIT;
static double held_out = LK_DEFAULT_HELD_OUT;
static gint64 seed = LK_DEFAULT_SEED;

const GOptionEntry lk_cli_filter_entries[] = {
  { "only", 0, 0, G_OPTION_ARG_STRING, &only,
    "used, excluded, edited, cut, lost, held-out, or a problem: unusable, refused, duplicate, conflict, placeholder, invisible", "SET" },
  { "search", 0, 0, G_OPTION_ARG_STRING, &search, "Rows that hold this text", "TEXT" },
  { "length", 0, 0, G_OPTION_ARG_INT64, &limit, "The length limit of “cut” and “lost”, in tokens; default " G_STRINGIFY (LK_DEFAULT_LIMIT), "N" },
  { "held-out", 0, 0, G_OPTION_ARG_DOUBLE, &held_out, "The share of “held-out”; default " G_STRINGIFY (LK_DEFAULT_HELD_OUT), "SHARE" },
  { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "The seed of “held-out”; default " G_STRINGIFY (LK_DEFAULT_SEED), "N" },
  { NULL },
};

gboolean
lk_cli_filter_fill (LkRowFilter *filter, GError **error)
{
  static const struct
  {
    const char *name;
    int set;
  } sets[] = { { "all", LK_ROWS_ALL }, { "used", LK_ROWS_USED }, { "excluded", LK_ROWS_EXCLUDED }, { "edited", LK_ROWS_EDITED },
               { "cut", LK_ROWS_CUT }, { "lost", LK_ROWS_LOST }, { "held-out", LK_ROWS_HELD_OUT } };
  const LkRowFlagKind *kind = only ? lk_row_flag_find (only) : NULL;
  gboolean known = !only || kind;

  *filter = (LkRowFilter){ .limit = limit, .fraction = held_out, .seed = (guint64) seed, .search = search };
  if (!(held_out >= 0 && held_out <= 0.5))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "--held-out must be from 0 to 0.5, not %g", held_out);
      return FALSE;
    }
  if (kind)
    {
      filter->set = LK_ROWS_PROBLEM;
      filter->problems = kind->flag;
    }
  for (guint i = 0; only && !kind && i < G_N_ELEMENTS (sets); i++)
    if (g_str_equal (sets[i].name, only))
      {
        filter->set = sets[i].set;
        known = TRUE;
      }
  if (!known)
    g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "--only knows no “%s”", only);
  return known;
}

char *
lk_cli_datasets_home (void)
{
  const char *own = g_getenv ("LORIKEET_DATA_HOME");

  return own && *own ? g_build_filename (own, "datasets", NULL) : g_build_filename (g_get_user_data_dir (), "lorikeet", "datasets", NULL);
}

char *
lk_cli_find_dataset (const char *name)
{
  g_autofree char *home = lk_cli_datasets_home ();
  g_autofree char *leaf = g_strconcat (name, ".lkdata", NULL);
  g_autofree char *path = strchr (name, '/') ? NULL : g_build_filename (home, leaf, NULL);

  if (!g_file_test (name, G_FILE_TEST_EXISTS) && path && g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&path);
  return g_strdup (name);
}

LkRowStore *
lk_cli_open_dataset (const char *name, gboolean writable, GError **error)
{
  g_autofree char *path = lk_cli_find_dataset (name);

  return lk_row_store_open (path, writable, error);
}

GArray *
lk_cli_parse_rows (char **argv, int argc, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (int i = 0; i < argc; i++)
    {
      char *end;
      gint64 first = g_ascii_strtoll (argv[i], &end, 10), last = first;

      if (*end == '-')
        last = g_ascii_strtoll (end + 1, &end, 10);
      if (*end || first < 1 || last < first || last >= G_MAXINT32)
        {
          g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“%s” is no number of a row like 5, and no range like 5-9", argv[i]);
          return NULL;
        }
      for (gint64 row = first; row <= last; row++)
        {
          gint32 id = (gint32) row;
          g_array_append_val (ids, id);
        }
    }
  return g_steal_pointer (&ids);
}

void
lk_cli_tell_progress (gboolean as_json, double fraction, const char *format, ...)
{
  static LkCliProgress line;
  g_autofree char *message = NULL;
  JsonObject *object;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  if (as_json)
    {
      object = json_object_new ();
      json_object_set_string_member (object, "event", "progress");
      json_object_set_double_member (object, "fraction", CLAMP (fraction, 0, 1));
      json_object_set_string_member (object, "message", message);
      lk_cli_take_json (object);
    }
  else
    lk_cli_progress_tell (&line, fraction, "%s", message);
  if (!as_json && fraction >= 1 && isatty (STDERR_FILENO))
    fputs ("\n", stderr);
}
