/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-closures.h"

static gboolean
has_text (gpointer self, const char *text)
{
  return text != NULL && text[0] != 0;
}

static gboolean
not (gpointer self, gboolean value)
{
  return !value;
}

static gboolean
both (gpointer self, gboolean one, gboolean other)
{
  return one && other;
}

static char *
or_else (gpointer self, const char *text, const char *otherwise)
{
  return g_strdup (text != NULL && text[0] != 0 ? text : otherwise);
}

void
lk_closures_bind (GtkWidgetClass *klass)
{
  gtk_widget_class_bind_template_callback_full (klass, "lk_has_text", G_CALLBACK (has_text));
  gtk_widget_class_bind_template_callback_full (klass, "lk_not", G_CALLBACK (not));
  gtk_widget_class_bind_template_callback_full (klass, "lk_both", G_CALLBACK (both));
  gtk_widget_class_bind_template_callback_full (klass, "lk_or_else", G_CALLBACK (or_else));
}
