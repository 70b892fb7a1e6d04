/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-inspection.h"

#include <glib/gi18n-lib.h>

#include "lk-engine.h"
#include "lk-fit.h"
#include "lk-json.h"
#include "lk-preview-row.h"
#include "lk-settings.h"
#include "lk-words.h"

#define PREVIEW_ROWS "3"

struct _LkInspection
{
  GObject parent_instance;

  GCancellable *cancellable;
  char *path;
  gboolean busy, is_model;
  char *title;
  char *subtitle;
  char *problems_title;
  char *problems_text;
  char *error;
  GListStore *rows;
};

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_TITLE,
  PROP_SUBTITLE,
  PROP_PROBLEMS_TITLE,
  PROP_PROBLEMS_TEXT,
  PROP_ERROR,
  PROP_ROWS,
  PROP_N_ROWS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkInspection, lk_inspection, G_TYPE_OBJECT)

static void
lk_inspection_dispose (GObject *object)
{
  LkInspection *self = LK_INSPECTION (object);

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (lk_inspection_parent_class)->dispose (object);
}

static void
forget (LkInspection *self)
{
  g_clear_pointer (&self->title, g_free);
  g_clear_pointer (&self->subtitle, g_free);
  g_clear_pointer (&self->problems_title, g_free);
  g_clear_pointer (&self->problems_text, g_free);
  g_clear_pointer (&self->error, g_free);
}

static void
lk_inspection_finalize (GObject *object)
{
  LkInspection *self = LK_INSPECTION (object);

  forget (self);
  g_clear_pointer (&self->path, g_free);
  g_clear_object (&self->rows);
  G_OBJECT_CLASS (lk_inspection_parent_class)->finalize (object);
}

static void
lk_inspection_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkInspection *self = LK_INSPECTION (object);

  switch (id)
    {
    case PROP_BUSY: g_value_set_boolean (value, self->busy); break;
    case PROP_TITLE: g_value_set_string (value, self->title); break;
    case PROP_SUBTITLE: g_value_set_string (value, self->subtitle); break;
    case PROP_PROBLEMS_TITLE: g_value_set_string (value, self->problems_title); break;
    case PROP_PROBLEMS_TEXT: g_value_set_string (value, self->problems_text); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    case PROP_ROWS: g_value_set_object (value, self->rows); break;
    case PROP_N_ROWS: g_value_set_uint (value, g_list_model_get_n_items (G_LIST_MODEL (self->rows))); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_inspection_class_init (LkInspectionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_inspection_dispose;
  object_class->finalize = lk_inspection_finalize;
  object_class->get_property = lk_inspection_get_property;
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  properties[PROP_SUBTITLE] = g_param_spec_string ("subtitle", NULL, NULL, NULL, flags);
  properties[PROP_PROBLEMS_TITLE] = g_param_spec_string ("problems-title", NULL, NULL, NULL, flags);
  properties[PROP_PROBLEMS_TEXT] = g_param_spec_string ("problems-text", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  properties[PROP_N_ROWS] = g_param_spec_uint ("n-rows", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_ROWS] = g_param_spec_object ("rows", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_inspection_init (LkInspection *self)
{
  self->rows = g_list_store_new (LK_TYPE_PREVIEW_ROW);
}

LkInspection *
lk_inspection_new (void)
{
  return g_object_new (LK_TYPE_INSPECTION, NULL);
}

static void
notify_all (LkInspection *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
append_part (GString *text, const char *part)
{
  if (part == NULL || part[0] == 0)
    return;
  if (text->len > 0)
    g_string_append (text, " · ");
  g_string_append (text, part);
}

static char *
describe_model (LkInspection *self, JsonObject *answer)
{
  GString *text = g_string_new (NULL);
  g_autofree char *parameters_text = NULL;
  g_autofree char *size_text = NULL;
  const char *family = NULL, *quant = NULL;
  gint64 parameters = 0, bytes = 0;

  lk_json_get_string (answer, "family", "model", &family, NULL);
  lk_json_get_string (answer, "type", "model", &quant, NULL);
  lk_json_get_int (answer, "parameters", "model", &parameters, NULL);
  lk_json_get_int (answer, "bytes", "model", &bytes, NULL);
  if (family != NULL && family[0] != 0)
    {
      g_autofree char *capital = g_strdup (family);

      capital[0] = g_ascii_toupper (capital[0]);
      append_part (text, capital);
    }
  if (parameters > 0)
    {
      g_autofree char *words = lk_words_parameters (parameters);

      parameters_text = g_strdup_printf (_ ("%s parameters"), words);
    }
  append_part (text, parameters_text);
  append_part (text, quant);
  size_text = bytes > 0 ? lk_words_bytes ((guint64) bytes) : NULL;
  append_part (text, size_text);
  return g_string_free (text, FALSE);
}

static void
take_problems (LkInspection *self, JsonObject *answer)
{
  JsonArray *problems = NULL;
  GString *text = g_string_new (NULL);
  gint64 count = 0;

  lk_json_get_array (answer, "problems", "dataset", &problems, NULL);
  count = problems != NULL ? json_array_get_length (problems) : 0;
  lk_json_get_int (answer, "problem_count", "dataset", &count, NULL);
  for (guint i = 0; problems != NULL && i < json_array_get_length (problems) && i < 100; i++)
    {
      JsonNode *node = json_array_get_element (problems, i);
      g_autofree char *number = NULL;
      const char *reason = NULL;
      gint64 line = 0;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      lk_json_get_int (json_node_get_object (node), "line", "dataset", &line, NULL);
      lk_json_get_string (json_node_get_object (node), "reason", "dataset", &reason, NULL);
      if (text->len > 0)
        g_string_append_c (text, '\n');
      number = g_strdup_printf ("%" G_GINT64_FORMAT, line);
      g_string_append_printf (text, _ ("Line %s: %s"), number, reason != NULL ? reason : _ ("cannot be used"));
    }
  self->problems_text = g_string_free (text, FALSE);
  if (count > 0)
    {
      g_autofree char *words = lk_words_count (count);

      self->problems_title = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s row cannot be used",
                                                           "%s rows cannot be used", (gulong) count),
                                              words);
    }
}

static char *
describe_data (JsonObject *answer, gint64 rows)
{
  g_autofree char *count = lk_words_count (rows);
  GString *text = g_string_new (NULL);
  const char *format = NULL, *unit = "tokens";
  JsonObject *lengths = NULL;
  gint64 longest = 0;

  g_string_append_printf (text, g_dngettext (GETTEXT_PACKAGE, "%s example", "%s examples", (gulong) rows), count);
  lk_json_get_string (answer, "format", "dataset", &format, NULL);
  append_part (text, format);
  lk_json_get_object (answer, "lengths", "dataset", &lengths, NULL);
  if (lengths != NULL)
    {
      lk_json_get_int (lengths, "longest", "dataset", &longest, NULL);
      lk_json_get_string (lengths, "unit", "dataset", &unit, NULL);
    }
  if (longest > 0)
    {
      g_autofree char *words = lk_words_count (longest);
      g_autofree char *part = g_strdup_printf (g_str_equal (unit, "tokens") ? _ ("up to %s tokens") : _ ("up to %s characters"), words);

      append_part (text, part);
    }
  return g_string_free (text, FALSE);
}

void
lk_inspection_take_answer (LkInspection *self, JsonObject *answer)
{
  JsonArray *preview = NULL;
  gint64 rows = -1;

  forget (self);
  g_list_store_remove_all (self->rows);
  self->title = lk_words_name_of_path (self->path);
  lk_json_get_int (answer, "rows", "dataset", &rows, NULL);
  if (rows >= 0)
    {
      self->subtitle = describe_data (answer, rows);
      take_problems (self, answer);
    }
  else
    self->subtitle = describe_model (self, answer);
  lk_json_get_array (answer, "preview", "dataset", &preview, NULL);
  for (guint i = 0; preview != NULL && i < json_array_get_length (preview); i++)
    {
      JsonNode *node = json_array_get_element (preview, i);
      g_autoptr (LkPreviewRow) row
          = JSON_NODE_HOLDS_OBJECT (node) ? lk_preview_row_new (json_node_get_object (node)) : NULL;

      if (row != NULL)
        g_list_store_append (self->rows, row);
    }
  notify_all (self);
}

/* The line below a model's facts. */
static void
set_fit (LkInspection *self, const char *facts, const char *words)
{
  g_free (self->subtitle);
  self->subtitle = words != NULL ? g_strdup_printf ("%s\n%s", facts, words) : g_strdup (facts);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SUBTITLE]);
}

static void
estimated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkInspection) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);
  g_autofree char *words = node != NULL ? lk_fit_words (json_node_get_object (node)) : NULL;
  g_auto (GStrv) lines = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  lines = g_strsplit (self->subtitle, "\n", 2);
  set_fit (self, lines[0], words);
}

