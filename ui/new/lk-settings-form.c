/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-settings-form.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "lk-preset.h"
#include "widgets/lk-closures.h"
#include "widgets/lk-setting-row.h"

#define MAX_LISTS 4

struct _LkSettingsForm
{
  GtkWidget parent_instance;

  LkDraft *draft;
  gboolean showing;

  GtkWidget *content;
  AdwPreferencesGroup *training, *advanced;
  AdwComboRow *presets[MAX_LISTS];
  GPtrArray *rows; /* made from the settings: rows of the training group, expanders of the advanced one */
};

enum
{
  PROP_0,
  PROP_DRAFT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkSettingsForm, lk_settings_form, GTK_TYPE_WIDGET)

static void
lk_settings_form_dispose (GObject *object)
{
  LkSettingsForm *self = LK_SETTINGS_FORM (object);

  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_object (&self->draft);
  G_OBJECT_CLASS (lk_settings_form_parent_class)->dispose (object);
}

static void
lk_settings_form_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, LK_SETTINGS_FORM (object)->draft);
}

/* The last choice of each list is "as set below", which choosing does not change. */
static void
show_presets (LkSettingsForm *self)
{
  self->showing = TRUE;
  for (guint i = 0; i < lk_n_preset_lists; i++)
    {
      const LkPresetList *list = &lk_preset_lists[i];
      int chosen = lk_preset_find (list, self->draft);

      adw_combo_row_set_selected (self->presets[i], chosen >= 0 ? (guint) chosen : list->n);
      adw_action_row_set_subtitle (ADW_ACTION_ROW (self->presets[i]),
                                   chosen >= 0 ? _ (list->presets[chosen].help) : _ ("Your own choice of settings."));
    }
  self->showing = FALSE;
}

static void
preset_cb (AdwComboRow *row, GParamSpec *pspec, LkSettingsForm *self)
{
  for (guint i = 0; !self->showing && i < lk_n_preset_lists; i++)
    if (self->presets[i] == row && adw_combo_row_get_selected (row) < lk_preset_lists[i].n)
      {
        lk_preset_apply (&lk_preset_lists[i].presets[adw_combo_row_get_selected (row)], self->draft);
        show_presets (self);
      }
}

static void
add_presets (LkSettingsForm *self)
{
  for (guint i = 0; i < lk_n_preset_lists && i < MAX_LISTS; i++)
    {
      const LkPresetList *list = &lk_preset_lists[i];
      g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);

      for (guint k = 0; k < list->n; k++)
        gtk_string_list_append (titles, _ (list->presets[k].title));
      gtk_string_list_append (titles, _ ("As set below"));
      self->presets[i] = g_object_new (ADW_TYPE_COMBO_ROW, "title", _ (list->title), "use-markup", FALSE, "model", titles, "subtitle-lines", 0, NULL);
      g_signal_connect_object (self->presets[i], "notify::selected", G_CALLBACK (preset_cb), self, 0);
      adw_preferences_group_add (self->training, GTK_WIDGET (self->presets[i]));
    }
}

/* The expander of a group of advanced settings, made when the first of them comes. */
static AdwExpanderRow *
advanced_group (LkSettingsForm *self, const char *group)
{
  GtkWidget *row;

  for (guint i = 0; i < self->rows->len; i++)
    {
      row = g_ptr_array_index (self->rows, i);
      if (ADW_IS_EXPANDER_ROW (row) && g_str_equal (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)), group))
        return ADW_EXPANDER_ROW (row);
    }
  row = g_object_new (ADW_TYPE_EXPANDER_ROW, "title", group, NULL);
  adw_preferences_group_add (self->advanced, row);
  g_ptr_array_add (self->rows, row);
  return ADW_EXPANDER_ROW (row);
}

static void
settings_changed_cb (LkSettingsForm *self)
{
  GListModel *settings = lk_draft_get_settings (self->draft);

  for (guint i = 0; i < self->rows->len; i++)
    {
      GtkWidget *row = g_ptr_array_index (self->rows, i);

      adw_preferences_group_remove (ADW_IS_EXPANDER_ROW (row) ? self->advanced : self->training, row);
    }
  g_ptr_array_set_size (self->rows, 0);
  for (guint i = 0; i < g_list_model_get_n_items (settings); i++)
    {
      g_autoptr (LkOption) option = g_list_model_get_item (settings, i);
      GtkWidget *row = lk_setting_row_new (option);

      if (lk_option_is_advanced (option))
        {
          adw_expander_row_add_row (advanced_group (self, lk_option_get_group (option)), row);
          continue;
        }
      adw_preferences_group_add (self->training, row);
      g_ptr_array_add (self->rows, row);
    }
  show_presets (self);
}

static void
reset_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_draft_reset (LK_SETTINGS_FORM (widget)->draft);
}

static void
lk_settings_form_class_init (LkSettingsFormClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = lk_settings_form_dispose;
  object_class->get_property = lk_settings_form_get_property;
  properties[PROP_DRAFT] = g_param_spec_object ("draft", NULL, NULL, LK_TYPE_DRAFT,
                                                G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-settings-form.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkSettingsForm, content);
  gtk_widget_class_bind_template_child (widget_class, LkSettingsForm, training);
  gtk_widget_class_bind_template_child (widget_class, LkSettingsForm, advanced);
  gtk_widget_class_install_action (widget_class, "settings.reset", NULL, reset_action);
}

static void
lk_settings_form_init (LkSettingsForm *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  add_presets (self);
}

void
lk_settings_form_set_draft (LkSettingsForm *self, LkDraft *draft)
{
  g_return_if_fail (self->draft == NULL);

  self->draft = g_object_ref (draft);
  g_signal_connect_object (lk_draft_get_settings (draft), "items-changed", G_CALLBACK (settings_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (draft, "changed", G_CALLBACK (show_presets), self, G_CONNECT_SWAPPED);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DRAFT]);
  settings_changed_cb (self);
}
