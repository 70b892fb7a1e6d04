/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-viewer.h"

#include <signal.h>
#include <string.h>

#include "lk-engine-lines.h"
#include "lk-json.h"

struct _LkRowViewer
{
  GObject parent_instance;

  char *dataset, *model;
  LkEngineLines *engine; /* NULL until a row is asked for */
  gint32 wanted, asked; /* 0: none */
  LkPreviewRow *row;
  char *error;
};

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_ROW,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkRowViewer, lk_row_viewer, G_TYPE_OBJECT)

static void
lk_row_viewer_dispose (GObject *object)
{
  lk_row_viewer_close (LK_ROW_VIEWER (object));
  G_OBJECT_CLASS (lk_row_viewer_parent_class)->dispose (object);
}

static void
lk_row_viewer_finalize (GObject *object)
{
  LkRowViewer *self = LK_ROW_VIEWER (object);

  g_free (self->dataset);
  g_free (self->model);
  G_OBJECT_CLASS (lk_row_viewer_parent_class)->finalize (object);
}

static void
lk_row_viewer_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkRowViewer *self = LK_ROW_VIEWER (object);

  switch (id)
    {
    case PROP_BUSY: g_value_set_boolean (value, lk_row_viewer_is_busy (self)); break;
    case PROP_ROW: g_value_set_object (value, self->row); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_row_viewer_class_init (LkRowViewerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_row_viewer_dispose;
  object_class->finalize = lk_row_viewer_finalize;
  object_class->get_property = lk_row_viewer_get_property;
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_ROW] = g_param_spec_object ("row", NULL, NULL, LK_TYPE_PREVIEW_ROW, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_row_viewer_init (LkRowViewer *self)
{
}

LkRowViewer *
lk_row_viewer_new (void)
{
  return g_object_new (LK_TYPE_ROW_VIEWER, NULL);
}

static void
notify_all (LkRowViewer *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
let_go (LkRowViewer *self)
{
  if (self->engine != NULL)
    lk_engine_lines_drop (self->engine, SIGKILL); /* it only reads */
  g_clear_object (&self->engine);
  self->asked = 0;
}

void
lk_row_viewer_close (LkRowViewer *self)
{
  let_go (self);
  g_clear_object (&self->row);
  g_clear_pointer (&self->error, g_free);
  self->wanted = 0;
}

static void ask (LkRowViewer *self);

static void
take_answer (gpointer owner, JsonObject *answer)
{
  LkRowViewer *self = owner;

  self->asked = 0;
  if (lk_json_peek_int (answer, "row", 0) != self->wanted)
    {
      ask (self); /* the person went on while this one was being made */
      return;
    }
  self->wanted = 0;
  g_clear_object (&self->row);
  g_free (self->error);
  self->error = g_strdup (lk_json_peek_string (answer, "error", NULL));
  self->row = self->error == NULL ? lk_preview_row_new (answer) : NULL;
  notify_all (self);
}

static void
ended (gpointer owner, char *error)
{
  LkRowViewer *self = owner;

  g_free (self->error);
  self->error = error;
  self->wanted = self->asked = 0;
  g_clear_object (&self->row);
  g_clear_object (&self->engine);
  notify_all (self);
}

static const LkEngineListener listener = { take_answer, ended };

static void
start (LkRowViewer *self)
{
  const char *arguments[] = { "data", "show", self->dataset, "--json", self->model != NULL ? "--model" : NULL, self->model, NULL };
  g_autoptr (GError) error = NULL;

  self->engine = lk_engine_lines_start (arguments, TRUE, &listener, self, &error);
  if (self->engine == NULL)
    ended (self, g_strdup (error->message));
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL); /* an engine that ended is seen when reading */
  g_bytes_unref (user_data);
}

/* One row at a time: of a fast walk through the list only where it stops is worth the work. */
static void
ask (LkRowViewer *self)
{
  g_autofree char *line = NULL;
  GBytes *question;

  if (self->wanted == 0 || self->asked != 0)
    return;
  if (self->engine == NULL)
    start (self);
  if (self->engine == NULL)
    return;
  line = g_strdup_printf ("{\"row\": %d}\n", self->wanted);
  question = g_bytes_new (line, strlen (line));
  self->asked = self->wanted;
  g_output_stream_write_all_async (lk_engine_lines_get_input (self->engine), g_bytes_get_data (question, NULL), g_bytes_get_size (question), G_PRIORITY_DEFAULT,
                                   NULL, written_cb, question);
}

void
lk_row_viewer_open (LkRowViewer *self, const char *dataset, const char *model)
{
  g_return_if_fail (LK_IS_ROW_VIEWER (self));

  lk_row_viewer_close (self);
  g_free (self->dataset);
  g_free (self->model);
  self->dataset = g_strdup (dataset);
  self->model = model != NULL && model[0] != 0 ? g_strdup (model) : NULL;
  notify_all (self);
}

void
lk_row_viewer_show (LkRowViewer *self, gint32 id)
{
  g_return_if_fail (self->dataset != NULL);

  self->wanted = id;
  ask (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

LkPreviewRow *
lk_row_viewer_get_row (LkRowViewer *self)
{
  return self->row;
}

const char *
lk_row_viewer_get_error (LkRowViewer *self)
{
  return self->error;
}

gboolean
lk_row_viewer_is_busy (LkRowViewer *self)
{
  return self->wanted != 0;
}
