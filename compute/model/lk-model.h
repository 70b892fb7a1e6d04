/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A base model on the disk: a GGUF file or a Hugging Face folder, its configuration, weights as variables, tokenizer
 * and chat template. Families are rows of a table (lk-family.c). Whatever the file, linear layers are called by their
 * Hugging Face module path ("model.layers.3.self_attn.q_proj") and rotary pairs are (i, i + d/2): GGUF's permuted q and
 * k rows are put back on loading.
 */
#pragma once

#include "lk-hf-config.h"
#include "lk-template.h"
#include "lk-tokenizer.h"
#include "lk-variable.h"

G_BEGIN_DECLS

typedef enum
{
  LK_LINEAR_Q,
  LK_LINEAR_K,
  LK_LINEAR_V,
  LK_LINEAR_QKV,     /* the three above in one matrix, rows in that order */
  LK_LINEAR_O,
  LK_LINEAR_GATE,
  LK_LINEAR_UP,
  LK_LINEAR_GATE_UP, /* the two above in one matrix */
  LK_LINEAR_DOWN,
  LK_N_LINEAR,
} LkLinearRole;

typedef enum
{
  LK_NORM_INPUT,            /* before attention */
  LK_NORM_Q,                /* of each head of the queries */
  LK_NORM_K,
  LK_NORM_ATTENTION_OUT,    /* of what attention adds to the residual stream */
  LK_NORM_FEED_FORWARD,     /* before the feed-forward part */
  LK_NORM_FEED_FORWARD_OUT, /* of what that adds */
  LK_N_NORM,
} LkNormRole;

typedef struct _LkFamily LkFamily;

typedef struct
{
  const LkFamily *family;
  char *name;              /* for people; owned by the model */
  gint64 vocab, hidden, intermediate, layers, heads, kv_heads, head_dim;
  gint64 context;          /* max_position_embeddings */
  double norm_eps;
  gint64 rotary_dim;       /* channels of each head that turn */
  LkRopeConfig rope;
  LkRopeConfig window_rope;    /* of layers with a window */
  gint64 window;               /* a token of such a layer sees the last so many, itself among them; 0: there are none */
  guint8 *windowed;            /* a layer each: has it a window? owned by the model */
  double attention_scale;      /* of q·k */
  double attention_cap, final_cap; /* scores and logits are capped, cap·tanh(x/cap); 0: they are not */
  gboolean tied;           /* the head is the embedding */
  gint64 parameters;       /* all weights, tied ones once */
} LkModelConfig;

typedef struct
{
  LkVariable *norm[LK_N_NORM];          /* [1, hidden] or, of heads, [1, head_dim]; NULL where the family has none */
  LkVariable *linear[LK_N_LINEAR];      /* [out, in]; likewise */
  LkVariable *bias[LK_N_LINEAR];        /* [1, out]; likewise */
} LkLayerWeights;

typedef struct _LkModel LkModel;

/* Maps weights; nothing is copied but permuted q/k rows and what is not stored in a usable layout. Missing tensors,
 * wrong shapes, a vocabulary larger than the embedding: errors naming file and tensor. */
LkModel *lk_model_open (const char *path, GError **error);
/* The same, but linear weights that are stored as F32, F16 or BF16 are quantised to @base_type (NF4, Q8_0 or Q4_0) when a backend
 * prepares them, one matrix after the other, all cores; embedding, head, norms and biases stay as they are, as with bitsandbytes.
 * LK_TYPE_INVALID: as stored. */
LkModel *lk_model_open_as (const char *path, LkType base_type, GError **error);
/* "stored", "nf4", "q8_0", "q4_0"; NULL-terminated. */
extern const char *const lk_base_type_names[];
/* FALSE and an error that lists them for any other @name; NULL is "stored". */
gboolean lk_base_type_parse (const char *name, LkType *type, GError **error);
const char *lk_base_type_name (LkType type);
/* Tokenizer and chat template alone, where there may be no weights: a vocabulary-only GGUF of any architecture, a folder,
 * or a tokenizer.json (with the tokenizer_config.json beside it). Only path, tokenizer, template and the opened file can
 * be asked for. */
