/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-stored-dataset.h"

#include <glib/gi18n-lib.h>

#include <string.h>

#include "lk-engine.h"
#include "lk-json.h"
#include "lk-row-store.h"
#include "lk-words.h"

/* Something a person did to the dataset, waiting for the engine. */
typedef struct
{
  LkStoredDataset *owner; /* which lives until it was done */
  char **arguments;
  char *input;
} Change;

struct _LkStoredDataset
{
  GObject parent_instance;

  char *path, *name, *error;
  LkDatasetFigures figures;
  GPtrArray *files;
  gboolean loaded, busy;
  gboolean load_failed; /* what error tells of */
  gint64 limit;
  double held_out;
  LkDataJob *job;
  GCancellable *loading;
  GQueue changes;    /* of Change, one at a time and none while the job is at work, which replaces the file */
  gboolean changing; /* the engine is at work on one */
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_BUSY,
  PROP_LOADED,
  PROP_ERROR,
  PROP_SUMMARY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint changed_signal, rows_changed_signal;

G_DEFINE_FINAL_TYPE (LkStoredDataset, lk_stored_dataset, G_TYPE_OBJECT)

static void
source_file_free (gpointer data)
{
  LkSourceFile *self = data;

  g_free (self->path);
  g_free (self->form);
  g_free (self->trouble);
  g_ptr_array_unref (self->columns);
  g_ptr_array_unref (self->samples);
  lk_mapping_free (self->mapping);
  g_free (self);
}

static void
lk_stored_dataset_dispose (GObject *object)
{
  LkStoredDataset *self = LK_STORED_DATASET (object);

  if (self->loading != NULL)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  if (self->job != NULL)
    lk_data_job_cancel (self->job);
  g_clear_object (&self->job);
  G_OBJECT_CLASS (lk_stored_dataset_parent_class)->dispose (object);
}

static void
lk_stored_dataset_finalize (GObject *object)
{
  LkStoredDataset *self = LK_STORED_DATASET (object);

  g_free (self->path);
  g_free (self->name);
  g_free (self->error);
  g_free (self->figures.model);
  g_ptr_array_unref (self->files);
  G_OBJECT_CLASS (lk_stored_dataset_parent_class)->finalize (object);
}

static void
lk_stored_dataset_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkStoredDataset *self = LK_STORED_DATASET (object);

