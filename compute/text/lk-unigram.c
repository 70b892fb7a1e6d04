/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-unigram.h"



/* What a character no token covers costs beyond the least likely token. */
#define LK_UNKNOWN_PENALTY 10.0

typedef struct
{
  guint64 key; /* (node + 1) << 8 | byte; 0: empty */
  guint32 child;
} LkEdge;

typedef struct
{
  gint32 id; /* −1: none ends here */
  double score;
} LkNode;

struct _LkUnigram
{
  GArray *nodes;
  LkEdge *edges;
  guint64 mask;
  double least;
};

LkUnigram *
lk_unigram_new (void)
{
  LkUnigram *self = g_new0 (LkUnigram, 1);
  LkNode root = { -1, 0 };

  self->nodes = g_array_new (FALSE, FALSE, sizeof (LkNode));
  g_array_append_val (self->nodes, root);
  self->mask = 1023;
  self->edges = g_new0 (LkEdge, self->mask + 1);
  return self;
}

void
lk_unigram_free (LkUnigram *self)
{
  if (!self)
    return;
  g_array_unref (self->nodes);
  g_free (self->edges);
  g_free (self);
}

static LkEdge *
lk_unigram_edge (LkEdge *edges, guint64 mask, guint64 key)
{
  guint64 i = key * 0x9E3779B97F4A7C15u;

  for (i = (i ^ i >> 32) & mask; edges[i].key && edges[i].key != key; i = (i + 1) & mask)
    ;
  return &edges[i];
}

static void
lk_unigram_grow (LkUnigram *self)
{
  guint64 mask = self->mask * 2 + 1;
  LkEdge *edges = g_new0 (LkEdge, mask + 1);

  for (guint64 i = 0; i <= self->mask; i++)
    if (self->edges[i].key)
      *lk_unigram_edge (edges, mask, self->edges[i].key) = self->edges[i];
  g_free (self->edges);
  self->edges = edges;
  self->mask = mask;
}

void
lk_unigram_add (LkUnigram *self, const char *text, gint32 id, double score)
{
  LkNode empty = { -1, 0 };
  guint32 node = 0;

  for (const char *p = text; *p; p++)
    {
      guint64 key = ((guint64) node + 1) << 8 | (guint8) *p;
      LkEdge *edge;

      if (self->nodes->len * 2 > self->mask)
        lk_unigram_grow (self);
      edge = lk_unigram_edge (self->edges, self->mask, key);
      if (!edge->key)
        {
          *edge = (LkEdge){ key, self->nodes->len };
          g_array_append_val (self->nodes, empty);
        }
      node = edge->child;
    }
  if (g_array_index (self->nodes, LkNode, node).id < 0)
    g_array_index (self->nodes, LkNode, node) = (LkNode){ id, score };
  self->least = MIN (self->least, score);
}

typedef struct
{
  double score;
  guint32 from; /* where the last piece before here begins */
  gint32 id;
} LkBest;

static void
lk_best_offer (LkBest *best, double score, guint32 from, gint32 id)
{
  if (best->from == G_MAXUINT32 || score > best->score)
    *best = (LkBest){ score, from, id };
}

void
lk_unigram_cut (const LkUnigram *self, const char *text, gsize n, LkUnigramFunc func, gpointer data)
{
  g_autofree LkBest *best = g_new (LkBest, n + 1);
  g_autoptr (GArray) cuts = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 end;

  for (gsize i = 0; i <= n; i++)
    best[i] = (LkBest){ 0, G_MAXUINT32, -1 };
  for (guint32 i = 0, node, width; i < n; i += width)
    {
      gboolean single = FALSE;

      width = (guint32) (g_utf8_next_char (text + i) - (text + i));
      node = 0;
      for (guint32 k = i; k < n; k++)
        {
          const LkEdge *edge = lk_unigram_edge (self->edges, self->mask, ((guint64) node + 1) << 8 | (guint8) text[k]);
          const LkNode *here;

          if (!edge->key)
            break;
          node = edge->child;
          here = &g_array_index (self->nodes, LkNode, node);
          if (here->id < 0)
            continue;
          lk_best_offer (&best[k + 1], best[i].score + here->score, i, here->id);
          single |= k + 1 == i + width;
        }
      if (!single)
        lk_best_offer (&best[i + width], best[i].score + self->least - LK_UNKNOWN_PENALTY, i, -1);
    }
  for (end = (guint32) n; end > 0; end = best[end].from)
    g_array_append_val (cuts, end);
  for (guint i = cuts->len, from = 0; i-- > 0; from = end)
    {
      end = g_array_index (cuts, guint32, i);
      func (text + from, end - from, best[end].id, data);
    }
}
