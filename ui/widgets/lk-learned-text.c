/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-learned-text.h"

#include <adwaita.h>

static void
add (PangoAttrList *attributes, PangoAttribute *attribute, guint start, guint end)
{
  attribute->start_index = start;
  attribute->end_index = end;
  pango_attr_list_insert (attributes, attribute);
}

/* Tints that keep the text's contrast above 7:1 on the card of either colour scheme. */
static PangoAttribute *
tint (void)
{
  if (adw_style_manager_get_dark (adw_style_manager_get_default ()))
    return pango_attr_background_new (0x1e1e, 0x4a4a, 0x3c3c);
  return pango_attr_background_new (0xd3d3, 0xf2f2, 0xe0e0);
}

gboolean
lk_learned_text_show (GtkLabel *label, LkPreviewRow *row, guint limit)
{
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();
  g_autoptr (GString) shown = NULL;
  const char *text = lk_preview_row_get_text (row);
  guint n_spans = 0, length = 0;
  const LkPreviewSpan *spans = lk_preview_row_get_spans (row, &n_spans);
  const char *end = text;

  while (*end != 0 && length < limit)
    {
      end = g_utf8_next_char (end);
      length++;
    }
  shown = g_string_new_len (text, end - text);
  if (*end != 0)
    g_string_append (shown, "…");
  else
    for (; length > 0 && shown->str[shown->len - 1] == '\n'; length--)
      g_string_truncate (shown, shown->len - 1); /* a template's last line end would be an empty line of the card */
  for (guint i = 0, at = 0, offset = 0; i < n_spans && spans[i].start < length; i++)
    {
      guint start, last = MIN (spans[i].end, length);

      start = (guint) (g_utf8_offset_to_pointer (shown->str + at, spans[i].start - offset) - shown->str);
      at = (guint) (g_utf8_offset_to_pointer (shown->str + start, last - spans[i].start) - shown->str);
      offset = last;
      add (attributes, pango_attr_underline_new (PANGO_UNDERLINE_SINGLE), start, at);
      add (attributes, tint (), start, at);
    }
  gtk_label_set_text (label, shown->str);
  gtk_label_set_attributes (label, attributes);
  return *end == 0;
}
