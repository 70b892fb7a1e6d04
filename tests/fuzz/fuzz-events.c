/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A run's events.jsonl, as the chart reads it, and the chart in words.
 */
#include "lk-fuzz.h"
#include "lk-run-chart.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *path = lk_fuzz_file ("events.jsonl", data, size);
  GError *error = NULL;
  LkChartSpec spec;
  guint damaged = 0;

  lk_chart_spec_init (&spec);
  if (lk_chart_spec_from_events (&spec, path, LK_RUN_CHART_LOSS, &damaged, &error))
    {
      g_autofree char *words = lk_chart_describe (&spec);
      g_autofree char *drawn = lk_chart_print (&spec, 40, 8);

      g_assert_true (g_utf8_validate (words, -1, NULL) && g_utf8_validate (drawn, -1, NULL));
      lk_fuzz_accepted (data, size);
    }
  else
    lk_fuzz_refused (error);
  lk_chart_spec_clear (&spec);
  return 0;
}
