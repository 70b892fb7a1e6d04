/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decide before you create: which device, which queue, which memory, which kernels, how much work at a time. Pure
 * functions of recorded snapshots; nothing here touches Vulkan, so the plan for any card is a unit test.
 */
#pragma once

#include "lk-device-snapshot.h"

G_BEGIN_DECLS

/* The numbers matrix products are made of; sums are always float32. */
typedef enum
{
  LK_PRECISION_AUTO,    /* FLOAT16 on a hardware device with matrix units, else FLOAT32 */
  LK_PRECISION_FLOAT32, /* the reference's numbers on every device: what parity is measured in */
  LK_PRECISION_FLOAT16, /* the device's best kernel for 16-bit inputs */
  /* One kernel and no other, for tests and measurements. */
  LK_PRECISION_FLOAT16_THREADS,
  LK_PRECISION_FLOAT16_MATRIX,
  LK_PRECISION_FLOAT16_MATRIX8,
  LK_N_PRECISIONS
} LkPrecision;

/* "auto", "float32", "float16", "float16-threads", "float16-matrix", "float16-matrix8"; NULL-terminated. */
extern const char *const lk_precision_names[];
#define LK_N_USUAL_PRECISIONS LK_PRECISION_FLOAT16_THREADS /* the first so many: what people choose from */
/* NULL: AUTO. */
gboolean lk_precision_parse (const char *name, LkPrecision *out, GError **error);

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
  LkPrecision precision;
} LkDeviceChoice;

/* Parses "auto", "cpu", "vulkan" or "vulkan:N". */
gboolean lk_device_choice_parse (const char *text, LkDeviceChoice *out, GError **error);

/* The kernels a matrix product can be made by. */
typedef enum
{
  LK_MATMUL_FLOAT32, /* shaders/matmul.comp */
  LK_MATMUL_FLOAT16, /* shaders/matmul_half.comp: 16-bit slices, multiplied as float32 */
  LK_MATMUL_MATRIX,  /* shaders/matmul_matrix.comp: VK_KHR_cooperative_matrix */
  LK_MATMUL_MATRIX8, /* shaders/matmul_matrix8.comp: the same for 8 × 8 × 8 known when it is compiled */
} LkMatmulPath;

static inline gboolean
lk_matmul_path_is_matrix (LkMatmulPath path)
{
  return path == LK_MATMUL_MATRIX || path == LK_MATMUL_MATRIX8;
}

/* "float32", "float16", "float16 on matrix units". */
const char *lk_matmul_path_describe (LkMatmulPath path);

/* Fragments of the device's matrix units, 16-bit floats with float32 sums; m = 0: none that can be used. */
typedef struct
{
  guint m, n, k;
  guint subgroup_size; /* lanes that hold a fragment */
} LkMatrixUnit;

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
  double matrix_dispatch_flops; /* the same where it is made on matrix units */
  /* Matrix products, see lk-matmul-plan.h. */
  LkMatmulPath matmul;
  LkMatrixUnit matrix;
  const char *matrix_reason; /* static; why the matrix units are or are not used: a sentence for people */
  gboolean half;             /* 16-bit floats in kernels and their shared memory */
  guint compute_units;       /* stated, or a guess by kind of device */
  guint max_threads;         /* of a work group */
  guint shared_memory;       /* of a work group */
  const char *tile;          /* the only row of the table of tiles to be used, static; NULL: the best */
  guint largest_tile;        /* elements of a product one work group may make */
  guint largest_matrix_tile; /* the same on matrix units */
} LkDevicePlan;

/* FALSE and LK_ERROR_UNSUPPORTED with a sentence for each thing that is missing. The precision is AUTO. */
gboolean lk_device_plan_make (const LkDeviceSnapshot *snapshot, LkDevicePlan *out, GError **error);
/* Sets out->matmul for @precision. FALSE and LK_ERROR_UNSUPPORTED when one kernel is asked for that cannot run. */
gboolean lk_device_plan_set_precision (LkDevicePlan *self, LkPrecision precision, GError **error);
/* Plans without the device's matrix units, for @reason (static). Before the precision is set. */
void lk_device_plan_forget_matrix (LkDevicePlan *self, const char *reason);
/* What a build without the kernels for matrix units says of them. */
#define LK_DEVICE_MATRIX_NOT_BUILT \
  "Its matrix units are not used: the GLSL compiler of this build does not know cooperative matrices (see -Dglslc)."

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
