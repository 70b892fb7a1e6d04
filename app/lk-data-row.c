/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-data-row.h"

#include <glib/gi18n-lib.h>

#include "lk-words.h"

#define SUMMARY 160 /* characters of a line in a list */

struct _LkDataRow
{
  GObject parent_instance;

  gint32 id;
  gboolean read;
  LkStoredRow stored;
  char *file, *question, *answer;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE (LkDataRow, lk_data_row, G_TYPE_OBJECT)

static void
forget (LkDataRow *self)
{
  lk_stored_row_clear (&self->stored);
  g_clear_pointer (&self->file, g_free);
  g_clear_pointer (&self->question, g_free);
  g_clear_pointer (&self->answer, g_free);
}

static void
lk_data_row_finalize (GObject *object)
{
  forget (LK_DATA_ROW (object));
  G_OBJECT_CLASS (lk_data_row_parent_class)->finalize (object);
}

static void
lk_data_row_class_init (LkDataRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_data_row_finalize;
  changed_signal = g_signal_new ("changed", LK_TYPE_DATA_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
lk_data_row_init (LkDataRow *self)
{
}

LkDataRow *
lk_data_row_new (gint32 id)
{
  LkDataRow *self = g_object_new (LK_TYPE_DATA_ROW, NULL);

  self->id = id;
  return self;
}

void
lk_data_row_fill (LkDataRow *self, LkStoredRow *stored, const char *file)
{
  forget (self);
  self->stored = *stored;
  stored->content = stored->reason = NULL;
  self->file = g_strdup (file);
  self->read = TRUE;
  lk_stored_row_summarise (&self->stored, SUMMARY, &self->question, &self->answer);
  g_signal_emit (self, changed_signal, 0);
}

gint32
lk_data_row_get_id (LkDataRow *self)
{
  return self->id;
}

const LkStoredRow *
lk_data_row_peek (LkDataRow *self)
{
  return self->read ? &self->stored : NULL;
}

const char *
lk_data_row_get_question (LkDataRow *self)
{
  return self->read ? self->question : "";
}

const char *
lk_data_row_get_answer (LkDataRow *self)
{
  return self->read ? self->answer : "";
}

char *
lk_data_row_describe (LkDataRow *self)
{
  g_autofree char *number = lk_words_count (self->id);
  g_autofree char *row = g_strdup_printf (_ ("Row %s"), number);
  g_autofree char *length = NULL;

  if (!self->read)
    return g_steal_pointer (&row);
  if (self->stored.tokens >= 0)
    length = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%ld token", "%ld tokens", (gulong) self->stored.tokens),
                              (long) self->stored.tokens);
  return g_strconcat (row, length ? " · " : "", length ? length : "", self->stored.edited ? _ (" · edited") : "",
                      self->stored.excluded ? _ (" · excluded") : "", NULL);
}

char *
lk_data_row_get_place (LkDataRow *self)
{
  g_autofree char *line = lk_words_count (self->stored.line);

  return self->read ? g_strdup_printf (_ ("%s, line %s"), self->file, line) : g_strdup ("");
}

char *
lk_data_row_get_problems (LkDataRow *self)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; self->read && i < lk_n_row_flags; i++)
    if (self->stored.problems & lk_row_flags[i].flag)
      {
        gboolean told = (lk_row_flags[i].flag & (LK_ROW_UNUSABLE | LK_ROW_REFUSED)) && self->stored.reason;

        g_string_append_printf (text, "%s%s: %s", text->len ? "\n" : "", _ (lk_row_flags[i].label),
                                told ? self->stored.reason : _ (lk_row_flags[i].help));
      }
  return g_string_free (text, text->len == 0);
}
