/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Variables: named tensors that outlive a program and are shared by many: weights, adapter parameters, gradients,
 * optimizer moments, inputs, key/value caches. A variable says what it is; where its bytes lie is the backend's affair.
 * All tensors are matrices of contiguous rows; a vector has one row.
 */
#pragma once

#include <gio/gio.h>

#include "lk-type.h"

G_BEGIN_DECLS

typedef enum
{
  LK_VARIABLE_WEIGHT,    /* never written after loading unless full tuning asks for its gradient */
  LK_VARIABLE_PARAMETER, /* trained */
  LK_VARIABLE_STATE,     /* gradients, moments, caches, results: begin as zeros */
  LK_VARIABLE_INPUT,     /* written by the host before each run */
} LkVariableKind;

typedef struct _LkVariable LkVariable;
/* Writes the initial content, all of the variable's bytes, to @to. Called by each backend that prepares the variable, in its
 * thread; one at a time for the variables of a set. */
typedef gboolean (*LkVariableFill) (const LkVariable *self, guint8 *to, gpointer data, GError **error);

struct _LkVariable
{
  guint id; /* index in its set */
  char *name;
  LkVariableKind kind;
  LkType type;
  gint64 rows, cols;
  guint64 bytes;
  /* Initial content, borrowed from the set's owners (a mapped file, mostly); NULL is zeros. */
  const guint8 *data;
  gboolean mapped; /* @data is a read-only file's: what was read of it may be given back to the system */
  /* What is made rather than read: instead of @data. @fill_data is borrowed likewise. */
  LkVariableFill fill;
  gpointer fill_data;
  /* A view: this variable is bytes [base_offset, base_offset + bytes) of @base. */
  LkVariable *base;
  guint64 base_offset;
  /* Read so little that a graphics card with memory of its own may read it where the computer's is. Set before a backend prepares it; not
   * for a view. */
  gboolean beside;
  /* Where its gradient is summed; NULL: nobody asks for one. F32, same shape. */
  LkVariable *gradient;
};

typedef struct _LkVariables LkVariables;

/* A frozen weight whose bytes a processor can use where they lie: they are there, and aligned for its floats. */
gboolean lk_variable_lies_in_place (const LkVariable *self);

LkVariables *lk_variables_new (void);
LkVariables *lk_variables_ref (LkVariables *self);
void lk_variables_unref (LkVariables *self);
guint lk_variables_get_n (LkVariables *self);
LkVariable *lk_variables_get (LkVariables *self, guint id);
LkVariable *lk_variables_lookup (LkVariables *self, const char *name); /* NULL when absent */

/* Adds a variable. The shape must be whole blocks of @type: NULL and an error otherwise. */
LkVariable *lk_variables_add (LkVariables *self, const char *name, LkVariableKind kind, LkType type, gint64 rows, gint64 cols,
                              GError **error);
/* As above for shapes the program itself made: they are right by construction. */
LkVariable *lk_variables_add_f32 (LkVariables *self, const char *name, LkVariableKind kind, gint64 rows, gint64 cols);
LkVariable *lk_variables_add_i32 (LkVariables *self, const char *name, LkVariableKind kind, gint64 rows, gint64 cols);
/* A view of @rows × @cols floats at element @offset of the F32 variable @base. */
LkVariable *lk_variables_add_view (LkVariables *self, const char *name, LkVariable *base, guint64 offset, gint64 rows, gint64 cols);
/* Frees the variables from number @n on, as if they had never been added: those of a program that was only planned. No program may hold
 * them, and no backend may have prepared them. */
void lk_variables_truncate (LkVariables *self, guint n);
/* Keeps @owner alive as long as the set (the mapped file behind data pointers). */
void lk_variables_keep (LkVariables *self, gpointer owner, GDestroyNotify destroy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkVariables, lk_variables_unref)

G_END_DECLS
