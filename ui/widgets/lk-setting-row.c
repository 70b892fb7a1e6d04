/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-setting-row.h"

#include <glib/gi18n-lib.h>

struct _LkSettingRow
{
  AdwActionRow parent_instance;

  LkOption *setting;
  GtkWidget *control;
  GtkWidget *reset;
};

G_DEFINE_FINAL_TYPE (LkSettingRow, lk_setting_row, ADW_TYPE_ACTION_ROW)

static void
lk_setting_row_dispose (GObject *object)
{
  g_clear_object (&LK_SETTING_ROW (object)->setting);
  G_OBJECT_CLASS (lk_setting_row_parent_class)->dispose (object);
}

static void
lk_setting_row_class_init (LkSettingRowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = lk_setting_row_dispose;
}

static void
lk_setting_row_init (LkSettingRow *self)
{
}

static GtkWidget *
make_spin (LkSettingRow *self)
{
  double minimum = MAX (lk_option_get_minimum (self->setting), -1e9);
  double maximum = MIN (lk_option_get_maximum (self->setting), 1e9);
  GtkWidget *spin = gtk_spin_button_new_with_range (minimum, maximum, 1);

  gtk_editable_set_width_chars (GTK_EDITABLE (spin), 6);
  g_object_bind_property (self->setting, "number", spin, "value",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  return spin;
}

static GtkWidget *
make_switch (LkSettingRow *self)
{
  GtkWidget *toggle = gtk_switch_new ();

  g_object_bind_property (self->setting, "active", toggle, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  return toggle;
}

static GtkWidget *
make_drop_down (LkSettingRow *self)
{
  GtkWidget *drop_down = gtk_drop_down_new_from_strings (lk_option_get_choices (self->setting));

  g_object_bind_property (self->setting, "selected", drop_down, "selected",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  return drop_down;
}

/* Text is taken on Return or when the focus leaves; what is no value goes back to what was. */
static void
commit (LkSettingRow *self)
{
  if (lk_option_set_value (self->setting, gtk_editable_get_text (GTK_EDITABLE (self->control))))
    gtk_widget_remove_css_class (self->control, "error");
  gtk_editable_set_text (GTK_EDITABLE (self->control), lk_option_get_value (self->setting));
}

static void
typed_cb (LkSettingRow *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->control));
  char *end = NULL;

  if (lk_option_get_kind (self->setting) != LK_OPTION_DOUBLE)
    return;
  g_ascii_strtod (text, &end);
  if (end == text || *end != 0)
    gtk_widget_add_css_class (self->control, "error");
  else
    gtk_widget_remove_css_class (self->control, "error");
}

static GtkWidget *
make_entry (LkSettingRow *self)
{
  gboolean number = lk_option_get_kind (self->setting) == LK_OPTION_DOUBLE;
  GtkEventController *focus = gtk_event_controller_focus_new ();
  GtkWidget *entry = gtk_entry_new ();

  gtk_editable_set_width_chars (GTK_EDITABLE (entry), number ? 9 : 16);
  gtk_editable_set_max_width_chars (GTK_EDITABLE (entry), number ? 9 : 16);
  if (number)
    {
      gtk_entry_set_input_purpose (GTK_ENTRY (entry), GTK_INPUT_PURPOSE_NUMBER);
      gtk_editable_set_alignment (GTK_EDITABLE (entry), 1);
    }
  g_object_bind_property (self->setting, "value", entry, "text", G_BINDING_SYNC_CREATE);
  g_signal_connect_object (entry, "activate", G_CALLBACK (commit), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (entry, "changed", G_CALLBACK (typed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (focus, "leave", G_CALLBACK (commit), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (entry, focus);
  return entry;
}

/* A value that is not the default says so, and offers the way back. */
static void
show_change (LkSettingRow *self)
{
  gboolean changed = lk_option_is_changed (self->setting);
  g_autofree char *standard = lk_option_words_of_default (self->setting);
  const char *help = lk_option_get_help (self->setting);
  g_autofree char *subtitle = NULL;

  subtitle = g_strdup_printf (changed ? _ ("%s Changed; the default is %s.") : _ ("%s Default: %s."), help, standard);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self), lk_option_get_default (self->setting)[0] != 0 ? subtitle : help);
  gtk_widget_set_opacity (self->reset, changed ? 1 : 0); /* nothing jumps when a value changes */
  gtk_widget_set_sensitive (self->reset, changed);
  if (changed)
    gtk_widget_add_css_class (GTK_WIDGET (self), "lk-changed");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self), "lk-changed");
}

static void
add_reset (LkSettingRow *self)
{
  g_autofree char *label = g_strdup_printf (_ ("Reset %s"), lk_option_get_label (self->setting));

  self->reset = gtk_button_new_from_icon_name ("edit-undo-symbolic");
  gtk_widget_set_valign (self->reset, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (self->reset, "flat");
  gtk_widget_set_tooltip_text (self->reset, _ ("Back to the Default"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->reset), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_signal_connect_object (self->reset, "clicked", G_CALLBACK (lk_option_reset), self->setting, G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), self->reset);
  g_signal_connect_object (self->setting, "notify::changed", G_CALLBACK (show_change), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->setting, "notify::value", G_CALLBACK (show_change), self, G_CONNECT_SWAPPED);
  show_change (self);
}

GtkWidget *
lk_setting_row_new (LkOption *setting)
{
  static GtkWidget *(*const makers[]) (LkSettingRow *) = {
    [LK_OPTION_INT] = make_spin,         [LK_OPTION_DOUBLE] = make_entry,  [LK_OPTION_BOOL] = make_switch,
    [LK_OPTION_CHOICE] = make_drop_down, [LK_OPTION_STRING] = make_entry,
  };
  LkSettingRow *self = g_object_new (LK_TYPE_SETTING_ROW, "title", lk_option_get_label (setting), "use-markup",
                                     FALSE, NULL);

  self->setting = g_object_ref (setting);
  self->control = makers[lk_option_get_kind (setting)](self);
  gtk_widget_set_valign (self->control, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->control), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  lk_option_get_label (setting), -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), self->control);
  if (lk_option_get_unit (setting)[0] != 0)
    {
      GtkWidget *unit = gtk_label_new (lk_option_get_unit (setting));

      gtk_widget_add_css_class (unit, "secondary");
      adw_action_row_add_suffix (ADW_ACTION_ROW (self), unit);
    }
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (self), self->control);
  add_reset (self);
  return GTK_WIDGET (self);
}
