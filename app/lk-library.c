/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-library.h"

#include <string.h>

#include "lk-json.h"
#include "lk-library-scan.h"
#include "lk-paths.h"

struct _LkLibrary
{
  GObject parent_instance;

  GPtrArray *models;
  gboolean scanning, looking;
  gboolean again; /* asked to scan while it scanned */
};

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_N_ITEMS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static GType
lk_library_get_item_type (GListModel *model)
{
  return LK_TYPE_FOUND_MODEL;
}

static guint
lk_library_get_n_items (GListModel *model)
{
  return LK_LIBRARY (model)->models->len;
}

static gpointer
lk_library_get_item (GListModel *model, guint position)
{
  LkLibrary *self = LK_LIBRARY (model);

  return position < self->models->len ? g_object_ref (self->models->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = lk_library_get_item_type;
  iface->get_n_items = lk_library_get_n_items;
  iface->get_item = lk_library_get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (LkLibrary, lk_library, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static void
lk_library_finalize (GObject *object)
{
  g_ptr_array_unref (LK_LIBRARY (object)->models);
  G_OBJECT_CLASS (lk_library_parent_class)->finalize (object);
}

static void
lk_library_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkLibrary *self = LK_LIBRARY (object);

  if (id == PROP_BUSY)
    g_value_set_boolean (value, lk_library_is_busy (self));
  else
    g_value_set_uint (value, self->models->len);
}

static void
lk_library_class_init (LkLibraryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = lk_library_finalize;
  object_class->get_property = lk_library_get_property;
  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_N_ITEMS] = g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
lk_library_init (LkLibrary *self)
{
  self->models = g_ptr_array_new_with_free_func (g_object_unref);
}

LkLibrary *
lk_library_get_default (void)
{
  static LkLibrary *library;

  if (library == NULL)
    library = g_object_new (LK_TYPE_LIBRARY, NULL);
  return library;
}

static void look_at_next (LkLibrary *self);

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkLibrary) self = user_data;

  self->looking = FALSE;
  look_at_next (self);
}

static void
look_at_next (LkLibrary *self)
{
  for (guint i = 0; i < self->models->len && !self->looking; i++)
    if (!lk_found_model_was_looked_at (self->models->pdata[i]))
      {
        self->looking = TRUE;
        lk_found_model_look (self->models->pdata[i], looked_cb, g_object_ref (self));
      }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

static LkFoundModel *
find (LkLibrary *self, const char *path)
{
  for (guint i = 0; i < self->models->len; i++)
    if (g_str_equal (lk_found_model_get_path (self->models->pdata[i]), path))
      return self->models->pdata[i];
  return NULL;
}

static void
scanned_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  LkLibrary *self = LK_LIBRARY (source);
  g_autoptr (GPtrArray) found = g_task_propagate_pointer (G_TASK (result), NULL);
  guint before = self->models->len;

  self->scanning = FALSE;
  for (guint i = 0; found != NULL && i < found->len; i++)
    {
      LkFoundModel *known = find (self, lk_found_model_get_path (found->pdata[i]));

      /* its adapters may be others; those are the scan's to know */
      if (known != NULL
          && lk_found_model_get_adapters (known)->len == lk_found_model_get_adapters (found->pdata[i])->len)
        {
          g_object_unref (found->pdata[i]);
          found->pdata[i] = g_object_ref (known);
        }
    }
  if (found != NULL)
    {
      g_ptr_array_unref (self->models);
      self->models = g_steal_pointer (&found);
      g_list_model_items_changed (G_LIST_MODEL (self), 0, before, self->models->len);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
    }
  if (self->again)
    lk_library_refresh (self); /* the folders may have changed meanwhile */
  else
    look_at_next (self);
}

static void
scan_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  g_task_return_pointer (task, lk_library_scan (g_get_home_dir ()), (GDestroyNotify) g_ptr_array_unref);
}

void
lk_library_refresh (LkLibrary *self)
{
  g_autoptr (GTask) task = NULL;

  self->again = self->scanning;
  if (self->scanning)
    return;
  self->scanning = TRUE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
  task = g_task_new (self, NULL, scanned_cb, NULL);
  g_task_run_in_thread (task, scan_thread);
}

gboolean
lk_library_is_busy (LkLibrary *self)
{
  return self->scanning || self->looking;
}
