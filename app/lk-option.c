/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-option.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"
#include "lk-json.h"

#include <math.h>

struct _LkOption
{
  GObject parent_instance;

  char *name;
  char *label;
  char *help;
  char *unit;
  char *group;
  LkOptionKind kind;
  gboolean advanced;
  double minimum;
  double maximum;
  GStrv choices;
  char *standard; /* the default, as text */
  char *value;
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_LABEL,
  PROP_VALUE,
  PROP_NUMBER,
  PROP_ACTIVE,
  PROP_SELECTED,
  PROP_CHANGED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkOption, lk_option, G_TYPE_OBJECT)

static void
lk_option_finalize (GObject *object)
{
  LkOption *self = LK_OPTION (object);

  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->label, g_free);
  g_clear_pointer (&self->help, g_free);
  g_clear_pointer (&self->unit, g_free);
  g_clear_pointer (&self->group, g_free);
  g_clear_pointer (&self->choices, g_strfreev);
  g_clear_pointer (&self->standard, g_free);
  g_clear_pointer (&self->value, g_free);
  G_OBJECT_CLASS (lk_option_parent_class)->finalize (object);
}

static char *
number_text (LkOption *self, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (self->kind == LK_OPTION_INT)
    return g_strdup_printf ("%.0f", round (number));
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.12g", number));
}

static guint
selected_index (LkOption *self)
{
  for (guint i = 0; self->choices != NULL && self->choices[i] != NULL; i++)
    if (g_strcmp0 (self->choices[i], self->value) == 0)
      return i;
  return 0;
}

static void
lk_option_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkOption *self = LK_OPTION (object);

  switch (id)
    {
    case PROP_NAME: g_value_set_string (value, self->name); break;
    case PROP_LABEL: g_value_set_string (value, lk_option_get_label (self)); break;
    case PROP_VALUE: g_value_set_string (value, self->value); break;
    case PROP_NUMBER: g_value_set_double (value, g_ascii_strtod (self->value, NULL)); break;
    case PROP_ACTIVE: g_value_set_boolean (value, g_strcmp0 (self->value, "true") == 0); break;
    case PROP_SELECTED: g_value_set_uint (value, selected_index (self)); break;
    case PROP_CHANGED: g_value_set_boolean (value, lk_option_is_changed (self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_option_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LkOption *self = LK_OPTION (object);

  switch (id)
    {
    case PROP_VALUE: lk_option_set_value (self, g_value_get_string (value)); break;
    case PROP_NUMBER:
      {
        g_autofree char *text = number_text (self, g_value_get_double (value));

        lk_option_set_value (self, text);
        break;
      }
    case PROP_ACTIVE: lk_option_set_value (self, g_value_get_boolean (value) ? "true" : "false"); break;
    case PROP_SELECTED:
      if (self->choices != NULL && g_value_get_uint (value) < g_strv_length (self->choices))
        lk_option_set_value (self, self->choices[g_value_get_uint (value)]);
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_option_class_init (LkOptionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags read = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_option_finalize;
  object_class->get_property = lk_option_get_property;
  object_class->set_property = lk_option_set_property;
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, read);
  properties[PROP_LABEL] = g_param_spec_string ("label", NULL, NULL, NULL, read);
  properties[PROP_VALUE] = g_param_spec_string ("value", NULL, NULL, NULL, both);
  properties[PROP_NUMBER] = g_param_spec_double ("number", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, both);
  properties[PROP_ACTIVE] = g_param_spec_boolean ("active", NULL, NULL, FALSE, both);
  properties[PROP_SELECTED] = g_param_spec_uint ("selected", NULL, NULL, 0, G_MAXUINT, 0, both);
  properties[PROP_CHANGED] = g_param_spec_boolean ("changed", NULL, NULL, FALSE, read);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_option_init (LkOption *self)
{
  self->minimum = -INFINITY;
  self->maximum = INFINITY;
}

/* A default may be written as JSON of its kind or as text. */
static char *
value_text (LkOption *self, JsonNode *node)
{
  GType type
      = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  if (type == G_TYPE_BOOLEAN)
    return g_strdup (json_node_get_boolean (node) ? "true" : "false");
  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    return number_text (self, json_node_get_double (node));
  return g_strdup (self->kind == LK_OPTION_BOOL ? "false" : "");
}

static gboolean
read_kind (LkOption *self, const char *type, GError **error)
{
  static const char *const kinds[] = { "int", "double", "bool", "choice", "string" };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i], type) == 0)
      {
        self->kind = (LkOptionKind) i;
        return TRUE;
      }
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED,
               _ ("The engine describes the setting “%s” as “%s”, which is unknown."), self->name,
               type != NULL ? type : "nothing");
  return FALSE;
}

static GStrv
read_choices (JsonArray *array)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_strv_builder_add (builder, json_node_get_string (node));
    }
  return g_strv_builder_end (builder);
}

