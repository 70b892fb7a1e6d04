/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts a model is put together from: configuration, weights and text, from either kind of file.
 */
#pragma once

#include "lk-family.h"
#include "lk-gguf.h"
#include "lk-safetensors.h"

struct _LkModel
{
  gatomicrefcount ref_count;
  char *path;
  LkType base_type;              /* of linear weights stored as floats; LK_TYPE_INVALID: as they are */
  LkModelConfig config;
  LkVariables *variables;
  LkVariable *embedding, *final_norm, *head;
  LkLayerWeights *layers;
  GArray *tensors;               /* of LkModelTensor */
  GArray *rope_tables;           /* of LkRopeTable: those made so far */

  float *shape_tile;             /* of a model without files (lk-model-shape.c), else NULL; the variables keep it */
  LkType shape_linear, shape_table;
  LkGguf *gguf;                  /* one of the two */
  LkSafetensors *safetensors;
  JsonObject *hf_config;

  LkTokenizer *tokenizer;
  LkTemplate *chat_template;
  char *template_source, *tools_template_source, *template_note;
  gboolean own_template;
  char *hash, *kind;
};

LkModel *_lk_model_alloc (const char *path);
/* A tensor of a model without files. */
LkVariable *_lk_model_shape_tensor (LkModel *self, const char *name, gint role, gboolean norm, gint64 rows, gint64 cols, GError **error);
/* Each fills its part from self->gguf or from the folder. */
gboolean _lk_model_read_gguf_config (LkModel *self, GError **error);
gboolean _lk_model_read_gguf_text (LkModel *self, GError **error);
gboolean _lk_model_read_hf_config (LkModel *self, GError **error);
gboolean _lk_model_read_hf_text (LkModel *self, GError **error);
gboolean _lk_model_check_config (LkModel *self, GError **error);
gboolean _lk_model_bind_weights (LkModel *self, GError **error);
/* A matrix that is made of @info's floats, as @type, when a backend asks for it: see lk-model-quantise.c. @head_dim: q and k of
 * GGUF whose rotary pairs are adjacent; else 0. */
LkVariable *_lk_model_quantised (LkModel *self, const char *name, const LkTensorInfo *info, LkType type, gint64 head_dim, GError **error);
/* Templates that cannot be used are no failure: see lk_model_get_template_note. */
void _lk_model_read_gguf_template (LkModel *self);
gboolean _lk_model_read_hf_template (LkModel *self, GError **error);
gboolean _lk_model_read_gguf_rope (LkModel *self, GError **error);
/* "<architecture>.<name>" of the GGUF; a required one must be there, of others the value stays. */
gboolean _lk_model_gguf_int (LkModel *self, const char *name, gint64 *out, gboolean required, GError **error);
gboolean _lk_model_gguf_double (LkModel *self, const char *name, double *out, GError **error);
/* A matrix of a 4-bit checkpoint of bitsandbytes, whose codes are called @name. */
LkVariable *_lk_model_bitsandbytes (LkModel *self, const char *name, gint64 rows, gint64 cols, GError **error);
/* FALSE and an error for a folder whose weights another method has quantised. */
gboolean _lk_model_check_quantisation (LkModel *self, const char *source, GError **error);
/* FALSE and an error that names it for a member of config.json, a key of the GGUF or a tensor of a layer that would change what the model
 * computes and that the decoder has no part for. */
gboolean _lk_model_refuse_members (LkModel *self, const char *source, GError **error);
gboolean _lk_model_refuse_keys (LkModel *self, GError **error);
gboolean _lk_model_refuse_tensors (LkModel *self, GError **error);
/* A tensor of a folder by its Hugging Face name, or NULL. */
const LkTensorInfo *_lk_model_lookup (LkModel *self, const char *hf);
void _lk_model_init_rope_tables (LkModel *self);
/* Fills config.windowed: with a window, all layers but each @full_every'th have it (0: all do). */
void _lk_model_set_windows (LkModel *self, gint64 full_every);
