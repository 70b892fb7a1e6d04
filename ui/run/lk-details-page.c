/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-details-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-json.h"
#include "lk-run.h"
#include "widgets/lk-closures.h"

struct _LkDetailsPage
{
  GtkWidget parent_instance;

  LkRun *run;

  GtkWidget *content;
  AdwExpanderRow *settings;
  GPtrArray *rows;
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_MODEL,
  PROP_DATA,
  PROP_COMMAND,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkDetailsPage, lk_details_page, GTK_TYPE_WIDGET)

/* The command that goes on with this run, as one would type it. */
static char *
command_line (LkDetailsPage *self)
{
  g_autofree char *folder = self->run != NULL ? g_shell_quote (lk_run_get_folder (self->run)) : NULL;

  return folder != NULL ? g_strdup_printf ("lorikeet-cli train --resume %s", folder) : NULL;
}

static void
copy_command_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_autofree char *command = command_line (LK_DETAILS_PAGE (widget));

  if (command == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), command);
  gtk_widget_activate_action (widget, "win.toast", "s", _ ("Copied"));
}

/* "learning_rate" → "Learning rate": the recipe knows names, the engine's table has the labels. */
static char *
words_of_name (const char *name)
{
  char *words = g_strdup (name);

  g_strdelimit (words, "_-", ' ');
  words[0] = g_ascii_toupper (words[0]);
  return words;
}

static char *
words_of_value (JsonNode *node)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (!JSON_NODE_HOLDS_VALUE (node))
    return JSON_NODE_HOLDS_NULL (node) ? g_strdup ("–") : lk_json_to_string (node, FALSE);
  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      return g_strdup (json_node_get_string (node)[0] != 0 ? json_node_get_string (node) : "–");
    case G_TYPE_BOOLEAN:
      return g_strdup (json_node_get_boolean (node) ? "Yes" : "No");
    default:
      return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.6g", json_node_get_double (node)));
    }
}

static void
add_setting (JsonObject *settings, const char *name, JsonNode *node, gpointer user_data)
{
  LkDetailsPage *self = user_data;
  g_autofree char *title = words_of_name (name);
  g_autofree char *text = words_of_value (node);
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title", title, NULL);
  GtkWidget *value = gtk_label_new (text);

  gtk_label_set_selectable (GTK_LABEL (value), TRUE);
  gtk_label_set_ellipsize (GTK_LABEL (value), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (value, "numeric");
  gtk_widget_add_css_class (value, "secondary");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), value);
  adw_expander_row_add_row (self->settings, row);
  g_ptr_array_add (self->rows, row);
}

static void
set_run (LkDetailsPage *self, LkRun *run)
{
  if (!g_set_object (&self->run, run))
    return;
  for (guint i = 0; i < self->rows->len; i++)
    adw_expander_row_remove (self->settings, g_ptr_array_index (self->rows, i));
  g_ptr_array_set_size (self->rows, 0);
  if (run != NULL)
    json_object_foreach_member (lk_run_get_settings (run), add_setting, self);
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

static void
lk_details_page_dispose (GObject *object)
{
  LkDetailsPage *self = LK_DETAILS_PAGE (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->run);
  G_OBJECT_CLASS (lk_details_page_parent_class)->dispose (object);
}

static void
lk_details_page_finalize (GObject *object)
{
  g_clear_pointer (&LK_DETAILS_PAGE (object)->rows, g_ptr_array_unref);
  G_OBJECT_CLASS (lk_details_page_parent_class)->finalize (object);
}

static void
lk_details_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDetailsPage *self = LK_DETAILS_PAGE (object);

  switch (id)
    {
    case PROP_RUN: g_value_set_object (value, self->run); break;
    case PROP_MODEL:
      g_value_set_string (value, self->run != NULL ? lk_run_get_model (self->run) : NULL);
      break;
    case PROP_DATA: g_value_set_string (value, self->run != NULL ? lk_run_get_data (self->run) : NULL); break;
    case PROP_COMMAND: g_value_take_string (value, command_line (self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_details_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  set_run (LK_DETAILS_PAGE (object), g_value_get_object (value));
}

static void
lk_details_page_class_init (LkDetailsPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags read = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  g_type_ensure (LK_TYPE_RUN);
  object_class->dispose = lk_details_page_dispose;
  object_class->finalize = lk_details_page_finalize;
  object_class->get_property = lk_details_page_get_property;
  object_class->set_property = lk_details_page_set_property;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_MODEL] = g_param_spec_string ("model", NULL, NULL, NULL, read);
  properties[PROP_DATA] = g_param_spec_string ("data", NULL, NULL, NULL, read);
  properties[PROP_COMMAND] = g_param_spec_string ("command", NULL, NULL, NULL, read);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-details-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, content);
  gtk_widget_class_bind_template_child (widget_class, LkDetailsPage, settings);
  gtk_widget_class_install_action (widget_class, "details.copy-command", NULL, copy_command_action);
}

static void
lk_details_page_init (LkDetailsPage *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
