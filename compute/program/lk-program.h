/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A program: a list of operations over named tensors, built once for (family, shapes, purpose), planned, then run any
 * number of times by a backend. Tensors are matrices; a batch is flattened to rows of tokens, sequences in it are told
 * apart by the ranges input of attention.
 *
 * Building: operations' builder functions (compute/ops) append nodes and return the id of what they make. Then
 * lk_program_add_gradients() walks the list backwards. Then a backend compiles it.
 */
#pragma once

#include "lk-variable.h"

G_BEGIN_DECLS

typedef struct _LkProgram LkProgram;
typedef struct _LkNode LkNode;
typedef struct _LkOperation LkOperation;
typedef struct _LkGradients LkGradients;
typedef struct _LkCpuTask LkCpuTask; /* lk-backend-cpu.h */
typedef struct _LkGpuTask LkGpuTask; /* lk-backend-gpu.h */

typedef guint LkTensorId; /* 0: none */

typedef struct
{
  char *name;
  LkType type;
  gint64 rows, cols;
  guint64 bytes;
  LkVariable *variable;    /* NULL: an activation, planned by lifetime */
  gboolean needs_gradient; /* some parameter lies upstream, or it is one */
  LkTensorId original;     /* of a recomputed copy: the tensor it stands for; else itself */
} LkTensor;

#define LK_NODE_MAX_IN 20
#define LK_NODE_MAX_OUT 10

struct _LkNode
{
  const LkOperation *operation;
  LkTensorId in[LK_NODE_MAX_IN];
  LkTensorId out[LK_NODE_MAX_OUT];
  guint n_in, n_out;
  guint32 accumulate; /* bit i: out[i] is added to, not overwritten */
  gint layer;         /* -1: outside the layers */
  union
  {
    float f[12];
    gint32 i[12];
    guint32 u[12];
  } params; /* each operation's file says what stands where */
};

typedef struct
{
  double flops; /* multiply and add counted apart */
  double bytes; /* read + written, each once */
} LkCost;

typedef enum
{
  LK_TARGET_CPU,
  LK_TARGET_GPU,
} LkTarget;

struct _LkOperation
{
  const char *name; /* "linear", "linear_dx" … */
  /* The floors of its time: what no way of computing it could do without. */
  void (*cost) (LkProgram *program, const LkNode *node, LkCost *cost);
  /* Appends this node's backward operations. NULL: nothing flows back through it. */
  void (*gradient) (LkGradients *gradients, const LkNode *node);
  /* Bytes of working memory during this node. NULL: none. @workers: threads of the CPU backend. */
  guint64 (*scratch) (LkProgram *program, const LkNode *node, LkTarget target, guint workers);
  /* Computes it. All outputs are completely written (or added to). */
  void (*run) (LkCpuTask *task, const LkNode *node);
  /* Records its dispatches. */
  gboolean (*record) (LkGpuTask *task, const LkNode *node, GError **error);
};

LkProgram *lk_program_new (const char *name, LkVariables *variables);
LkProgram *lk_program_ref (LkProgram *self);
void lk_program_unref (LkProgram *self);
const char *lk_program_get_name (LkProgram *self);

/* Tensors */
LkTensorId lk_program_variable (LkProgram *self, LkVariable *variable); /* the same id each time */
LkTensorId lk_program_tensor (LkProgram *self, const char *name, LkType type, gint64 rows, gint64 cols);
LkTensor *lk_program_get_tensor (LkProgram *self, LkTensorId id);
guint lk_program_get_n_tensors (LkProgram *self); /* ids are 1 … n */

/* Nodes. @layer set by lk_program_set_layer is stamped on nodes that follow. The returned node is valid until the next
 * append. Outputs inherit needs_gradient from inputs when the operation has a gradient. */
LkNode *lk_program_append (LkProgram *self, const LkOperation *operation, const LkTensorId *in, guint n_in, const LkTensorId *out,
                           guint n_out);
void lk_program_set_layer (LkProgram *self, gint layer);
guint lk_program_get_n_nodes (LkProgram *self);
LkNode *lk_program_get_node (LkProgram *self, guint i);

/* Appends the backward half. Gradients of activations that began in forward nodes themselves (the loss head writes its
 * input's gradient in the forward pass) are announced with lk_program_set_gradient. Forward nodes of layers below
 * @recompute_layers are listed again before their layer's backward half, and their first results dropped. */
void lk_program_set_gradient (LkProgram *self, LkTensorId tensor, LkTensorId gradient);
void lk_program_add_gradients (LkProgram *self, guint recompute_layers);

/* For the operations' gradient functions. */
LkProgram *lk_gradients_get_program (LkGradients *self);
/* The gradient of an output of the node; 0: nothing flowed into it. */
LkTensorId lk_gradients_of (LkGradients *self, LkTensorId tensor);
gboolean lk_gradients_wanted (LkGradients *self, LkTensorId tensor);
/* Where the gradient of an input goes; 0: not wanted. *accumulate tells whether to add. Parameters' gradients are
 * always added to, the optimizer clears them. */
LkTensorId lk_gradients_target (LkGradients *self, LkTensorId tensor, gboolean *accumulate);
/* The gradient of @tensor is @gradient itself, plus what came before. */
void lk_gradients_pass (LkGradients *self, LkTensorId tensor, LkTensorId gradient);

/* One line a node, for people. (transfer full) */
char *lk_program_describe (LkProgram *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkProgram, lk_program_unref)

G_END_DECLS
