/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-remedy.h"

#include <glib/gi18n-lib.h>

#include "lk-engine.h"
#include "lk-json.h"

/* The least harmful first: the first two change nothing but the time. */
static const struct
{
  const char *setting, *value, *text;
} changes[] = {
  { "recompute", "all", N_ ("It would fit if layers were computed twice, which is slower.") },
  { "batch", "1", N_ ("It would fit with one example at a time.") },
  { "length", "1024", N_ ("It would fit with rows of at most 1024 tokens.") },
  { "base_type", "nf4", N_ ("It would fit with the model's weights in 4 bits.") },
  { "length", "512", N_ ("It would fit with rows of at most 512 tokens.") },
  { "length", "256", N_ ("It would fit with rows of at most 256 tokens.") },
  { "rank", "8", N_ ("It would fit with a smaller adapter.") },
};

struct _LkRemedy
{
  GObject parent_instance;

  LkDraft *draft;
  LkEstimate *estimate;
  GCancellable *asking;
  guint next; /* of changes: the one being asked about */
  int found;  /* −1: none (yet) */
  gboolean failed;
};

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_TEXT,
  PROP_CAN_APPLY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkRemedy, lk_remedy, G_TYPE_OBJECT)

static void
stop (LkRemedy *self)
{
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
}

static void
lk_remedy_dispose (GObject *object)
{
  LkRemedy *self = LK_REMEDY (object);

  stop (self);
  g_clear_object (&self->draft);
  g_clear_object (&self->estimate);
  G_OBJECT_CLASS (lk_remedy_parent_class)->dispose (object);
}

static char *
text_of (LkRemedy *self)
{
  if (self->asking != NULL)
    return g_strdup (_ ("Looking for a change that would make it fit…"));
  if (self->failed)
    return g_strdup (_ ("No single change makes it fit; a smaller model may."));
  return self->found >= 0 ? g_strdup (_ (changes[self->found].text)) : NULL;
}

static void
lk_remedy_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkRemedy *self = LK_REMEDY (object);

  switch (id)
    {
    case PROP_BUSY: g_value_set_boolean (value, self->asking != NULL); break;
    case PROP_TEXT: g_value_take_string (value, text_of (self)); break;
    case PROP_CAN_APPLY: g_value_set_boolean (value, self->found >= 0); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_remedy_class_init (LkRemedyClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_remedy_dispose;
  object_class->get_property = lk_remedy_get_property;
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);
  properties[PROP_CAN_APPLY] = g_param_spec_boolean ("can-apply", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_remedy_init (LkRemedy *self)
{
  self->found = -1;
}

static void
notify_all (LkRemedy *self)
{
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

static void ask (LkRemedy *self);

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkRemedy) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (node != NULL && lk_json_peek_boolean (json_node_get_object (node), "fits", FALSE))
    {
      self->found = (int) self->next;
      g_clear_object (&self->asking);
      notify_all (self);
      return;
    }
  self->next++;
  ask (self);
}

/* Whether the change is one, and to less. */
static gboolean
is_worth_asking (LkRemedy *self, guint i)
{
  LkOption *option = lk_draft_find (self->draft, changes[i].setting);
  double now, then;

  if (option == NULL || g_str_equal (lk_option_get_value (option), changes[i].value))
    return FALSE;
  if (lk_option_get_kind (option) != LK_OPTION_INT)
    return TRUE;
  now = g_ascii_strtod (lk_option_get_value (option), NULL);
  then = g_ascii_strtod (changes[i].value, NULL);
  return then < now;
}

static void
ask (LkRemedy *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) settings = lk_draft_to_arguments (self->draft);
  g_auto (GStrv) arguments = NULL;
  g_autofree char *flag = NULL;
  g_autofree char *change = NULL;

  while (self->next < G_N_ELEMENTS (changes) && !is_worth_asking (self, self->next))
    self->next++;
  if (self->next == G_N_ELEMENTS (changes))
    {
      self->failed = TRUE;
      g_clear_object (&self->asking);
      notify_all (self);
      return;
    }
  flag = g_strdelimit (g_strdup (changes[self->next].setting), "_", '-');
  change = g_strdup_printf ("--%s=%s", flag, changes[self->next].value); /* the last one said counts */
  g_strv_builder_add_many (builder, "estimate", "--json", NULL);
  g_strv_builder_addv (builder, (const char **) settings);
  g_strv_builder_add (builder, change);
  arguments = g_strv_builder_end (builder);
  lk_engine_call_async ((const char *const *) arguments, self->asking, answered_cb, g_object_ref (self));
}

static void
estimate_cb (LkRemedy *self)
{
  gboolean busy = FALSE, known = FALSE, fits = TRUE;

  g_object_get (self->estimate, "busy", &busy, "known", &known, "fits", &fits, NULL);
  if (self->asking != NULL && !busy && known && !fits)
    return; /* it is being asked about */
  stop (self);
  self->found = -1;
  self->failed = FALSE;
  if (!busy && known && !fits)
    {
      self->next = 0;
      self->asking = g_cancellable_new ();
      ask (self);
    }
  notify_all (self);
}

LkRemedy *
lk_remedy_new (LkDraft *draft, LkEstimate *estimate)
{
  LkRemedy *self = g_object_new (LK_TYPE_REMEDY, NULL);

  self->draft = g_object_ref (draft);
  self->estimate = g_object_ref (estimate);
  g_signal_connect_object (estimate, "notify::fits", G_CALLBACK (estimate_cb), self, G_CONNECT_SWAPPED);
  return self;
}

void
lk_remedy_apply (LkRemedy *self)
{
  LkOption *option = self->found >= 0 ? lk_draft_find (self->draft, changes[self->found].setting) : NULL;

  if (option != NULL)
    lk_option_set_value (option, changes[self->found].value);
}
