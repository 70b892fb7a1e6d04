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
  guint64 in_place;    /* of the weights: read where they lie in the model's file, so that nothing is allocated for them */
  guint64 parameters;
  guint64 state;
  guint64 inputs;
  guint64 largest;     /* the largest single activation or scratch */
} LkMemoryPlan;

/* Offsets in the arena. They belong to one executable: another backend, or another number of workers, places the same program
 * otherwise. */
typedef struct
{
  guint64 *tensors;       /* by tensor id; variables have none */
  guint64 *scratch;       /* by node */
  guint64 *scratch_bytes; /* by node */
} LkMemoryPlaces;

/* What a backend asks of the places. */
typedef struct
{
  LkTarget target;
  guint workers;     /* threads of the CPU */
  guint64 alignment; /* in bytes, a power of two */
  guint64 block;     /* nothing crosses a multiple of it, as that is where one allocation ends; 0: there is one allocation */
  gboolean weights_in_place; /* where they lie so that this backend can (see lk_variable_lies_in_place) */
} LkMemoryRules;

/* A pure function of program and rules. @places: NULL, or receives where everything lies. What is larger than a block lies somewhere:
 * compare it with plan->largest. */
void lk_memory_plan (LkProgram *program, const LkMemoryRules *rules, LkMemoryPlan *plan, LkMemoryPlaces *places);
void lk_memory_places_clear (LkMemoryPlaces *self);

G_END_DECLS
