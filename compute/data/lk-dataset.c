/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-dataset-private.h"

#include <string.h>

#include "lk-file.h"
#include "lk-json.h"
#include "lk-random.h"
#include "lk-row-store-private.h"

static void
lk_data_file_clear (gpointer data)
{
  g_free (((LkDataFile *) data)->path);
}

void
_lk_row_clear (gpointer data)
{
  LkRow *row = data;

  g_clear_pointer (&row->messages, json_array_unref);
  g_clear_pointer (&row->tools, json_node_unref);
  g_clear_pointer (&row->prompt, g_free);
  g_clear_pointer (&row->text, g_free);
}

static void
lk_row_problem_clear (gpointer data)
{
  g_free (((LkRowProblem *) data)->reason);
}

LkDataset *
lk_dataset_ref (LkDataset *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
lk_dataset_unref (LkDataset *self)
{
  if (!self || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_array_unref (self->files);
  g_array_unref (self->rows);
  g_array_unref (self->problems);
  g_free (self->hash);
  g_free (self);
}

static void
lk_dataset_take_row (LkRow *row, gpointer data)
{
  g_array_append_val (((LkDataset *) data)->rows, *row);
}

static void
lk_dataset_take_problem (guint64 line, guint64 index, char *reason, const char *text, gsize n, gpointer data)
{
  LkDataset *self = data;
  LkRowProblem problem = { self->files->len - 1, line, index, reason };

  g_array_append_val (self->problems, problem);
}

/* One file, whose content's hash goes into @checksum. */
static gboolean
lk_dataset_read (LkDataset *self, const char *path, GChecksum *checksum, GError **error)
{
  const LkDataSink sink = { .row = lk_dataset_take_row, .problem = lk_dataset_take_problem, .data = self };
  guint file = self->files->len;
  g_autoptr (GBytes) bytes = lk_file_map (path, error);
  LkDataFile added = { g_strdup (path), NULL };
  guint64 rows;

  g_array_append_val (self->files, added);
  if (!bytes)
    return FALSE;
  if (lk_row_store_is (bytes))
    return _lk_row_store_read (path, file, &sink, checksum, &g_array_index (self->files, LkDataFile, file).form, error);
  g_checksum_update (checksum, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  return _lk_data_read (path, file, bytes, NULL, &sink, &g_array_index (self->files, LkDataFile, file).form, &rows, error);
}

LkDataset *
lk_dataset_load (const char *const *paths, guint n_paths, GError **error)
{
  g_autoptr (LkDataset) self = g_new0 (LkDataset, 1);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_atomic_ref_count_init (&self->ref_count);
  self->files = g_array_new (FALSE, TRUE, sizeof (LkDataFile));
  self->rows = g_array_new (FALSE, TRUE, sizeof (LkRow));
  self->problems = g_array_new (FALSE, TRUE, sizeof (LkRowProblem));
  g_array_set_clear_func (self->files, lk_data_file_clear);
  g_array_set_clear_func (self->rows, _lk_row_clear);
  g_array_set_clear_func (self->problems, lk_row_problem_clear);
  for (guint i = 0; i < n_paths; i++)
    if (!lk_dataset_read (self, paths[i], checksum, error))
      return NULL;
  self->hash = g_strdup (g_checksum_get_string (checksum));
  return g_steal_pointer (&self);
}

guint
lk_dataset_get_n_rows (LkDataset *self)
{
  return self->rows->len;
}

const LkRow *
lk_dataset_get_row (LkDataset *self, guint i)
{
  return &g_array_index (self->rows, LkRow, i);
}

guint
lk_dataset_get_n_problems (LkDataset *self)
{
  return self->problems->len;
}

const LkRowProblem *
lk_dataset_get_problem (LkDataset *self, guint i)
{
  return &g_array_index (self->problems, LkRowProblem, i);
}

const char *
lk_dataset_get_path (LkDataset *self, guint file)
{
  return g_array_index (self->files, LkDataFile, file).path;
}

const char *
lk_dataset_get_form (LkDataset *self, guint file)
{
  return g_array_index (self->files, LkDataFile, file).form;
}

const char *
lk_dataset_get_hash (LkDataset *self)
{
  return self->hash;
}

/* The members of a message that a model sees, in one order. */
static JsonObject *
lk_message_canonical (JsonObject *message)
{
  static const char *const names[] = { "role", "content", "tool_calls", "tool_call_id", "name", "reasoning_content", "thinking", "train" };
  JsonObject *copy = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (json_object_has_member (message, names[i]))
      json_object_set_member (copy, names[i], json_node_copy (json_object_get_member (message, names[i])));
  return copy;
}

char *
_lk_row_canonical (const LkRow *row)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonArray) messages = NULL;
  g_autofree char *tools = row->tools ? lk_json_to_string (row->tools, FALSE) : g_strdup ("");
  g_autofree char *text = NULL;

  if (row->kind != LK_ROW_MESSAGES)
    return g_strdup_printf ("%d\n%s\n%s", row->kind, row->prompt ? row->prompt : "", row->text);
  messages = json_array_new ();
  for (guint i = 0; i < json_array_get_length (row->messages); i++)
    json_array_add_object_element (messages, lk_message_canonical (json_array_get_object_element (row->messages, i)));
  node = json_node_init_array (json_node_alloc (), messages);
  text = lk_json_to_string (node, FALSE);
  return g_strconcat (text, "\n", tools, NULL);
}

/* Groups of identical rows: group_of[row], numbered by first appearance. (transfer full) */
static guint *
lk_dataset_group (LkDataset *self, guint *n_groups)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint *group_of = g_new (guint, self->rows->len + 1);

  *n_groups = 0;
  for (guint i = 0; i < self->rows->len; i++)
    {
      g_autofree char *text = _lk_row_canonical (lk_dataset_get_row (self, i));
      char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA1, text, -1);
      gpointer group = g_hash_table_lookup (seen, hash);

      if (!group)
        {
          group = GUINT_TO_POINTER (++*n_groups);
          g_hash_table_insert (seen, g_steal_pointer (&hash), group);
        }
      g_free (hash);
      group_of[i] = GPOINTER_TO_UINT (group) - 1;
    }
  return group_of;
}

