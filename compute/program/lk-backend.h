/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What runs programs: the CPU calls each operation; the GPU records each operation's dispatches once and replays them.
 * Thread-safety: one thread at a time.
 */
#pragma once

#include "lk-device-plan.h"
#include "lk-memory-plan.h"

G_BEGIN_DECLS

typedef struct _LkBackend LkBackend;
typedef struct _LkExecutable LkExecutable;

/* "cpu", "vulkan", "vulkan:N" (N as `lorikeet-cli devices` lists them), "auto": the best hardware GPU, else the CPU with a notice.
 * Products are float32, so that numbers are the reference's on every device. */
LkBackend *lk_backend_new (const char *device, GError **error);
/* The same with the numbers a graphics card multiplies. The CPU knows float32 only: AUTO and FLOAT32 are the same there, another
 * precision is refused with LK_ERROR_UNSUPPORTED. */
LkBackend *lk_backend_new_precise (const char *device, LkPrecision precision, GError **error);
LkBackend *lk_backend_new_cpu (guint workers); /* 0: one a core */
LkBackend *lk_backend_ref (LkBackend *self);
void lk_backend_unref (LkBackend *self);
/* What the user is to be told of the device, sentences for people: why the processor computes although “auto” was asked for, that
 * “vulkan” is a software device. NULL when nothing need be said. Who opens a backend for a user tells it. */
const char *lk_backend_get_notice (LkBackend *self);
/* "CPU, 2 threads, AVX-512", "llvmpipe (LLVM 15)" */
const char *lk_backend_get_description (LkBackend *self);
/* What its matrix products are made of: "float32", "float16", "float16 on matrix units". */
const char *lk_backend_get_products (LkBackend *self);
gboolean lk_backend_is_gpu (LkBackend *self);
/* A graphics card whose memory is another than the computer's: variables marked as beside lie in the latter. */
gboolean lk_backend_has_own_memory (LkBackend *self);
/* How the device is used; NULL on the CPU. */
const LkDevicePlan *lk_backend_get_device_plan (LkBackend *self);
/* Memory programs may use here, for the plan: device memory, or the host's available memory on the CPU. */
guint64 lk_backend_get_memory (LkBackend *self);

/* Bytes that were allocated on a graphics card and not given back; 0 on the CPU, whose memory is the process's. */
guint64 lk_backend_get_memory_used (LkBackend *self);

/* Gives every variable of the set that has none yet its storage, filled with its initial content or zeros. Frozen
 * weights stay in their mapped file on the CPU. Call it when all variables of a plan exist; again when some were added. */
gboolean lk_backend_prepare (LkBackend *self, LkVariables *variables, GError **error);
gboolean lk_backend_write (LkBackend *self, LkVariable *variable, guint64 offset, const void *data, gsize size, GError **error);
gboolean lk_backend_read (LkBackend *self, LkVariable *variable, guint64 offset, void *data, gsize size, GError **error);
gboolean lk_backend_clear (LkBackend *self, LkVariable *variable, GError **error);

/* The memory that compile() will need for @program. */
void lk_backend_plan (LkBackend *self, LkProgram *program, LkMemoryPlan *plan);
/* Plans memory (refused with LK_ERROR_OUT_OF_MEMORY in words when it does not fit), allocates the arena, records.
 * Executables of one backend share one arena, as large as the largest needs, as they never run at the same time. Variables used must be prepared. */
LkExecutable *lk_backend_compile (LkBackend *self, LkProgram *program, GError **error);
gboolean lk_executable_run (LkExecutable *self, GError **error);
void lk_executable_free (LkExecutable *self);

/* What the operations of one name took. */
typedef struct
{
  const char *operation; /* interned */
  guint64 calls;         /* nodes on the CPU, dispatches on a GPU */
  double seconds;
  LkCost cost; /* the floors: what all of them cannot do without, by the operations' own account */
} LkOperationTime;

/* Every operation of programs that are compiled from here on is timed. On a GPU each dispatch is then run alone; one that keeps no time
 * (lk_backend_get_device_plan()->timestamps) tells nothing. LK_PROFILE=1 in the environment does the same from the start. */
void lk_backend_time_operations (LkBackend *self);
/* (transfer full) (element-type LkOperationTime): sums over all runs since it was last asked; NULL when nothing is timed. */
GArray *lk_backend_take_times (LkBackend *self);
/* The same as a table for people, the longest first. (transfer full) */
char *lk_backend_describe_profile (LkBackend *self);

/* What a device cannot pass: the rates of loops that do nothing else. */
typedef enum
{
  LK_CEILING_FMA,    /* float32 multiplied and added, operations a second (two each) */
  LK_CEILING_MATRIX, /* the same on the matrix units that products use here */
  LK_CEILING_COPY,   /* bytes a second, read and written counted apart */
  LK_N_CEILINGS
} LkCeiling;

/* Measures it, the best of several runs. @bytes: how many a copy reads and writes, because small ones stay in caches; more than the
 * device lets a kernel see at once are measured with as many as it does. *rate is 0 where the device has no such units. */
gboolean lk_backend_measure (LkBackend *self, LkCeiling ceiling, guint64 bytes, double *rate, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkBackend, lk_backend_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkExecutable, lk_executable_free)

G_END_DECLS
