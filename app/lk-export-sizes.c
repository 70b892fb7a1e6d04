/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-export-sizes.h"

#include <string.h>

#include "lk-command-words.h"
#include "lk-engine.h"
#include "lk-json.h"

struct _LkExportSizes
{
  GObject parent_instance;

  GHashTable *sizes; /* "format type" → gint64 */
  GCancellable *asking;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE (LkExportSizes, lk_export_sizes, G_TYPE_OBJECT)

static void
stop_asking (LkExportSizes *self)
{
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
}

static void
lk_export_sizes_dispose (GObject *object)
{
  stop_asking (LK_EXPORT_SIZES (object));
  G_OBJECT_CLASS (lk_export_sizes_parent_class)->dispose (object);
}

static void
lk_export_sizes_finalize (GObject *object)
{
  g_hash_table_unref (LK_EXPORT_SIZES (object)->sizes);
  G_OBJECT_CLASS (lk_export_sizes_parent_class)->finalize (object);
}

static void
lk_export_sizes_class_init (LkExportSizesClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = lk_export_sizes_dispose;
  G_OBJECT_CLASS (klass)->finalize = lk_export_sizes_finalize;
  changed_signal = g_signal_new ("changed", LK_TYPE_EXPORT_SIZES, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
lk_export_sizes_init (LkExportSizes *self)
{
  self->sizes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

LkExportSizes *
lk_export_sizes_new (void)
{
  return g_object_new (LK_TYPE_EXPORT_SIZES, NULL);
}

static char *
key_of (const char *format, const char *type)
{
  return g_strconcat (format, " ", type, NULL);
}

void
lk_export_sizes_take_answer (LkExportSizes *self, JsonObject *answer)
{
  JsonArray *sizes = NULL;

  lk_json_get_array (answer, "sizes", "export", &sizes, NULL);
  for (guint i = 0; sizes != NULL && i < json_array_get_length (sizes); i++)
    {
      JsonNode *node = json_array_get_element (sizes, i);
      JsonObject *size = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      gint64 bytes = size != NULL ? lk_json_peek_int (size, "bytes", -1) : -1;

      if (bytes >= 0)
        g_hash_table_replace (self->sizes, key_of (lk_json_peek_string (size, "format", ""), lk_json_peek_string (size, "type", NULL)),
                              g_memdup2 (&bytes, sizeof bytes));
    }
  g_signal_emit (self, changed_signal, 0);
}

/* Where the engine cannot say, as it cannot of a model that is gone, the export itself will say why. */
static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkExportSizes) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = lk_engine_call_finish (result, &error);

  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) && node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    lk_export_sizes_take_answer (self, json_node_get_object (node));
}

void
lk_export_sizes_ask (LkExportSizes *self, const char *folder)
{
  const char *const arguments[] = { "export", folder, "--sizes", "--json", NULL };

  g_return_if_fail (LK_IS_EXPORT_SIZES (self));

  stop_asking (self);
  g_hash_table_remove_all (self->sizes);
  g_signal_emit (self, changed_signal, 0);
  if (folder == NULL)
    return;
  self->asking = g_cancellable_new ();
  lk_engine_call_async (arguments, self->asking, answered_cb, g_object_ref (self));
}

gint64
lk_export_sizes_get (LkExportSizes *self, const char *format, const char *type)
{
  g_autofree char *key = key_of (format, type);
  const gint64 *bytes = g_hash_table_lookup (self->sizes, key);

  return bytes != NULL ? *bytes : -1;
}

/* A name that Ollama takes: small letters, digits and dashes. (transfer full) */
static char *
ollama_name (const char *path)
{
  g_autofree char *leaf = g_path_get_basename (path);
  GString *name = g_string_new (NULL);

  if (g_str_has_suffix (leaf, ".gguf"))
    leaf[strlen (leaf) - strlen (".gguf")] = 0;
  for (const char *c = leaf; *c != 0; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (name, g_ascii_tolower (*c));
    else if (name->len > 0 && name->str[name->len - 1] != '-')
      g_string_append_c (name, '-');
  while (name->len > 0 && name->str[name->len - 1] == '-')
    g_string_truncate (name, name->len - 1);
  return g_string_free (name->len > 0 ? name : g_string_append (name, "tuned"), FALSE);
}

/* vLLM makes room for adapters up to 16 unless it is told otherwise, and knows these sizes of room (vllm/config, LoRAConfig). "" for its
 * own; NULL: it has none for @rank. */
static const char *
vllm_room (guint rank)
{
  static const struct
  {
    guint most;
    const char *room;
  } rooms[] = { { 16, "" }, { 32, "32" }, { 64, "64" }, { 128, "128" }, { 256, "256" }, { 320, "320" }, { 512, "512" } };

  for (guint i = 0; i < G_N_ELEMENTS (rooms); i++)
    if (rank <= rooms[i].most)
      return rooms[i].room;
  return NULL;
}

char *
lk_export_make_command (const char *format, const char *path, const char *base, const char *modelfile, guint rank)
{
  g_autofree char *quoted = lk_command_words_quote (path);
  g_autofree char *quoted_base = base != NULL ? lk_command_words_quote (base) : NULL;
  const char *room = vllm_room (rank);
  gboolean base_is_gguf = base != NULL && g_str_has_suffix (base, ".gguf");

  if (g_str_equal (format, "gguf") && modelfile != NULL)
    {
      g_autofree char *name = ollama_name (path);
      g_autofree char *file = lk_command_words_quote (modelfile);

      return g_strjoin (" ", "ollama", "create", name, "-f", file, "&&", "ollama", "run", name, NULL);
    }
  if (g_str_equal (format, "gguf"))
    return g_strjoin (" ", "llama-cli", "-cnv", "-m", quoted, NULL);
  if (g_str_equal (format, "hf"))
    return g_strjoin (" ", "vllm", "serve", quoted, NULL);
  if (g_str_equal (format, "lora-gguf") && base_is_gguf)
    return g_strjoin (" ", "llama-cli", "-cnv", "-m", quoted_base, "--lora", quoted, NULL);
  if (g_str_equal (format, "adapter") && base != NULL && !base_is_gguf && room != NULL)
    {
      g_autofree char *named = g_strconcat ("tuned=", quoted, NULL);

      return g_strjoin (" ", "vllm", "serve", quoted_base, "--enable-lora", "--lora-modules", named,
                        room[0] != 0 ? "--max-lora-rank" : NULL, room, NULL);
    }
  return NULL;
}
