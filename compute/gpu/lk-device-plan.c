/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-device-plan.h"

#include "lk-device-matrix.h"
#include "lk-error.h"

#include <string.h>
#include <vulkan/vulkan_core.h>

/* What the kernels in shaders/ are written for. */
#define NEEDED_BINDINGS 12
#define NEEDED_PUSH_CONSTANTS 128
#define NEEDED_INVOCATIONS 256
#define NEEDED_SHARED_MEMORY (32 * 1024)
#define NEEDED_SUBGROUP_OPERATIONS (VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT)

/* Slices start on this boundary at least: a cache line of every GPU known, and any element type's size. */
#define SLICE_ALIGNMENT 256

/* Larger single allocations fail on some drivers although they state larger limits. */
#define MAX_BLOCK (G_GUINT64_CONSTANT (4) << 30)

/* Without VK_EXT_memory_budget other programs' use is unknown; this part of the heap is left to them. */
#define SHARE_WITHOUT_BUDGET 0.8

gboolean
lk_device_choice_parse (const char *text, LkDeviceChoice *out, GError **error)
{
  static const struct { const char *word; LkDeviceWant want; } words[] = {
    { "auto", LK_DEVICE_WANT_AUTO }, { "cpu", LK_DEVICE_WANT_CPU }, { "vulkan", LK_DEVICE_WANT_VULKAN },
  };
  guint64 index;

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (text, words[i].word) == 0)
      {
        *out = (LkDeviceChoice){ words[i].want, -1 };
        return TRUE;
      }
  if (g_ascii_strncasecmp (text, "vulkan:", 7) == 0
      && g_ascii_string_to_unsigned (text + 7, 10, 0, 255, &index, NULL))
    {
      *out = (LkDeviceChoice){ LK_DEVICE_WANT_VULKAN, (gint) index };
      return TRUE;
    }
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
               "“%s” is not a device: use “auto”, “cpu”, “vulkan”, or “vulkan:N” with the number that "
               "“lorikeet-cli devices” shows", text);
  return FALSE;
}

/* Compute without graphics first: such a queue does not wait for what is on the screen. */
static gboolean
choose_queue (const LkDeviceSnapshot *s, guint *family)
{
  gboolean found = FALSE;

  for (guint i = 0; i < s->n_queue_families; i++)
    {
      const LkDeviceQueueFamily *f = &s->queue_families[i];
      if (!(f->flags & VK_QUEUE_COMPUTE_BIT) || f->count == 0)
        continue;
      if (!(f->flags & VK_QUEUE_GRAPHICS_BIT))
        {
          *family = i;
          return TRUE;
        }
      if (!found)
        *family = i;
      found = TRUE;
    }
  return found;
}

/* The type with all of @need in the largest heap; more of @prefer decides between equals, then the driver's
 * order. */
static gboolean
choose_memory (const LkDeviceSnapshot *s, guint32 need, guint32 prefer, guint *type)
{
  gboolean found = FALSE;
  guint64 best_size = 0;
  guint best_score = 0;

  for (guint i = 0; i < s->n_memory_types; i++)
    {
      const LkDeviceMemoryType *t = &s->memory_types[i];
      guint64 size = s->heaps[t->heap].size;
      guint score = (guint) __builtin_popcount (t->flags & prefer);
      if ((t->flags & need) != need || (t->flags & VK_MEMORY_PROPERTY_PROTECTED_BIT))
        continue;
      if (found && (size < best_size || (size == best_size && score <= best_score)))
        continue;
      found = TRUE;
      best_size = size;
      best_score = score;
      *type = i;
    }
  return found;
}

static gboolean
choose_memories (const LkDeviceSnapshot *s, LkDevicePlan *out)
{
  const guint32 mapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  const guint32 local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;

  /* Cached: reading back through write-combined memory is some hundred times slower. */
  if (!choose_memory (s, mapped, VK_MEMORY_PROPERTY_HOST_CACHED_BIT, &out->staging_type))
    return FALSE;
  out->unified = s->kind == LK_DEVICE_INTEGRATED || s->kind == LK_DEVICE_SOFTWARE;
  if (out->unified
      && choose_memory (s, local | mapped, VK_MEMORY_PROPERTY_HOST_CACHED_BIT, &out->device_type))
    return TRUE;
  out->unified = FALSE;
  return choose_memory (s, local, 0, &out->device_type);
}

