/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ladder of memory, and what it must make fit: models of known sizes, whose weights are never made, on cards of known memory.
 */
#include "lk-backend-private.h"
#include "lk-error.h"
#include "lk-model-shape.h"
#include "lk-train-step.h"

#define GIB (1024.0 * 1024 * 1024)
#define GB 1e9

static void
check_ladder (guint rows, guint layers, gint recompute, gboolean beside, LkRung behind, const LkRung *wanted, guint n)
{
  g_autoptr (GArray) rungs = lk_train_ladder (rows, layers, recompute, beside, behind);

  g_assert_cmpuint (rungs->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpuint (g_array_index (rungs, LkRung, i).rows, ==, wanted[i].rows);
      g_assert_cmpuint (g_array_index (rungs, LkRung, i).recompute_layers, ==, wanted[i].recompute_layers);
      g_assert_true (g_array_index (rungs, LkRung, i).table_beside == wanted[i].table_beside);
    }
}

static void
test_rungs (void)
{
  static const LkRung all[] = { { 3, 0 }, { 3, 15 }, { 3, 30 }, { 1, 0 }, { 1, 15 }, { 1, 30 }, { 1, 30, TRUE } };
  static const LkRung fixed[] = { { 4, 7 }, { 2, 7 }, { 1, 7 } };
  const LkRung top = { 0 };

  check_ladder (3, 30, -1, FALSE, top, all, 6);
  check_ladder (3, 30, -1, TRUE, top, all, 7);
  check_ladder (3, 30, -1, FALSE, all[0], all + 1, 5);
  check_ladder (3, 30, -1, FALSE, all[2], all + 3, 3);
  check_ladder (3, 30, -1, FALSE, all[5], NULL, 0);
  check_ladder (3, 30, -1, TRUE, all[5], all + 6, 1);
  check_ladder (3, 30, -1, TRUE, all[6], NULL, 0);
  check_ladder (4, 30, 7, FALSE, top, fixed, 3);
  check_ladder (4, 30, 7, FALSE, fixed[1], fixed + 2, 1);
  check_ladder (4, 7, G_MAXINT, FALSE, top, fixed, 3);
  check_ladder (1, 30, 30, TRUE, all[5], all + 6, 1); /* a run that goes on with the last rung */
}

typedef struct
{
  const char *shape;
  LkType linear, table;
  guint length;
  double limit; /* bytes */
} Case;

/* 4-bit bases as bitsandbytes holds them, embedding and head in 16 bits; and as a GGUF of Q4_K. */
static const Case cases[] = {
  { "llama-2-7b", LK_TYPE_NF4, LK_TYPE_BF16, 2048, 7.5 * GIB },
  { "llama-2-7b", LK_TYPE_Q4_K, LK_TYPE_Q6_K, 2048, 7.5 * GIB },
  { "llama-3.1-8b", LK_TYPE_NF4, LK_TYPE_BF16, 2048, 7.5 * GIB },
  { "llama-3.1-8b", LK_TYPE_Q4_K, LK_TYPE_Q6_K, 2048, 7.5 * GIB },
  { "gemma-2-9b", LK_TYPE_NF4, LK_TYPE_BF16, 2048, 12 * GB },
  { "llama-3.1-70b", LK_TYPE_NF4, LK_TYPE_BF16, 1024, 48 * GB },
};

static void
check_case (LkBackend *backend, const Case *c)
{
  g_autoptr (GError) error = NULL;
  const LkModelShape *shape = lk_model_shape_find (c->shape, &error);
  g_autoptr (LkModel) model = lk_model_new_of_shape (shape, c->linear, c->table, &error);
  const LkAdapterConfig config = { .rank = 16, .alpha = 32, .seed = 1 };
  g_autoptr (LkAdapter) adapter = model ? lk_adapter_new (model, "adapter", &config, &error) : NULL;
  LkTrainStepOptions options = { .model = model, .adapter = adapter, .backend = backend, .length = c->length,
                                 .recompute_layers = -1, .memory_limit = lk_train_memory_limit (backend, (guint64) c->limit) };
  g_autofree char *way = NULL;
  LkTrainPlan plan;
  const LkMemoryPlan *m = &plan.memory;
  gboolean fits;

  g_assert_no_error (error);
  fits = lk_train_plan_make (&options, &plan, &error);
  way = lk_train_plan_describe (&plan, c->length, (guint) shape->layers);
  g_test_message ("%s, %s and %s: weights %.2f, adapter and moments %.2f, gradients and results %.2f, inputs %.2f, activations %.2f, "
                  "together %.2f of %.2f GiB%s: %s",
                  c->shape, lk_type_name (c->linear), lk_type_name (c->table), (double) (m->weights - plan.beside) / GIB,
                  (double) m->parameters * 3 / GIB, (double) m->state / GIB, (double) m->inputs / GIB, (double) m->activations / GIB,
                  (double) lk_train_plan_total (&plan) / GIB, c->limit / GIB, fits ? "" : " (too much)", way);
  g_assert_no_error (error);
  g_assert_true (fits);
  g_assert_cmpfloat ((double) lk_train_plan_total (&plan), <=, c->limit);
}

static void
test_fits (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LkBackend) backend = _lk_backend_new_gpu ("vulkan", LK_PRECISION_AUTO, LK_GPU_FORCE_STAGING, &error);

  if (!backend)
    {
      g_test_skip (error->message);
      return;
    }
  check_case (backend, data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/ladder/rungs", test_rungs);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/train/ladder/fits/%s-%s", cases[i].shape, lk_type_name (cases[i].linear));

      g_test_add_data_func (path, &cases[i], test_fits);
    }
  return g_test_run ();
}
