/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-estimate.h"

#include <glib/gi18n-lib.h>

#include "lk-engine.h"
#include "lk-json.h"
#include "lk-pace.h"
#include "lk-words.h"

#define PATIENCE_MS 350

struct _LkEstimate
{
  GObject parent_instance;

  LkDraft *draft;
  GCancellable *cancellable;
  guint timeout;
  gboolean busy;
  gboolean known;
  gboolean fits;
  gint64 total_bytes;
  gint64 in_place_bytes; /* of the total: read where the model's file is mapped, not allocated */
  gint64 available_bytes;
  gint64 train_tokens; /* of all steps; 0 when unknown */
  char *device;
  GListModel *runs;
  LkMemoryClass classes[LK_MAX_MEMORY_CLASSES];
  guint n_classes;
  char *detail, *message; /* message: the engine's own sentence */
  char *error;
};

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_KNOWN,
  PROP_FITS,
  PROP_TOTAL_BYTES,
  PROP_AVAILABLE_BYTES,
  PROP_MEMORY_TEXT,
  PROP_TIME_TEXT,
  PROP_TIME_DETAIL,
  PROP_DETAIL,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkEstimate, lk_estimate, G_TYPE_OBJECT)

static void
lk_estimate_dispose (GObject *object)
{
  LkEstimate *self = LK_ESTIMATE (object);

  g_clear_handle_id (&self->timeout, g_source_remove);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->draft);
  g_clear_object (&self->runs);
  G_OBJECT_CLASS (lk_estimate_parent_class)->dispose (object);
}

static void
clear_classes (LkEstimate *self)
{
  for (guint i = 0; i < self->n_classes; i++)
    g_free (self->classes[i].name);
  self->n_classes = 0;
}

static void
lk_estimate_finalize (GObject *object)
{
  LkEstimate *self = LK_ESTIMATE (object);

  clear_classes (self);
  g_clear_pointer (&self->detail, g_free);
  g_clear_pointer (&self->device, g_free);
  g_clear_pointer (&self->message, g_free);
  g_clear_pointer (&self->error, g_free);
  G_OBJECT_CLASS (lk_estimate_parent_class)->finalize (object);
}

static char *
memory_text (LkEstimate *self)
{
  gint64 allocated = self->total_bytes - self->in_place_bytes;
  gint64 spare = self->fits ? self->available_bytes - allocated : allocated - self->available_bytes;
  g_autofree char *needed = lk_words_bytes ((guint64) self->total_bytes);
  g_autofree char *rest = lk_words_bytes ((guint64) MAX (spare, 0));

  if (self->error != NULL)
    return g_strdup (self->error);
  if (!self->known)
    return g_strdup (self->busy ? _ ("Working out what it needs…") : _ ("Choose a model and a dataset"));
  if (!self->fits && allocated <= self->available_bytes)
    return g_strdup (self->message != NULL ? self->message : _ ("Does not fit"));
  if (self->available_bytes <= 0)
    return g_strdup_printf (_ ("Needs %s of memory"), needed);
  if (self->fits)
    return g_strdup_printf (_ ("Fits: needs %s, %s to spare"), needed, rest);
  return g_strdup_printf (_ ("Does not fit: needs %s, %s too much"), needed, rest);
}

/* (transfer full) */
static LkRun *
find_pace (LkEstimate *self)
{
  return self->runs != NULL && self->known ? lk_pace_find (self->runs, self->draft, self->device) : NULL;
}

static char *
time_text (LkEstimate *self)
{
  g_autoptr (LkRun) like = find_pace (self);
  g_autofree char *time = NULL;

  if (!self->known || self->train_tokens == 0)
    return NULL;
  if (like == NULL)
    return g_strdup (_ ("Time: told after the first steps"));
  time = lk_words_duration ((double) self->train_tokens * lk_run_get_seconds_per_token (like));
  time[0] = g_ascii_toupper (time[0]);
  return g_steal_pointer (&time);
}

static char *
time_detail (LkEstimate *self)
{
  g_autoptr (LkRun) like = find_pace (self);

  if (!self->known || self->train_tokens == 0)
    return NULL;
  if (like == NULL)
    return g_strdup (_ ("No fine-tune of this model on this device was timed yet."));
  return g_strdup_printf (_ ("At the pace of “%s”, of the same model on the same device"), lk_run_get_name (like));
}

static void
lk_estimate_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkEstimate *self = LK_ESTIMATE (object);

  switch (id)
    {
    case PROP_BUSY: g_value_set_boolean (value, self->busy); break;
    case PROP_KNOWN: g_value_set_boolean (value, self->known); break;
    case PROP_FITS: g_value_set_boolean (value, self->fits); break;
    case PROP_TOTAL_BYTES: g_value_set_int64 (value, self->total_bytes); break;
    case PROP_AVAILABLE_BYTES: g_value_set_int64 (value, self->available_bytes); break;
    case PROP_MEMORY_TEXT: g_value_take_string (value, memory_text (self)); break;
    case PROP_TIME_TEXT: g_value_take_string (value, time_text (self)); break;
    case PROP_TIME_DETAIL: g_value_take_string (value, time_detail (self)); break;
    case PROP_DETAIL: g_value_set_string (value, self->detail); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_estimate_class_init (LkEstimateClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_estimate_dispose;
  object_class->finalize = lk_estimate_finalize;
  object_class->get_property = lk_estimate_get_property;
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_KNOWN] = g_param_spec_boolean ("known", NULL, NULL, FALSE, flags);
  properties[PROP_FITS] = g_param_spec_boolean ("fits", NULL, NULL, FALSE, flags);
  properties[PROP_TOTAL_BYTES] = g_param_spec_int64 ("total-bytes", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_AVAILABLE_BYTES]
      = g_param_spec_int64 ("available-bytes", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_MEMORY_TEXT] = g_param_spec_string ("memory-text", NULL, NULL, NULL, flags);
  properties[PROP_TIME_TEXT] = g_param_spec_string ("time-text", NULL, NULL, NULL, flags);
  properties[PROP_TIME_DETAIL] = g_param_spec_string ("time-detail", NULL, NULL, NULL, flags);
  properties[PROP_DETAIL] = g_param_spec_string ("detail", NULL, NULL, NULL, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_estimate_init (LkEstimate *self)
{
}

static void
notify_all (LkEstimate *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
}

/* Of "Model", "Adapter and optimizer", "Activations", "Inputs"; others stay as the engine says them. */
static const char *
name_of_class (const char *name)
{
  static const char *const names[] = { N_ ("Model"), N_ ("Adapter and optimizer"), N_ ("Activations"), N_ ("Inputs") };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], name))
      return _ (names[i]);
  return name;
}

