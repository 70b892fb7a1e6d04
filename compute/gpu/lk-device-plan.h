/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decide before you create: which device, which queue, which memory, how much work at a time. Pure functions
 * of recorded snapshots; nothing here touches Vulkan, so the plan for any card is a unit test.
 */
#pragma once

#include "lk-device-snapshot.h"

G_BEGIN_DECLS

/* What the user asked for. */
typedef enum
{
  LK_DEVICE_WANT_AUTO,   /* the best hardware device, else the CPU backend; never a software Vulkan device */
  LK_DEVICE_WANT_CPU,    /* the CPU backend */
  LK_DEVICE_WANT_VULKAN, /* a Vulkan device: the best hardware one; a software one by its number, or where no other is listed */
} LkDeviceWant;

typedef struct
{
  LkDeviceWant want;
  gint index; /* for "vulkan:N" the N, counted as the driver lists its devices; else -1 */
} LkDeviceChoice;

/* Parses "auto", "cpu", "vulkan" or "vulkan:N". */
gboolean lk_device_choice_parse (const char *text, LkDeviceChoice *out, GError **error);

/* How one device is to be used. Sizes in bytes. */
typedef struct
{
  guint queue_family;   /* compute without graphics where there is one: it does not wait for the screen */
  gboolean timestamps;  /* the queue can time its work */
  guint device_type;    /* memory type of weights and activations */
  guint staging_type;   /* host-visible, coherent memory type for uploads and downloads */
  gboolean unified;     /* device memory is host memory: mapped, no staging copy needed */
  gboolean software;    /* no watchdog: submissions are not split */
  guint64 memory_limit; /* this process must stay below it in the heap of device_type */
  guint64 max_block;    /* of one allocation and its buffer */
  guint64 max_binding;  /* of one range a kernel sees */
  guint64 alignment;    /* of every slice; a power of two */
  /* Conservative guesses, replaced by measurements as soon as there are any (lk-gpu-recorder.h). */
  double flops_per_s;
  double bytes_per_s;
  double submission_seconds; /* estimated work of one submission; 0: no limit */
  double dispatch_flops;     /* an operation with more work than this is cut along its rows */
} LkDevicePlan;

/* FALSE and LK_ERROR_UNSUPPORTED with a sentence for each thing that is missing. */
gboolean lk_device_plan_make (const LkDeviceSnapshot *snapshot, LkDevicePlan *out, GError **error);

typedef struct
{
  gint index;      /* into the snapshots; -1: the CPU backend */
  char *reason;    /* one sentence: why this one */
  char *notice;    /* what the user is to be told, sentences: why a graphics card could not be had by “auto”, or that “vulkan” is a
                    * software device; NULL where the choice is what was asked for, and where “auto” found but software devices */
  char **refusals; /* one sentence a snapshot, NULL-terminated; "" for a device that could be used */
} LkDeviceSelection;

/* Chooses among @snapshots (in the driver's order): discrete before integrated before virtual before other,
 * then more memory, then the driver's order. No software device takes the place of a card that is there and cannot be used. NULL and an error that holds all refusals when an asked-for
 * Vulkan device cannot be had. (transfer full) */
LkDeviceSelection *lk_device_select (const LkDeviceSnapshot *snapshots, guint n_snapshots,
                                     const LkDeviceChoice *choice, GError **error);
void lk_device_selection_free (LkDeviceSelection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkDeviceSelection, lk_device_selection_free)

G_END_DECLS
