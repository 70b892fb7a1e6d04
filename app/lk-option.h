/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One setting of a draft, as the engine describes it (`lorikeet-cli train --describe --json`), with its
 * value. Properties: name, label (strings, read-only);
 * value (string, read-write): the value as text, whatever the kind; changed: TRUE when it is not the default.
 * A form binds `number` (int, double), `active` (bool), `selected` (choice, an index) or `value` (string);
 * they are the same value seen in other ways. Thread-safety: main thread.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum
{
  LK_OPTION_INT,
  LK_OPTION_DOUBLE,
  LK_OPTION_BOOL,
  LK_OPTION_CHOICE,
  LK_OPTION_STRING,
} LkOptionKind;

#define LK_TYPE_OPTION (lk_option_get_type ())
G_DECLARE_FINAL_TYPE (LkOption, lk_option, LK, OPTION, GObject)

/* NULL and @error when the description is not what it should be. (transfer full) */
LkOption *lk_option_new (JsonObject *description, GError **error);

const char *lk_option_get_name (LkOption *self);
const char *lk_option_get_label (LkOption *self);
const char *lk_option_get_help (LkOption *self);
const char *lk_option_get_unit (LkOption *self);
/* What it belongs to: "Adapter", "Training", "Optimizer"…; never NULL. */
const char *lk_option_get_group (LkOption *self);
LkOptionKind lk_option_get_kind (LkOption *self);
gboolean lk_option_is_advanced (LkOption *self);
double lk_option_get_minimum (LkOption *self);
double lk_option_get_maximum (LkOption *self);
/* NULL-terminated; (transfer none) */
const char *const *lk_option_get_choices (LkOption *self);
const char *lk_option_get_value (LkOption *self);
const char *lk_option_get_default (LkOption *self);
/* The same for people: "on" or "off" of a yes-or-no, "–" of an empty text. (transfer full) */
char *lk_option_words_of_value (LkOption *self);
char *lk_option_words_of_default (LkOption *self);
const char *lk_option_words_of_boolean (gboolean value);
/* Puts @value in range; text that is no number, or no choice, changes nothing and gives FALSE. */
gboolean lk_option_set_value (LkOption *self, const char *value);
void lk_option_reset (LkOption *self);
gboolean lk_option_is_changed (LkOption *self);
/* The value as JSON of the setting's kind. (transfer full) */
JsonNode *lk_option_to_json (LkOption *self);

G_END_DECLS
