/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-dataset-store.h"

#include "lk-paths.h"
#include "lk-words.h"

struct _LkDatasetStore
{
  GObject parent_instance;

  GPtrArray *datasets;
  LkDataJob *job;
  guint import; /* the number of the last one */
  char *error;
};

enum
{
  PROP_0,
  PROP_N_ITEMS,
  PROP_IMPORTING,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint imported_signal, rows_changed_signal;

static GType
lk_dataset_store_get_item_type (GListModel *model)
{
  return LK_TYPE_STORED_DATASET;
}

static guint
lk_dataset_store_get_n_items (GListModel *model)
{
  return LK_DATASET_STORE (model)->datasets->len;
}

static gpointer
lk_dataset_store_get_item (GListModel *model, guint position)
{
  LkDatasetStore *self = LK_DATASET_STORE (model);

  return position < self->datasets->len ? g_object_ref (self->datasets->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = lk_dataset_store_get_item_type;
  iface->get_n_items = lk_dataset_store_get_n_items;
  iface->get_item = lk_dataset_store_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (LkDatasetStore, lk_dataset_store, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
lk_dataset_store_dispose (GObject *object)
{
  LkDatasetStore *self = LK_DATASET_STORE (object);

  if (self->job != NULL)
    lk_data_job_cancel (self->job);
  g_clear_object (&self->job);
  G_OBJECT_CLASS (lk_dataset_store_parent_class)->dispose (object);
}

static void
lk_dataset_store_finalize (GObject *object)
{
  LkDatasetStore *self = LK_DATASET_STORE (object);

  g_ptr_array_unref (self->datasets);
  g_free (self->error);
  G_OBJECT_CLASS (lk_dataset_store_parent_class)->finalize (object);
}

static void
lk_dataset_store_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkDatasetStore *self = LK_DATASET_STORE (object);

  switch (id)
    {
    case PROP_N_ITEMS: g_value_set_uint (value, self->datasets->len); break;
    case PROP_IMPORTING: g_value_set_boolean (value, lk_dataset_store_is_importing (self)); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
lk_dataset_store_class_init (LkDatasetStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_dataset_store_dispose;
  object_class->finalize = lk_dataset_store_finalize;
  object_class->get_property = lk_dataset_store_get_property;
  properties[PROP_N_ITEMS] = g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_IMPORTING] = g_param_spec_boolean ("importing", NULL, NULL, FALSE, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  imported_signal = g_signal_new ("imported", LK_TYPE_DATASET_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                  LK_TYPE_STORED_DATASET);
  rows_changed_signal = g_signal_new ("rows-changed", LK_TYPE_DATASET_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                      LK_TYPE_STORED_DATASET);
}

static void
set_error (LkDatasetStore *self, const char *sentence)
{
  g_free (self->error);
  self->error = g_strdup (sentence);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

LkStoredDataset *
lk_dataset_store_find (LkDatasetStore *self, const char *path)
{
  for (guint i = 0; path != NULL && i < self->datasets->len; i++)
    if (g_str_equal (lk_stored_dataset_get_path (self->datasets->pdata[i]), path))
      return self->datasets->pdata[i];
  return NULL;
}

static void
rows_changed_cb (LkDatasetStore *self, gboolean which, LkStoredDataset *dataset)
{
  g_signal_emit (self, rows_changed_signal, 0, dataset);
}

/* (transfer full) */
static LkStoredDataset *
make_dataset (LkDatasetStore *self, const char *path)
{
  LkStoredDataset *dataset = lk_stored_dataset_new (path);

  g_signal_connect_object (dataset, "rows-changed", G_CALLBACK (rows_changed_cb), self, G_CONNECT_SWAPPED);
  return dataset;
}

LkStoredDataset *
lk_dataset_store_open (LkDatasetStore *self, const char *path)
{
  LkStoredDataset *dataset = lk_dataset_store_find (self, path);

  if (dataset != NULL)
    return g_object_ref (dataset);
  if (path == NULL || !g_str_has_suffix (path, ".lkdata"))
    return NULL;
  dataset = make_dataset (self, path);
  lk_stored_dataset_load (dataset);
  return dataset;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return g_utf8_collate (lk_stored_dataset_get_name (*(gpointer *) a), lk_stored_dataset_get_name (*(gpointer *) b));
}

/* Makes the list that of @paths; what stays keeps what is known of it. */
static void
take_paths (LkDatasetStore *self, GPtrArray *paths)
{
  GPtrArray *now = g_ptr_array_new_with_free_func (g_object_unref);
  guint before = self->datasets->len;

  for (guint i = 0; i < paths->len; i++)
    {
      LkStoredDataset *known = lk_dataset_store_find (self, paths->pdata[i]);
      LkStoredDataset *dataset = known != NULL ? g_object_ref (known) : make_dataset (self, paths->pdata[i]);

      if (known == NULL)
        lk_stored_dataset_load (dataset);
      g_ptr_array_add (now, dataset);
    }
  g_ptr_array_sort (now, compare);
  g_ptr_array_unref (self->datasets);
  self->datasets = now;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, before, now->len);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
}

static void
list_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  const char *folder = task_data;
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *leaf;

  while (dir != NULL && (leaf = g_dir_read_name (dir)) != NULL)
    if (leaf[0] != '.' && g_str_has_suffix (leaf, ".lkdata"))
      g_ptr_array_add (paths, g_build_filename (folder, leaf, NULL));
  g_task_return_pointer (task, paths, (GDestroyNotify) g_ptr_array_unref);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GPtrArray) paths = g_task_propagate_pointer (G_TASK (result), NULL);

  if (paths != NULL)
    take_paths (LK_DATASET_STORE (source), paths);
}

void
lk_dataset_store_refresh (LkDatasetStore *self)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, listed_cb, NULL);

  g_task_set_task_data (task, lk_paths_get_datasets_dir (), g_free);
  g_task_run_in_thread (task, list_thread);
}

static void
ended_cb (LkDatasetStore *self, gboolean well)
{
  const char *path = lk_data_job_get_path (self->job);
  LkStoredDataset *dataset = lk_dataset_store_find (self, path);

  set_error (self, lk_data_job_get_error (self->job));
  if (!well || path == NULL)
    return;
  if (dataset == NULL)
    {
      dataset = make_dataset (self, path);
      g_ptr_array_add (self->datasets, dataset);
      g_ptr_array_sort (self->datasets, compare);
      g_list_model_items_changed (G_LIST_MODEL (self), 0, self->datasets->len - 1, self->datasets->len);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
    }
  lk_stored_dataset_load (dataset);
  g_signal_emit (self, imported_signal, 0, dataset);
}

static void
running_cb (LkDatasetStore *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_IMPORTING]);
}