/* What it fits for, with the figures; the place for it is held, so that nothing moves when they come. */
static void
ask_fit (LkInspection *self)
{
  g_auto (GStrv) arguments = lk_fit_arguments (self->path, lk_settings_get_device (lk_settings_get_default ()));
  g_autofree char *facts = g_strdup (self->subtitle);

  set_fit (self, facts, _ ("Working out what it fits for…"));
  lk_engine_call_async ((const char *const *) arguments, self->cancellable, estimated_cb, g_object_ref (self));
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkInspection) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->busy = FALSE;
  if (node != NULL)
    {
      lk_inspection_take_answer (self, json_node_get_object (node));
      if (self->is_model)
        ask_fit (self);
      return;
    }
  self->error = g_strdup (error->message);
  notify_all (self);
}

static void
look (LkInspection *self, const char *path, const char *const *arguments)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  forget (self);
  g_list_store_remove_all (self->rows);
  g_free (self->path);
  self->path = g_strdup (path);
  self->busy = path != NULL && path[0] != 0;
  if (self->busy)
    {
      self->title = lk_words_name_of_path (path);
      self->cancellable = g_cancellable_new ();
      lk_engine_call_async (arguments, self->cancellable, answered_cb, g_object_ref (self));
    }
  notify_all (self);
}

void
lk_inspection_look_at_model (LkInspection *self, const char *path)
{
  const char *arguments[] = { "inspect", "--json", path, NULL };

  self->is_model = TRUE;
  look (self, path, arguments);
}

void
lk_inspection_look_at_data (LkInspection *self, const char *path, const char *model)
{
  const char *arguments[] = { "inspect", "--json", "--rows", PREVIEW_ROWS, path, "--model", model, NULL };

  self->is_model = FALSE;
  if (model == NULL || model[0] == 0)
    arguments[5] = NULL;
  look (self, path, arguments);
}

gboolean
lk_inspection_has_error (LkInspection *self)
{
  return self->error != NULL;
}

GListModel *
lk_inspection_get_rows (LkInspection *self)
{
  return G_LIST_MODEL (self->rows);
}
