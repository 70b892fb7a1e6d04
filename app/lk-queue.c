/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-queue.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-json.h"
#include "lk-paths.h"

#define RECIPE_LIMIT (1024 * 1024)

struct _LkQueuedRun
{
  GObject parent_instance;

  char *folder, *name;
};

G_DEFINE_FINAL_TYPE (LkQueuedRun, lk_queued_run, G_TYPE_OBJECT)

static void
lk_queued_run_finalize (GObject *object)
{
  LkQueuedRun *self = LK_QUEUED_RUN (object);

  g_free (self->folder);
  g_free (self->name);
  G_OBJECT_CLASS (lk_queued_run_parent_class)->finalize (object);
}

static void
lk_queued_run_class_init (LkQueuedRunClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = lk_queued_run_finalize;
}

static void
lk_queued_run_init (LkQueuedRun *self)
{
}

const char *
lk_queued_run_get_name (LkQueuedRun *self)
{
  return self->name;
}

struct _LkQueue
{
  GObject parent_instance;

  LkRunList *runs;
  char *folder, *runs_dir;
  GPtrArray *waiting;
  guint idle;
};

enum
{
  PROP_0,
  PROP_N_ITEMS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint complaint_signal;

static GType
lk_queue_get_item_type (GListModel *model)
{
  return LK_TYPE_QUEUED_RUN;
}

static guint
lk_queue_get_n_items (GListModel *model)
{
  return LK_QUEUE (model)->waiting->len;
}

static gpointer
lk_queue_get_item (GListModel *model, guint position)
{
  LkQueue *self = LK_QUEUE (model);

  return position < self->waiting->len ? g_object_ref (self->waiting->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = lk_queue_get_item_type;
  iface->get_n_items = lk_queue_get_n_items;
  iface->get_item = lk_queue_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (LkQueue, lk_queue, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
lk_queue_dispose (GObject *object)
{
  LkQueue *self = LK_QUEUE (object);

  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_object (&self->runs);
  G_OBJECT_CLASS (lk_queue_parent_class)->dispose (object);
}

static void
lk_queue_finalize (GObject *object)
{
  LkQueue *self = LK_QUEUE (object);

  g_ptr_array_unref (self->waiting);
  g_free (self->folder);
  g_free (self->runs_dir);
  G_OBJECT_CLASS (lk_queue_parent_class)->finalize (object);
}

static void
lk_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_uint (value, LK_QUEUE (object)->waiting->len);
}

static void
lk_queue_class_init (LkQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = lk_queue_dispose;
  object_class->finalize = lk_queue_finalize;
  object_class->get_property = lk_queue_get_property;
  properties[PROP_N_ITEMS] = g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0,
                                                G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  complaint_signal = g_signal_new ("complaint", LK_TYPE_QUEUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
lk_queue_init (LkQueue *self)
{
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
}

static void
take_out (LkQueue *self, guint position)
{
  g_ptr_array_remove_index (self->waiting, position);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
}

/* What waits is a recipe alone, so it is written anew where a folder cannot be moved to: on another drive. */
static gboolean
move_folder (const char *folder, const char *target, gboolean *taken, GError **error)
{
  g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);
  g_autofree char *moved = g_build_filename (target, "recipe.json", NULL);
  g_autofree char *text = NULL;
  gsize size;

  if (g_rename (folder, target) == 0)
    return TRUE;
  *taken = errno == EEXIST || errno == ENOTEMPTY;
  if (errno != EXDEV)
    return lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), target);
  if (!g_file_get_contents (recipe, &text, &size, error))
    return FALSE;
  if (g_mkdir (target, 0755) != 0)
    {
      *taken = errno == EEXIST;
      return lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), target);
    }
  if (!lk_file_write (moved, text, (gssize) size, error))
    {
      g_rmdir (target);
      return FALSE;
    }
  g_unlink (recipe);
  g_rmdir (folder);
  return TRUE;
}

/* A folder of this name in the folder of runs that is not there yet; the queue's folder becomes it. (transfer full) */
static char *
move_to_runs (LkQueue *self, LkQueuedRun *queued, GError **error)
{
  /* behind the queue's number, "0001-" */
  g_autofree char *leaf = g_path_get_basename (queued->folder);
  const char *name = strlen (leaf) > 5 ? leaf + 5 : leaf;

  if (!lk_paths_prepare_runs_dir (self->runs_dir, error))
    return NULL;
  for (guint i = 1; i < 1000; i++)
    {
      g_autofree char *numbered = i == 1 ? g_strdup (name) : g_strdup_printf ("%s-%u", name, i);
      g_autofree char *target = g_build_filename (self->runs_dir, numbered, NULL);
      g_autoptr (GError) local = NULL;
      gboolean taken = FALSE;

      if (g_file_test (target, G_FILE_TEST_EXISTS))
        continue;
      if (move_folder (queued->folder, target, &taken, &local))
        return g_steal_pointer (&target);
      if (!taken)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
    }
  g_set_error (error, LK_ERROR, LK_ERROR_FAILED, _ ("There are a thousand runs called “%s” already."), name);
  return NULL;
}

static void look_soon (LkQueue *self);