static void
lk_dataset_store_init (LkDatasetStore *self)
{
  self->datasets = g_ptr_array_new_with_free_func (g_object_unref);
  self->job = lk_data_job_new ();
  g_signal_connect_object (self->job, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->job, "notify::running", G_CALLBACK (running_cb), self, G_CONNECT_SWAPPED);
}

LkDatasetStore *
lk_dataset_store_get_default (void)
{
  static LkDatasetStore *store;

  if (store == NULL)
    store = g_object_new (LK_TYPE_DATASET_STORE, NULL);
  return store;
}

guint
lk_dataset_store_import (LkDatasetStore *self, const char *const *files)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *name = NULL;
  g_auto (GStrv) arguments = NULL;

  g_return_val_if_fail (files[0] != NULL, 0);

  name = lk_words_name_of_dataset (files[0]);
  set_error (self, NULL);
  g_strv_builder_add_many (builder, "data", "import", "--name", name, NULL);
  g_strv_builder_addv (builder, (const char **) files);
  arguments = g_strv_builder_end (builder);
  self->import = MAX (self->import + 1, 1);
  lk_data_job_start (self->job, (const char *const *) arguments);
  return self->import;
}

guint
lk_dataset_store_get_import (LkDatasetStore *self)
{
  return self->import;
}

void
lk_dataset_store_cancel (LkDatasetStore *self)
{
  lk_data_job_cancel (self->job);
}

LkDataJob *
lk_dataset_store_get_job (LkDatasetStore *self)
{
  return self->job;
}

gboolean
lk_dataset_store_is_importing (LkDatasetStore *self)
{
  return lk_data_job_is_running (self->job);
}

const char *
lk_dataset_store_get_error (LkDatasetStore *self)
{
  return self->error;
}

void
lk_dataset_store_forget_error (LkDatasetStore *self)
{
  set_error (self, NULL);
}

gboolean
lk_dataset_store_trash (LkDatasetStore *self, LkStoredDataset *dataset, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (lk_stored_dataset_get_path (dataset));
  guint position;

  if (!g_file_trash (file, NULL, error))
    return FALSE;
  if (g_ptr_array_find (self->datasets, dataset, &position))
    {
      g_ptr_array_remove_index (self->datasets, position);
      g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
    }
  return TRUE;
}
