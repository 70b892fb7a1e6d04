/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-run-list.h"

#include <glib/gi18n-lib.h>

#include "lk-error.h"

#define TICK_MS 250
#define TICKS_OF_A_SCAN 8

struct _LkRunList
{
  GObject parent_instance;

  GPtrArray *folders;  /* char * */
  GPtrArray *monitors; /* of each, where that can be */
  GPtrArray *runs;    /* newest first */
  GHashTable *hidden; /* folder → LkRun that may come back */
  guint timeout;
  guint ticks;
};

static void lk_run_list_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LkRunList, lk_run_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, lk_run_list_list_model_init))

static GType
get_item_type (GListModel *model)
{
  return LK_TYPE_RUN;
}

static guint
get_n_items (GListModel *model)
{
  return LK_RUN_LIST (model)->runs->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  LkRunList *self = LK_RUN_LIST (model);

  return position < self->runs->len ? g_object_ref (g_ptr_array_index (self->runs, position)) : NULL;
}

static void
lk_run_list_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
lk_run_list_dispose (GObject *object)
{
  LkRunList *self = LK_RUN_LIST (object);
  GHashTableIter iter;
  gpointer run;

  g_clear_handle_id (&self->timeout, g_source_remove);
  for (guint i = 0; i < self->runs->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->runs, i), self);
  g_hash_table_iter_init (&iter, self->hidden);
  while (g_hash_table_iter_next (&iter, NULL, &run))
    g_signal_handlers_disconnect_by_data (run, self);
  g_ptr_array_set_size (self->monitors, 0);
  G_OBJECT_CLASS (lk_run_list_parent_class)->dispose (object);
}

static void
lk_run_list_finalize (GObject *object)
{
  LkRunList *self = LK_RUN_LIST (object);

  g_clear_pointer (&self->runs, g_ptr_array_unref);
  g_clear_pointer (&self->hidden, g_hash_table_unref);
  g_clear_pointer (&self->folders, g_ptr_array_unref);
  g_clear_pointer (&self->monitors, g_ptr_array_unref);
  G_OBJECT_CLASS (lk_run_list_parent_class)->finalize (object);
}

static void
lk_run_list_class_init (LkRunListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = lk_run_list_dispose;
  object_class->finalize = lk_run_list_finalize;
  g_signal_new ("ended", LK_TYPE_RUN_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                LK_TYPE_RUN);
  g_signal_new ("complaint", LK_TYPE_RUN_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                LK_TYPE_RUN, G_TYPE_STRING);
}

static void
lk_run_list_init (LkRunList *self)
{
  self->folders = g_ptr_array_new_with_free_func (g_free);
  self->monitors = g_ptr_array_new_with_free_func (g_object_unref);
  self->runs = g_ptr_array_new_with_free_func (g_object_unref);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
}

static void
ended_cb (LkRun *run, gpointer user_data)
{
  g_signal_emit_by_name (user_data, "ended", run);
}

static void
complaint_cb (LkRun *run, const char *sentence, gpointer user_data)
{
  g_signal_emit_by_name (user_data, "complaint", run, sentence);
}

static gboolean
is_known (LkRunList *self, const char *folder)
{
  for (guint i = 0; i < self->runs->len; i++)
    if (g_str_equal (lk_run_get_folder (g_ptr_array_index (self->runs, i)), folder))
      return TRUE;
  return g_hash_table_contains (self->hidden, folder);
}

/* Takes @run. */
static void
insert_run (LkRunList *self, LkRun *run)
{
  guint position = 0;

  while (position < self->runs->len
         && lk_run_get_created (g_ptr_array_index (self->runs, position)) > lk_run_get_created (run))
    position++;
  g_ptr_array_insert (self->runs, (int) position, run);
  lk_run_poll (run);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 0, 1);
}

static void
add_run (LkRunList *self, const char *folder)
{
  g_autoptr (GError) error = NULL;
  LkRun *run = lk_run_new (folder, &error);

  if (run == NULL)
    {
      g_debug ("“%s” is not listed: %s", folder, error->message);
      return;
    }
  g_signal_connect (run, "ended", G_CALLBACK (ended_cb), self);
  g_signal_connect (run, "complaint", G_CALLBACK (complaint_cb), self);
  insert_run (self, run);
}

static void
remove_missing (LkRunList *self)
{
  for (guint i = self->runs->len; i > 0; i--)
    {
      LkRun *run = g_ptr_array_index (self->runs, i - 1);

      if (g_file_test (lk_run_get_folder (run), G_FILE_TEST_IS_DIR))
        continue;
      g_signal_handlers_disconnect_by_data (run, self);
      g_ptr_array_remove_index (self->runs, i - 1);
      g_list_model_items_changed (G_LIST_MODEL (self), i - 1, 1, 0);
    }
}

static void
scan_folder (LkRunList *self, const char *where)
{
  g_autoptr (GDir) dir = g_dir_open (where, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *folder = g_build_filename (where, name, NULL);
      g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);

      /* a dot begins a folder that is still being made */
      if (name[0] != '.' && !is_known (self, folder) && g_file_test (recipe, G_FILE_TEST_IS_REGULAR))
        add_run (self, folder);
    }
}

