/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Memory is known before the first step: lifetimes of a program's activations and scratch become offsets in one arena.
 * The estimate shown to people and the allocator use the same numbers.
 */
#pragma once

#include "lk-program.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 activations; /* arena bytes, scratch included */
  guint64 weights;     /* variables the program reads, by kind; views count with their base, once */
  guint64 parameters;
  guint64 state;
  guint64 inputs;
  guint64 largest;     /* the largest single tensor, for limits on one binding */
} LkMemoryPlan;

/* Fills first, last, offset of each tensor and scratch of each node. @alignment in bytes, a power of two. A pure
 * function of the program. */
void lk_memory_plan (LkProgram *program, LkTarget target, guint workers, guint alignment, LkMemoryPlan *plan);

G_END_DECLS
