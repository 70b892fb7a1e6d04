/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shipped model with a random adapter, for tests of what stands above models.
 */
#pragma once

#include "lk-adapter.h"
#include "lk-backend.h"
#include "lk-random.h"

/* NULL, and the test skipped, where LK_DATA_DIR is not set. */
static inline LkModel *
lk_test_model_open (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("LK_DATA_DIR") ? g_getenv ("LK_DATA_DIR") : ".",
                                            "model", "lorikeet-tiny.gguf", NULL);
  g_autoptr (GError) error = NULL;
  LkModel *model;

  if (!g_getenv ("LK_DATA_DIR"))
    {
      g_test_skip ("LK_DATA_DIR is not set");
      return NULL;
    }
  model = lk_model_open (path, &error);
  g_assert_no_error (error);
  return model;
}

/* Rank 4 on all linear layers, A and B random and large enough to change what is said. */
static inline LkAdapter *
lk_test_adapter_new (LkModel *model, LkBackend *backend, guint64 seed)
{
  LkAdapterConfig config = { .rank = 4, .alpha = 8, .seed = seed };
  g_autofree char *name = g_strdup_printf ("test%d", (int) seed);
  g_autoptr (GError) error = NULL;
  LkAdapter *adapter = lk_adapter_new (model, name, &config, &error);
  LkVariable *parameters;
  g_autofree float *values = NULL;
  LkRandom random = lk_random (seed, 0);

  g_assert_no_error (error);
  lk_backend_prepare (backend, lk_model_get_variables (model), &error);
  g_assert_no_error (error);
  parameters = lk_adapter_get_parameters (adapter);
  values = g_new (float, parameters->cols);
  for (gint64 i = 0; i < parameters->cols; i++)
    values[i] = 0.08f * lk_random_normal (&random);
  lk_backend_write (backend, parameters, 0, values, parameters->bytes, &error);
  g_assert_no_error (error);
  return adapter;
}