void
lk_run_list_scan (LkRunList *self)
{
  g_return_if_fail (LK_IS_RUN_LIST (self));

  remove_missing (self);
  for (guint i = 0; i < self->folders->len; i++)
    scan_folder (self, self->folders->pdata[i]);
}

static gboolean
tick_cb (gpointer data)
{
  LkRunList *self = data;
  G_GNUC_UNUSED g_autoptr (LkRunList) keep = g_object_ref (self);
  gboolean all = self->ticks++ % TICKS_OF_A_SCAN == 0;

  if (all)
    lk_run_list_scan (self);
  for (guint i = 0; i < self->runs->len; i++)
    {
      LkRun *run = g_ptr_array_index (self->runs, i);

      if (all || lk_run_is_active (run))
        lk_run_poll (run);
    }
  return G_SOURCE_CONTINUE;
}

static void
folder_changed_cb (LkRunList *self)
{
  self->ticks = 0;
}

LkRunList *
lk_run_list_new (const char *folder)
{
  LkRunList *self = g_object_new (LK_TYPE_RUN_LIST, NULL);

  lk_run_list_watch (self, folder);
  self->timeout = g_timeout_add (TICK_MS, tick_cb, self);
  return self;
}

void
lk_run_list_watch (LkRunList *self, const char *folder)
{
  /* the same one said in another way would list its runs twice */
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (canonical);
  GFileMonitor *monitor;

  g_return_if_fail (LK_IS_RUN_LIST (self));

  if (g_ptr_array_find_with_equal_func (self->folders, canonical, g_str_equal, NULL))
    return;
  g_ptr_array_add (self->folders, g_steal_pointer (&canonical));
  lk_run_list_scan (self);
  monitor = g_file_monitor_directory (file, G_FILE_MONITOR_NONE, NULL, NULL);
  if (monitor == NULL)
    return;
  g_signal_connect_object (monitor, "changed", G_CALLBACK (folder_changed_cb), self, G_CONNECT_SWAPPED);
  g_ptr_array_add (self->monitors, monitor);
}

LkRun *
lk_run_list_find (LkRunList *self, const char *folder)
{
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);

  for (guint attempt = 0; attempt < 2; attempt++)
    {
      for (guint i = 0; i < self->runs->len; i++)
        if (g_str_equal (lk_run_get_folder (g_ptr_array_index (self->runs, i)), canonical))
          return g_ptr_array_index (self->runs, i);
      lk_run_list_scan (self);
    }
  return NULL;
}

LkRun *
lk_run_list_get_latest (LkRunList *self)
{
  LkRun *latest = NULL;
  gint64 when = G_MININT64;

  for (guint i = 0; i < self->runs->len; i++)
    {
      gint64 changed = lk_run_get_changed (g_ptr_array_index (self->runs, i));

      if (changed > when)
        {
          latest = g_ptr_array_index (self->runs, i);
          when = changed;
        }
    }
  return latest;
}

gboolean
lk_run_list_contains (LkRunList *self, LkRun *run)
{
  return g_ptr_array_find (self->runs, run, NULL);
}

guint
lk_run_list_count_active (LkRunList *self)
{
  guint count = 0;

  for (guint i = 0; i < self->runs->len; i++)
    count += lk_run_is_active (g_ptr_array_index (self->runs, i));
  return count;
}

gboolean
lk_run_list_hide (LkRunList *self, LkRun *run, GError **error)
{
  guint position;

  if (lk_run_is_active (run))
    {
      g_set_error_literal (error, LK_ERROR, LK_ERROR_BUSY, _ ("It is still training. Stop it first."));
      return FALSE;
    }
  if (!g_ptr_array_find (self->runs, run, &position))
    return TRUE;
  g_hash_table_insert (self->hidden, g_strdup (lk_run_get_folder (run)), g_object_ref (run));
  g_ptr_array_remove_index (self->runs, position);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
  return TRUE;
}

gboolean
lk_run_list_unhide (LkRunList *self, const char *folder)
{
  g_autoptr (LkRun) run = g_hash_table_lookup (self->hidden, folder);

  if (run == NULL)
    return FALSE;
  g_object_ref (run);
  g_hash_table_remove (self->hidden, folder);
  insert_run (self, g_object_ref (run));
  return TRUE;
}

gboolean
lk_run_list_trash (LkRunList *self, const char *folder, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  LkRun *run = g_hash_table_lookup (self->hidden, folder);

  if (run == NULL)
    return TRUE;
  if (!g_file_trash (file, NULL, error))
    {
      lk_run_list_unhide (self, folder);
      return FALSE;
    }
  g_signal_handlers_disconnect_by_data (run, self);
  g_hash_table_remove (self->hidden, folder);
  return TRUE;
}

void
lk_run_list_trash_hidden (LkRunList *self)
{
  g_autofree gpointer *folders = g_hash_table_get_keys_as_array (self->hidden, NULL);

  for (guint i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *folder = g_strdup (folders[i]);
      g_autoptr (GError) error = NULL;

      if (!lk_run_list_trash (self, folder, &error))
        g_message ("“%s” stays: %s", folder, error->message);
    }
}