  switch (id)
    {
    case PROP_NAME: g_value_set_string (value, self->name); break;
    case PROP_BUSY: g_value_set_boolean (value, lk_stored_dataset_is_busy (self)); break;
    case PROP_LOADED: g_value_set_boolean (value, self->loaded); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    case PROP_SUMMARY: g_value_take_string (value, lk_stored_dataset_describe (self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_stored_dataset_class_init (LkStoredDatasetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_stored_dataset_dispose;
  object_class->finalize = lk_stored_dataset_finalize;
  object_class->get_property = lk_stored_dataset_get_property;
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_LOADED] = g_param_spec_boolean ("loaded", NULL, NULL, FALSE, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  properties[PROP_SUMMARY] = g_param_spec_string ("summary", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  changed_signal = g_signal_new ("changed", LK_TYPE_STORED_DATASET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  rows_changed_signal = g_signal_new ("rows-changed", LK_TYPE_STORED_DATASET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                      G_TYPE_BOOLEAN);
}

static void
say_changed (LkStoredDataset *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 1; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  g_object_thaw_notify (G_OBJECT (self));
  g_signal_emit (self, changed_signal, 0);
}

static void
set_error (LkStoredDataset *self, const char *sentence)
{
  g_free (self->error);
  self->error = g_strdup (sentence);
  self->load_failed = FALSE;
}

static void
change_free (gpointer data)
{
  Change *change = data;

  g_object_unref (change->owner);
  g_strfreev (change->arguments);
  g_free (change->input);
  g_free (change);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Change, change_free)

static void do_next (LkStoredDataset *self);

static void
changed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Change) change = user_data;
  LkStoredDataset *self = change->owner;
  g_autoptr (GError) error = NULL;
  gboolean well = lk_engine_do_finish (result, &error);

  self->changing = FALSE;
  if (!well)
    set_error (self, error->message);
  do_next (self);
  say_changed (self);
  if (!well)
    return;
  lk_stored_dataset_load (self);
  g_signal_emit (self, rows_changed_signal, 0, FALSE);
}

static void
do_next (LkStoredDataset *self)
{
  Change *change;

  if (self->changing || self->job == NULL || lk_data_job_is_running (self->job) || g_queue_is_empty (&self->changes))
    return;
  change = g_queue_pop_head (&self->changes);
  self->changing = TRUE;
  lk_engine_do_async ((const char *const *) change->arguments, change->input, NULL, changed_cb, change);
}

/* A weight that waits is not set before another of the same file is. */
static gboolean
is_overtaken (const Change *change, const char *const *arguments)
{
  return change != NULL && g_str_equal (arguments[1], "weight") && g_str_equal (change->arguments[1], "weight")
         && g_str_equal (change->arguments[3], arguments[3]);
}

static void
take_change (LkStoredDataset *self, const char *const *arguments, const char *input)
{
  Change *change = g_new0 (Change, 1);

  if (is_overtaken (g_queue_peek_tail (&self->changes), arguments))
    change_free (g_queue_pop_tail (&self->changes));
  change->owner = g_object_ref (self);
  change->arguments = g_strdupv ((char **) arguments);
  change->input = g_strdup (input);
  g_queue_push_tail (&self->changes, change);
  set_error (self, NULL);
  do_next (self);
  say_changed (self);
}

static void
job_ended_cb (LkStoredDataset *self, gboolean well)
{
  if (!well)
    set_error (self, lk_data_job_get_error (self->job));
  say_changed (self);
  if (!well)
    return;
  lk_stored_dataset_load (self);
  g_signal_emit (self, rows_changed_signal, 0, TRUE);
}

static void
lk_stored_dataset_init (LkStoredDataset *self)
{
  self->limit = LK_DEFAULT_LIMIT;
  self->held_out = LK_DEFAULT_HELD_OUT;
  g_queue_init (&self->changes);
  self->files = g_ptr_array_new_with_free_func (source_file_free);
  self->job = lk_data_job_new ();
  g_signal_connect_object (self->job, "ended", G_CALLBACK (job_ended_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->job, "notify::running", G_CALLBACK (do_next), self, G_CONNECT_SWAPPED);
}

LkStoredDataset *
lk_stored_dataset_new (const char *path)
{
  LkStoredDataset *self = g_object_new (LK_TYPE_STORED_DATASET, NULL);

  self->path = g_strdup (path);
  self->name = g_path_get_basename (path);
  if (g_str_has_suffix (self->name, ".lkdata"))
    self->name[strlen (self->name) - strlen (".lkdata")] = 0;
  return self;
}

const char *
lk_stored_dataset_get_path (LkStoredDataset *self)
{
  return self->path;
}

const char *
lk_stored_dataset_get_name (LkStoredDataset *self)
{
  return self->name;
}

const char *
lk_stored_dataset_get_error (LkStoredDataset *self)
{
  return self->error;
}

gboolean
lk_stored_dataset_is_busy (LkStoredDataset *self)
{
  return self->busy || self->changing || !g_queue_is_empty (&self->changes);
}

gboolean
lk_stored_dataset_is_loaded (LkStoredDataset *self)
{
  return self->loaded;
}

const LkDatasetFigures *
lk_stored_dataset_peek (LkStoredDataset *self)
{
  return self->loaded ? &self->figures : NULL;
}

GPtrArray *
lk_stored_dataset_get_files (LkStoredDataset *self)
{
  return self->files;
}

char *
lk_stored_dataset_describe (LkStoredDataset *self)
{
  g_autofree char *rows = lk_words_count (self->figures.rows);
  g_autofree char *left_out = lk_words_count (self->figures.rows - self->figures.used);
  g_autofree char *all = NULL;

  if (!self->loaded)
    return g_strdup (self->error != NULL ? self->error : _ ("Being looked at…"));
  all = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s row", "%s rows", (gulong) self->figures.rows), rows);
  if (self->figures.rows == self->figures.used)
    return g_strdup_printf (_ ("%s, all can be learned from"), all);
  if (self->figures.used == 0)
    return g_strdup_printf (_ ("%s, none can be learned from"), all);
  return g_strdup_printf (_ ("%s, %s left out"), all, left_out);
}

static LkSourceFile *
read_file (JsonObject *object)
{
  LkSourceFile *file = g_new0 (LkSourceFile, 1);
  JsonArray *columns = NULL;
  JsonObject *mapping = NULL;

  file->path = g_strdup (lk_json_peek_string (object, "path", ""));
  file->form = g_strdup (lk_json_peek_string (object, "form", NULL));
  file->trouble = g_strdup (lk_json_peek_string (object, "trouble", NULL));
  file->rows = lk_json_peek_int (object, "rows", 0);
  file->weight = lk_json_peek_double (object, "weight", 1);
  file->columns = g_ptr_array_new_with_free_func (g_free);
  file->samples = g_ptr_array_new_with_free_func (g_free);
  lk_json_get_array (object, "columns", "dataset", &columns, NULL);
  for (guint i = 0; columns != NULL && i < json_array_get_length (columns); i++)
    {
      JsonNode *node = json_array_get_element (columns, i);

      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      g_ptr_array_add (file->columns, g_strdup (lk_json_peek_string (json_node_get_object (node), "name", "")));
      g_ptr_array_add (file->samples, g_strdup (lk_json_peek_string (json_node_get_object (node), "sample", "")));
    }
  lk_json_get_object (object, "mapping", "dataset", &mapping, NULL);
  file->mapping = mapping != NULL ? lk_mapping_from_json (mapping, NULL) : NULL;
  if (file->mapping == NULL)
    file->mapping = lk_mapping_new ();
  return file;
}

static void
read_numbers (LkDatasetFigures *figures, JsonObject *answer)
{
  const struct
  {
    const char *name;
    gint64 *slot;
  } numbers[] = { { "rows", &figures->rows },         { "used", &figures->used },         { "unusable", &figures->unusable },
                  { "excluded", &figures->excluded }, { "edited", &figures->edited },     { "cut", &figures->cut },
                  { "lost", &figures->lost },         { "held_out", &figures->held_out }, { "counted", &figures->counted },
                  { "tokens", &figures->tokens },     { "targets", &figures->targets },   { "shortest", &figures->shortest },
                  { "median", &figures->median },     { "p95", &figures->p95 },           { "longest", &figures->longest },
                  { "bin_width", &figures->bin_width } };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    *numbers[i].slot = MAX (lk_json_peek_int (answer, numbers[i].name, 0), 0);
}

void
lk_stored_dataset_take_answer (LkStoredDataset *self, JsonObject *answer)
{
  LkDatasetFigures *figures = &self->figures;
  JsonObject *problems = NULL;
  JsonArray *bins = NULL, *files = NULL;

  g_free (figures->model);
  *figures = (LkDatasetFigures){ .model = g_strdup (lk_json_peek_string (answer, "model", NULL)) };
  read_numbers (figures, answer);
  figures->in_tokens = g_strcmp0 (lk_json_peek_string (answer, "unit", NULL), "tokens") == 0;
  lk_json_get_object (answer, "problems", "dataset", &problems, NULL);
  for (guint i = 0; problems != NULL && i < lk_n_row_flags; i++)
    figures->of_flag[i] = lk_json_peek_int (problems, lk_row_flags[i].name, 0);
  lk_json_get_array (answer, "bins", "dataset", &bins, NULL);
  figures->n_bins = bins != NULL ? MIN (json_array_get_length (bins), LK_MAX_BINS) : 0;
  for (guint i = 0; i < figures->n_bins; i++)
    {
      JsonNode *node = json_array_get_element (bins, i);

      figures->bins[i] = JSON_NODE_HOLDS_VALUE (node) ? MAX (json_node_get_int (node), 0) : 0;
    }
  g_ptr_array_set_size (self->files, 0);
  lk_json_get_array (answer, "files", "dataset", &files, NULL);
  for (guint i = 0; files != NULL && i < json_array_get_length (files); i++)
    if (JSON_NODE_HOLDS_OBJECT (json_array_get_element (files, i)))
      g_ptr_array_add (self->files, read_file (json_array_get_object_element (files, i)));
  g_free (self->name);
  self->name = g_strdup (lk_json_peek_string (answer, "name", self->path));
  self->loaded = TRUE;
  say_changed (self);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkStoredDataset) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->busy = FALSE;
  if (node != NULL)
    {
      if (self->load_failed)
        set_error (self, NULL);
      lk_stored_dataset_take_answer (self, json_node_get_object (node));
      return;
    }
  set_error (self, error->message);
  self->load_failed = TRUE;
  say_changed (self);
}

void
lk_stored_dataset_load (LkStoredDataset *self)
{
  g_autofree char *limit = g_strdup_printf ("%" G_GINT64_FORMAT, self->limit);
  char held_out[G_ASCII_DTOSTR_BUF_SIZE];
  const char *const arguments[] = { "data", "stats", "--json", "--length", limit, "--held-out",
                                    g_ascii_formatd (held_out, sizeof held_out, "%.4f", self->held_out), "--seed", G_STRINGIFY (LK_DEFAULT_SEED), self->path, NULL };

  g_return_if_fail (LK_IS_STORED_DATASET (self));

  if (self->loading != NULL)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  self->loading = g_cancellable_new ();
  self->busy = TRUE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
  lk_engine_call_async (arguments, self->loading, loaded_cb, g_object_ref (self));
}

void
lk_stored_dataset_set_limits (LkStoredDataset *self, gint64 limit, double held_out)
{
  if (self->limit == limit && self->held_out == held_out)
    return;
  self->limit = limit;
  self->held_out = held_out;
  lk_stored_dataset_load (self);
}

gint64
lk_stored_dataset_get_limit (LkStoredDataset *self)
{
  return self->limit;
}

double
lk_stored_dataset_get_held_out (LkStoredDataset *self)
{
  return self->held_out;
}

/* Ascending ids as ranges: 1-3 7 9-12. */
void
lk_stored_dataset_exclude (LkStoredDataset *self, GArray *ids, gboolean excluded)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;

  g_return_if_fail (LK_IS_STORED_DATASET (self));

  if (ids->len == 0)
    return;
  g_strv_builder_add_many (builder, "data", excluded ? "exclude" : "restore", self->path, NULL);
  for (guint i = 0, end; i < ids->len; i = end)
    {
      gint32 first = g_array_index (ids, gint32, i);
      g_autofree char *range = NULL;

      for (end = i + 1; end < ids->len && g_array_index (ids, gint32, end) == first + (gint32) (end - i); end++)
        ;
      range = g_strdup_printf ("%d-%d", first, first + (gint32) (end - i) - 1);
      g_strv_builder_add (builder, range);
    }
  arguments = g_strv_builder_end (builder);
  take_change (self, (const char *const *) arguments, NULL);
}

void
lk_stored_dataset_edit (LkStoredDataset *self, gint32 id, const char *content)
{
  g_autofree char *row = g_strdup_printf ("%d", id);
  g_autofree char *line = g_strconcat (content, "\n", NULL);
  const char *const arguments[] = { "data", "edit", self->path, row, NULL };

  take_change (self, arguments, line);
}

void
lk_stored_dataset_set_weight (LkStoredDataset *self, guint file, double weight)
{
  g_autofree char *number = g_strdup_printf ("%u", file + 1);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  const char *const arguments[]
      = { "data", "weight", self->path, number, g_ascii_formatd (text, sizeof text, "%.4f", weight), NULL };

  take_change (self, arguments, NULL);
}

/* A job replaces the file: what is being written to it would be lost, and what is known of it be old. */
static void
start (LkStoredDataset *self, const char *const *arguments)
{
  if (lk_stored_dataset_is_busy (self))
    set_error (self, _ ("A change is still being written. Try again in a moment."));
  else
    {
      set_error (self, NULL);
      lk_data_job_start (self->job, arguments);
    }
  say_changed (self);
}

void
lk_stored_dataset_count (LkStoredDataset *self, const char *model)
{
  const char *const arguments[] = { "data", "count", "--model", model, self->path, NULL };

  start (self, arguments);
}

void
lk_stored_dataset_import_again (LkStoredDataset *self, const LkMapping *mapping)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;

  g_strv_builder_add_many (builder, "data", "import", "--output", self->path, "--name", self->name, NULL);
  for (guint i = 0; mapping != NULL && i < LK_N_COLUMNS; i++)
    if (mapping->columns[i] != NULL)
      {
        g_autofree char *column = g_strdup_printf ("--column=%s=%s", lk_column_names[i], mapping->columns[i]);

        g_strv_builder_add (builder, column);
      }
  for (guint i = 0; i < self->files->len; i++)
    {
      char weight[G_ASCII_DTOSTR_BUF_SIZE];

      g_strv_builder_add_many (builder, "--weight",
                               g_ascii_formatd (weight, sizeof weight, "%.4f", ((LkSourceFile *) self->files->pdata[i])->weight), NULL);
    }
  for (guint i = 0; i < self->files->len; i++)
    g_strv_builder_add (builder, ((LkSourceFile *) self->files->pdata[i])->path);
  arguments = g_strv_builder_end (builder);
  start (self, (const char *const *) arguments);
}

LkDataJob *
lk_stored_dataset_get_job (LkStoredDataset *self)
{
  return self->job;
}
