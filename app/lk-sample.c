/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sample.h"

struct _LkSample
{
  GObject parent_instance;

  char *prompt;
  char *first_text;
  char *latest_text;
  gint64 first_step; /* -1 before the first answer */
  gint64 latest_step;
};

enum
{
  PROP_0,
  PROP_PROMPT,
  PROP_FIRST_STEP,
  PROP_FIRST_TEXT,
  PROP_LATEST_STEP,
  PROP_LATEST_TEXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkSample, lk_sample, G_TYPE_OBJECT)

static void
lk_sample_finalize (GObject *object)
{
  LkSample *self = LK_SAMPLE (object);

  g_clear_pointer (&self->prompt, g_free);
  g_clear_pointer (&self->first_text, g_free);
  g_clear_pointer (&self->latest_text, g_free);
  G_OBJECT_CLASS (lk_sample_parent_class)->finalize (object);
}

static void
lk_sample_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkSample *self = LK_SAMPLE (object);

  switch (id)
    {
    case PROP_PROMPT: g_value_set_string (value, self->prompt); break;
    case PROP_FIRST_STEP: g_value_set_int64 (value, self->first_step); break;
    case PROP_FIRST_TEXT: g_value_set_string (value, self->first_text); break;
    case PROP_LATEST_STEP: g_value_set_int64 (value, self->latest_step); break;
    case PROP_LATEST_TEXT: g_value_set_string (value, self->latest_text); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_sample_class_init (LkSampleClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_sample_finalize;
  object_class->get_property = lk_sample_get_property;
  properties[PROP_PROMPT] = g_param_spec_string ("prompt", NULL, NULL, NULL, flags);
  properties[PROP_FIRST_STEP] = g_param_spec_int64 ("first-step", NULL, NULL, -1, G_MAXINT64, -1, flags);
  properties[PROP_FIRST_TEXT] = g_param_spec_string ("first-text", NULL, NULL, NULL, flags);
  properties[PROP_LATEST_STEP] = g_param_spec_int64 ("latest-step", NULL, NULL, -1, G_MAXINT64, -1, flags);
  properties[PROP_LATEST_TEXT] = g_param_spec_string ("latest-text", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_sample_init (LkSample *self)
{
  self->first_step = -1;
  self->latest_step = -1;
}

LkSample *
lk_sample_new (const char *prompt)
{
  LkSample *self = g_object_new (LK_TYPE_SAMPLE, NULL);

  self->prompt = g_strdup (prompt);
  return self;
}

const char *
lk_sample_get_prompt (LkSample *self)
{
  return self->prompt;
}

void
lk_sample_add (LkSample *self, gint64 step, const char *text)
{
  if (self->first_step < 0)
    {
      self->first_step = step;
      self->first_text = g_strdup (text);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FIRST_STEP]);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FIRST_TEXT]);
    }
  g_free (self->latest_text);
  self->latest_text = g_strdup (text);
  self->latest_step = step;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LATEST_STEP]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LATEST_TEXT]);
}
