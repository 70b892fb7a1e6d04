/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tokenizer.model of SentencePiece: a protobuf message (formats: d.3) of which these fields are read:
 *
 *   1 pieces[]: 1 text, 2 score (float), 3 kind (1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte)
 *   2 trainer:  3 model (1 unigram, 2 BPE), 35 byte_fallback, 40 unk, 41 bos, 42 eos, 43 pad
 *   3 normalizer: 1 name, 2 character map, 3 add_dummy_prefix, 4 remove_extra_whitespaces, 5 escape_whitespaces
 *
 * Wire types: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. Every length is checked against what is left.
 */
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-tokenizer-private.h"

#define LK_SENTENCEPIECE_LIMIT (256 << 20)

typedef struct
{
  const guint8 *at, *end;
} LkWire;

/* One field; bytes of length-delimited ones in @inner, numbers (float bits too) in @number. */
typedef struct
{
  guint64 number;
  guint field, type;
  LkWire inner;
} LkField;

static gboolean
lk_wire_varint (LkWire *self, guint64 *out)
{
  *out = 0;
  for (guint shift = 0; shift < 64 && self->at < self->end; shift += 7)
    {
      guint8 byte = *self->at++;

      *out |= (guint64) (byte & 127) << shift;
      if (byte < 128)
        return TRUE;
    }
  return FALSE;
}

/* The next field; FALSE at the end, or with *broken set. */
static gboolean
lk_wire_next (LkWire *self, LkField *field, gboolean *broken)
{
  guint64 key, n;

  if (self->at >= self->end || *broken)
    return FALSE;
  *broken = TRUE;
  if (!lk_wire_varint (self, &key) || key >> 3 == 0 || key >> 3 > G_MAXINT32)
    return FALSE;
  *field = (LkField){ 0, (guint) (key >> 3), key & 7, { NULL, NULL } };
  if (field->type == 0)
    *broken = !lk_wire_varint (self, &field->number);
  else if (field->type == 2)
    {
      *broken = !lk_wire_varint (self, &n) || n > (guint64) (self->end - self->at);
      if (!*broken)
        {
          field->inner = (LkWire){ self->at, self->at + n };
          self->at += n;
        }
    }
  else if (field->type == 1 || field->type == 5)
    {
      n = field->type == 1 ? 8 : 4;
      *broken = n > (guint64) (self->end - self->at);
      for (guint i = 0; i < n && !*broken; i++)
        field->number |= (guint64) *self->at++ << 8 * i;
    }
  return !*broken;
}

typedef struct
{
  char *text;
  double score;
  guint64 kind;
} LkPiece;

typedef struct
{
  GArray *pieces;
  guint64 model, byte_fallback, prefix, collapse, escape;
  gint64 unk, bos, eos, pad;
  gboolean map; /* a character map is there */
} LkSentencePiece;

static void
lk_piece_clear (gpointer data)
{
  g_free (((LkPiece *) data)->text);
}

static gboolean
lk_read_piece (LkSentencePiece *self, LkWire wire)
{
  LkPiece piece = { NULL, 0, 1 };
  gboolean broken = FALSE;
  LkField field;

  while (lk_wire_next (&wire, &field, &broken))
    if (field.field == 1 && field.type == 2)
      {
        g_free (piece.text);
        piece.text = g_strndup ((const char *) field.inner.at, (gsize) (field.inner.end - field.inner.at));
      }
    else if (field.field == 2 && field.type == 5)
      {
        guint32 bits = (guint32) field.number;
        float score;

        memcpy (&score, &bits, sizeof score);
        piece.score = score == score ? score : 0; /* no order among what is no number */
      }
    else if (field.field == 3 && field.type == 0)
      piece.kind = field.number;
  if (!piece.text)
    piece.text = g_strdup ("");
  g_array_append_val (self->pieces, piece);
  return !broken;
}

static gboolean
lk_read_part (LkSentencePiece *self, LkWire wire, gboolean trainer)
{
  gboolean broken = FALSE;
  LkField field;

  while (lk_wire_next (&wire, &field, &broken))
    {
      const struct
      {
        gboolean trainer;
        guint field;
        guint64 *number;
        gint64 *id;
      } known[] = { { TRUE, 3, &self->model, NULL },     { TRUE, 35, &self->byte_fallback, NULL }, { TRUE, 40, NULL, &self->unk },
                    { TRUE, 41, NULL, &self->bos },      { TRUE, 42, NULL, &self->eos },           { TRUE, 43, NULL, &self->pad },
                    { FALSE, 3, &self->prefix, NULL },   { FALSE, 4, &self->collapse, NULL },      { FALSE, 5, &self->escape, NULL } };

      for (guint i = 0; i < G_N_ELEMENTS (known); i++)
        if (known[i].trainer == trainer && known[i].field == field.field && field.type == 0)
          {
            if (known[i].number)
              *known[i].number = field.number;
            else
              *known[i].id = (gint32) field.number; /* −1 is written in ten bytes */
          }
      if (!trainer && field.field == 2 && field.type == 2)
        self->map = field.inner.end > field.inner.at;
    }
  return !broken;
}