static guint64
memory_limit (const LkDeviceHeap *heap)
{
  if (heap->budget == 0)
    return (guint64) ((double) heap->size * SHARE_WITHOUT_BUDGET);
  return MIN (heap->budget, heap->size);
}

/* What one of the units a driver tells of makes at least: half of what our slowest kernels with much to do, float32 attention
 * backward and the same on matrix units, made on each of an H100's 132 (37 and 190 Gop/s). */
#define UNIT_FLOPS 20e9
#define UNIT_MATRIX_FLOPS 100e9
#define MATRIX_GAIN 8.0 /* where no units are told */
#define MOST_DISPATCH_SECONDS 0.1

/* First guesses an order of magnitude below what such devices reach, so that submissions and dispatches stay short. A function of the
 * snapshot alone: where attention's backward is cut decides in which order it adds up. */
static void
guess_rates (const LkDeviceSnapshot *s, LkDevicePlan *out)
{
  static const struct { double flops, bytes; } guesses[] = {
    [LK_DEVICE_OTHER] = { 50e9, 10e9 },     [LK_DEVICE_INTEGRATED] = { 100e9, 15e9 },
    [LK_DEVICE_DISCRETE] = { 1e12, 100e9 }, [LK_DEVICE_VIRTUAL] = { 200e9, 30e9 },
    [LK_DEVICE_SOFTWARE] = { 2e9, 2e9 },
  };
  guint kind = (guint) s->kind < G_N_ELEMENTS (guesses) ? s->kind : LK_DEVICE_OTHER;

  out->software = s->kind == LK_DEVICE_SOFTWARE;
  out->flops_per_s = MAX (guesses[kind].flops, s->compute_units * UNIT_FLOPS);
  out->bytes_per_s = guesses[kind].bytes;
  out->submission_seconds = out->software ? 0.0 : 0.25;
  out->dispatch_flops = out->software ? 1e15 : MOST_DISPATCH_SECONDS * out->flops_per_s;
  out->matrix_dispatch_flops
      = out->software ? 1e15 : MOST_DISPATCH_SECONDS * MAX (MATRIX_GAIN * guesses[kind].flops, s->compute_units * UNIT_MATRIX_FLOPS);
}

/* Compute units of devices that do not tell: how many work groups it takes until nothing idles. */
static guint
guess_units (const LkDeviceSnapshot *s)
{
  static const guint guesses[] = {
    [LK_DEVICE_OTHER] = 8,   [LK_DEVICE_INTEGRATED] = 8, [LK_DEVICE_DISCRETE] = 32,
    [LK_DEVICE_VIRTUAL] = 8, [LK_DEVICE_SOFTWARE] = 4,
  };
  guint kind = (guint) s->kind < G_N_ELEMENTS (guesses) ? s->kind : LK_DEVICE_OTHER;

  return s->compute_units ? s->compute_units : guesses[kind];
}

static void
plan_products (const LkDeviceSnapshot *s, LkDevicePlan *out)
{
  out->half = s->shader_float16 && s->storage_16bit;
  out->compute_units = guess_units (s);
  out->max_threads = MIN (s->max_workgroup_invocations, s->max_workgroup_size_x);
  out->shared_memory = s->max_shared_memory;
  lk_device_matrix_plan (s, &out->matrix, &out->matrix_reason);
  out->largest_tile = lk_device_largest_tile (s, FALSE);
  out->largest_matrix_tile = lk_device_largest_tile (s, TRUE);
}

