/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-pace.h"

#include "lk-run-compare.h"

#include <math.h>

static gboolean
same_setting (LkRun *run, LkDraft *draft, const char *name)
{
  LkOption *option = lk_draft_find (draft, name);
  JsonObject *settings = lk_run_get_settings (run);
  JsonNode *node = json_object_get_member (settings, name);
  g_autoptr (JsonNode) wanted = option != NULL ? lk_option_to_json (option) : NULL;
  g_autofree char *was = lk_run_words_of_value (node);
  g_autofree char *will_be = lk_run_words_of_value (wanted);

  return g_str_equal (was, will_be);
}

/* How much the run has in common with the draft; -1 when its pace says nothing. */
static int
likeness (LkRun *run, LkDraft *draft, const char *device)
{
  static const char *const settings[] = { "recompute", "rank", "targets", "batch", "length", "packing", "precision" };
  int same = 0;

  if (device == NULL || !isfinite (lk_run_get_seconds_per_token (run)) || g_strcmp0 (lk_run_get_model (run), lk_draft_get_model (draft)) != 0
      || g_strcmp0 (lk_run_get_device (run), device) != 0 || !same_setting (run, draft, "base_type"))
    return -1;
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    same += same_setting (run, draft, settings[i]);
  return same;
}

LkRun *
lk_pace_find (GListModel *runs, LkDraft *draft, const char *device)
{
  g_autoptr (LkRun) found = NULL;
  int best = -1;

  for (guint i = 0; i < g_list_model_get_n_items (runs); i++)
    {
      g_autoptr (LkRun) run = g_list_model_get_item (runs, i);
      int same = likeness (run, draft, device);

      if (same > best)
        {
          best = same;
          g_set_object (&found, run);
        }
    }
  return g_steal_pointer (&found);
}
