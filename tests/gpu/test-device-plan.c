/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The choice and plan of devices this machine does not have, from recorded snapshots.
 */
#include "lk-attention-plan.h"
#include "lk-device-plan.h"
#include "lk-error.h"
#include "lk-gpu-memory.h"
#include "lk-json.h"
#include "lk-matmul-plan.h"
#include "lk-vulkan-matrix.h"

#include <string.h>

static LkDeviceSnapshot
load (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "gpu", "snapshots", file, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = lk_json_load_object (path, 1 << 20, &error);
  LkDeviceSnapshot snapshot;

  g_assert_no_error (error);
  g_assert_true (json_object_has_member (object, "source"));
  g_assert_true (lk_device_snapshot_from_json (object, path, &snapshot, &error));
  g_assert_no_error (error);
  return snapshot;
}

/* The files beside this one: their “source” says where each figure is from, “not_found” what is left at the least. @usable: the program runs
 * on it; m, n, k: the fragments its products use, 0 where it has no units or they are not to be trusted. */
static const struct
{
  const char *name;
  gboolean usable;
  guint m, n, k;
} recorded[] = {
  { "adreno-740", TRUE, 0, 0, 0 },
  { "apple-m1", TRUE, 0, 0, 0 },
  { "arc-a770", TRUE, 0, 0, 0 }, /* slower than plain kernels */
  { "arc-b580", TRUE, 8, 16, 16 },
  { "geforce-gtx-680", FALSE, 0, 0, 0 },
  { "geforce-rtx-2080-ti", TRUE, 16, 16, 16 },
  { "geforce-rtx-3080", TRUE, 16, 16, 16 },
  { "geforce-rtx-4090", TRUE, 16, 16, 16 },
  { "geforce-rtx-5090", TRUE, 16, 16, 16 },
  { "h100", TRUE, 16, 16, 16 },
  { "iris-xe", TRUE, 0, 0, 0 }, /* offered by the driver, not there */
  { "llvmpipe", TRUE, 0, 0, 0 },
  { "radeon-780m", TRUE, 16, 16, 16 },
  { "radeon-rx-5700-xt", TRUE, 0, 0, 0 },
  { "radeon-rx-6800-xt", TRUE, 0, 0, 0 },
  { "radeon-rx-6800-xt-proprietary", TRUE, 0, 0, 0 }, /* offered by the driver, not there */
  { "radeon-rx-7900-xtx", TRUE, 16, 16, 16 },
  { "radeon-rx-9070-xt", TRUE, 16, 16, 16 },
};

/* No file is left out of the table. */
static void
test_devices (void)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "gpu", "snapshots", NULL);
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  const char *file;
  guint n = 0;

  g_assert_nonnull (files);
  while ((file = g_dir_read_name (files)))
    n += g_str_has_suffix (file, ".json");
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (recorded));
}

static void
test_json_round_trip (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (recorded); i++)
    {
      LkDeviceSnapshot snapshot = load (recorded[i].name), again;
      g_autoptr (JsonNode) node = lk_device_snapshot_to_json (&snapshot);
      g_autoptr (GError) error = NULL;

      g_assert_true (
        lk_device_snapshot_from_json (json_node_get_object (node), "round trip", &again, &error));
      g_assert_no_error (error);
      g_assert_cmpmem (&snapshot, sizeof snapshot, &again, sizeof again);
    }
}