LkModel *lk_model_open_text (const char *path, GError **error);
LkModel *lk_model_ref (LkModel *self);
void lk_model_unref (LkModel *self);

const char *lk_model_get_path (LkModel *self);
LkType lk_model_get_base_type (LkModel *self); /* as it was opened */
const LkModelConfig *lk_model_get_config (LkModel *self);
LkVariables *lk_model_get_variables (LkModel *self);
LkTokenizer *lk_model_get_tokenizer (LkModel *self);  /* NULL when the folder has none (golden tests) */
/* The model's own, else its family's (lk-family-template.h); NULL when there is none. */
LkTemplate *lk_model_get_template (LkModel *self);
gboolean lk_model_has_own_template (LkModel *self); /* FALSE: the family's is used, or none */
/* Of the one in use; where there is none, what the model's own would be if it could be used. */
const char *lk_model_get_template_source (LkModel *self);
/* Of the one for conversations with tools, where the model has two. */
const char *lk_model_get_tools_template_source (LkModel *self);
/* A sentence that says why that is not the model's own; NULL when it is, and where nothing is known of templates. */
const char *lk_model_get_template_note (LkModel *self);
/* Paths of the files the weights lie in: a GGUF's parts in order, a folder's safetensors by name. (transfer full) (element-type filename) */
GPtrArray *lk_model_list_files (LkModel *self, GError **error);
/* sha256, hexadecimal: of the one GGUF file, or of the hashes of all files one behind the other. Computed on first use (takes time on
 * big files). */
const char *lk_model_get_hash (LkModel *self, GError **error);
/* "GGUF Q4_1", "Hugging Face BF16": the most common type of the linear layers. */
const char *lk_model_get_kind (LkModel *self);

LkVariable *lk_model_get_embedding (LkModel *self);   /* [vocab, hidden] */
LkVariable *lk_model_get_final_norm (LkModel *self);
LkVariable *lk_model_get_head (LkModel *self);        /* the embedding when tied */
const LkLayerWeights *lk_model_get_layer (LkModel *self, guint layer);
/* cos and sin by position, at least [positions, rotary_dim]: first half cos, second half sin, made on the CPU in double; of layers
 * with a window or of the others. Where the model has two sets of angles, as LongRoPE, @positions beyond the original context take
 * the stretched one. */
LkVariable *lk_model_get_rope_table (LkModel *self, gboolean windowed, gint64 positions);
/* What each of the @rotated/2 rotary frequencies is divided by; @stretched: LongRoPE beyond the original context. (transfer full) */
double *lk_rope_divisors (const LkRopeConfig *rope, gint64 rotated, gboolean stretched);

/* "model.layers.3.self_attn.q_proj" (transfer full), and its inverse: FALSE when it names no linear layer. */
char *lk_model_linear_path (guint layer, LkLinearRole role);
const char *lk_linear_role_name (LkLinearRole role); /* "q_proj" */
gboolean lk_model_parse_linear_path (const char *path, guint *layer, LkLinearRole *role);

/* Where weights come from, for exporters: the HF names in order, with the variable. HF spelling of all tensors. */
typedef struct
{
  char *hf_name;      /* "model.layers.0.self_attn.q_proj.weight" */
  char *gguf_name;    /* "blk.0.attn_q.weight" */
  LkVariable *variable;
  gint layer;         /* -1: none */
  gint role;          /* LkLinearRole of a matrix, or -1 */
  float gguf_plus;    /* GGUF files hold the values plus this */
} LkModelTensor;
const LkModelTensor *lk_model_get_tensors (LkModel *self, guint *n);
/* The opened file behind: one of them NULL. For metadata on export. */
struct _LkGguf *lk_model_get_gguf (LkModel *self);
JsonObject *lk_model_get_hf_config (LkModel *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkModel, lk_model_unref)

G_END_DECLS