static gboolean
start_next_cb (gpointer data)
{
  LkQueue *self = data;
  g_autoptr (LkQueuedRun) next = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  LkRun *run;

  self->idle = 0;
  if (self->waiting->len == 0 || lk_run_list_count_active (self->runs) > 0)
    return G_SOURCE_REMOVE;
  next = g_object_ref (self->waiting->pdata[0]);
  take_out (self, 0);
  folder = move_to_runs (self, next, &error);
  if (folder == NULL)
    g_prefix_error (&error, _ ("“%s” could not be started: "), next->name);
  run = folder != NULL ? lk_run_list_find (self->runs, folder) : NULL;
  if (run != NULL && lk_run_start (run, &error))
    return G_SOURCE_REMOVE; /* its end is heard of */
  if (error == NULL)
    g_set_error (&error, LK_ERROR, LK_ERROR_FAILED, _ ("“%s” could not be started: its folder “%s” is not among the fine-tunes."),
                 next->name, folder);
  g_signal_emit (self, complaint_signal, 0, error->message);
  look_soon (self);
  return G_SOURCE_REMOVE;
}

/* Not at once: a run that has just ended tells others so first. */
static void
look_soon (LkQueue *self)
{
  if (self->idle == 0 && self->waiting->len > 0)
    self->idle = g_timeout_add (500, start_next_cb, self);
}

static void
runs_changed_cb (LkQueue *self, guint position, guint removed, guint added)
{
  for (guint i = 0; i < added; i++)
    {
      g_autoptr (LkRun) run = g_list_model_get_item (G_LIST_MODEL (self->runs), position + i);

      g_signal_connect_object (run, "notify::active", G_CALLBACK (look_soon), self, G_CONNECT_SWAPPED);
    }
}

static LkQueuedRun *
read_queued (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "recipe.json", NULL);
  g_autoptr (JsonObject) recipe = lk_json_load_object (path, RECIPE_LIMIT, NULL);
  LkQueuedRun *queued;

  if (recipe == NULL)
    return NULL;
  queued = g_object_new (LK_TYPE_QUEUED_RUN, NULL);
  queued->folder = g_strdup (folder);
  queued->name = g_strdup (lk_json_peek_string (recipe, "name", ""));
  return queued;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(LkQueuedRun *const *) a)->folder, (*(LkQueuedRun *const *) b)->folder);
}

/* At start; folders without a recipe are no fine-tunes. */
static void
read_folder (LkQueue *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *leaf;

  while (dir != NULL && (leaf = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *folder = g_build_filename (self->folder, leaf, NULL);
      LkQueuedRun *queued = read_queued (folder);

      if (queued != NULL)
        g_ptr_array_add (self->waiting, queued);
    }
  g_ptr_array_sort (self->waiting, compare);
}

LkQueue *
lk_queue_new (LkRunList *runs, const char *folder, const char *runs_dir)
{
  LkQueue *self = g_object_new (LK_TYPE_QUEUE, NULL);

  self->runs = g_object_ref (runs);
  self->folder = g_strdup (folder);
  self->runs_dir = g_strdup (runs_dir);
  read_folder (self);
  g_signal_connect_object (runs, "items-changed", G_CALLBACK (runs_changed_cb), self, G_CONNECT_SWAPPED);
  runs_changed_cb (self, 0, 0, g_list_model_get_n_items (G_LIST_MODEL (runs)));
  /* what a worker without us is at is known after a moment */
  if (self->waiting->len > 0)
    self->idle = g_timeout_add_seconds (3, start_next_cb, self);
  return self;
}

/* The number that comes behind all that wait. */
static guint
next_number (LkQueue *self)
{
  g_autofree char *last = self->waiting->len > 0
                              ? g_path_get_basename (((LkQueuedRun *) self->waiting->pdata[self->waiting->len - 1])->folder)
                              : NULL;

  return last != NULL ? (guint) g_ascii_strtoull (last, NULL, 10) + 1 : 1;
}

static void
remove_folder (const char *folder)
{
  g_autofree char *recipe = g_build_filename (folder, "recipe.json", NULL);

  g_unlink (recipe);
  g_rmdir (folder);
}

/* What becomes of @made in the queue: behind all that wait, and no folder that stayed. (transfer full) */
static char *
numbered_folder (LkQueue *self, const char *made)
{
  g_autofree char *leaf = g_path_get_basename (made);

  for (guint number = next_number (self);; number++)
    {
      g_autofree char *numbered = g_strdup_printf ("%04u-%s", number, leaf);
      g_autofree char *folder = g_build_filename (self->folder, numbered, NULL);

      if (!g_file_test (folder, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&folder);
    }
}

gboolean
lk_queue_add (LkQueue *self, LkDraft *draft, GError **error)
{
  g_autofree char *made = NULL;
  g_autofree char *folder = NULL;
  LkQueuedRun *queued;

  if (g_mkdir_with_parents (self->folder, 0755) != 0)
    {
      lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), self->folder);
      return FALSE;
    }
  made = lk_draft_create_run (draft, self->folder, error);
  if (made == NULL)
    return FALSE;
  folder = numbered_folder (self, made);
  if (g_rename (made, folder) != 0)
    {
      lk_error_set_errno (error, errno, _ ("Could not make the folder “%s”"), folder);
      remove_folder (made);
      return FALSE;
    }
  queued = read_queued (folder);
  if (queued == NULL)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_FAILED, _ ("“%s” cannot be read"), folder);
      return FALSE;
    }
  g_ptr_array_add (self->waiting, queued);
  g_list_model_items_changed (G_LIST_MODEL (self), self->waiting->len - 1, 0, 1);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
  look_soon (self);
  return TRUE;
}

void
lk_queue_remove (LkQueue *self, LkQueuedRun *run)
{
  guint position;

  if (!g_ptr_array_find (self->waiting, run, &position))
    return;
  remove_folder (run->folder);
  take_out (self, position);
}

void
lk_queue_set_runs_dir (LkQueue *self, const char *runs_dir)
{
  g_return_if_fail (LK_IS_QUEUE (self));

  g_free (self->runs_dir);
  self->runs_dir = g_strdup (runs_dir);
}
