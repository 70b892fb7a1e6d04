/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-row.h"

#include <glib/gi18n-lib.h>

#include "widgets/lk-closures.h"

struct _LkChatRow
{
  GtkListBoxRow parent_instance;

  LkChatTurn *turn;
};

enum
{
  PROP_0,
  PROP_QUESTION,
  PROP_BASE,
  PROP_TUNED,
  PROP_TURN,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkChatRow, lk_chat_row, GTK_TYPE_LIST_BOX_ROW)

/* An answer that is still empty shows that it is being written. */
static char *
answer_text_cb (gpointer self, const char *text, gboolean busy, const char *error)
{
  if (text != NULL && text[0] != 0)
    return g_strdup (text);
  if (busy)
    return g_strdup ("…");
  return g_strdup (error != NULL && error[0] != 0 ? "" : _ ("(no answer)"));
}

static void
lk_chat_row_dispose (GObject *object)
{
  g_clear_object (&LK_CHAT_ROW (object)->turn);
  G_OBJECT_CLASS (lk_chat_row_parent_class)->dispose (object);
}

static void
lk_chat_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkChatRow *self = LK_CHAT_ROW (object);

  switch (id)
    {
    case PROP_QUESTION:
      g_value_set_string (value, self->turn != NULL ? lk_chat_turn_get_question (self->turn) : NULL);
      break;
    case PROP_BASE:
      g_value_set_object (value, self->turn != NULL ? lk_chat_turn_get_base (self->turn) : NULL);
      break;
    case PROP_TUNED:
      g_value_set_object (value, self->turn != NULL ? lk_chat_turn_get_tuned (self->turn) : NULL);
      break;
    case PROP_TURN: g_value_set_object (value, self->turn); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_chat_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (!g_set_object (&LK_CHAT_ROW (object)->turn, g_value_get_object (value)))
    return;
  for (guint i = PROP_QUESTION; i < PROP_TURN; i++)
    g_object_notify_by_pspec (object, properties[i]);
}

static void
lk_chat_row_class_init (LkChatRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags read = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  g_type_ensure (LK_TYPE_CHAT_ANSWER);
  object_class->dispose = lk_chat_row_dispose;
  object_class->get_property = lk_chat_row_get_property;
  object_class->set_property = lk_chat_row_set_property;
  properties[PROP_QUESTION] = g_param_spec_string ("question", NULL, NULL, NULL, read);
  properties[PROP_BASE] = g_param_spec_object ("base", NULL, NULL, LK_TYPE_CHAT_ANSWER, read);
  properties[PROP_TUNED] = g_param_spec_object ("tuned", NULL, NULL, LK_TYPE_CHAT_ANSWER, read);
  properties[PROP_TURN]
      = g_param_spec_object ("turn", NULL, NULL, LK_TYPE_CHAT_TURN,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-chat-row.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, answer_text_cb);
}

static void
lk_chat_row_init (LkChatRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
lk_chat_row_new (LkChatTurn *turn)
{
  return g_object_new (LK_TYPE_CHAT_ROW, "turn", turn, NULL);
}
