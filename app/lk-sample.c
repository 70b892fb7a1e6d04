/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-sample.h"

struct _LkSampleAnswer
{
  GObject parent_instance;
  gint64 step;
  char *text;
};

G_DEFINE_FINAL_TYPE (LkSampleAnswer, lk_sample_answer, G_TYPE_OBJECT)

static void
lk_sample_answer_finalize (GObject *object)
{
  g_free (LK_SAMPLE_ANSWER (object)->text);
  G_OBJECT_CLASS (lk_sample_answer_parent_class)->finalize (object);
}

static void
lk_sample_answer_class_init (LkSampleAnswerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_sample_answer_finalize;
}

static void
lk_sample_answer_init (LkSampleAnswer *self)
{
}

gint64
lk_sample_answer_get_step (LkSampleAnswer *self)
{
  return self->step;
}

const char *
lk_sample_answer_get_text (LkSampleAnswer *self)
{
  return self->text;
}

struct _LkSample
{
  GObject parent_instance;

  char *prompt;
  GListStore *answers;
};

enum
{
  PROP_0,
  PROP_PROMPT,
  PROP_LATEST_TEXT,
  PROP_ANSWERS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkSample, lk_sample, G_TYPE_OBJECT)

static void
lk_sample_finalize (GObject *object)
{
  LkSample *self = LK_SAMPLE (object);

  g_clear_pointer (&self->prompt, g_free);
  g_clear_object (&self->answers);
  G_OBJECT_CLASS (lk_sample_parent_class)->finalize (object);
}

static LkSampleAnswer *
get_last (LkSample *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->answers));

  return n > 0 ? g_list_model_get_item (G_LIST_MODEL (self->answers), n - 1) : NULL;
}

static void
lk_sample_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkSample *self = LK_SAMPLE (object);
  g_autoptr (LkSampleAnswer) last = get_last (self);

  switch (id)
    {
    case PROP_PROMPT: g_value_set_string (value, self->prompt); break;
    case PROP_LATEST_TEXT: g_value_set_string (value, last != NULL ? last->text : NULL); break;
    case PROP_ANSWERS: g_value_set_object (value, self->answers); break;
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
  properties[PROP_LATEST_TEXT] = g_param_spec_string ("latest-text", NULL, NULL, NULL, flags);
  properties[PROP_ANSWERS] = g_param_spec_object ("answers", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_sample_init (LkSample *self)
{
  self->answers = g_list_store_new (LK_TYPE_SAMPLE_ANSWER);
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

GListModel *
lk_sample_get_answers (LkSample *self)
{
  return G_LIST_MODEL (self->answers);
}

void
lk_sample_truncate_after (LkSample *self, gint64 step)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->answers)), keep = n;

  while (keep > 0)
    {
      g_autoptr (LkSampleAnswer) answer = g_list_model_get_item (G_LIST_MODEL (self->answers), keep - 1);

      if (answer->step <= step)
        break;
      keep--;
    }
  if (keep < n)
    g_list_store_splice (self->answers, keep, n - keep, NULL, 0);
}

void
lk_sample_add (LkSample *self, gint64 step, const char *text)
{
  g_autoptr (LkSampleAnswer) answer = g_object_new (LK_TYPE_SAMPLE_ANSWER, NULL);

  lk_sample_truncate_after (self, step - 1);
  answer->step = step;
  answer->text = g_strdup (text);
  g_list_store_append (self->answers, answer);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LATEST_TEXT]);
}