LkOption *
lk_option_new (JsonObject *description, GError **error)
{
  g_autoptr (LkOption) self = g_object_new (LK_TYPE_OPTION, NULL);
  const char *source = _ ("the engine's settings");
  const char *name = NULL, *type = NULL, *label = NULL, *help = "", *unit = "", *group = "Other";
  JsonArray *choices = NULL;

  if (!lk_json_get_string (description, "name", source, &name, error)
      || !lk_json_get_string (description, "type", source, &type, error)
      || !lk_json_get_string (description, "label", source, &label, error)
      || !lk_json_get_string (description, "help", source, &help, error)
      || !lk_json_get_string (description, "unit", source, &unit, error)
      || !lk_json_get_string (description, "group", source, &group, error)
      || !lk_json_get_boolean (description, "advanced", source, &self->advanced, error)
      || !lk_json_get_double (description, "minimum", source, &self->minimum, error)
      || !lk_json_get_double (description, "maximum", source, &self->maximum, error)
      || !lk_json_get_array (description, "choices", source, &choices, error))
    return NULL;
  if (name == NULL)
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_FAILED,
                           _ ("The engine describes a setting without a name."));
      return NULL;
    }
  self->name = g_strdup (name);
  if (!read_kind (self, type, error))
    return NULL;
  self->label = g_strdup (label != NULL ? label : name);
  self->help = g_strdup (help);
  self->unit = g_strdup (unit);
  self->group = g_strdup (group);
  self->choices = read_choices (choices);
  self->standard = value_text (self, json_object_get_member (description, "default"));
  self->value = g_strdup (self->standard);
  return g_steal_pointer (&self);
}

const char *
lk_option_get_name (LkOption *self)
{
  return self->name;
}

/* The engine speaks English; its table's words are in our catalogue. */
static const char *
translated (const char *words)
{
  return words[0] != 0 ? _ (words) : words;
}

const char *
lk_option_get_label (LkOption *self)
{
  return translated (self->label);
}

const char *
lk_option_get_help (LkOption *self)
{
  return translated (self->help);
}

const char *
lk_option_get_unit (LkOption *self)
{
  return self->unit;
}

const char *
lk_option_get_group (LkOption *self)
{
  return translated (self->group);
}

LkOptionKind
lk_option_get_kind (LkOption *self)
{
  return self->kind;
}

gboolean
lk_option_is_advanced (LkOption *self)
{
  return self->advanced;
}

double
lk_option_get_minimum (LkOption *self)
{
  return self->minimum;
}

double
lk_option_get_maximum (LkOption *self)
{
  return self->maximum;
}

const char *const *
lk_option_get_choices (LkOption *self)
{
  return (const char *const *) self->choices;
}

const char *
lk_option_get_value (LkOption *self)
{
  return self->value;
}

const char *
lk_option_get_default (LkOption *self)
{
  return self->standard;
}

const char *
lk_option_words_of_boolean (gboolean value)
{
  return value ? _ ("on") : _ ("off");
}

static char *
words_of (LkOption *self, const char *text)
{
  if (self->kind == LK_OPTION_BOOL)
    return g_strdup (lk_option_words_of_boolean (g_str_equal (text, "true")));
  return g_strdup (text[0] != 0 ? text : "–");
}

char *
lk_option_words_of_value (LkOption *self)
{
  return words_of (self, self->value);
}

char *
lk_option_words_of_default (LkOption *self)
{
  return words_of (self, self->standard);
}

/* The text to keep for @value, or NULL when it is none for this kind. */
static char *
accept (LkOption *self, const char *value)
{
  char *end = NULL;
  double number;

  switch (self->kind)
    {
    case LK_OPTION_INT:
    case LK_OPTION_DOUBLE:
      number = g_ascii_strtod (value, &end);
      if (end == value || *end != 0 || !isfinite (number))
        return NULL;
      return number_text (self, CLAMP (number, self->minimum, self->maximum));
    case LK_OPTION_BOOL:
      return g_str_equal (value, "true") || g_str_equal (value, "false") ? g_strdup (value) : NULL;
    case LK_OPTION_CHOICE:
      return g_strv_contains ((const char *const *) self->choices, value) ? g_strdup (value) : NULL;
    case LK_OPTION_STRING:
    default:
      return g_strdup (value);
    }
}

gboolean
lk_option_set_value (LkOption *self, const char *value)
{
  g_autofree char *text = NULL;

  g_return_val_if_fail (LK_IS_OPTION (self), FALSE);

  text = accept (self, value != NULL ? value : "");
  if (text == NULL)
    return FALSE;
  if (g_str_equal (text, self->value))
    return TRUE;
  g_free (self->value);
  self->value = g_steal_pointer (&text);
  for (guint i = PROP_VALUE; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  return TRUE;
}

void
lk_option_reset (LkOption *self)
{
  lk_option_set_value (self, self->standard);
}

gboolean
lk_option_is_changed (LkOption *self)
{
  return g_strcmp0 (self->value, self->standard) != 0;
}

JsonNode *
lk_option_to_json (LkOption *self)
{
  JsonNode *node = json_node_new (JSON_NODE_VALUE);

  switch (self->kind)
    {
    case LK_OPTION_INT: json_node_set_int (node, g_ascii_strtoll (self->value, NULL, 10)); break;
    case LK_OPTION_DOUBLE: json_node_set_double (node, g_ascii_strtod (self->value, NULL)); break;
    case LK_OPTION_BOOL: json_node_set_boolean (node, g_str_equal (self->value, "true")); break;
    case LK_OPTION_CHOICE:
    case LK_OPTION_STRING:
    default: json_node_set_string (node, self->value);
    }
  return node;
}
