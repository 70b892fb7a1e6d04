/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-preview-card.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "widgets/lk-learned-text.h"

/* A card shows this many characters; the rest of a long example is left off with "…". */
#define SHOWN_CHARACTERS 700

struct _LkPreviewCard
{
  GtkListBoxRow parent_instance;

  LkPreviewRow *row;
  GtkLabel *text;
  GtkLabel *note;
};

G_DEFINE_FINAL_TYPE (LkPreviewCard, lk_preview_card, GTK_TYPE_LIST_BOX_ROW)

static void
lk_preview_card_dispose (GObject *object)
{
  g_clear_object (&LK_PREVIEW_CARD (object)->row);
  G_OBJECT_CLASS (lk_preview_card_parent_class)->dispose (object);
}

static void
lk_preview_card_class_init (LkPreviewCardClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = lk_preview_card_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-preview-card.ui");
  gtk_widget_class_bind_template_child (widget_class, LkPreviewCard, text);
  gtk_widget_class_bind_template_child (widget_class, LkPreviewCard, note);
}

static void
show_row (LkPreviewCard *self)
{
  lk_learned_text_show (self->text, self->row, SHOWN_CHARACTERS);
}

static void
lk_preview_card_init (LkPreviewCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
lk_preview_card_new (LkPreviewRow *row)
{
  LkPreviewCard *self = g_object_new (LK_TYPE_PREVIEW_CARD, NULL);
  g_autoptr (GString) note = g_string_new (NULL);

  self->row = g_object_ref (row);
  show_row (self);
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (show_row), self,
                           G_CONNECT_SWAPPED);
  if (lk_preview_row_get_line (row) > 0)
    {
      g_autofree char *line = g_strdup_printf ("%" G_GINT64_FORMAT, lk_preview_row_get_line (row));

      g_string_append_printf (note, _ ("Row %s"), line);
    }
  if (lk_preview_row_get_tokens (row) > 0)
    {
      g_autofree char *tokens = g_strdup_printf ("%" G_GINT64_FORMAT, lk_preview_row_get_tokens (row));

      g_string_append (note, note->len > 0 ? " · " : "");
      g_string_append_printf (note, _ ("%s tokens"), tokens);
    }
  gtk_label_set_label (self->note, note->str);
  gtk_widget_set_visible (GTK_WIDGET (self->note), note->len > 0);
  return GTK_WIDGET (self);
}
