/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-row-list.h"

#include <string.h>

#define PAGE 64          /* rows */
#define PAGES_KEPT 64    /* rows that a person comes back to are still there */
#define PAGES_WAITING 16 /* of a fast scroll only the last ones matter */

/* The dataset's file, shared with the threads that read it. */
typedef struct
{
  gatomicrefcount ref_count;
  GMutex mutex;
  char *path;
  LkRowStore *store; /* opened by the first thread that needs it */
  GPtrArray *files;  /* names */
} Source;

typedef struct
{
  guint number;
  LkDataRow *rows[PAGE];
  guint n;
  gboolean waiting;
  gint64 used; /* a clock of get_item calls */
} Page;

struct _LkRowList
{
  GObject parent_instance;

  Source *source;
  LkRowFilter filter;
  char *search;
  GArray *ids; /* gint32; NULL before the first search */
  GHashTable *pages;
  GQueue waiting; /* numbers of pages to read, last asked for first */
  gboolean reading;
  gint64 clock;
  guint kept; /* a page that is not forgotten; G_MAXUINT: none */
  GCancellable *finding;
  char *error;
};

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static Source *
source_new (const char *path)
{
  Source *self = g_new0 (Source, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->mutex);
  self->path = g_strdup (path);
  return self;
}

static Source *
source_ref (Source *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
source_unref (Source *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  lk_row_store_free (self->store);
  g_clear_pointer (&self->files, g_ptr_array_unref);
  g_mutex_clear (&self->mutex);
  g_free (self->path);
  g_free (self);
}

/* With the mutex held. */
static gboolean
source_open (Source *self, GError **error)
{
  g_autoptr (GArray) files = NULL;

  if (self->store != NULL)
    return TRUE;
  self->store = lk_row_store_open (self->path, FALSE, error);
  files = self->store != NULL ? lk_row_store_get_files (self->store, error) : NULL;
  if (files == NULL)
    return FALSE;
  self->files = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < files->len; i++)
    g_ptr_array_add (self->files, g_path_get_basename (g_array_index (files, LkStoredFile, i).path));
  return TRUE;
}

static void
page_free (gpointer data)
{
  Page *self = data;

  for (guint i = 0; i < self->n; i++)
    g_object_unref (self->rows[i]);
  g_free (self);
}

static GType
lk_row_list_get_item_type (GListModel *model)
{
  return LK_TYPE_DATA_ROW;
}

static guint
lk_row_list_get_n_items (GListModel *model)
{
  LkRowList *self = LK_ROW_LIST (model);

  return self->ids != NULL ? self->ids->len : 0;
}

typedef struct
{
  Source *source;
  GArray *ids, *rows;
  guint page;
} Fetch;

static void
fetch_free (gpointer data)
{
  Fetch *self = data;

  source_unref (self->source);
  g_clear_pointer (&self->ids, g_array_unref);
  g_clear_pointer (&self->rows, g_array_unref);
  g_free (self);
}

