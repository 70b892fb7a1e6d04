/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Greedy by size: the largest tensor is placed first, each at the lowest offset where it overlaps no tensor that lives
 * at the same time (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
 */
#include "lk-memory-plan.h"

#include "lk-program-private.h"

#include <stdlib.h>

typedef struct
{
  gint first, last;
  guint64 bytes;
  guint64 *offset;
  guint order; /* for a stable sort */
} LkBlock;

static int
lk_block_compare (gconstpointer a, gconstpointer b)
{
  const LkBlock *x = a, *y = b;

  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return x->order < y->order ? -1 : x->order > y->order;
}

/* Node indices of the first write and the last use. */
typedef struct
{
  gint first, last; /* -1: unused */
} LkLifetime;

/* By tensor id. (transfer full) */
static LkLifetime *
lk_memory_plan_lifetimes (LkProgram *program)
{
  guint n = lk_program_get_n_tensors (program);
  LkLifetime *lives = g_new (LkLifetime, (gsize) n + 1);

  for (guint id = 0; id <= n; id++)
    lives[id] = (LkLifetime){ -1, -1 };
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);

      for (guint k = 0; k < node->n_in + node->n_out; k++)
        {
          LkLifetime *life = &lives[k < node->n_in ? node->in[k] : node->out[k - node->n_in]];

          if (life->first < 0)
            life->first = (gint) i;
          life->last = (gint) i;
        }
    }
  return lives;
}

static int
lk_span_compare (gconstpointer a, gconstpointer b)
{
  const guint64 *x = a, *y = b;

  return x[0] < y[0] ? -1 : x[0] > y[0];
}

/* The next offset from @at on where @bytes do not cross the end of an allocation. */
static guint64
lk_memory_plan_fit (guint64 at, guint64 bytes, guint64 allocation)
{
  guint64 room = allocation > 0 ? allocation - at % allocation : G_MAXUINT64;

  return bytes > room && bytes <= allocation ? at + room : at;
}

/* Lowest offset for @block among those already placed. @spans is scratch for 2·n offsets. */
static guint64
lk_memory_plan_place (const LkBlock *placed, guint n, const LkBlock *block, guint64 allocation, guint64 *spans)
{
  guint n_spans = 0;
  guint64 at = 0;

  for (guint i = 0; i < n; i++)
    if (placed[i].first <= block->last && placed[i].last >= block->first)
      {
        spans[2 * n_spans] = *placed[i].offset;
        spans[2 * n_spans + 1] = *placed[i].offset + placed[i].bytes;
        n_spans++;
      }
  qsort (spans, n_spans, 2 * sizeof *spans, lk_span_compare);
  for (guint i = 0; i < n_spans; i++)
    {
      if (spans[2 * i] >= at + block->bytes)
        break;
      at = lk_memory_plan_fit (MAX (at, spans[2 * i + 1]), block->bytes, allocation);
    }
  return at;
}

static GArray *
lk_memory_plan_blocks (LkProgram *program, const LkMemoryRules *rules, const LkMemoryPlaces *places)
{
  GArray *blocks = g_array_new (FALSE, FALSE, sizeof (LkBlock));
  const guint64 alignment = rules->alignment;
  g_autofree LkLifetime *lives = lk_memory_plan_lifetimes (program);

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkTensor *t = lk_program_get_tensor (program, id);
      LkBlock b = { lives[id].first, lives[id].last, (t->bytes + alignment - 1) & ~(alignment - 1), &places->tensors[id], blocks->len };

      if (!t->variable && b.first >= 0)
        g_array_append_val (blocks, b);
    }
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);
      LkBlock b = { (gint) i, (gint) i, 0, &places->scratch[i], blocks->len };

      places->scratch_bytes[i] = node->operation->scratch ? node->operation->scratch (program, node, rules->target, rules->workers) : 0;
      b.bytes = (places->scratch_bytes[i] + alignment - 1) & ~(alignment - 1);
      if (b.bytes)
        g_array_append_val (blocks, b);
    }
  g_array_sort (blocks, lk_block_compare);
  return blocks;
}

static void
lk_memory_plan_variables (LkProgram *program, const LkMemoryRules *rules, LkMemoryPlan *plan)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkVariable *v = lk_program_get_tensor (program, id)->variable;
      guint64 *sums[] = { &plan->weights, &plan->parameters, &plan->state, &plan->inputs };

      while (v && v->base)
        v = v->base;
      if (!v || !g_hash_table_add (seen, v))
        continue;
      *sums[v->kind] += v->bytes;
      if (rules->weights_in_place && lk_variable_lies_in_place (v))
        plan->in_place += v->bytes;
    }
}

void
lk_memory_places_clear (LkMemoryPlaces *self)
{
  g_clear_pointer (&self->tensors, g_free);
  g_clear_pointer (&self->scratch, g_free);
  g_clear_pointer (&self->scratch_bytes, g_free);
}

void
lk_memory_plan (LkProgram *program, const LkMemoryRules *rules, LkMemoryPlan *plan, LkMemoryPlaces *places)
{
  guint n_nodes = lk_program_get_n_nodes (program);
  LkMemoryPlaces own = { g_new0 (guint64, lk_program_get_n_tensors (program) + 1), g_new0 (guint64, n_nodes + 1),
                         g_new0 (guint64, n_nodes + 1) };
  g_autoptr (GArray) blocks = NULL;
  g_autofree guint64 *spans = NULL;

  *plan = (LkMemoryPlan){ 0 };
  blocks = lk_memory_plan_blocks (program, rules, &own);
  spans = g_new (guint64, 2 * (gsize) blocks->len + 2);
  for (guint i = 0; i < blocks->len; i++)
    {
      LkBlock *b = &g_array_index (blocks, LkBlock, i);

      *b->offset = lk_memory_plan_place ((LkBlock *) (void *) blocks->data, i, b, rules->block, spans);
      plan->largest = MAX (plan->largest, b->bytes);
      plan->activations = MAX (plan->activations, *b->offset + b->bytes);
    }
  lk_memory_plan_variables (program, rules, plan);
  if (places)
    *places = own;
  else
    lk_memory_places_clear (&own);
}