static gboolean
lk_read_file (LkSentencePiece *self, LkWire wire)
{
  gboolean broken = FALSE, ok = TRUE;
  LkField field;

  while (ok && lk_wire_next (&wire, &field, &broken))
    if (field.type == 2 && field.field == 1)
      ok = self->pieces->len < LK_TOKENIZER_MAX_TOKENS && lk_read_piece (self, field.inner);
    else if (field.type == 2 && (field.field == 2 || field.field == 3))
      ok = lk_read_part (self, field.inner, field.field == 2);
  return ok && !broken;
}

static gint32
lk_valid_id (const LkSentencePiece *file, gint64 id)
{
  return id >= 0 && id < file->pieces->len ? (gint32) id : -1;
}

static gboolean
lk_build (LkTokenizer *self, const LkSentencePiece *file, GError **error)
{
  static const LkTokenKind kinds[] = { LK_TOKEN_NORMAL, LK_TOKEN_NORMAL, LK_TOKEN_CONTROL, LK_TOKEN_CONTROL, LK_TOKEN_ADDED,
                                       LK_TOKEN_UNUSED, LK_TOKEN_BYTE };
  g_autofree double *scores = g_new (double, self->n_tokens);

  for (guint i = 0; i < self->n_tokens; i++)
    {
      const LkPiece *piece = &g_array_index (file->pieces, LkPiece, i);

      scores[i] = piece->score;
      if (!_lk_tokenizer_list_token (self, i, piece->text, kinds[piece->kind < G_N_ELEMENTS (kinds) ? piece->kind : 0], error))
        return FALSE;
    }
  self->model = LK_TEXT_CHARS;
  self->blanks = self->fuse_unk = TRUE;
  self->byte_fallback = file->byte_fallback != 0;
  self->collapse = file->collapse != 0;
  self->prefix = file->prefix ? LK_PREFIX_ALWAYS : LK_PREFIX_NEVER;
  self->strip_prefix = file->prefix != 0;
  self->unk = lk_valid_id (file, file->unk);
  self->bos = lk_valid_id (file, file->bos);
  self->eos = lk_valid_id (file, file->eos);
  self->pad = lk_valid_id (file, file->pad);
  self->add_bos = self->bos >= 0 && file->model == 2;
  return (file->model == 1 ? _lk_tokenizer_set_unigram (self, scores, error) : _lk_tokenizer_merge_by_scores (self, scores, error))
         && _lk_tokenizer_finish (self, error);
}

LkTokenizer *
lk_tokenizer_new_from_sentencepiece (const char *path, const char *config_path, GError **error)
{
  g_autoptr (GBytes) bytes = lk_file_read (path, LK_SENTENCEPIECE_LIMIT, error);
  g_autoptr (LkTokenizer) self = NULL;
  LkSentencePiece file = { .model = 1, .prefix = 1, .collapse = 1, .escape = 1, .unk = 0, .bos = 1, .eos = 2, .pad = -1 };
  const guint8 *data;
  gsize n;
  gboolean ok;

  if (!bytes)
    return NULL;
  data = g_bytes_get_data (bytes, &n);
  file.pieces = g_array_new (FALSE, FALSE, sizeof (LkPiece));
  g_array_set_clear_func (file.pieces, lk_piece_clear);
  ok = lk_read_file (&file, (LkWire){ data, data + n });
  if (!ok || file.pieces->len == 0)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: this is no SentencePiece model, or it is damaged (read up to piece %u)", path,
                 file.pieces->len);
  else if (file.model < 1 || file.model > 2 || !file.escape || file.map)
    g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s: %s is not supported", path,
                 file.map ? "a normalizer with a character map" : !file.escape ? "a model that does not escape blanks" : "this kind of model");
  else if ((self = _lk_tokenizer_alloc (path, file.pieces->len, error))
           && (!lk_build (self, &file, error) || !_lk_tokenizer_read_config (self, config_path, error)))
    g_clear_pointer (&self, lk_tokenizer_unref);
  g_array_unref (file.pieces);
  return g_steal_pointer (&self);
}
