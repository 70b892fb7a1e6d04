/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the reader's pieces share: lk-gguf-parse.c fills one part's keys and tensors, lk-gguf-split.c knows how parts
 * belong together, lk-gguf.c puts them together and answers questions.
 */
#pragma once

#include "lk-gguf.h"

G_BEGIN_DECLS

/* Our own limits, far above real files and far below what hurts. */
#define LK_GGUF_MAX_TENSORS (1u << 17)
#define LK_GGUF_MAX_KEYS (1u << 16)
#define LK_GGUF_MAX_KEY_BYTES 65535u
#define LK_GGUF_MAX_NAME_BYTES 255u
#define LK_GGUF_MAX_STRING_BYTES (64u << 20)
#define LK_GGUF_MAX_ARRAY (1u << 24) /* elements */
#define LK_GGUF_MAX_ALIGNMENT (1u << 20)
#define LK_GGUF_MAX_PARTS 1024u
#define LK_GGUF_DEFAULT_ALIGNMENT 32u

#define LK_GGUF_N_TYPES 13

/* Bytes of a value of fixed size; 0 for strings and arrays. */
extern const guint8 lk_gguf_type_sizes[LK_GGUF_N_TYPES];
/* For messages: "a string". */
extern const char *const lk_gguf_type_names[LK_GGUF_N_TYPES];

typedef struct
{
  char *key;
  LkGgufType type;
  LkGgufType element;  /* of an array */
  guint64 count;       /* of an array */
  const guint8 *value; /* mapped: the value; for arrays the first element */
  gsize size;          /* bytes from @value to the value's end */
  char *string;        /* of a string that is UTF-8 without NUL bytes, else NULL */
} LkGgufEntry;

typedef struct
{
  char *path;
  GPtrArray *entries; /* of LkGgufEntry, file order */
  GHashTable *by_key; /* borrowed key → LkGgufEntry */
  GArray *tensors;    /* of LkTensorInfo; names owned */
} LkGgufPart;

/* @bytes must stay alive as long as the part. */
LkGgufPart *lk_gguf_part_parse (GBytes *bytes, const char *path, GError **error);
void lk_gguf_part_free (LkGgufPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LkGgufPart, lk_gguf_part_free)

/* What a part says of itself. A file that is not split: { 0, 1, −1 }. */
typedef struct
{
  gint64 number;    /* split.no, from 0 */
  gint64 count;     /* split.count, at most LK_GGUF_MAX_PARTS */
  gint64 n_tensors; /* split.tensors.count, of all parts; −1: not said */
} LkGgufSplit;

gboolean lk_gguf_split_read (LkGgufPart *part, LkGgufSplit *split, GError **error);
/* “a/b” of “a/b-00002-of-00003.gguf”, if that is how the part described by @split must be called. (transfer full) */
char *lk_gguf_split_stem (const char *path, const LkGgufSplit *split, GError **error);
char *lk_gguf_split_path (const char *stem, gint64 number, gint64 count); /* (transfer full) */
/* FALSE unless @part is the one numbered @number of those @own, described by @split, belongs to. */
gboolean lk_gguf_split_check (LkGgufPart *part, gint64 number, const LkGgufSplit *split, LkGgufPart *own,
                              GError **error);
gboolean lk_gguf_split_check_tensors (const char *path, const LkGgufSplit *split, guint n_tensors, GError **error);

/* Little-endian integers of any address. */
guint64 lk_gguf_load (const guint8 *p, guint size);

/* The key's entry and bytes, for the writer. NULL when absent. */
const LkGgufEntry *lk_gguf_find (LkGguf *self, const char *key);

G_END_DECLS