static void need (GString *missing, gboolean there, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
need (GString *missing, gboolean there, const char *format, ...)
{
  va_list args;

  if (there)
    return;
  va_start (args, format);
  if (missing->len)
    g_string_append_c (missing, ' ');
  g_string_append_vprintf (missing, format, args);
  va_end (args);
}

static void
check_features (const LkDeviceSnapshot *s, GString *missing)
{
  need (missing, s->api_version >= VK_API_VERSION_1_2,
        "Its driver speaks Vulkan %u.%u, but 1.2 is needed; a newer driver may help.",
        VK_API_VERSION_MAJOR (s->api_version), VK_API_VERSION_MINOR (s->api_version));
  need (missing, s->storage_16bit, "It cannot read 16-bit numbers from memory (storageBuffer16BitAccess).");
  need (missing, s->storage_8bit, "It cannot read 8-bit numbers from memory (storageBuffer8BitAccess).");
  need (missing, s->timeline_semaphore, "It has no timeline semaphores.");
  need (missing,
        (s->subgroup_operations & NEEDED_SUBGROUP_OPERATIONS) == NEEDED_SUBGROUP_OPERATIONS
          && (s->subgroup_stages & VK_SHADER_STAGE_COMPUTE_BIT),
        "It cannot add up numbers across a subgroup (basic and arithmetic subgroup operations in compute).");
  need (missing, s->max_storage_buffers >= NEEDED_BINDINGS,
        "A kernel can see %u buffers on it, but %u are needed.", s->max_storage_buffers, NEEDED_BINDINGS);
  need (missing, s->max_push_constants >= NEEDED_PUSH_CONSTANTS,
        "A kernel can be given %u bytes of settings on it, but %u are needed.", s->max_push_constants,
        NEEDED_PUSH_CONSTANTS);
  need (missing,
        s->max_workgroup_invocations >= NEEDED_INVOCATIONS && s->max_workgroup_size_x >= NEEDED_INVOCATIONS,
        "It runs %u threads in a group, but %u are needed.", s->max_workgroup_invocations,
        NEEDED_INVOCATIONS);
  need (missing, s->max_shared_memory >= NEEDED_SHARED_MEMORY,
        "Its threads share %u bytes of memory, but %u are needed.", s->max_shared_memory,
        NEEDED_SHARED_MEMORY);
}

gboolean
lk_device_plan_make (const LkDeviceSnapshot *s, LkDevicePlan *out, GError **error)
{
  g_autoptr (GString) missing = g_string_new (NULL);
  LkDevicePlan plan = { 0 };

  check_features (s, missing);
  need (missing, choose_queue (s, &plan.queue_family), "It has no queue that computes.");
  need (missing, choose_memories (s, &plan), "It has no memory that both it and the processor can reach.");
  if (missing->len)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” cannot be used. %s", s->name, missing->str);
      return FALSE;
    }
  plan.timestamps = s->queue_families[plan.queue_family].timestamp_bits > 0 && s->timestamp_period > 0;
  plan.memory_limit = memory_limit (&s->heaps[s->memory_types[plan.device_type].heap]);
  plan.alignment = MAX (s->min_storage_buffer_alignment, SLICE_ALIGNMENT);
  plan.max_block = MIN (MIN (s->max_allocation_size, s->max_buffer_size), MAX_BLOCK) & ~(plan.alignment - 1);
  plan.max_binding = s->max_storage_buffer_range & ~G_GUINT64_CONSTANT (3);
  guess_rates (s, &plan);
  plan_products (s, &plan);
  *out = plan;
  return lk_device_plan_set_precision (out, LK_PRECISION_AUTO, error);
}

static int
rank (const LkDeviceSnapshot *s)
{
  static const int ranks[] = {
    [LK_DEVICE_OTHER] = 1, [LK_DEVICE_INTEGRATED] = 3, [LK_DEVICE_DISCRETE] = 4,
    [LK_DEVICE_VIRTUAL] = 2, [LK_DEVICE_SOFTWARE] = 0,
  };
  return (guint) s->kind < G_N_ELEMENTS (ranks) ? ranks[s->kind] : 1;
}

static gboolean
better (const LkDeviceSnapshot *a, const LkDeviceSnapshot *b)
{
  if (rank (a) != rank (b))
    return rank (a) > rank (b);
  return lk_device_snapshot_get_memory (a) > lk_device_snapshot_get_memory (b);
}

static gboolean
only_software (const LkDeviceSnapshot *snapshots, guint n)
{
  for (guint i = 0; i < n; i++)
    if (snapshots[i].kind != LK_DEVICE_SOFTWARE)
      return FALSE;
  return n > 0;
}

