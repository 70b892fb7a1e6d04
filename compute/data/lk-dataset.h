/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of a dataset file, whatever its form, as conversations, prompt and completion, or plain text. A row that cannot
 * be used is reported with file, line and reason; it is never silently dropped.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_ROW_MESSAGES,   /* chat template, loss on what the assistant writes */
  LK_ROW_COMPLETION, /* prompt and completion: question and answer of a model that chats, else one text; loss on the completion */
  LK_ROW_TEXT,       /* plain text, loss on all of it */
} LkRowKind;

typedef struct
{
  LkRowKind kind;
  JsonArray *messages;   /* LK_ROW_MESSAGES, LK_ROW_COMPLETION: [{role, content, tool_calls?, train?: false, …}] */
  JsonNode *tools;       /* may be NULL */
  char *prompt, *text;   /* LK_ROW_COMPLETION: both; LK_ROW_TEXT: text */
  guint file;            /* index of the file it came from */
  guint64 line;          /* 1-based line where the row begins */
  guint64 index;         /* 0-based row number in the file */
} LkRow;

/* Does @row go through the chat template? A prompt and its completion do where there is one: the model is asked through it later, and what
 * was learned without it would not show. */
static inline gboolean
lk_row_is_conversation (const LkRow *row, gboolean has_template)
{
  return row->kind == LK_ROW_MESSAGES || (row->kind == LK_ROW_COMPLETION && has_template);
}

typedef struct
{
  guint file;
  guint64 line;
  guint64 index;
  char *reason; /* a sentence */
} LkRowProblem;

typedef struct _LkDataset LkDataset;

/* Reads .json, .jsonl (by content, not by name), .csv, .tsv, .txt, and datasets that were imported (lk-row-store.h; what a person
 * excluded is left out, what was edited is as it was edited). The form of each file is recognised by itself. Whole-file errors
 * (not there, not UTF-8 at all, nothing usable) are errors; row errors are problems. */
LkDataset *lk_dataset_load (const char *const *paths, guint n_paths, GError **error);
LkDataset *lk_dataset_ref (LkDataset *self);
void lk_dataset_unref (LkDataset *self);
guint lk_dataset_get_n_rows (LkDataset *self);
const LkRow *lk_dataset_get_row (LkDataset *self, guint i);
guint lk_dataset_get_n_problems (LkDataset *self);
const LkRowProblem *lk_dataset_get_problem (LkDataset *self, guint i);
const char *lk_dataset_get_path (LkDataset *self, guint file);
/* "Alpaca", "OpenAI messages", "ShareGPT", "Prompt and completion", "Plain text" */
const char *lk_dataset_get_form (LkDataset *self, guint file);
/* sha256 over the bytes of all files, in hexadecimal; of an imported dataset, over the bytes lk_row_store_export writes. */
const char *lk_dataset_get_hash (LkDataset *self);

/* Held-out split, a pure function of (rows, fraction, minimum, seed): identical rows (same canonical content) are never
 * on both sides. @fraction 0 gives none. When fewer than 2·minimum rows exist, a quarter is held out, and less than 4
 * rows hold out none (the caller says so). Index arrays are GArray of guint, in file order. */
void lk_dataset_split (LkDataset *self, double fraction, guint minimum, guint64 seed, GArray **train, GArray **held_out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkDataset, lk_dataset_unref)

G_END_DECLS
