/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The backward half: forward nodes are visited in reverse, each appends its own backward operations. A tensor nobody asks a
 * gradient of gets none. Recomputed layers are listed again just before their backward nodes; the copies' tensors
 * stand for the originals, so that the originals' lifetimes end in the forward half.
 */
#include "lk-program-private.h"

#include <string.h>

struct _LkGradients
{
  LkProgram *program;
  LkTensorId *gradient;  /* by original tensor id: the tensor its gradient is summed in; 0: none yet */
  guint n_forward_tensors;
  gint visiting;         /* index of the forward node at hand */
  gint *producer;        /* by tensor id: the forward node that writes it, -1 for variables */
};

LkProgram *
lk_gradients_get_program (LkGradients *self)
{
  return self->program;
}

static LkTensorId
lk_gradients_original (LkGradients *self, LkTensorId tensor)
{
  return lk_program_get_tensor (self->program, tensor)->original;
}

LkTensorId
lk_gradients_of (LkGradients *self, LkTensorId tensor)
{
  return tensor ? self->gradient[lk_gradients_original (self, tensor)] : 0;
}

gboolean
lk_gradients_wanted (LkGradients *self, LkTensorId tensor)
{
  return tensor && lk_program_get_tensor (self->program, tensor)->needs_gradient;
}

static LkTensorId
lk_gradients_new_tensor (LkGradients *self, LkTensorId of)
{
  LkTensor *t = lk_program_get_tensor (self->program, of);
  g_autofree char *name = g_strconcat ("d.", t->name, NULL);

  return lk_program_tensor (self->program, name, LK_TYPE_F32, t->rows, t->cols);
}

/* TRUE when adding into @gradient would change what a forward node reads as its own output's gradient, the one at hand or one
 * still to be visited: another tensor shares it. So it is with a variable, which is somebody else's. */
static gboolean
lk_gradients_is_shared (LkGradients *self, LkTensorId tensor, LkTensorId gradient)
{
  if (lk_program_get_tensor (self->program, gradient)->variable)
    return TRUE;
  for (guint i = 1; i < self->n_forward_tensors; i++)
    if (i != tensor && self->gradient[i] == gradient && self->producer[i] >= 0 && self->producer[i] <= self->visiting)
      return TRUE;
  return FALSE;
}

static void lk_gradients_copy (LkGradients *self, LkTensorId from, LkTensorId to, gboolean add);

LkTensorId
lk_gradients_target (LkGradients *self, LkTensorId tensor, gboolean *accumulate)
{
  LkTensor *t;
  LkTensorId original;

  *accumulate = FALSE;
  if (!lk_gradients_wanted (self, tensor))
    return 0;
  original = lk_gradients_original (self, tensor);
  t = lk_program_get_tensor (self->program, original);
  if (t->variable)
    {
      *accumulate = TRUE;
      return lk_program_variable (self->program, t->variable->gradient);
    }
  if (!self->gradient[original])
    {
      self->gradient[original] = lk_gradients_new_tensor (self, original);
      return self->gradient[original];
    }
  *accumulate = TRUE;
  if (lk_gradients_is_shared (self, original, self->gradient[original]))
    {
      LkTensorId own = lk_gradients_new_tensor (self, original);

      lk_gradients_copy (self, self->gradient[original], own, FALSE);
      self->gradient[original] = own;
    }
  return self->gradient[original];
}

void
lk_gradients_pass (LkGradients *self, LkTensorId tensor, LkTensorId gradient)
{
  LkTensorId original;

  if (!lk_gradients_wanted (self, tensor))
    return;
  original = lk_gradients_original (self, tensor);
  if (!self->gradient[original] && !lk_program_get_tensor (self->program, original)->variable)
    {
      self->gradient[original] = gradient;
    }
  else
    {
      gboolean accumulate;
      LkTensorId target = lk_gradients_target (self, tensor, &accumulate);

      lk_gradients_copy (self, gradient, target, accumulate);
    }
}

/* The copy operation is an operation like all others; ops registers it here, as program cannot include ops. */
static void (*copy_builder) (LkProgram *program, LkTensorId from, LkTensorId to, gboolean add);

void
_lk_gradients_set_copy (void (*builder) (LkProgram *program, LkTensorId from, LkTensorId to, gboolean add))
{
  copy_builder = builder;
}

static void
lk_gradients_copy (LkGradients *self, LkTensorId from, LkTensorId to, gboolean add)
{
  copy_builder (self->program, from, to, add);
}

void
lk_program_set_gradient (LkProgram *self, LkTensorId tensor, LkTensorId gradient)
{
  g_hash_table_insert (self->seeds, GUINT_TO_POINTER (tensor), GUINT_TO_POINTER (gradient));
}