static void
assert_bad_json (const char *text, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_json_parse (text, strlen (text), "bad.json", &error);
  LkDeviceSnapshot snapshot;

  g_assert_no_error (error);
  g_assert_false (lk_device_snapshot_from_json (json_node_get_object (node), "bad.json", &snapshot, &error));
  g_assert_nonnull (strstr (error->message, "bad.json"));
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_bad_json (void)
{
  assert_bad_json ("{\"vendor_id\": -1}", "vendor_id");
  assert_bad_json ("{\"vendor_id\": 4294967296}", "vendor_id");
  assert_bad_json ("{\"name\": 5}", "name");
  assert_bad_json ("{\"kind\": \"toaster\"}", "toaster");
  assert_bad_json ("{\"cache_uuid\": \"0123456789012345678901234567890123\"}", "cache_uuid");
  assert_bad_json ("{\"heaps\": [1]}", "heaps");
  assert_bad_json ("{\"memory_types\": [{\"heap\": 3}]}", "heap 3");
  assert_bad_json ("{\"queue_families\": [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
                   "queue_families");
}

static void
test_choice_parse (void)
{
  static const struct { const char *text; LkDeviceWant want; gint index; } good[] = {
    { "auto", LK_DEVICE_WANT_AUTO, -1 },      { "cpu", LK_DEVICE_WANT_CPU, -1 },
    { "vulkan", LK_DEVICE_WANT_VULKAN, -1 },  { "vulkan:0", LK_DEVICE_WANT_VULKAN, 0 },
    { "Vulkan:3", LK_DEVICE_WANT_VULKAN, 3 },
  };
  static const char *const bad[]
    = { "", "gpu", "vulkan:", "vulkan:x", "vulkan:-1", "vulkan:1x", "vulkan:256", "cpu:0" };
  LkDeviceChoice choice;

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (lk_device_choice_parse (good[i].text, &choice, NULL));
      g_assert_cmpint (choice.want, ==, good[i].want);
      g_assert_cmpint (choice.index, ==, good[i].index);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (lk_device_choice_parse (bad[i], &choice, &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT);
    }
}

static gint
pick (const char *const *devices, guint n, LkDeviceChoice choice, char **reason)
{
  LkDeviceSnapshot snapshots[8] = { 0 };
  g_autoptr (LkDeviceSelection) selection = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    snapshots[i] = load (devices[i]);
  selection = lk_device_select (snapshots, n, &choice, &error);
  if (!selection)
    {
      *reason = g_strdup (error->message);
      return -2;
    }
  *reason = g_strdup (selection->reason);
  for (guint i = 0; i < n; i++)
    g_assert_nonnull (selection->refusals[i]);
  g_assert_null (selection->refusals[n]);
  return selection->index;
}

/* A card that cannot be used, no driver at all, or a software device for a card is worth a word; to “auto”, a machine that has but a
 * software device lacks nothing, and what was asked for by its number is no news. */
static void
test_notice (void)
{
  static const struct
  {
    const char *devices[2];
    LkDeviceChoice choice;
    const char *words; /* NULL: nothing to say */
  } cases[] = {
    { { "geforce-gtx-680", "llvmpipe" }, { LK_DEVICE_WANT_AUTO, -1 }, "The processor computes. “NVIDIA GeForce GTX 680” cannot be used." },
    { { "geforce-gtx-680" }, { LK_DEVICE_WANT_AUTO, -1 }, "16-bit" },
    { { NULL }, { LK_DEVICE_WANT_AUTO, -1 }, "The processor computes. No Vulkan device was found." },
    { { "llvmpipe" }, { LK_DEVICE_WANT_AUTO, -1 }, NULL },
    { { "radeon-780m" }, { LK_DEVICE_WANT_AUTO, -1 }, NULL },
    { { "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, -1 }, "no other Vulkan device" },
    { { "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, 0 }, NULL },
    { { "llvmpipe", "radeon-780m" }, { LK_DEVICE_WANT_VULKAN, -1 }, NULL },
    { { "llvmpipe" }, { LK_DEVICE_WANT_CPU, -1 }, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkDeviceSnapshot snapshots[2] = { 0 };
      g_autoptr (LkDeviceSelection) selection = NULL;
      guint n = 0;

      for (; n < 2 && cases[i].devices[n]; n++)
        snapshots[n] = load (cases[i].devices[n]);
      selection = lk_device_select (snapshots, n, &cases[i].choice, NULL);
      g_assert_nonnull (selection);
      g_test_message ("case %u: %s", i, selection->notice);
      if (cases[i].words)
        g_assert_nonnull (strstr (selection->notice, cases[i].words));
      else
        g_assert_null (selection->notice);
    }
}

static void
test_ranking (void)
{
  static const struct
  {
    const char *devices[4];
    LkDeviceChoice choice;
    gint index;        /* -1: CPU, -2: refused */
    const char *words; /* in the reason or the error */
  } cases[] = {
    { { "llvmpipe", "radeon-780m", "arc-a770" }, { LK_DEVICE_WANT_AUTO, -1 }, 2, "A770" },
    { { "arc-a770", "geforce-rtx-4090", "radeon-rx-7900-xtx" }, { LK_DEVICE_WANT_AUTO, -1 }, 1, "4090" },
    { { "llvmpipe", "radeon-780m" }, { LK_DEVICE_WANT_AUTO, -1 }, 1, "780M" },
    { { "llvmpipe" }, { LK_DEVICE_WANT_AUTO, -1 }, -1, "asked for" },
    { { NULL }, { LK_DEVICE_WANT_AUTO, -1 }, -1, "No Vulkan device" },
    { { "geforce-rtx-4090" }, { LK_DEVICE_WANT_CPU, -1 }, -1, "asked for" },
    { { "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, -1 }, 0, "llvmpipe" },
    { { "llvmpipe", "radeon-780m" }, { LK_DEVICE_WANT_VULKAN, -1 }, 1, "780M" },
    { { "radeon-780m", "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, 1 }, 1, "llvmpipe" },
    { { "radeon-780m" }, { LK_DEVICE_WANT_VULKAN, 1 }, -2, "has 1" },
    { { NULL }, { LK_DEVICE_WANT_VULKAN, -1 }, -2, "None was found" },
    { { "geforce-gtx-680" }, { LK_DEVICE_WANT_AUTO, -1 }, -1, "16-bit" },
    { { "geforce-gtx-680" }, { LK_DEVICE_WANT_VULKAN, -1 }, -2, "8-bit" },
    { { "geforce-gtx-680", "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, 0 }, -2, "16-bit" },
    { { "geforce-gtx-680", "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, -1 }, -2, "16-bit" },
    { { "geforce-gtx-680", "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, -1 }, -2, "only when asked for as “vulkan:1”" },
    { { "geforce-gtx-680", "llvmpipe" }, { LK_DEVICE_WANT_VULKAN, 1 }, 1, "llvmpipe" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *reason = NULL;
      guint n = 0;
      while (n < 4 && cases[i].devices[n])
        n++;
      g_test_message ("case %u", i);
      g_assert_cmpint (pick (cases[i].devices, n, cases[i].choice, &reason), ==, cases[i].index);
      g_assert_nonnull (strstr (reason, cases[i].words));
    }
}

static void
test_plans (void)
{
  static const struct
  {
    const char *name;
    guint queue_family, device_type, staging_type;
    gboolean unified, software;
    guint64 memory_limit, max_block, max_binding;
  } cases[] = {
    { "geforce-rtx-4090", 2, 1, 3, FALSE, FALSE, 24912887808, 4292870144, 4294967292 },
    { "radeon-rx-7900-xtx", 1, 0, 3, FALSE, FALSE, 25288728576, 4294967040, 4294967292 },
    { "arc-a770", 1, 0, 2, FALSE, FALSE, 15319379968, 4294967040, 4294967292 },
    { "radeon-780m", 1, 3, 3, TRUE, FALSE, 10034315264, 4294967040, 4294967292 },
    { "llvmpipe", 0, 0, 0, TRUE, TRUE, 1717986918, 2147483648, 134217728 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkDeviceSnapshot snapshot = load (cases[i].name);
      g_autoptr (GError) error = NULL;
      LkDevicePlan plan;

      g_test_message ("%s", cases[i].name);
      g_assert_true (lk_device_plan_make (&snapshot, &plan, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (plan.queue_family, ==, cases[i].queue_family);
      g_assert_cmpuint (plan.device_type, ==, cases[i].device_type);
      g_assert_cmpint (plan.unified, ==, cases[i].unified);
      g_assert_cmpint (plan.software, ==, cases[i].software);
      g_assert_cmpuint (plan.memory_limit, ==, cases[i].memory_limit);
      g_assert_cmpuint (plan.max_block, ==, cases[i].max_block);
      g_assert_cmpuint (plan.max_binding, ==, cases[i].max_binding);
      g_assert_cmpuint (plan.alignment, ==, 256);
      g_assert_true (plan.timestamps);
      g_assert_true (plan.software ? plan.submission_seconds == 0 : plan.submission_seconds == 0.25);
      g_assert_cmpuint (snapshot.memory_types[plan.staging_type].flags & 6, ==, 6);
      if (!plan.unified)
        g_assert_cmpuint (plan.staging_type, ==, cases[i].staging_type);
    }
}

static void
check_product (const LkDeviceSnapshot *snapshot, const LkDevicePlan *device, gint64 m, gint64 n, gint64 k)
{
  LkMatmulShape shape = { m, n, k, lk_matmul_plan_scratch (m, n, k, TRUE, 0), TRUE };
  LkMatmulPlan plan;

  lk_matmul_plan (device, &shape, &plan);
  g_assert_cmpuint (plan.shared_bytes, <=, snapshot->max_shared_memory);
  g_assert_cmpuint (plan.threads, <=, snapshot->max_workgroup_invocations);
  g_assert_cmpuint (plan.threads, <=, snapshot->max_workgroup_size_x);
  g_assert_cmpuint (plan.parts, >=, 1);
  g_assert_cmpint (plan.k_part * plan.parts, >=, k);
  g_assert_cmpint (plan.k_part * (plan.parts - 1), <, k);
  g_assert_true (plan.parts == 1 || plan.k_part % plan.tile->bk == 0);
  g_assert_true (plan.parts == 1 || (guint64) (m * n) * plan.parts * sizeof (float) <= shape.scratch);
  shape.splittable = FALSE;
  lk_matmul_plan (device, &shape, &plan);
  g_assert_cmpuint (plan.parts, ==, 1);
}

/* The same where both sides are unpacked first: every slice is shared out evenly, sums stay in registers, a piece of B is bounded, and
 * the working memory that is planned without a device is enough. */
static void
check_packed (const LkDeviceSnapshot *snapshot, const LkDevicePlan *device, gint64 m, gint64 n, gint64 k, gboolean b_transposed)
{
  const gint64 low = lk_matmul_packing_steps (16) + lk_matmul_packing_steps (65);
  LkMatmulPacking packing;
  LkMatmulShape shape = { m, n, k, 0, TRUE };
  LkMatmulPlan plan;
  const LkMatmulTile *tile;

  g_assert_cmpint (low, ==, 64 + 128);
  if (!lk_matmul_packing (m, n, k, b_transposed, low, &packing))
    {
      g_assert_true (m < 256 || n < 128 || k < 128);
      return;
    }
  g_assert_cmpint (packing.m, >=, m);
  g_assert_cmpint (b_transposed ? packing.k : packing.n, >=, b_transposed ? k : n);
  g_assert_cmpint (b_transposed ? packing.n : packing.k, >=, packing.rows);
  g_assert_true (packing.rows == (b_transposed ? n : k) || packing.rows % (b_transposed ? 128 : 64) == 0);
  g_assert_cmpuint (packing.n * packing.k * 2, <=, MAX (64 << 20, 128 * 2 * MAX (packing.n, packing.k)));
  g_assert_cmpuint (packing.a_bytes + packing.b_bytes, <=, lk_matmul_plan_scratch (m, n, k, b_transposed, low));
  if (!lk_matmul_plan_packed (device, &shape, &plan))
    {
      g_assert_true (device->matmul == LK_MATMUL_FLOAT32 || device->matmul == LK_MATMUL_FLOAT16);
      return;
    }
  tile = plan.tile;
  g_assert_cmpuint (plan.shared_bytes, <=, snapshot->max_shared_memory);
  g_assert_cmpuint (plan.threads, <=, snapshot->max_workgroup_invocations);
  g_assert_cmpuint (tile->bm * tile->bk / 8 % plan.threads, ==, 0);
  g_assert_cmpuint (tile->bn * tile->bk / 8 % plan.threads, ==, 0);
  g_assert_cmpuint (tile->tm * tile->tn / device->matrix.subgroup_size, <=, 128);
  g_assert_cmpint (packing.m % tile->bm, ==, 0);
  g_assert_cmpint (packing.n % tile->bn, ==, 0);
  g_assert_cmpint (packing.k % tile->bk, ==, 0);
}

/* Every row of the table of tiles that a device may be asked for fits it, on the path it is for. */
static void
check_tiles (const LkDeviceSnapshot *snapshot, const LkDevicePlan *device)
{
  guint fitting = 0;

  for (const LkMatmulTile *tile = lk_matmul_tiles (); tile->name; tile++)
    {
      if (!lk_matmul_tile_fits (tile, device, device->matmul))
        continue;
      fitting++;
      g_assert_cmpuint (lk_matmul_tile_shared_bytes (tile, device, device->matmul), <=, snapshot->max_shared_memory);
      g_assert_cmpuint (lk_matmul_tile_threads (tile, device, device->matmul), <=, snapshot->max_workgroup_invocations);
      if (!lk_matmul_path_is_matrix (device->matmul))
        continue;
      g_assert_cmpuint (tile->tm % device->matrix.m, ==, 0);
      g_assert_cmpuint (tile->tn % device->matrix.n, ==, 0);
      g_assert_cmpuint (tile->bk % device->matrix.k, ==, 0);
    }
  g_assert_cmpuint (fitting, >, 0);
}

/* The fragments are the device's own, of 16-bit floats with float32 sums in a subgroup, whose size it has. */
static void
check_matrix (const LkDeviceSnapshot *snapshot, const LkDevicePlan *device)
{
  const LkMatrixUnit *unit = &device->matrix;
  gboolean listed = FALSE;

  for (guint i = 0; i < snapshot->n_matrices; i++)
    {
      const LkDeviceMatrix *m = &snapshot->matrices[i];

      listed |= m->m == unit->m && m->n == unit->n && m->k == unit->k && m->a_type == 0 && m->b_type == 0 && m->c_type == 1
                && m->result_type == 1 && m->scope == 3;
    }
  g_assert_true (listed);
  g_assert_cmpuint (unit->subgroup_size, >=, snapshot->subgroup_size_min);
  g_assert_cmpuint (unit->subgroup_size, <=, snapshot->subgroup_size_max);
}

/* Heads of every width, in every direction: on matrix units where products are made on them, whole fragments then. */
static void
check_attention (const LkDeviceSnapshot *snapshot, const LkDevicePlan *device)
{
  const LkMatrixUnit *unit = &device->matrix;

  for (LkAttentionPass pass = 0; pass < LK_N_ATTENTION_PASSES; pass++)
    for (gint64 d = 1; d <= LK_ATTENTION_WIDEST; d++)
      {
        LkAttentionPlan plan;

        lk_attention_plan (device, pass, d, &plan);
        g_assert_cmpuint (plan.shared_bytes, <=, snapshot->max_shared_memory);
        g_assert_cmpuint (plan.threads, <=, snapshot->max_workgroup_invocations);
        g_assert_cmpuint (plan.threads, <=, snapshot->max_workgroup_size_x);
        g_assert_cmpfloat (lk_attention_plan_rounds (&plan, device, pass, d, 8), <, 20000);
        g_assert_cmpint (plan.subgroups > 0, ==, lk_matmul_path_is_matrix (device->matmul) && pass != LK_ATTENTION_ROW && d % 16 == 0);
        if (plan.subgroups == 0)
          {
            g_assert_cmpuint (plan.threads % plan.block, ==, 0);
            g_assert_cmpuint (plan.step, ==, plan.block);
            continue;
          }
        g_assert_cmpuint (plan.threads, ==, plan.subgroups * unit->subgroup_size);
        g_assert_cmpuint (plan.block, ==, plan.subgroups / plan.split * unit->m);
        g_assert_cmpuint (plan.block, <=, plan.threads);
        g_assert_cmpuint (plan.step % (unit->n * plan.split), ==, 0);
        g_assert_cmpuint (plan.step % unit->k, ==, 0);
        g_assert_cmpuint (d % (unit->n * plan.split), ==, 0);
      }
}

/* Bindings, allocations and memory stay within what the device says. */
static void
check_memory (const LkDeviceSnapshot *snapshot, const LkDevicePlan *device)
{
  const LkDeviceHeap *heap = &snapshot->heaps[snapshot->memory_types[device->device_type].heap];

  g_assert_cmpuint (device->max_binding, <=, snapshot->max_storage_buffer_range);
  g_assert_cmpuint (device->max_block, <=, snapshot->max_allocation_size);
  g_assert_cmpuint (device->max_block, <=, snapshot->max_buffer_size);
  g_assert_cmpuint (device->alignment % snapshot->min_storage_buffer_alignment, ==, 0);
  g_assert_cmpuint (device->memory_limit, <=, heap->size);
  g_assert_cmpuint (device->memory_limit, >=, heap->size / 2);
}

/* Every tile a plan names fits the device, a product is covered whole, and matrix units are used where they can be
 * trusted. */
static void
test_products (void)
{
  static const gint64 shapes[][3] = {
    { 4096, 4096, 4096 }, { 1, 1, 1 },     { 5, 32000, 4096 },      { 4096, 16, 4096 },    { 16, 4096, 4096 },
    { 133, 197, 211 },    { 16, 16, 8192 }, { 2048, 262144, 3584 }, { 14336, 4096, 17 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (recorded); i++)
    {
      LkDeviceSnapshot snapshot = load (recorded[i].name);
      LkDevicePlan device;

      g_test_message ("%s", recorded[i].name);
      g_assert_cmpint (lk_device_plan_make (&snapshot, &device, NULL), ==, recorded[i].usable);
      if (!recorded[i].usable)
        continue;
      /* what is taken by itself: matrix units where they are to be trusted */
      g_assert_cmpuint (device.matmul, ==, recorded[i].m ? LK_MATMUL_MATRIX : LK_MATMUL_FLOAT32);
      g_assert_true (lk_device_plan_set_precision (&device, LK_PRECISION_FLOAT32, NULL));
      g_assert_cmpuint (device.matmul, ==, LK_MATMUL_FLOAT32);
      check_memory (&snapshot, &device);
      check_attention (&snapshot, &device);
      check_tiles (&snapshot, &device);
      for (guint s = 0; s < G_N_ELEMENTS (shapes); s++)
        check_product (&snapshot, &device, shapes[s][0], shapes[s][1], shapes[s][2]);
      g_assert_true (lk_device_plan_set_precision (&device, LK_PRECISION_FLOAT16, NULL));
      g_assert_cmpuint (device.matmul, ==, recorded[i].m ? LK_MATMUL_MATRIX : LK_MATMUL_FLOAT16);
      g_assert_cmpuint (device.matrix.m, ==, recorded[i].m);
      g_assert_cmpuint (device.matrix.n, ==, recorded[i].n);
      g_assert_cmpuint (device.matrix.k, ==, recorded[i].k);
      check_tiles (&snapshot, &device);
      check_attention (&snapshot, &device);
      if (recorded[i].m)
        check_matrix (&snapshot, &device);
      for (guint s = 0; s < G_N_ELEMENTS (shapes); s++)
        {
          check_product (&snapshot, &device, shapes[s][0], shapes[s][1], shapes[s][2]);
          check_packed (&snapshot, &device, shapes[s][0], shapes[s][1], shapes[s][2], TRUE);
          check_packed (&snapshot, &device, shapes[s][0], shapes[s][1], shapes[s][2], FALSE);
        }
    }
}

/* A few outputs of a long sum do not leave a large card idle. */
static void
test_products_split (void)
{
  LkDeviceSnapshot snapshot = load ("geforce-rtx-4090");
  const LkMatmulShape shape = { 256, 16, 8192, lk_matmul_plan_scratch (256, 16, 8192, TRUE, 0), TRUE };
  LkDevicePlan device;
  LkMatmulPlan plan;

  g_assert_true (lk_device_plan_make (&snapshot, &device, NULL));
  lk_matmul_plan (&device, &shape, &plan);
  g_assert_cmpuint (plan.parts, ==, 16);
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_MATRIX);
  lk_device_plan_forget_matrix (&device, LK_DEVICE_MATRIX_NOT_BUILT);
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_FLOAT32);
  g_assert_true (lk_device_plan_set_precision (&device, LK_PRECISION_FLOAT16, NULL));
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_FLOAT16);
  g_assert_false (lk_device_plan_set_precision (&device, LK_PRECISION_FLOAT16_MATRIX, NULL));
  g_assert_true (lk_device_plan_set_precision (&device, LK_PRECISION_FLOAT32, NULL));
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_FLOAT32);
}

/* Matrix units in software are slower than what they stand for: only who names them gets them. */
static void
test_products_in_software (void)
{
  LkDeviceSnapshot snapshot = load ("llvmpipe");
  LkDevicePlan device;

  snapshot.cooperative_matrix = snapshot.shader_float16 = snapshot.vulkan_memory_model = TRUE;
  snapshot.matrices[0] = (LkDeviceMatrix){ .m = 8, .n = 8, .k = 8, .a_type = VK_COMPONENT_TYPE_FLOAT16_KHR, .b_type = VK_COMPONENT_TYPE_FLOAT16_KHR,
                                           .c_type = VK_COMPONENT_TYPE_FLOAT32_KHR, .result_type = VK_COMPONENT_TYPE_FLOAT32_KHR,
                                           .scope = VK_SCOPE_SUBGROUP_KHR };
  snapshot.n_matrices = 1;
  g_assert_true (lk_device_plan_make (&snapshot, &device, NULL));
  g_assert_cmpuint (device.matrix.m, ==, 8);
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_FLOAT32);
  g_assert_nonnull (strstr (device.matrix_reason, "software"));
  g_assert_true (lk_device_plan_set_precision (&device, LK_PRECISION_FLOAT16, NULL));
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_MATRIX8);
  g_assert_true (lk_device_plan_set_precision (&device, LK_PRECISION_AUTO, NULL));
  g_assert_cmpuint (device.matmul, ==, LK_MATMUL_FLOAT32);
}

static void
test_precision_names (void)
{
  g_autoptr (GError) error = NULL;
  LkPrecision precision;

  for (guint i = 0; i < LK_N_PRECISIONS; i++)
    {
      g_assert_true (lk_precision_parse (lk_precision_names[i], &precision, NULL));
      g_assert_cmpuint (precision, ==, i);
    }
  g_assert_true (lk_precision_parse (NULL, &precision, NULL));
  g_assert_cmpuint (precision, ==, LK_PRECISION_AUTO);
  g_assert_false (lk_precision_parse ("float64", &precision, &error));
  g_assert_nonnull (strstr (error->message, "“float64”; there are auto, float32"));
}

/* The tiles of attention on a data centre's card, and those of fragments of 8 × 8 × 8 in the least shared memory there is. */
static void
test_attention (void)
{
  static const struct
  {
    const char *name;
    LkAttentionPass pass;
    gint64 d;
    LkKernel kernel;
    guint block, step, threads;
  } cases[] = {
    { "h100", LK_ATTENTION_FORWARD, 128, LK_KERNEL_ATTENTION_MATRIX, 128, 32, 256 },
    { "h100", LK_ATTENTION_DQ, 128, LK_KERNEL_ATTENTION_DQ_MATRIX, 128, 32, 256 },
    { "h100", LK_ATTENTION_DKV, 128, LK_KERNEL_ATTENTION_DKV_MATRIX, 64, 32, 256 },
    { "h100", LK_ATTENTION_DKV, 48, LK_KERNEL_ATTENTION_DKV_MATRIX, 128, 32, 256 },
    { "h100", LK_ATTENTION_FORWARD, 256, LK_KERNEL_ATTENTION_MATRIX, 128, 16, 256 },
    { "h100", LK_ATTENTION_FORWARD, 100, LK_KERNEL_ATTENTION, 16, 16, 256 },
    { "h100", LK_ATTENTION_ROW, 128, LK_KERNEL_ATTENTION_ROW, 1, 1, 256 },
    { "llvmpipe", LK_ATTENTION_FORWARD, 128, LK_KERNEL_ATTENTION_MATRIX8, 32, 32, 32 },
    { "llvmpipe", LK_ATTENTION_DKV, 128, LK_KERNEL_ATTENTION_DKV_MATRIX8, 32, 32, 64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkDeviceSnapshot snapshot = load (cases[i].name);
      gboolean eight = snapshot.n_matrices == 0;
      LkAttentionPlan plan;
      LkDevicePlan device;

      g_assert_true (lk_device_plan_make (&snapshot, &device, NULL));
      if (eight) /* as newer versions of this driver have it */
        device.matrix = (LkMatrixUnit){ 8, 8, 8, 8 };
      g_assert_true (lk_device_plan_set_precision (&device, eight ? LK_PRECISION_FLOAT16_MATRIX8 : LK_PRECISION_FLOAT16, NULL));
      check_attention (&snapshot, &device);
      lk_attention_plan (&device, cases[i].pass, cases[i].d, &plan);
      g_assert_cmpuint (plan.kernel, ==, cases[i].kernel);
      g_assert_cmpuint (plan.block, ==, cases[i].block);
      g_assert_cmpuint (plan.step, ==, cases[i].step);
      g_assert_cmpuint (plan.threads, ==, cases[i].threads);
    }
}

/* A card that tells its units gets longer dispatches than one that does not, and a larger one longer ones; never shorter than a guess. */
static void
test_dispatches (void)
{
  static const struct { guint units; double plain, matrix; } rows[] = { { 0, 1e11, 8e11 }, { 20, 1e11, 8e11 }, { 132, 2.64e11, 1.32e12 } };
  LkDeviceSnapshot snapshot = load ("h100");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      LkDevicePlan device;

      snapshot.compute_units = rows[i].units;
      g_assert_true (lk_device_plan_make (&snapshot, &device, NULL));
      g_assert_cmpfloat_with_epsilon (device.dispatch_flops, rows[i].plain, 1);
      g_assert_cmpfloat_with_epsilon (device.matrix_dispatch_flops, rows[i].matrix, 1);
    }
}

/* Each requirement alone makes a device unusable, and the sentence says which. */
static void
test_missing_features (void)
{
  static const struct { gsize offset; const char *words; } cases[] = {
    { G_STRUCT_OFFSET (LkDeviceSnapshot, storage_16bit), "16-bit" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, storage_8bit), "8-bit" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, timeline_semaphore), "timeline" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, subgroup_operations), "subgroup" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, subgroup_stages), "subgroup" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, api_version), "1.2" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, max_storage_buffers), "buffers" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, max_push_constants), "settings" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, max_workgroup_invocations), "threads" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, max_shared_memory), "share" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, n_queue_families), "queue" },
    { G_STRUCT_OFFSET (LkDeviceSnapshot, n_memory_types), "memory" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkDeviceSnapshot snapshot = load ("radeon-rx-7900-xtx");
      g_autoptr (GError) error = NULL;
      LkDevicePlan plan;

      *(guint32 *) (void *) ((guint8 *) &snapshot + cases[i].offset) = 0;
      g_assert_false (lk_device_plan_make (&snapshot, &plan, &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, cases[i].words));
      g_assert_nonnull (strstr (error->message, "7900 XTX"));
    }
}

static void
test_pack (void)
{
  static const guint64 sizes[] = { 100, 256, 1, 700, 0, 300, 1024 };
  static const guint64 too_large[] = { 10, 1025 };
  static const guint expected_blocks[] = { 0, 0, 0, 1, 1, 2, 3 };
  static const guint64 expected_offsets[] = { 0, 256, 512, 0, 768, 0, 0 };
  g_autoptr (GArray) block_sizes = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint blocks[7], wrong = 0;
  guint64 offsets[7];

  g_assert_true (lk_gpu_pack (sizes, 7, 256, 1024, blocks, offsets, block_sizes, &wrong));
  for (guint i = 0; i < 7; i++)
    {
      g_assert_cmpuint (blocks[i], ==, expected_blocks[i]);
      g_assert_cmpuint (offsets[i], ==, expected_offsets[i]);
    }
  g_assert_cmpuint (block_sizes->len, ==, 4);
  g_assert_cmpuint (g_array_index (block_sizes, guint64, 0), ==, 513);
  g_assert_cmpuint (g_array_index (block_sizes, guint64, 3), ==, 1024);
  g_assert_false (lk_gpu_pack (too_large, 2, 256, 1024, blocks, offsets, block_sizes, &wrong));
  g_assert_cmpuint (wrong, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gpu/snapshot/devices", test_devices);
  g_test_add_func ("/gpu/snapshot/round-trip", test_json_round_trip);
  g_test_add_func ("/gpu/snapshot/bad", test_bad_json);
  g_test_add_func ("/gpu/plan/choice", test_choice_parse);
  g_test_add_func ("/gpu/plan/ranking", test_ranking);
  g_test_add_func ("/gpu/plan/notice", test_notice);
  g_test_add_func ("/gpu/plan/plans", test_plans);
  g_test_add_func ("/gpu/plan/products", test_products);
  g_test_add_func ("/gpu/plan/products-split", test_products_split);
  g_test_add_func ("/gpu/plan/dispatch-lengths", test_dispatches);
  g_test_add_func ("/gpu/plan/products-in-software", test_products_in_software);
  g_test_add_func ("/gpu/plan/precision-names", test_precision_names);
  g_test_add_func ("/gpu/plan/attention", test_attention);
  g_test_add_func ("/gpu/plan/missing", test_missing_features);
  g_test_add_func ("/gpu/memory/pack", test_pack);
  return g_test_run ();
}
