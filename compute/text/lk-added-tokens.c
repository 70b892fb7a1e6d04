/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-added-tokens.h"

#include <string.h>

typedef struct
{
  guint64 key;   /* (node + 1) << 8 | byte; 0: empty */
  guint32 child;
} LkEdge;

typedef struct
{
  gint32 id;     /* −1: no token ends here */
  guint32 length;
  guint flags;
} LkNode;

struct _LkAddedTokens
{
  GArray *nodes;  /* LkNode; 0 is the root */
  LkEdge *edges;  /* open addressing */
  guint64 mask;
  guint first[256]; /* whether a token begins with the byte */
};

LkAddedTokens *
lk_added_tokens_new (void)
{
  LkAddedTokens *self = g_new0 (LkAddedTokens, 1);
  LkNode root = { -1, 0, 0 };

  self->nodes = g_array_new (FALSE, FALSE, sizeof (LkNode));
  g_array_append_val (self->nodes, root);
  self->mask = 63;
  self->edges = g_new0 (LkEdge, self->mask + 1);
  return self;
}

void
lk_added_tokens_free (LkAddedTokens *self)
{
  if (!self)
    return;
  g_array_unref (self->nodes);
  g_free (self->edges);
  g_free (self);
}

static LkEdge *
lk_added_edge (LkEdge *edges, guint64 mask, guint64 key)
{
  guint64 i = key * 0x9E3779B97F4A7C15u;

  for (i = (i ^ i >> 32) & mask; edges[i].key && edges[i].key != key; i = (i + 1) & mask)
    ;
  return &edges[i];
}

static void
lk_added_grow (LkAddedTokens *self)
{
  guint64 mask = self->mask * 2 + 1;
  LkEdge *edges = g_new0 (LkEdge, mask + 1);

  for (guint64 i = 0; i <= self->mask; i++)
    if (self->edges[i].key)
      *lk_added_edge (edges, mask, self->edges[i].key) = self->edges[i];
  g_free (self->edges);
  self->edges = edges;
  self->mask = mask;
}

void
lk_added_tokens_add (LkAddedTokens *self, const char *text, gint32 id, LkAddedFlags flags)
{
  LkNode empty = { -1, 0, 0 };
  guint32 node = 0;
  LkNode *last;

  for (const char *p = text; *p; p++)
    {
      guint64 key = ((guint64) node + 1) << 8 | (guint8) *p;
      LkEdge *edge;

      if (self->nodes->len * 2 > self->mask)
        lk_added_grow (self);
      edge = lk_added_edge (self->edges, self->mask, key);
      if (!edge->key)
        {
          *edge = (LkEdge){ key, self->nodes->len };
          g_array_append_val (self->nodes, empty);
        }
      node = edge->child;
    }
  last = &g_array_index (self->nodes, LkNode, node);
  if (node == 0 || last->id >= 0)
    return;
  *last = (LkNode){ id, (guint32) strlen (text), flags };
  self->first[(guint8) *text] = TRUE;
}

static gboolean
lk_is_word (gunichar c)
{
  return c == '_' || g_unichar_isalnum (c) || g_unichar_ismark (c);
}

static gboolean
lk_added_allowed (const LkNode *node, const char *text, const char *p, const char *end, gboolean special, const guint8 *mask)
{
  const char *after = p + node->length;

  if (node->flags & LK_ADDED_CONTROL)
    {
      if (!special)
        return FALSE;
      for (gsize i = 0; mask && i < node->length; i++)
        if (mask[p - text + (gssize) i])
          return FALSE;
    }
  return !(node->flags & LK_ADDED_SINGLE_WORD)
         || !((p > text && lk_is_word (g_utf8_get_char (g_utf8_prev_char (p)))) || (after < end && lk_is_word (g_utf8_get_char (after))));
}

/* The longest token that begins at @p; NULL. */
static const LkNode *
lk_added_at (const LkAddedTokens *self, const char *text, const char *p, const char *end, gboolean special, const guint8 *mask)
{
  const LkNode *best = NULL;
  guint32 node = 0;

  for (const char *q = p; q < end; q++)
    {
      const LkEdge *edge = lk_added_edge (self->edges, self->mask, ((guint64) node + 1) << 8 | (guint8) *q);
      const LkNode *here;

      if (!edge->key)
        break;
      node = edge->child;
      here = &g_array_index (self->nodes, LkNode, node);
      if (here->id >= 0 && lk_added_allowed (here, text, p, end, special, mask))
        best = here;
    }
  return best;
}

gboolean
lk_added_tokens_find (const LkAddedTokens *self, const char *text, const char *p, const char *end, gboolean special, const guint8 *mask,
                      LkAddedMatch *match)
{
  const char *least = p;

  for (; p < end; p++)
    {
      const LkNode *node = self->first[(guint8) *p] ? lk_added_at (self, text, p, end, special, mask) : NULL;

      if (!node)
        continue;
      *match = (LkAddedMatch){ p, p + node->length, node->id };
      while (node->flags & LK_ADDED_LSTRIP && match->begin > least && g_unichar_isspace (g_utf8_get_char (g_utf8_prev_char (match->begin))))
        match->begin = g_utf8_prev_char (match->begin);
      while (node->flags & LK_ADDED_RSTRIP && match->end < end && g_unichar_isspace (g_utf8_get_char (match->end)))
        match->end = g_utf8_next_char (match->end);
      return TRUE;
    }
  return FALSE;
}