static void
fetch_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Fetch *fetch = task_data;
  GError *error = NULL;

  g_mutex_lock (&fetch->source->mutex);
  if (source_open (fetch->source, &error))
    fetch->rows = lk_row_store_get_rows (fetch->source->store, (const gint32 *) (void *) fetch->ids->data, fetch->ids->len, &error);
  g_mutex_unlock (&fetch->source->mutex);
  if (fetch->rows != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void read_next (LkRowList *self);

static void
set_error (LkRowList *self, const char *sentence)
{
  if (g_strcmp0 (self->error, sentence) == 0)
    return;
  g_free (self->error);
  self->error = g_strdup (sentence);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

static void
fetched_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  LkRowList *self = LK_ROW_LIST (object);
  Fetch *fetch = g_task_get_task_data (G_TASK (result));
  Page *page = g_hash_table_lookup (self->pages, GUINT_TO_POINTER (fetch->page));
  g_autoptr (GError) error = NULL;
  gboolean ok = g_task_propagate_boolean (G_TASK (result), &error);

  self->reading = FALSE;
  if (fetch->source != self->source)
    page = NULL;
  if (!ok)
    set_error (self, error->message);
  for (guint i = 0, k = 0; ok && page != NULL && i < page->n; i++)
    for (guint j = k; j < fetch->rows->len; j++)
      {
        LkStoredRow *row = &g_array_index (fetch->rows, LkStoredRow, j);

        if (row->id != lk_data_row_get_id (page->rows[i]))
          continue;
        lk_data_row_fill (page->rows[i], row,
                          row->file < fetch->source->files->len ? g_ptr_array_index (fetch->source->files, row->file) : "");
        k = j + 1;
        break;
      }
  read_next (self);
}

static void
read_next (LkRowList *self)
{
  Page *page = NULL;
  g_autoptr (GTask) task = NULL;
  Fetch *fetch;

  while (!self->reading && page == NULL && !g_queue_is_empty (&self->waiting))
    page = g_hash_table_lookup (self->pages, g_queue_pop_head (&self->waiting));
  if (page == NULL)
    return;
  page->waiting = FALSE;
  fetch = g_new0 (Fetch, 1);
  fetch->source = source_ref (self->source);
  fetch->page = page->number;
  fetch->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (guint i = 0; i < page->n; i++)
    {
      gint32 id = lk_data_row_get_id (page->rows[i]);

      g_array_append_val (fetch->ids, id);
    }
  self->reading = TRUE;
  task = g_task_new (self, NULL, fetched_cb, NULL);
  g_task_set_task_data (task, fetch, fetch_free);
  g_task_run_in_thread (task, fetch_thread);
}

/* The page that was asked for longest ago; the kept one goes to the front. */
static void
drop_last (LkRowList *self)
{
  guint number = GPOINTER_TO_UINT (g_queue_pop_tail (&self->waiting));

  if (number == self->kept)
    {
      g_queue_push_head (&self->waiting, GUINT_TO_POINTER (number));
      number = GPOINTER_TO_UINT (g_queue_pop_tail (&self->waiting));
    }
  g_hash_table_remove (self->pages, GUINT_TO_POINTER (number));
}

static void
ask_for (LkRowList *self, Page *page)
{
  if (page->waiting)
    return;
  page->waiting = TRUE;
  g_queue_push_head (&self->waiting, GUINT_TO_POINTER (page->number));
  if (g_queue_get_length (&self->waiting) > PAGES_WAITING)
    drop_last (self);
  read_next (self);
}

static void
forget_oldest (LkRowList *self)
{
  GHashTableIter iter;
  Page *page, *oldest = NULL;

  g_hash_table_iter_init (&iter, self->pages);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &page))
    if (!page->waiting && page->number != self->kept && (oldest == NULL || page->used < oldest->used))
      oldest = page;
  if (oldest != NULL)
    g_hash_table_remove (self->pages, GUINT_TO_POINTER (oldest->number));
}

static Page *
page_of (LkRowList *self, guint number)
{
  Page *page = g_hash_table_lookup (self->pages, GUINT_TO_POINTER (number));

  if (page == NULL)
    {
      if (g_hash_table_size (self->pages) >= PAGES_KEPT)
        forget_oldest (self);
      page = g_new0 (Page, 1);
      page->number = number;
      page->n = MIN (PAGE, self->ids->len - number * PAGE);
      for (guint i = 0; i < page->n; i++)
        page->rows[i] = lk_data_row_new (g_array_index (self->ids, gint32, number * PAGE + i));
      g_hash_table_insert (self->pages, GUINT_TO_POINTER (number), page);
      ask_for (self, page);
    }
  page->used = ++self->clock;
  return page;
}

