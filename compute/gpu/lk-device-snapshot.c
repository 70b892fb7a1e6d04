/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-device-snapshot.h"

#include "lk-error.h"
#include "lk-json.h"

#include <string.h>

typedef enum
{
  FIELD_TEXT,
  FIELD_U32,
  FIELD_U64,
  FIELD_DOUBLE,
  FIELD_BOOLEAN,
  FIELD_KIND,
} FieldType;

typedef struct
{
  const char *name;
  FieldType type;
  gsize offset;
  gsize size;
} Field;

#define FIELD(type, owner, member) \
  { #member, type, G_STRUCT_OFFSET (owner, member), sizeof (((owner *) 0)->member) }
#define TEXT(member) FIELD (FIELD_TEXT, LkDeviceSnapshot, member)
#define U32(member) FIELD (FIELD_U32, LkDeviceSnapshot, member)
#define U64(member) FIELD (FIELD_U64, LkDeviceSnapshot, member)
#define FLAG(member) FIELD (FIELD_BOOLEAN, LkDeviceSnapshot, member)

static const Field snapshot_fields[] = {
  TEXT (name),
  TEXT (driver_name),
  TEXT (driver_info),
  TEXT (device_uuid),
  TEXT (cache_uuid),
  FIELD (FIELD_KIND, LkDeviceSnapshot, kind),
  U32 (vendor_id),
  U32 (device_id),
  U32 (driver_id),
  U32 (driver_version),
  U32 (api_version),
  U32 (subgroup_size),
  U32 (subgroup_size_min),
  U32 (subgroup_size_max),
  U32 (subgroup_operations),
  U32 (subgroup_stages),
  U32 (max_workgroup_count_x),
  U32 (max_workgroup_count_y),
  U32 (max_workgroup_count_z),
  U32 (max_workgroup_size_x),
  U32 (max_workgroup_size_y),
  U32 (max_workgroup_size_z),
  U32 (max_workgroup_invocations),
  U32 (max_shared_memory),
  U32 (max_push_constants),
  U32 (max_storage_buffers),
  U64 (max_storage_buffer_range),
  U64 (min_storage_buffer_alignment),
  U64 (max_allocation_size),
  U64 (max_allocation_count),
  U64 (max_buffer_size),
  U32 (compute_units),
  FIELD (FIELD_DOUBLE, LkDeviceSnapshot, timestamp_period),
  FLAG (storage_8bit),
  FLAG (storage_16bit),
  FLAG (timeline_semaphore),
  FLAG (shader_float16),
  FLAG (shader_int8),
  FLAG (shader_int16),
  FLAG (scalar_block_layout),
  FLAG (buffer_device_address),
  FLAG (vulkan_memory_model),
  FLAG (subgroup_size_control),
  FLAG (integer_dot_product),
  FLAG (integer_dot_product_mixed),
  FLAG (cooperative_matrix),
  FLAG (memory_budget),
};

static const Field heap_fields[] = {
  FIELD (FIELD_U64, LkDeviceHeap, size), FIELD (FIELD_U64, LkDeviceHeap, budget),
  FIELD (FIELD_U64, LkDeviceHeap, usage), FIELD (FIELD_BOOLEAN, LkDeviceHeap, device_local),
};

static const Field memory_type_fields[] = {
  FIELD (FIELD_U32, LkDeviceMemoryType, heap),
  FIELD (FIELD_U32, LkDeviceMemoryType, flags),
};

static const Field queue_family_fields[] = {
  FIELD (FIELD_U32, LkDeviceQueueFamily, flags),
  FIELD (FIELD_U32, LkDeviceQueueFamily, count),
  FIELD (FIELD_U32, LkDeviceQueueFamily, timestamp_bits),
};

static const Field matrix_fields[] = {
  FIELD (FIELD_U32, LkDeviceMatrix, m), FIELD (FIELD_U32, LkDeviceMatrix, n),
  FIELD (FIELD_U32, LkDeviceMatrix, k), FIELD (FIELD_U32, LkDeviceMatrix, a_type),
  FIELD (FIELD_U32, LkDeviceMatrix, b_type), FIELD (FIELD_U32, LkDeviceMatrix, c_type),
  FIELD (FIELD_U32, LkDeviceMatrix, result_type), FIELD (FIELD_U32, LkDeviceMatrix, scope),
};

typedef struct
{
  const char *name;
  gsize offset, count_offset, item_size;
  guint max_items;
  const Field *fields;
  guint n_fields;
} List;

#define LIST(member, type, max, table) \
  { #member, G_STRUCT_OFFSET (LkDeviceSnapshot, member), G_STRUCT_OFFSET (LkDeviceSnapshot, n_##member), \
    sizeof (type), max, table, G_N_ELEMENTS (table) }

static const List lists[] = {
  LIST (heaps, LkDeviceHeap, LK_DEVICE_MAX_HEAPS, heap_fields),
  LIST (memory_types, LkDeviceMemoryType, LK_DEVICE_MAX_MEMORY_TYPES, memory_type_fields),
  LIST (queue_families, LkDeviceQueueFamily, LK_DEVICE_MAX_QUEUE_FAMILIES, queue_family_fields),
  LIST (matrices, LkDeviceMatrix, LK_DEVICE_MAX_MATRICES, matrix_fields),
};

static const char *const kind_names[] = { "other", "integrated", "discrete", "virtual", "software" };

const char *
lk_device_kind_name (LkDeviceKind kind)
{
  return (guint) kind < G_N_ELEMENTS (kind_names) ? kind_names[kind] : kind_names[LK_DEVICE_OTHER];
}

static void
write_fields (JsonObject *object, const Field *fields, guint n, gconstpointer data)
{
  for (guint i = 0; i < n; i++)
    {
      gconstpointer p = (const guint8 *) data + fields[i].offset;
      switch (fields[i].type)
        {
        case FIELD_TEXT:
          json_object_set_string_member (object, fields[i].name, p);
          break;
        case FIELD_U32:
          json_object_set_int_member (object, fields[i].name, *(const guint32 *) p);
          break;
        case FIELD_U64:
          json_object_set_int_member (object, fields[i].name,
                                      (gint64) MIN (*(const guint64 *) p, G_MAXINT64));
          break;
        case FIELD_DOUBLE:
          json_object_set_double_member (object, fields[i].name, *(const double *) p);
          break;
        case FIELD_BOOLEAN:
          json_object_set_boolean_member (object, fields[i].name, *(const gboolean *) p);
          break;
        case FIELD_KIND:
          json_object_set_string_member (object, fields[i].name,
                                         lk_device_kind_name (*(const LkDeviceKind *) p));
          break;
        }
    }
}

JsonNode *
lk_device_snapshot_to_json (const LkDeviceSnapshot *self)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  json_object_unref (object);
  write_fields (object, snapshot_fields, G_N_ELEMENTS (snapshot_fields), self);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      const guint8 *items = (const guint8 *) self + lists[i].offset;
      guint count = *(const guint *) ((const guint8 *) self + lists[i].count_offset);
      JsonArray *array = json_array_sized_new (count);
      for (guint k = 0; k < count; k++)
        {
          JsonObject *item = json_object_new ();
          write_fields (item, lists[i].fields, lists[i].n_fields, items + k * lists[i].item_size);
          json_array_add_object_element (array, item);
        }
      json_object_set_array_member (object, lists[i].name, array);
    }
  return node;
}