static guint
lk_smallest (const guint *size, guint n)
{
  guint best = 0;

  for (guint i = 1; i < n; i++)
    best = size[i] < size[best] ? i : best;
  return best;
}

void
_lk_split_groups (const guint *group_of, guint n, guint n_groups, double fraction, guint minimum, guint64 seed, GArray **train,
                  GArray **held_out)
{
  guint taken = 0, wanted = (guint) ((double) n * fraction + 0.5);
  g_autofree guint *size = g_new0 (guint, n_groups + 1);
  g_autofree guint32 *order = g_new (guint32, n_groups + 1);
  g_autofree gboolean *out = g_new0 (gboolean, n_groups + 1);
  LkRandom random = lk_random (seed, 0x73706c6974);

  if (fraction > 0)
    wanted = n < 4 ? 0 : MIN (MAX (wanted, minimum), MAX (1, n / (n < 2 * minimum ? 4 : 2)));
  else
    wanted = 0;
  for (guint i = 0; i < n; i++)
    size[group_of[i]]++;
  lk_random_permutation (&random, order, n_groups);
  for (guint g = 0; g < n_groups && taken < wanted; g++)
    if (taken + size[order[g]] <= MAX (wanted, 1) * 2 && taken + size[order[g]] < n)
      {
        out[order[g]] = TRUE;
        taken += size[order[g]];
      }
  if (taken == 0 && wanted > 0 && n_groups > 1) /* all groups are large: the smallest is better than none */
    out[lk_smallest (size, n_groups)] = TRUE;
  *train = g_array_new (FALSE, FALSE, sizeof (guint));
  *held_out = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < n; i++)
    g_array_append_val (out[group_of[i]] ? *held_out : *train, i);
}

void
lk_dataset_split (LkDataset *self, double fraction, guint minimum, guint64 seed, GArray **train, GArray **held_out)
{
  guint n_groups;
  g_autofree guint *group_of = lk_dataset_group (self, &n_groups);

  _lk_split_groups (group_of, self->rows->len, n_groups, fraction, minimum, seed, train, held_out);
}
