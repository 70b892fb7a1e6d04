/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-variable.h"

#include "lk-error.h"

typedef struct
{
  gpointer owner;
  GDestroyNotify destroy;
} LkOwner;

struct _LkVariables
{
  gatomicrefcount ref_count;
  GPtrArray *items;
  GHashTable *by_name;
  GArray *owners;
};

static void
lk_variable_free (gpointer data)
{
  LkVariable *self = data;

  g_free (self->name);
  g_free (self);
}

gboolean
lk_variable_lies_in_place (const LkVariable *self)
{
  const LkTypeInfo *info = lk_type_info (self->type);

  return self->kind == LK_VARIABLE_WEIGHT && self->data && !self->base
         && (info->block_elements > 1 || (guintptr) self->data % info->block_bytes == 0);
}

LkVariables *
lk_variables_new (void)
{
  LkVariables *self = g_new0 (LkVariables, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->items = g_ptr_array_new_with_free_func (lk_variable_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  self->owners = g_array_new (FALSE, FALSE, sizeof (LkOwner));
  return self;
}

LkVariables *
lk_variables_ref (LkVariables *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_variables_unref (LkVariables *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->items);
  for (guint i = 0; i < self->owners->len; i++)
    {
      LkOwner *o = &g_array_index (self->owners, LkOwner, i);
      o->destroy (o->owner);
    }
  g_array_unref (self->owners);
  g_free (self);
}

guint
lk_variables_get_n (LkVariables *self)
{
  return self->items->len;
}

LkVariable *
lk_variables_get (LkVariables *self, guint id)
{
  return g_ptr_array_index (self->items, id);
}

LkVariable *
lk_variables_lookup (LkVariables *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

LkVariable *
lk_variables_add (LkVariables *self, const char *name, LkVariableKind kind, LkType type, gint64 rows, gint64 cols, GError **error)
{
  LkVariable *v;
  guint64 bytes;

  if (rows < 0 || cols < 0 || !lk_type_bytes (type, (guint64) rows, (guint64) cols, &bytes))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "Tensor “%s” of %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT " %s is not whole blocks",
                   name, rows, cols, lk_type_name (type));
      return NULL;
    }
  v = g_new0 (LkVariable, 1);
  v->id = self->items->len;
  v->name = g_strdup (name);
  v->kind = kind;
  v->type = type;
  v->rows = rows;
  v->cols = cols;
  v->bytes = bytes;
  g_ptr_array_add (self->items, v);
  g_hash_table_insert (self->by_name, v->name, v);
  return v;
}

LkVariable *
lk_variables_add_f32 (LkVariables *self, const char *name, LkVariableKind kind, gint64 rows, gint64 cols)
{
  return lk_variables_add (self, name, kind, LK_TYPE_F32, rows, cols, NULL);
}

LkVariable *
lk_variables_add_i32 (LkVariables *self, const char *name, LkVariableKind kind, gint64 rows, gint64 cols)
{
  return lk_variables_add (self, name, kind, LK_TYPE_I32, rows, cols, NULL);
}

LkVariable *
lk_variables_add_view (LkVariables *self, const char *name, LkVariable *base, guint64 offset, gint64 rows, gint64 cols)
{
  LkVariable *v = lk_variables_add_f32 (self, name, base->kind, rows, cols);

  g_return_val_if_fail (base->type == LK_TYPE_F32 && (offset + (guint64) (rows * cols)) * 4 <= base->bytes, NULL);
  v->base = base;
  v->base_offset = offset * 4;
  return v;
}

void
lk_variables_truncate (LkVariables *self, guint n)
{
  for (guint i = n; i < self->items->len; i++)
    {
      LkVariable *v = g_ptr_array_index (self->items, i);

      if (g_hash_table_lookup (self->by_name, v->name) == v)
        g_hash_table_remove (self->by_name, v->name);
    }
  if (n < self->items->len)
    g_ptr_array_set_size (self->items, (gint) n);
}

void
lk_variables_keep (LkVariables *self, gpointer owner, GDestroyNotify destroy)
{
  LkOwner o = { owner, destroy };

  g_array_append_val (self->owners, o);
}
