/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-preview-row.h"

#include "lk-json.h"

struct _LkPreviewRow
{
  GObject parent_instance;

  char *text;
  GArray *spans;
  gint64 line;
  gint64 tokens;
};

G_DEFINE_FINAL_TYPE (LkPreviewRow, lk_preview_row, G_TYPE_OBJECT)

static void
lk_preview_row_finalize (GObject *object)
{
  LkPreviewRow *self = LK_PREVIEW_ROW (object);

  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->spans, g_array_unref);
  G_OBJECT_CLASS (lk_preview_row_parent_class)->finalize (object);
}

static void
lk_preview_row_class_init (LkPreviewRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_preview_row_finalize;
}

static void
lk_preview_row_init (LkPreviewRow *self)
{
  self->spans = g_array_new (FALSE, FALSE, sizeof (LkPreviewSpan));
}

static void
add_span (LkPreviewRow *self, JsonNode *node, guint length)
{
  JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint before
      = self->spans->len > 0 ? g_array_index (self->spans, LkPreviewSpan, self->spans->len - 1).end : 0;
  LkPreviewSpan span;

  if (pair == NULL || json_array_get_length (pair) < 2)
    return;
  if (!JSON_NODE_HOLDS_VALUE (json_array_get_element (pair, 0))
      || !JSON_NODE_HOLDS_VALUE (json_array_get_element (pair, 1)))
    return;
  span.start = (guint) CLAMP (json_array_get_int_element (pair, 0), before, length);
  span.end = (guint) CLAMP (json_array_get_int_element (pair, 1), span.start, length);
  if (span.end > span.start)
    g_array_append_val (self->spans, span);
}

LkPreviewRow *
lk_preview_row_new (JsonObject *object)
{
  LkPreviewRow *self;
  JsonArray *spans = NULL;
  const char *text = NULL;
  guint length;

  if (!lk_json_get_string (object, "text", "preview", &text, NULL) || text == NULL)
    return NULL;
  self = g_object_new (LK_TYPE_PREVIEW_ROW, NULL);
  self->text = g_strdup (text);
  length = (guint) g_utf8_strlen (text, -1);
  lk_json_get_array (object, "spans", "preview", &spans, NULL);
  lk_json_get_int (object, "line", "preview", &self->line, NULL);
  lk_json_get_int (object, "tokens", "preview", &self->tokens, NULL);
  for (guint i = 0; spans != NULL && i < json_array_get_length (spans); i++)
    add_span (self, json_array_get_element (spans, i), length);
  return self;
}

const char *
lk_preview_row_get_text (LkPreviewRow *self)
{
  return self->text;
}

const LkPreviewSpan *
lk_preview_row_get_spans (LkPreviewRow *self, guint *n_spans)
{
  *n_spans = self->spans->len;
  return (const LkPreviewSpan *) self->spans->data;
}

gint64
lk_preview_row_get_line (LkPreviewRow *self)
{
  return self->line;
}

gint64
lk_preview_row_get_tokens (LkPreviewRow *self)
{
  return self->tokens;
}