static gboolean
read_text (const Field *field, const char *text, const char *source, gpointer p, GError **error)
{
  if (field->type == FIELD_KIND)
    {
      for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
        if (g_str_equal (kind_names[i], text))
          {
            *(LkDeviceKind *) p = i;
            return TRUE;
          }
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is no kind of device this program knows",
                   source, text);
      return FALSE;
    }
  if (g_strlcpy (p, text, field->size) < field->size)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
               "%s: the text of “%s” is longer than %" G_GSIZE_FORMAT " bytes", source, field->name,
               field->size - 1);
  return FALSE;
}

static gboolean
read_field (JsonObject *object, const Field *field, const char *source, gpointer p, GError **error)
{
  const char *text = NULL;
  gint64 number = 0;

  switch (field->type)
    {
    case FIELD_TEXT:
    case FIELD_KIND:
      if (!lk_json_get_string (object, field->name, source, &text, error))
        return FALSE;
      return !text || read_text (field, text, source, p, error);
    case FIELD_DOUBLE:
      return lk_json_get_double (object, field->name, source, p, error);
    case FIELD_BOOLEAN:
      return lk_json_get_boolean (object, field->name, source, p, error);
    case FIELD_U32:
    case FIELD_U64:
      break;
    }
  if (!lk_json_get_int (object, field->name, source, &number, error))
    return FALSE;
  if (number < 0 || (field->type == FIELD_U32 && number > G_MAXUINT32))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: “%s” is out of range (%" G_GINT64_FORMAT ")",
                   source, field->name, number);
      return FALSE;
    }
  if (field->type == FIELD_U32)
    *(guint32 *) p = (guint32) number;
  else
    *(guint64 *) p = (guint64) number;
  return TRUE;
}

static gboolean
read_fields (JsonObject *object, const Field *fields, guint n, const char *source, gpointer data,
             GError **error)
{
  for (guint i = 0; i < n; i++)
    if (!read_field (object, &fields[i], source, (guint8 *) data + fields[i].offset, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_list (JsonObject *object, const List *list, const char *source, LkDeviceSnapshot *out, GError **error)
{
  JsonArray *array = NULL;
  guint count;

  if (!lk_json_get_array (object, list->name, source, &array, error))
    return FALSE;
  count = array ? json_array_get_length (array) : 0;
  if (count > list->max_items)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                   "%s: “%s” has %u entries, more than the %u Vulkan allows", source, list->name, count,
                   list->max_items);
      return FALSE;
    }
  for (guint i = 0; i < count; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      gpointer item = (guint8 *) out + list->offset + i * list->item_size;
      if (!JSON_NODE_HOLDS_OBJECT (node))
        {
          g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: entry %u of “%s” is not an object", source, i,
                       list->name);
          return FALSE;
        }
      if (!read_fields (json_node_get_object (node), list->fields, list->n_fields, source, item, error))
        return FALSE;
    }
  *(guint *) ((guint8 *) out + list->count_offset) = count;
  return TRUE;
}

gboolean
lk_device_snapshot_from_json (JsonObject *object, const char *source, LkDeviceSnapshot *out, GError **error)
{
  memset (out, 0, sizeof *out);
  if (!read_fields (object, snapshot_fields, G_N_ELEMENTS (snapshot_fields), source, out, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (!read_list (object, &lists[i], source, out, error))
      return FALSE;
  for (guint i = 0; i < out->n_memory_types; i++)
    if (out->memory_types[i].heap >= out->n_heaps)
      {
        g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
                     "%s: memory type %u names heap %u, but there are only %u", source, i,
                     out->memory_types[i].heap, out->n_heaps);
        return FALSE;
      }
  return TRUE;
}

guint64
lk_device_snapshot_get_memory (const LkDeviceSnapshot *self)
{
  guint64 largest = 0;

  for (guint i = 0; i < self->n_heaps; i++)
    if (self->heaps[i].device_local)
      largest = MAX (largest, self->heaps[i].size);
  return largest;
}
