/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Nothing is allocated inside a step: once a shape has run, neither the device's memory nor anything as large as an activation
 * is asked for again. The calls are counted where they are made: this program's own malloc stands before the C library's, its own
 * vkAllocateMemory and the like before the loader's.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdlib.h>
#include <vulkan/vulkan.h>

#include "lk-generator.h"
#include "lk-train-fixture.h"
#include "lk-train-step.h"

/* The working memory of the smallest step here is some hundred times as large; a batch's ids are smaller. */
#define LARGE (16 << 10)

static gsize large, largest; /* allocations of LARGE bytes at least, and the largest of all; atomic */
static gint device_calls;    /* that make memory, buffers, pipelines, descriptors or command buffers; atomic */
static gsize counting;       /* atomic */

static void
note (gsize size)
{
  gsize before = __atomic_load_n (&largest, __ATOMIC_RELAXED);

  if (!__atomic_load_n (&counting, __ATOMIC_RELAXED))
    return;
  while (size > before && !__atomic_compare_exchange_n (&largest, &before, size, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
  if (size >= LARGE)
    __atomic_add_fetch (&large, 1, __ATOMIC_RELAXED);
}

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define HOST_IS_COUNTED FALSE /* somebody else stands there */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_IS_COUNTED FALSE
#endif
#endif
#ifndef HOST_IS_COUNTED
#define HOST_IS_COUNTED TRUE

void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *old, size_t size);
void *__libc_memalign (size_t alignment, size_t size);

void *
malloc (size_t size)
{
  note (size);
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  note (n * size);
  return __libc_calloc (n, size);
}

void *
realloc (void *old, size_t size)
{
  note (size);
  return __libc_realloc (old, size);
}

int
posix_memalign (void **out, size_t alignment, size_t size)
{
  note (size);
  *out = __libc_memalign (alignment, size);
  return *out ? 0 : 12; /* ENOMEM */
}
#endif

/* A function of the loader by its own name, counted and passed on. */
#define COUNTED(name, parameters, ...) \
  VKAPI_ATTR VkResult VKAPI_CALL name parameters \
  { \
    PFN_##name real; \
    *(void **) &real = dlsym (RTLD_NEXT, #name); \
    g_atomic_int_inc (&device_calls); \
    return real (__VA_ARGS__); \
  }

COUNTED (vkAllocateMemory, (VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *callbacks, VkDeviceMemory *out),
         device, info, callbacks, out)
COUNTED (vkCreateBuffer, (VkDevice device, const VkBufferCreateInfo *info, const VkAllocationCallbacks *callbacks, VkBuffer *out), device, info,
         callbacks, out)
COUNTED (vkCreateComputePipelines,
         (VkDevice device, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *callbacks,
          VkPipeline *out),
         device, cache, n, infos, callbacks, out)
COUNTED (vkCreateDescriptorPool,
         (VkDevice device, const VkDescriptorPoolCreateInfo *info, const VkAllocationCallbacks *callbacks, VkDescriptorPool *out), device, info,
         callbacks, out)
COUNTED (vkAllocateDescriptorSets, (VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *out), device, info, out)
COUNTED (vkAllocateCommandBuffers, (VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *out), device, info, out)

static void
begin_counting (void)
{
  large = largest = 0;
  g_atomic_int_set (&device_calls, 0);
  __atomic_store_n (&counting, TRUE, __ATOMIC_SEQ_CST);
}

/* @gpu: what a driver allocates on the host is not ours to count. */
static void
end_counting (const char *what, gboolean gpu)
{
  __atomic_store_n (&counting, FALSE, __ATOMIC_SEQ_CST);
  g_test_message ("%s: %d calls that make something on the device, %" G_GSIZE_FORMAT " host allocations of %d bytes at least, the largest of "
                  "all %" G_GSIZE_FORMAT, what, g_atomic_int_get (&device_calls), large, LARGE, largest);
  g_assert_cmpint (g_atomic_int_get (&device_calls), ==, 0);
  if (HOST_IS_COUNTED && !gpu)
    g_assert_cmpuint (large, ==, 0);
}

typedef struct
{
  LkModel *model;
  LkBackend *backend;
  LkAdapter *adapter;
} Fixture;

static void
set_up (Fixture *f, gconstpointer device)
{
  g_autofree char *path = g_build_filename (g_getenv ("LK_DATA_DIR"), "model", "lorikeet-tiny.gguf", NULL);
  LkAdapterConfig config = { .rank = 4, .alpha = 8, .dropout = 0.1, .seed = 1 };
  g_autoptr (GError) error = NULL;

  f->backend = lk_backend_new (device, &error);
  if (!f->backend)
    {
      g_test_skip (error->message);
      return;
    }
  f->model = lk_model_open (path, &error);
  g_assert_no_error (error);
  f->adapter = lk_adapter_new (f->model, "adapter", &config, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer device)
{
  g_clear_pointer (&f->adapter, lk_adapter_unref);
  g_clear_pointer (&f->backend, lk_backend_unref);
  g_clear_pointer (&f->model, lk_model_unref);
}

#define ROWS 4
#define LENGTH 64

static LkBatch *
make_batch (void)
{
  LkBatch *batch = lk_batch_new (ROWS, LENGTH);

  for (guint i = 0; i < batch->n; i++)
    {
      batch->ids[i] = (gint32) (i * 7 % 200);
      batch->positions[i] = (gint32) (i % LENGTH);
      batch->starts[i] = (gint32) (i / LENGTH * LENGTH);
      batch->targets[i] = i % LENGTH < 60 ? (gint32) ((i + 1) * 7 % 200) : -1;
      batch->n_targets += batch->targets[i] >= 0;
    }
  return batch;
}

static void
run_step (LkTrainStep *step, const LkBatch *batch, gint64 number)
{
  LkUpdateInput input = { .learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .max_norm = 1 };
  LkTrainStepResult result;
  g_autoptr (GError) error = NULL;
  double sum = 0;
  gint64 targets = 0;

  g_assert_true (lk_train_step_begin (step, number, &error) && lk_train_step_add (step, batch, ROWS, LENGTH, &error)
                 && lk_train_step_finish (step, &input, &result, &error)
                 && lk_train_step_evaluate (step, batch, ROWS, LENGTH, &sum, &targets, &error));
  g_assert_true (result.applied && targets == batch->n_targets);
}

/* Accumulated over two halves, with recompute and dropout, an evaluation behind each step. */
static void
test_step (Fixture *f, gconstpointer device)
{
  LkTrainStepOptions options = { .model = f->model, .adapter = f->adapter, .backend = f->backend, .length = LENGTH, .rows = 2,
                                 .recompute_layers = 1 };
  g_autoptr (LkTrainStep) step = NULL;
  g_autoptr (LkBatch) batch = make_batch ();
  g_autoptr (GError) error = NULL;

  if (!f->backend)
    return;
  step = lk_train_step_new (&options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lk_train_step_get_plan (step)->memory.activations, >, 100 * LARGE);
  run_step (step, batch, 0);
  begin_counting ();
  for (gint64 number = 1; number < 4; number++)
    run_step (step, batch, number);
  end_counting ("three steps", lk_backend_is_gpu (f->backend));
}

static void
test_decode (Fixture *f, gconstpointer device)
{
  LkGeneratorOptions options = { f->model, f->backend, &f->adapter, 1, 256 };
  g_autoptr (LkGenerator) generator = NULL;
  g_autoptr (GError) error = NULL;
  gint32 ids[40];

  if (!f->backend)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = (gint32) (i * 11 % 200);
  generator = lk_generator_new (&options, &error);
  g_assert_no_error (error);
  for (guint n = 20; n < 24; n++)
    g_assert_nonnull (lk_generator_feed (generator, ids, n, NULL, NULL, &error));
  begin_counting ();
  for (guint n = 24; n < G_N_ELEMENTS (ids); n++)
    g_assert_nonnull (lk_generator_feed (generator, ids, n, NULL, NULL, &error));
  end_counting ("sixteen tokens", lk_backend_is_gpu (f->backend));
}

/* That the counters count. */
static void
test_counters (void)
{
  gpointer bytes;

  begin_counting ();
  bytes = g_malloc (3 * LARGE);
  __atomic_store_n (&counting, FALSE, __ATOMIC_SEQ_CST);
  g_assert_nonnull (bytes);
  g_free (bytes);
  if (HOST_IS_COUNTED)
    g_assert_cmpuint (largest, ==, 3 * LARGE);
  else
    g_test_skip ("under this sanitizer the host's allocations are not counted");
}

static void
test_device_counters (Fixture *f, gconstpointer device)
{
  g_autoptr (GError) error = NULL;

  if (!f->backend)
    return;
  begin_counting ();
  g_assert_true (lk_backend_prepare (f->backend, lk_model_get_variables (f->model), &error));
  __atomic_store_n (&counting, FALSE, __ATOMIC_SEQ_CST);
  g_assert_cmpint (g_atomic_int_get (&device_calls), >, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/allocations/counters", test_counters);
  g_test_add ("/allocations/counters/device", Fixture, "vulkan", set_up, test_device_counters, tear_down);
  g_test_add ("/allocations/step/cpu", Fixture, "cpu", set_up, test_step, tear_down);
  g_test_add ("/allocations/step/vulkan", Fixture, "vulkan", set_up, test_step, tear_down);
  g_test_add ("/allocations/decode/cpu", Fixture, "cpu", set_up, test_decode, tear_down);
  g_test_add ("/allocations/decode/vulkan", Fixture, "vulkan", set_up, test_decode, tear_down);
  return g_test_run ();
}
