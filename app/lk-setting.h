/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One setting of a recipe, as the engine describes it (`lorikeet-cli train --describe --json`), with its value.
 * Properties: name, label, help, unit, kind, advanced, default-value (strings and so on, read-only);
 * value (string, read-write): the value as text, whatever the kind; changed: TRUE when it is not the default.
 * A form binds `number` (int, double), `active` (bool), `selected` (choice, an index) or `value` (string); they are
 * the same value seen in other ways.
 * Thread-safety: main thread.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_SETTING_INT,
  LK_SETTING_DOUBLE,
  LK_SETTING_BOOL,
  LK_SETTING_CHOICE,
  LK_SETTING_STRING,
} LkSettingKind;

#define LK_TYPE_SETTING (lk_setting_get_type ())
G_DECLARE_FINAL_TYPE (LkSetting, lk_setting, LK, SETTING, GObject)

/* NULL and @error when the description is not what it should be. (transfer full) */
LkSetting *lk_setting_new (JsonObject *description, GError **error);

const char *lk_setting_get_name (LkSetting *self);
const char *lk_setting_get_label (LkSetting *self);
const char *lk_setting_get_help (LkSetting *self);
const char *lk_setting_get_unit (LkSetting *self);
LkSettingKind lk_setting_get_kind (LkSetting *self);
gboolean lk_setting_is_advanced (LkSetting *self);
double lk_setting_get_minimum (LkSetting *self);
double lk_setting_get_maximum (LkSetting *self);
/* NULL-terminated; (transfer none) */
const char *const *lk_setting_get_choices (LkSetting *self);
const char *lk_setting_get_value (LkSetting *self);
/* Puts @value in range; text that is no number, or no choice, changes nothing and gives FALSE. */
gboolean lk_setting_set_value (LkSetting *self, const char *value);
void lk_setting_reset (LkSetting *self);
gboolean lk_setting_is_changed (LkSetting *self);
/* The value as JSON of the setting's kind. (transfer full) */
JsonNode *lk_setting_to_json (LkSetting *self);

G_END_DECLS