static void
take_classes (LkEstimate *self, JsonArray *classes)
{
  g_autoptr (GString) text = g_string_new (NULL);

  clear_classes (self);
  for (guint i = 0; classes != NULL && i < json_array_get_length (classes) && self->n_classes < LK_MAX_MEMORY_CLASSES; i++)
    {
      JsonNode *node = json_array_get_element (classes, i);
      JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *name = object != NULL ? lk_json_peek_string (object, "name", NULL) : NULL;
      gint64 bytes = object != NULL ? lk_json_peek_int (object, "bytes", 0) : 0;
      g_autofree char *words = NULL;

      if (name == NULL || bytes <= 0)
        continue;
      self->classes[self->n_classes++] = (LkMemoryClass){ g_strdup (name_of_class (name)), bytes };
      words = lk_words_bytes ((guint64) bytes);
      g_string_append_printf (text, "%s%s: %s", text->len > 0 ? "\n" : "", name_of_class (name), words);
    }
  g_free (self->detail);
  self->detail = g_strdup (text->str);
}

void
lk_estimate_take_answer (LkEstimate *self, JsonObject *answer)
{
  JsonArray *classes = NULL;

  self->total_bytes = self->in_place_bytes = self->available_bytes = 0;
  self->fits = TRUE;
  lk_json_get_int (answer, "total_bytes", "estimate", &self->total_bytes, NULL);
  lk_json_get_int (answer, "in_place_bytes", "estimate", &self->in_place_bytes, NULL);
  lk_json_get_int (answer, "available_bytes", "estimate", &self->available_bytes, NULL);
  lk_json_get_boolean (answer, "fits", "estimate", &self->fits, NULL);
  lk_json_get_array (answer, "classes", "estimate", &classes, NULL);
  self->train_tokens = MAX (0, lk_json_peek_int (answer, "train_tokens", 0));
  g_free (self->device);
  self->device = g_strdup (lk_json_peek_string (answer, "device", NULL));
  take_classes (self, classes);
  g_clear_pointer (&self->error, g_free);
  self->known = self->total_bytes > 0 || !self->fits;
  g_free (self->message);
  self->message = g_strdup (lk_json_peek_string (answer, "message", NULL));
  notify_all (self);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkEstimate) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->busy = FALSE;
  if (node != NULL)
    {
      lk_estimate_take_answer (self, json_node_get_object (node));
      return;
    }
  self->known = FALSE;
  g_free (self->error);
  self->error = g_strdup (error->message);
  notify_all (self);
}

static gboolean
ask_cb (gpointer data)
{
  LkEstimate *self = data;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) settings = lk_draft_to_arguments (self->draft);
  g_auto (GStrv) arguments = NULL;

  self->timeout = 0;
  g_strv_builder_add_many (builder, "estimate", "--json", NULL);
  g_strv_builder_addv (builder, (const char **) settings);
  arguments = g_strv_builder_end (builder);
  self->cancellable = g_cancellable_new ();
  lk_engine_call_async ((const char *const *) arguments, self->cancellable, answered_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
draft_changed_cb (LkEstimate *self)
{
  g_clear_handle_id (&self->timeout, g_source_remove);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->error, g_free);
  self->busy = lk_draft_is_ready (self->draft);
  if (self->busy)
    self->timeout = g_timeout_add (PATIENCE_MS, ask_cb, self);
  else
    self->known = FALSE;
  notify_all (self);
}

LkEstimate *
lk_estimate_new (LkDraft *draft)
{
  LkEstimate *self = g_object_new (LK_TYPE_ESTIMATE, NULL);

  self->draft = g_object_ref (draft);
  g_signal_connect_object (draft, "changed", G_CALLBACK (draft_changed_cb), self, G_CONNECT_SWAPPED);
  draft_changed_cb (self);
  return self;
}

void
lk_estimate_renew_time (LkEstimate *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIME_TEXT]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIME_DETAIL]);
}

void
lk_estimate_set_runs (LkEstimate *self, GListModel *runs)
{
  g_return_if_fail (self->runs == NULL);

  self->runs = g_object_ref (runs);
  g_signal_connect_object (runs, "items-changed", G_CALLBACK (lk_estimate_renew_time), self, G_CONNECT_SWAPPED);
  lk_estimate_renew_time (self);
}

const LkMemoryClass *
lk_estimate_get_classes (LkEstimate *self, guint *n)
{
  *n = self->known ? self->n_classes : 0;
  return self->classes;
}

gint64
lk_estimate_get_available (LkEstimate *self)
{
  return self->known ? self->available_bytes : 0;
}
