/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which files one GGUF consists of. Parts are called “name-00001-of-0000N.gguf”; split.no counts them from 0,
 * split.count and split.tensors.count are the same in all (formats: a.1).
 */
#include <string.h>

#include "lk-error.h"
#include "lk-gguf-private.h"

static gboolean
part_int (LkGgufPart *part, const char *key, gint64 *out, GError **error)
{
  const LkGgufEntry *entry = g_hash_table_lookup (part->by_key, key);

  if (!entry)
    return TRUE;
  if (entry->type != LK_GGUF_U16 && entry->type != LK_GGUF_I32 && entry->type != LK_GGUF_U32)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: key “%s” is %s, not a 16- or 32-bit integer.",
                   part->path, key, lk_gguf_type_names[entry->type]);
      return FALSE;
    }
  *out = (gint64) lk_gguf_load (entry->value, lk_gguf_type_sizes[entry->type]);
  return TRUE;
}

gboolean
lk_gguf_split_read (LkGgufPart *part, LkGgufSplit *split, GError **error)
{
  *split = (LkGgufSplit){ 0, 1, -1 };
  if (!part_int (part, "split.count", &split->count, error) || !part_int (part, "split.no", &split->number, error)
      || !part_int (part, "split.tensors.count", &split->n_tensors, error))
    return FALSE;
  if (split->count > LK_GGUF_MAX_PARTS)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: split.count is %" G_GINT64_FORMAT "; more than %u parts "
                 "are not possible.", part->path, split->count, LK_GGUF_MAX_PARTS);
  else if (split->count > 1 && split->number >= split->count)
    g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "“%s”: split.no is %" G_GINT64_FORMAT ", but split.count is %"
                 G_GINT64_FORMAT ".", part->path, split->number, split->count);
  else
    return TRUE;
  return FALSE;
}

char *
lk_gguf_split_path (const char *stem, gint64 number, gint64 count)
{
  return g_strdup_printf ("%s-%05d-of-%05d.gguf", stem, (int) number + 1, (int) count);
}

char *
lk_gguf_split_stem (const char *path, const LkGgufSplit *split, GError **error)
{
  g_autofree char *suffix = lk_gguf_split_path ("", split->number, split->count);

  if (g_str_has_suffix (path, suffix))
    return g_strndup (path, strlen (path) - strlen (suffix));
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
               "“%s” is part %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ", but its name does not end in “%s”, so the "
               "others cannot be found.", path, split->number + 1, split->count, suffix);
  return NULL;
}

/* A string key of the two, where both have it. */
static gboolean
same_string (LkGgufPart *a, LkGgufPart *b, const char *key)
{
  const LkGgufEntry *of_a = g_hash_table_lookup (a->by_key, key), *of_b = g_hash_table_lookup (b->by_key, key);

  return !of_a || !of_b || g_strcmp0 (of_a->string, of_b->string) == 0;
}

gboolean
lk_gguf_split_check (LkGgufPart *part, gint64 number, const LkGgufSplit *split, LkGgufPart *own, GError **error)
{
  static const char *const names[] = { "general.architecture", "general.name" };
  const char *differs = NULL;
  LkGgufSplit other;

  if (!lk_gguf_split_read (part, &other, error))
    return FALSE;
  if (other.count != split->count)
    differs = "split.count";
  else if (other.number != number || !g_hash_table_contains (part->by_key, "split.no"))
    differs = "split.no";
  else if (other.n_tensors != split->n_tensors)
    differs = "split.tensors.count";
  for (guint i = 0; i < G_N_ELEMENTS (names) && !differs; i++)
    if (!same_string (part, own, names[i]))
      differs = names[i];
  if (!differs)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH, "“%s” is not part %" G_GINT64_FORMAT " of the model “%s” is part %"
               G_GINT64_FORMAT " of: %s differs.", part->path, number + 1, own->path, split->number + 1, differs);
  return FALSE;
}

gboolean
lk_gguf_split_check_tensors (const char *path, const LkGgufSplit *split, guint n_tensors, GError **error)
{
  if (split->n_tensors < 0 || split->n_tensors == (gint64) n_tensors)
    return TRUE;
  g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE,
               "“%s”: the parts hold %u tensors, split.tensors.count says %" G_GINT64_FORMAT ".", path, n_tensors,
               split->n_tensors);
  return FALSE;
}
