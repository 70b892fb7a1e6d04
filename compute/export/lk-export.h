/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing what a run has made, in the forms of a table. Each form is written whole or not at all; the room it
 * needs is checked before; what was there under its name is replaced only when that is asked for.
 * Thread-safety: one thread; @progress is called from it.
 */
#pragma once

#include "lk-adapter.h"
#include "lk-backend.h"
#include "lk-merge.h"

G_BEGIN_DECLS

/* @fraction from 0 to 1. */
typedef void (*LkExportProgressFunc) (double fraction, const char *message, gpointer data);

typedef struct
{
  LkModel *model;
  LkAdapter *adapter;  /* NULL: the base alone */
  LkBackend *backend;  /* holds the adapter's values */
  const char *trained_adapter; /* where the adapter was trained on other weights than @model holds: its folder, … */
  LkType trained_type;         /* … and what they were held as: what the change does is measured, see lk_export_verify */
  const char *path;    /* the file or folder to be made */
  const char *type;    /* NULL: the form's first */
  guint64 shard_bytes; /* Hugging Face: no file larger; 0: 5 GB */
  gboolean replace;
  LkExportProgressFunc progress; /* may be NULL */
  gpointer data;
  GCancellable *cancellable; /* may be NULL */
} LkExport;

typedef struct
{
  const char *name;  /* "gguf" */
  const char *label; /* "One GGUF file" */
  gboolean folder;
  gboolean merged;                    /* the adapter is part of the weights */
  const char *const *(*types) (void); /* NULL-terminated names, the default first; NULL: no choice */
  gboolean (*check) (const LkExport *export, GError **error); /* is it possible? may be NULL */
  guint64 (*size) (const LkExport *export);                   /* bytes, about */
  gboolean (*write) (const LkExport *export, GError **error);
  LkType (*type_of) (const LkExport *export, const LkModelTensor *tensor); /* what it is written as; NULL where nothing is merged */
} LkExportTarget;

/* "adapter", "lora-gguf", "hf", "gguf". */
const LkExportTarget *const *lk_export_targets (guint *n);
const LkExportTarget *lk_export_find_target (const char *name, GError **error);

gboolean lk_export_run (const LkExport *self, const LkExportTarget *target, GError **error);

/* What was written, opened again and asked. */
typedef struct
{
  guint questions, tokens; /* asked, and tokens of the reference answers */
  guint same_tokens;       /* how many agree before the first difference of each answer */
  gboolean matches;        /* all of them, or up to a place where the best two logits lie within rounding */
  gboolean exact_type;     /* float32 or the adapter itself: a difference is a fault, not rounding */
  char *difference;        /* where the first answer differs, “token 12 of the answer to “…””; NULL: nowhere */
  char *fault;             /* a merged model that is not the one that was to be written: what differs; NULL: nothing */
  gboolean has_perplexity;
  double perplexity_before, perplexity_after;
  gboolean has_trained;    /* the adapter was trained on other weights than those it is merged into */
  guint trained_same_tokens, trained_tokens; /* of the answers it gives with those it was trained on */
  double perplexity_trained; /* with has_perplexity */
  char *message; /* a sentence */
} LkExportVerdict;

/* A merged model is opened again and compared with what was to be written: each weight, rounded once more from its source, and the numbers of the
 * configuration. Then answers of up to 64 tokens, greedily, by what was written and by base + adapter, with the base's weights as they were written
 * and, where they differ, also as they were trained on. @examples (LkExample, may be NULL): held-out ones both are scored on. */
gboolean lk_export_verify (const LkExport *self, const LkExportTarget *target, GPtrArray *examples,
                           LkExportVerdict *out, GError **error);
void lk_export_verdict_clear (LkExportVerdict *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkExportVerdict, lk_export_verdict_clear)

G_END_DECLS