static gpointer
lk_row_list_get_item (GListModel *model, guint position)
{
  LkRowList *self = LK_ROW_LIST (model);

  if (self->ids == NULL || position >= self->ids->len)
    return NULL;
  return g_object_ref (page_of (self, position / PAGE)->rows[position % PAGE]);
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = lk_row_list_get_item_type;
  iface->get_n_items = lk_row_list_get_n_items;
  iface->get_item = lk_row_list_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (LkRowList, lk_row_list, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
lk_row_list_dispose (GObject *object)
{
  LkRowList *self = LK_ROW_LIST (object);

  if (self->finding != NULL)
    g_cancellable_cancel (self->finding);
  g_clear_object (&self->finding);
  G_OBJECT_CLASS (lk_row_list_parent_class)->dispose (object);
}

static void
lk_row_list_finalize (GObject *object)
{
  LkRowList *self = LK_ROW_LIST (object);

  g_queue_clear (&self->waiting);
  g_hash_table_unref (self->pages);
  g_clear_pointer (&self->ids, g_array_unref);
  source_unref (self->source);
  g_free (self->search);
  g_free (self->error);
  G_OBJECT_CLASS (lk_row_list_parent_class)->finalize (object);
}

static void
lk_row_list_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkRowList *self = LK_ROW_LIST (object);

  if (id == PROP_BUSY)
    g_value_set_boolean (value, self->finding != NULL);
  else
    g_value_set_string (value, self->error);
}

static void
lk_row_list_class_init (LkRowListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = lk_row_list_dispose;
  object_class->finalize = lk_row_list_finalize;
  object_class->get_property = lk_row_list_get_property;
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_row_list_init (LkRowList *self)
{
  self->pages = g_hash_table_new_full (NULL, NULL, NULL, page_free);
  g_queue_init (&self->waiting);
  self->kept = G_MAXUINT;
}

LkRowList *
lk_row_list_new (const char *path)
{
  LkRowList *self = g_object_new (LK_TYPE_ROW_LIST, NULL);

  self->source = source_new (path);
  return self;
}

typedef struct
{
  Source *source;
  LkRowFilter filter;
  char *search;
} Search;

static void
search_free (gpointer data)
{
  Search *self = data;

  source_unref (self->source);
  g_free (self->search);
  g_free (self);
}

static void
find_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Search *search = task_data;
  GError *error = NULL;
  g_autoptr (LkRowStore) store = lk_row_store_open (search->source->path, FALSE, &error); /* rows are read meanwhile */
  GArray *ids = store != NULL ? lk_row_store_find (store, &search->filter, cancellable, &error) : NULL;

  if (ids != NULL)
    g_task_return_pointer (task, ids, (GDestroyNotify) g_array_unref);
  else
    g_task_return_error (task, error);
}

static gboolean
same_ids (GArray *a, GArray *b)
{
  return a != NULL && a->len == b->len && (a->len == 0 || memcmp (a->data, b->data, a->len * sizeof (gint32)) == 0);
}

static void
found_cb (GObject *object, GAsyncResult *result, gpointer user_data)
{
  LkRowList *self = LK_ROW_LIST (object);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = g_task_propagate_pointer (G_TASK (result), &error);
  guint before = self->ids != NULL ? self->ids->len : 0;

  if (g_task_get_cancellable (G_TASK (result)) != self->finding)
    return;
  g_clear_object (&self->finding);
  set_error (self, error != NULL ? error->message : NULL);
  if (ids != NULL && !same_ids (self->ids, ids))
    {
      g_clear_pointer (&self->ids, g_array_unref);
      self->ids = g_steal_pointer (&ids);
      g_hash_table_remove_all (self->pages);
      g_queue_clear (&self->waiting);
      g_list_model_items_changed (G_LIST_MODEL (self), 0, before, self->ids->len);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

static void
find (LkRowList *self)
{
  Search *search = g_new0 (Search, 1);
  g_autoptr (GTask) task = NULL;

  if (self->finding != NULL)
    g_cancellable_cancel (self->finding);
  g_clear_object (&self->finding);
  self->finding = g_cancellable_new ();
  search->source = source_ref (self->source);
  search->search = g_strdup (self->search);
  search->filter = self->filter;
  search->filter.search = search->search;
  task = g_task_new (self, self->finding, found_cb, NULL);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, search, search_free);
  g_task_run_in_thread (task, find_thread);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

void
lk_row_list_set_filter (LkRowList *self, const LkRowFilter *filter)
{
  g_return_if_fail (LK_IS_ROW_LIST (self));

  self->filter = *filter;
  g_free (self->search);
  self->search = g_strdup (filter->search);
  find (self);
}

void
lk_row_list_refresh (LkRowList *self, gboolean again)
{
  GHashTableIter iter;
  Page *page;

  g_return_if_fail (LK_IS_ROW_LIST (self));

  if (again)
    {
      g_autofree char *path = g_strdup (self->source->path);

      source_unref (self->source); /* the file may be another one now */
      self->source = source_new (path);
      find (self);
    }
  g_hash_table_iter_init (&iter, self->pages);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &page))
    if (!page->waiting && (page->number == self->kept || self->clock - page->used < 8 * PAGE))
      {
        page->waiting = TRUE;
        g_queue_push_tail (&self->waiting, GUINT_TO_POINTER (page->number));
      }
    else if (!page->waiting)
      g_hash_table_iter_remove (&iter);
  read_next (self);
}

void
lk_row_list_keep (LkRowList *self, guint position)
{
  g_return_if_fail (LK_IS_ROW_LIST (self));

  self->kept = self->ids != NULL && position < self->ids->len ? position / PAGE : G_MAXUINT;
}

guint
lk_row_list_find (LkRowList *self, gint32 id)
{
  guint low = 0, high = self->ids != NULL ? self->ids->len : 0;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->ids, gint32, middle) < id)
        low = middle + 1;
      else
        high = middle;
    }
  return self->ids != NULL && low < self->ids->len ? low : G_MAXUINT;
}

GArray *
lk_row_list_get_ids (LkRowList *self)
{
  return self->ids != NULL ? g_array_copy (self->ids) : g_array_new (FALSE, FALSE, sizeof (gint32));
}

gboolean
lk_row_list_is_busy (LkRowList *self)
{
  return self->finding != NULL;
}

const char *
lk_row_list_get_error (LkRowList *self)
{
  return self->error;
}