static char *
refuse_software (const LkDeviceSnapshot *snapshots, guint n, guint i)
{
  return g_strdup_printf ("“%s” is the processor playing graphics card, slower than the processor itself; it is used only when "
                          "asked for as %s“vulkan:%u”.",
                          snapshots[i].name, only_software (snapshots, n) ? "“vulkan” or " : "", i);
}

/* Fills the refusals and returns the best usable device, or -1. */
static gint
find_best (const LkDeviceSnapshot *snapshots, guint n, gboolean software_too, char **refusals)
{
  gint best = -1;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) local = NULL;
      LkDevicePlan plan;

      if (!lk_device_plan_make (&snapshots[i], &plan, &local))
        refusals[i] = g_strdup (local->message);
      else if (snapshots[i].kind == LK_DEVICE_SOFTWARE && !software_too)
        refusals[i] = refuse_software (snapshots, n, i);
      else
        refusals[i] = g_strdup ("");
      if (!*refusals[i] && (best < 0 || better (&snapshots[i], &snapshots[best])))
        best = (gint) i;
    }
  return best;
}

static char *
join_refusals (char **refusals)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; refusals[i]; i++)
    if (*refusals[i])
      g_string_append_printf (text, "%s%s", text->len ? " " : "", refusals[i]);
  return g_string_free (text, FALSE);
}

static gboolean
choose_asked (LkDeviceSelection *self, const LkDeviceSnapshot *snapshots, guint n,
              const LkDeviceChoice *choice, GError **error)
{
  g_autofree char *refused = join_refusals (self->refusals);

  if (choice->index >= (gint) n)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND,
                   "There is no Vulkan device %d: this computer has %u, counted from 0.", choice->index, n);
      return FALSE;
    }
  if (choice->index >= 0)
    self->index = choice->index;
  if (self->index < 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND, "No Vulkan device can be used. %s",
                   n ? refused : "None was found.");
      return FALSE;
    }
  if (*self->refusals[self->index])
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_UNSUPPORTED, self->refusals[self->index]);
      return FALSE;
    }
  self->reason = g_strdup_printf ("“%s” %s.", snapshots[self->index].name,
                                  choice->index >= 0 ? "was asked for" : "is the best Vulkan device here");
  if (choice->index < 0 && snapshots[self->index].kind == LK_DEVICE_SOFTWARE)
    self->notice = g_strdup_printf ("“%s” computes: the processor playing graphics card, as this computer has no other Vulkan device. "
                                    "The device “cpu” is faster.",
                                    snapshots[self->index].name);
  return TRUE;
}

LkDeviceSelection *
lk_device_select (const LkDeviceSnapshot *snapshots, guint n, const LkDeviceChoice *choice, GError **error)
{
  g_autoptr (LkDeviceSelection) self = g_new0 (LkDeviceSelection, 1);
  g_autofree char *refused = NULL;

  self->refusals = g_new0 (char *, n + 1);
  self->index = find_best (snapshots, n, choice->want == LK_DEVICE_WANT_VULKAN && (choice->index >= 0 || only_software (snapshots, n)),
                           self->refusals);
  if (choice->want == LK_DEVICE_WANT_VULKAN)
    return choose_asked (self, snapshots, n, choice, error) ? g_steal_pointer (&self) : NULL;
  if (choice->want == LK_DEVICE_WANT_CPU)
    {
      self->index = -1;
      self->reason = g_strdup ("The processor was asked for.");
      return g_steal_pointer (&self);
    }
  refused = join_refusals (self->refusals);
  if (self->index >= 0)
    self->reason = g_strdup_printf ("“%s” is the best graphics card here.", snapshots[self->index].name);
  else
    {
      self->reason = g_strdup_printf ("The processor computes. %s", n ? refused : "No Vulkan device was found.");
      self->notice = only_software (snapshots, n) ? NULL : g_strdup (self->reason);
    }
  return g_steal_pointer (&self);
}

void
lk_device_selection_free (LkDeviceSelection *self)
{
  if (!self)
    return;
  g_free (self->reason);
  g_free (self->notice);
  g_strfreev (self->refusals);
  g_free (self);
}