/* Lists the nodes [begin, end) once more with fresh outputs; @copy_of maps tensor → its copy. */
static void
lk_gradients_recompute (LkGradients *self, guint begin, guint end, LkTensorId *copy_of)
{
  LkProgram *program = self->program;

  for (guint i = begin; i < end; i++)
    {
      LkNode node = *lk_program_get_node (program, i);
      LkNode *again;

      for (guint k = 0; k < node.n_in; k++)
        if (node.in[k] < self->n_forward_tensors && copy_of[node.in[k]])
          node.in[k] = copy_of[node.in[k]];
      for (guint k = 0; k < node.n_out; k++)
        {
          LkTensorId out = node.out[k];
          LkTensor *t;

          if (!out || lk_program_get_tensor (program, out)->variable)
            continue;
          t = lk_program_get_tensor (program, out);
          copy_of[out] = lk_program_tensor (program, t->name, t->type, t->rows, t->cols);
          t = lk_program_get_tensor (program, copy_of[out]);
          t->original = out;
          t->needs_gradient = lk_program_get_tensor (program, out)->needs_gradient;
          node.out[k] = copy_of[out];
        }
      again = lk_program_append (program, node.operation, node.in, node.n_in, node.out, node.n_out);
      again->params = node.params;
      again->accumulate = node.accumulate;
      again->layer = node.layer;
    }
}

/* First forward node of the run of nodes with the layer of node @last. */
static guint
lk_gradients_layer_begin (LkProgram *program, guint last)
{
  gint layer = lk_program_get_node (program, last)->layer;
  guint begin = last;

  while (begin > 0 && lk_program_get_node (program, begin - 1)->layer == layer)
    begin--;
  return begin;
}

static gboolean
lk_gradients_reached (LkGradients *self, const LkNode *node)
{
  for (guint k = 0; k < node->n_out; k++)
    if (lk_gradients_of (self, node->out[k]))
      return TRUE;
  return FALSE;
}

/* Visits forward node @i; where its layer was recomputed, the copy of it is what the backward operations see. */
static void
lk_gradients_visit (LkGradients *self, guint i, const LkTensorId *copy_of)
{
  LkNode node = *lk_program_get_node (self->program, i);

  self->visiting = (gint) i;
  if (!node.operation->gradient || !lk_gradients_reached (self, &node))
    return;
  for (guint k = 0; k < node.n_in; k++)
    if (copy_of && copy_of[node.in[k]])
      node.in[k] = copy_of[node.in[k]];
  for (guint k = 0; k < node.n_out; k++)
    if (copy_of && copy_of[node.out[k]])
      node.out[k] = copy_of[node.out[k]];
  lk_program_set_layer (self->program, node.layer);
  node.operation->gradient (self, &node);
}

void
lk_program_add_gradients (LkProgram *self, guint recompute_layers)
{
  guint n_forward = self->nodes->len;
  LkGradients g = { .program = self, .n_forward_tensors = self->tensors->len };
  g_autofree LkTensorId *gradient = g_new0 (LkTensorId, g.n_forward_tensors);
  g_autofree gint *producer = g_new (gint, g.n_forward_tensors);
  g_autofree LkTensorId *copy_of = g_new0 (LkTensorId, g.n_forward_tensors);
  GHashTableIter iter;
  gpointer key, value;

  for (guint i = 0; i < g.n_forward_tensors; i++)
    producer[i] = -1;
  for (guint i = 0; i < n_forward; i++)
    {
      LkNode *node = lk_program_get_node (self, i);
      for (guint k = 0; k < node->n_out; k++)
        producer[node->out[k]] = (gint) i;
    }
  g.gradient = gradient;
  g.producer = producer;
  g_hash_table_iter_init (&iter, self->seeds);
  while (g_hash_table_iter_next (&iter, &key, &value))
    gradient[GPOINTER_TO_UINT (key)] = GPOINTER_TO_UINT (value);

  for (guint i = n_forward; i-- > 0;)
    {
      gint layer = lk_program_get_node (self, i)->layer;

      if (layer >= 0 && (guint) layer < recompute_layers)
        {
          guint begin = lk_gradients_layer_begin (self, i);

          memset (copy_of, 0, g.n_forward_tensors * sizeof *copy_of);
          lk_program_set_layer (self, layer);
          lk_gradients_recompute (&g, begin, i, copy_of); /* the last node's result is not needed again */
          for (guint k = i + 1; k-- > begin;)
            lk_gradients_visit (&g, k, copy_of);
          i = begin;
        }
      else
        lk_gradients_visit (&g, i, NULL);
    }
  lk_program_set_layer (self, -1);
}
