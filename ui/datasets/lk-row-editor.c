/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-editor.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "lk-json.h"

/* A field shows this many bytes; longer texts can be read, but not edited, here. */
#define MOST 100000

/* A text of the row: the string member @member of @object. */
typedef struct
{
  JsonObject *object;
  char *member;
  GtkTextView *view;
  gboolean whole;
} Field;

struct _LkRowEditor
{
  GtkWidget parent_instance;

  GtkWidget *box;
  JsonNode *root;
  GPtrArray *fields;
  GtkTextView *raw; /* of what is no JSON object */
  gboolean editable;
};

enum
{
  PROP_0,
  PROP_EDITABLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkRowEditor, lk_row_editor, GTK_TYPE_WIDGET)

static void
field_free (gpointer data)
{
  Field *self = data;

  json_object_unref (self->object);
  g_free (self->member);
  g_free (self);
}

static void
lk_row_editor_dispose (GObject *object)
{
  LkRowEditor *self = LK_ROW_EDITOR (object);

  g_clear_pointer (&self->fields, g_ptr_array_unref);
  g_clear_pointer (&self->root, json_node_unref);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (lk_row_editor_parent_class)->dispose (object);
}

static void
lk_row_editor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_boolean (value, LK_ROW_EDITOR (object)->editable);
}

static void
lk_row_editor_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  lk_row_editor_set_editable (LK_ROW_EDITOR (object), g_value_get_boolean (value));
}

static void
lk_row_editor_class_init (LkRowEditorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = lk_row_editor_dispose;
  object_class->get_property = lk_row_editor_get_property;
  object_class->set_property = lk_row_editor_set_property;
  properties[PROP_EDITABLE]
      = g_param_spec_boolean ("editable", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
lk_row_editor_init (LkRowEditor *self)
{
  self->fields = g_ptr_array_new_with_free_func (field_free);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

/* What people call the parts of a row. */
static const char *
name_of_part (const char *part)
{
  static const struct
  {
    const char *part, *name;
  } names[] = { { "prompt", N_ ("Question") },   { "completion", N_ ("Answer") }, { "text", N_ ("Text") },
                { "system", N_ ("Instruction to the model") }, { "user", N_ ("Question") }, { "assistant", N_ ("Answer") },
                { "tool", N_ ("Answer of a tool") } };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (names[i].part, part) == 0)
      return _ (names[i].name);
  return part;
}

static GtkTextView *
add_view (LkRowEditor *self, const char *title, const char *text, gboolean *whole)
{
  GtkWidget *label = gtk_label_new (title);
  GtkWidget *view = gtk_text_view_new ();
  gsize length = strlen (text);
  const char *end = text + MIN (length, MOST);

  if (length > MOST)
    end = g_utf8_find_prev_char (text, end + 1);
  *whole = length <= MOST;
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "heading");
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_editable (GTK_TEXT_VIEW (view), self->editable && *whole);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_right_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_bottom_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (view)), text, (int) (end - text));
  gtk_widget_add_css_class (view, "lk-field");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  gtk_box_append (GTK_BOX (self->box), label);
  gtk_box_append (GTK_BOX (self->box), view);
  if (!*whole)
    {
      GtkWidget *note = gtk_label_new (_ ("The text is longer; its beginning is shown, and it cannot be edited here."));

      gtk_label_set_wrap (GTK_LABEL (note), TRUE);
      gtk_label_set_xalign (GTK_LABEL (note), 0);
      gtk_widget_add_css_class (note, "secondary");
      gtk_box_append (GTK_BOX (self->box), note);
    }
  return GTK_TEXT_VIEW (view);
}

static void
add_field (LkRowEditor *self, JsonObject *object, const char *member, const char *title)
{
  Field *field = g_new0 (Field, 1);

  field->object = json_object_ref (object);
  field->member = g_strdup (member);
  field->view = add_view (self, title, lk_json_peek_string (object, member, ""), &field->whole);
  g_ptr_array_add (self->fields, field);
}

static void
add_object (LkRowEditor *self, JsonObject *object)
{
  JsonObjectIter iter;
  const char *member;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &member, &node))
    if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
      add_field (self, object, member, name_of_part (member));
    else if (JSON_NODE_HOLDS_ARRAY (node))
      for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
        {
          JsonNode *element = json_array_get_element (json_node_get_array (node), i);
          JsonObject *message = JSON_NODE_HOLDS_OBJECT (element) ? json_node_get_object (element) : NULL;

          if (message != NULL && lk_json_peek_string (message, "content", NULL) != NULL)
            add_field (self, message, "content", name_of_part (lk_json_peek_string (message, "role", member)));
        }
}

void
lk_row_editor_set_content (LkRowEditor *self, const char *content)
{
  GtkWidget *child;
  gboolean whole;

  g_return_if_fail (LK_IS_ROW_EDITOR (self));

  g_ptr_array_set_size (self->fields, 0);
  g_clear_pointer (&self->root, json_node_unref);
  self->raw = NULL;
  while ((child = gtk_widget_get_first_child (self->box)) != NULL)
    gtk_box_remove (GTK_BOX (self->box), child);
  if (content == NULL)
    return;
  self->root = lk_json_parse (content, strlen (content), "row", NULL);
  if (self->root != NULL && JSON_NODE_HOLDS_OBJECT (self->root))
    add_object (self, json_node_get_object (self->root));
  if (self->fields->len == 0)
    self->raw = add_view (self, _ ("The row as the file has it"), content, &whole);
}

static char *
text_of (GtkTextView *view)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view);
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, TRUE);
}

char *
lk_row_editor_get_content (LkRowEditor *self, GError **error)
{
  if (self->raw != NULL)
    {
      g_autofree char *text = text_of (self->raw);
      g_autoptr (JsonNode) node = lk_json_parse (text, strlen (text), _ ("the row"), error);

      return node != NULL ? lk_json_to_string (node, FALSE) : NULL;
    }
  for (guint i = 0; i < self->fields->len; i++)
    {
      Field *field = self->fields->pdata[i];
      g_autofree char *text = field->whole ? text_of (field->view) : NULL;

      if (text != NULL)
        json_object_set_string_member (field->object, field->member, text);
    }
  return lk_json_to_string (self->root, FALSE);
}

void
lk_row_editor_set_editable (LkRowEditor *self, gboolean editable)
{
  if (self->editable == editable)
    return;
  self->editable = editable;
  for (guint i = 0; i < self->fields->len; i++)
    {
      Field *field = self->fields->pdata[i];

      gtk_text_view_set_editable (field->view, editable && field->whole);
    }
  if (self->raw != NULL)
    gtk_text_view_set_editable (self->raw, editable);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_EDITABLE]);
}

gboolean
lk_row_editor_get_editable (LkRowEditor *self)
{
  return self->editable;
}
