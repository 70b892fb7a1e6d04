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

static void
lk_memory_plan_lifetimes (LkProgram *program)
{
  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkTensor *t = lk_program_get_tensor (program, id);
      t->first = t->last = -1;
    }
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);

      for (guint k = 0; k < node->n_in + node->n_out; k++)
        {
          LkTensorId id = k < node->n_in ? node->in[k] : node->out[k - node->n_in];
          LkTensor *t;

          if (!id)
            continue;
          t = lk_program_get_tensor (program, id);
          if (t->first < 0)
            t->first = (gint) i;
          t->last = (gint) i;
        }
    }
}

static int
lk_span_compare (gconstpointer a, gconstpointer b)
{
  const guint64 *x = a, *y = b;

  return x[0] < y[0] ? -1 : x[0] > y[0];
}

/* Lowest offset for @block among those already placed. @spans is scratch for 2·n offsets. */
static guint64
lk_memory_plan_place (const LkBlock *placed, guint n, const LkBlock *block, guint64 *spans)
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
      at = MAX (at, spans[2 * i + 1]);
    }
  return at;
}

static GArray *
lk_memory_plan_blocks (LkProgram *program, LkTarget target, guint workers, guint64 alignment, LkMemoryPlan *plan)
{
  GArray *blocks = g_array_new (FALSE, FALSE, sizeof (LkBlock));

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkTensor *t = lk_program_get_tensor (program, id);
      LkBlock b = { t->first, t->last, (t->bytes + alignment - 1) & ~(alignment - 1), &t->offset, blocks->len };

      plan->largest = MAX (plan->largest, t->bytes);
      if (!t->variable && t->first >= 0)
        g_array_append_val (blocks, b);
    }
  for (guint i = 0; i < lk_program_get_n_nodes (program); i++)
    {
      LkNode *node = lk_program_get_node (program, i);
      LkBlock b = { (gint) i, (gint) i, 0, &node->scratch_offset, blocks->len };

      node->scratch_bytes = node->operation->scratch ? node->operation->scratch (program, node, target, workers) : 0;
      b.bytes = (node->scratch_bytes + alignment - 1) & ~(alignment - 1);
      if (b.bytes)
        g_array_append_val (blocks, b);
    }
  g_array_sort (blocks, lk_block_compare);
  return blocks;
}

static void
lk_memory_plan_variables (LkProgram *program, LkMemoryPlan *plan)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint id = 1; id <= lk_program_get_n_tensors (program); id++)
    {
      LkVariable *v = lk_program_get_tensor (program, id)->variable;
      guint64 *sums[] = { &plan->weights, &plan->parameters, &plan->state, &plan->inputs };

      while (v && v->base)
        v = v->base;
      if (v && g_hash_table_add (seen, v))
        *sums[v->kind] += v->bytes;
    }
}

void
lk_memory_plan (LkProgram *program, LkTarget target, guint workers, guint alignment, LkMemoryPlan *plan)
{
  g_autoptr (GArray) blocks = NULL;
  g_autofree guint64 *spans = NULL;

  *plan = (LkMemoryPlan){ 0 };
  lk_memory_plan_lifetimes (program);
  blocks = lk_memory_plan_blocks (program, target, workers, alignment, plan);
  spans = g_new (guint64, 2 * (gsize) blocks->len + 2);
  for (guint i = 0; i < blocks->len; i++)
    {
      LkBlock *b = &g_array_index (blocks, LkBlock, i);

      *b->offset = lk_memory_plan_place ((LkBlock *) (void *) blocks->data, i, b, spans);
      plan->activations = MAX (plan->activations, *b->offset + b->bytes);
    }
  lk_memory_plan_variables (program, plan);
}
