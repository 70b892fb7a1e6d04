/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-program-private.h"

static void
lk_tensor_free (gpointer data)
{
  LkTensor *self = data;

  g_free (self->name);
  g_free (self);
}

LkProgram *
lk_program_new (const char *name, LkVariables *variables)
{
  LkProgram *self = g_new0 (LkProgram, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->variables = lk_variables_ref (variables);
  self->tensors = g_ptr_array_new_with_free_func (lk_tensor_free);
  g_ptr_array_add (self->tensors, NULL); /* id 0 is none */
  self->nodes = g_array_new (FALSE, TRUE, sizeof (LkNode));
  self->by_variable = g_hash_table_new (NULL, NULL);
  self->seeds = g_hash_table_new (NULL, NULL);
  self->layer = -1;
  return self;
}

LkProgram *
lk_program_ref (LkProgram *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_program_unref (LkProgram *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->by_variable);
  g_hash_table_unref (self->seeds);
  g_array_unref (self->nodes);
  for (guint i = 1; i < self->tensors->len; i++)
    lk_tensor_free (g_ptr_array_index (self->tensors, i));
  g_ptr_array_set_free_func (self->tensors, NULL);
  g_ptr_array_unref (self->tensors);
  lk_variables_unref (self->variables);
  g_free (self->name);
  g_free (self);
}

const char *
lk_program_get_name (LkProgram *self)
{
  return self->name;
}

static LkTensorId
lk_program_add_tensor (LkProgram *self, const char *name, LkType type, gint64 rows, gint64 cols)
{
  LkTensor *t = g_new0 (LkTensor, 1);

  t->name = g_strdup (name);
  t->type = type;
  t->rows = rows;
  t->cols = cols;
  if (!lk_type_bytes (type, (guint64) rows, (guint64) cols, &t->bytes))
    g_error ("tensor %s: %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT " is no whole number of blocks", name, rows, cols);
  t->original = self->tensors->len;
  g_ptr_array_add (self->tensors, t);
  return t->original;
}

LkTensorId
lk_program_variable (LkProgram *self, LkVariable *variable)
{
  LkTensorId id = GPOINTER_TO_UINT (g_hash_table_lookup (self->by_variable, variable));

  if (!id)
    {
      LkTensor *t;

      id = lk_program_add_tensor (self, variable->name, variable->type, variable->rows, variable->cols);
      t = lk_program_get_tensor (self, id);
      t->variable = variable;
      t->needs_gradient = variable->gradient != NULL;
      g_hash_table_insert (self->by_variable, variable, GUINT_TO_POINTER (id));
    }
  return id;
}

LkTensorId
lk_program_tensor (LkProgram *self, const char *name, LkType type, gint64 rows, gint64 cols)
{
  return lk_program_add_tensor (self, name, type, rows, cols);
}

LkTensor *
lk_program_get_tensor (LkProgram *self, LkTensorId id)
{
  return g_ptr_array_index (self->tensors, id);
}

guint
lk_program_get_n_tensors (LkProgram *self)
{
  return self->tensors->len - 1;
}

LkNode *
lk_program_append (LkProgram *self, const LkOperation *operation, const LkTensorId *in, guint n_in, const LkTensorId *out, guint n_out)
{
  LkNode node = { .operation = operation, .n_in = n_in, .n_out = n_out, .layer = self->layer };
  gboolean needs = FALSE;

  g_assert (n_in <= LK_NODE_MAX_IN && n_out <= LK_NODE_MAX_OUT);
  for (guint i = 0; i < n_in; i++)
    {
      node.in[i] = in[i];
      if (in[i])
        needs |= lk_program_get_tensor (self, in[i])->needs_gradient;
    }
  for (guint i = 0; i < n_out; i++)
    {
      node.out[i] = out[i];
      if (out[i] && operation->gradient)
        lk_program_get_tensor (self, out[i])->needs_gradient |= needs;
    }
  g_array_append_val (self->nodes, node);
  return &g_array_index (self->nodes, LkNode, self->nodes->len - 1);
}

void
lk_program_set_layer (LkProgram *self, gint layer)
{
  self->layer = layer;
}

guint
lk_program_get_n_nodes (LkProgram *self)
{
  return self->nodes->len;
}

LkNode *
lk_program_get_node (LkProgram *self, guint i)
{
  return &g_array_index (self->nodes, LkNode, i);
}

char *
lk_program_describe (LkProgram *self)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < self->nodes->len; i++)
    {
      LkNode *node = lk_program_get_node (self, i);

      g_string_append_printf (s, "%4u %-16s", i, node->operation->name);
      for (guint k = 0; k < node->n_out; k++)
        if (node->out[k])
          {
            LkTensor *t = lk_program_get_tensor (self, node->out[k]);
            g_string_append_printf (s, " %s%s[%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "]", t->name, node->accumulate >> k & 1 ? "+" : "",
                                    t->rows, t->cols);
          }
      g_string_append (s, " ←");
      for (guint k = 0; k < node->n_in; k++)
        if (node->in[k])
          g_string_append_printf (s, " %s", lk_program_get_tensor (self, node->in[k])->name);
      g_string_append_c (s, '\n');
    }
  return g_string_free (s, FALSE);
}
