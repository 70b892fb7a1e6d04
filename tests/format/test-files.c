/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GGUF, safetensors and PEFT folders: what we write reads back, and files that mean harm are refused in words.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lk-error.h"
#include "lk-file.h"
#include "lk-gguf.h"
#include "lk-hf-config.h"
#include "lk-peft.h"
#include "lk-safetensors.h"

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* A small file with each kind of value and two tensors. (transfer full) */
static GBytes *
small_gguf (void)
{
  g_autofree char *path = in_folder ("small.gguf");
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGgufWriter) writer = lk_gguf_writer_new (path, &error);
  static const char *const strings[] = { "α", "", "c d" };
  static const gint64 ints[] = { -1, 2, 3 };
  static const float floats[] = { 0.5f, -2 };
  static const guint64 matrix[] = { 2, 32 }, vector[] = { 3 };
  guint8 blocks[2 * 18];
  float values[3] = { 1, 2, 3 };

  for (guint i = 0; i < sizeof blocks; i++)
    blocks[i] = (guint8) (i * 7);
  lk_gguf_writer_set_string (writer, "general.architecture", "llama");
  lk_gguf_writer_set_int (writer, "llama.block_count", LK_GGUF_U32, 3);
  lk_gguf_writer_set_int (writer, "big", LK_GGUF_U64, G_MAXINT64);
  lk_gguf_writer_set_float (writer, "llama.eps", 1e-5);
  lk_gguf_writer_set_boolean (writer, "yes", TRUE);
  lk_gguf_writer_set_strings (writer, "tokens", strings, 3);
  lk_gguf_writer_set_ints (writer, "types", LK_GGUF_I32, ints, 3);
  lk_gguf_writer_set_floats (writer, "scores", floats, 2);
  lk_gguf_writer_add_tensor (writer, "m.weight", LK_TYPE_Q4_0, matrix, 2);
  lk_gguf_writer_add_tensor (writer, "v.weight", LK_TYPE_F32, vector, 1);
  g_assert_true (lk_gguf_writer_begin_data (writer, &error) && lk_gguf_writer_write (writer, blocks, sizeof blocks, &error)
                 && lk_gguf_writer_write (writer, values, sizeof values, &error) && lk_gguf_writer_finish (writer, &error));
  return lk_file_read (path, 1 << 20, &error);
}

static void
test_gguf_round_trip (void)
{
  g_autoptr (GBytes) bytes = small_gguf ();
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGguf) gguf = lk_gguf_open_bytes (bytes, "small", &error);
  const LkTensorInfo *m, *v;
  g_auto (GStrv) strings = NULL;
  g_autofree gint64 *ints = NULL;
  g_autofree double *doubles = NULL;
  const char *text = NULL;
  gint64 number = 0;
  double real = 0;
  gboolean yes = FALSE;
  guint n;

  g_assert_no_error (error);
  g_assert_true (lk_gguf_get_string (gguf, "general.architecture", &text, &error) && lk_gguf_get_int (gguf, "big", &number, &error)
                 && lk_gguf_get_double (gguf, "llama.eps", &real, &error) && lk_gguf_get_boolean (gguf, "yes", &yes, &error)
                 && lk_gguf_get_strings (gguf, "tokens", &strings, &n, &error) && lk_gguf_get_ints (gguf, "types", &ints, &n, &error)
                 && lk_gguf_get_doubles (gguf, "scores", &doubles, &n, &error));
  g_assert_cmpstr (text, ==, "llama");
  g_assert_cmpint (number, ==, G_MAXINT64);
  g_assert_cmpfloat (real, ==, (double) 1e-5f);
  g_assert_true (yes);
  g_assert_cmpstr (strings[2], ==, "c d");
  g_assert_cmpint (ints[0], ==, -1);
  g_assert_cmpfloat (doubles[1], ==, -2);
  g_assert_false (lk_gguf_get_int (gguf, "general.architecture", &number, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_BAD_FILE);
  g_clear_error (&error);
  g_assert_true (lk_gguf_get_int (gguf, "absent", &number, &error));
  m = lk_gguf_lookup (gguf, "m.weight");
  v = lk_gguf_lookup (gguf, "v.weight");
  g_assert_cmpuint (m->shape[0], ==, 2);
  g_assert_cmpuint (m->shape[1], ==, 32);
  g_assert_cmpuint (m->size, ==, 36);
  g_assert_cmpuint (m->data[35], ==, (guint8) (35 * 7));
  g_assert_cmpuint (v->size, ==, 12);
  g_assert_null (lk_gguf_lookup (gguf, "w.weight"));
}

static const guint8 *
find (const guint8 *data, gsize n, const char *text)
{
  for (gsize i = 0; i + strlen (text) <= n; i++)
    if (memcmp (data + i, text, strlen (text)) == 0)
      return data + i;
  g_assert_not_reached ();
}

static void
refuse_gguf (const guint8 *data, gsize n, const char *what)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, n);
  g_autoptr (GError) error = NULL;
  LkGguf *gguf = lk_gguf_open_bytes (bytes, "bad", &error);

  if (gguf)
    g_error ("accepted a GGUF with %s", what);
  g_assert_true (error && error->domain == LK_ERROR && strstr (error->message, "bad"));
}

/* Numbers of the header and of descriptions replaced by what breaks naive readers. */
static void
test_gguf_hostile (void)
{
  static const guint64 counts[] = { 0x1D1D1D1D1D1D1D1Du, 1ull << 32, 1ull << 63, G_MAXUINT64, G_MAXUINT64 - 7, 1u << 30 };
  g_autoptr (GBytes) bytes = small_gguf ();
  gsize n;
  const guint8 *good = g_bytes_get_data (bytes, &n);
  g_autofree guint8 *data = g_malloc (n);
  const guint8 *name = find (good, n, "m.weight"), *key = find (good, n, "general.architecture");
  gsize tensor = (gsize) (name - good) + 8, first = (gsize) (key - good);

#define WITH(offset, value, what) \
  do \
    { \
      __typeof__ (value) v_ = (value); \
      memcpy (data, good, n); \
      memcpy (data + (offset), &v_, sizeof v_); \
      refuse_gguf (data, n, what); \
    } \
  while (0)

  WITH (0, (guint32) 0x46554748, "another magic");
  for (guint version = 0; version < 6; version++)
    if (version != 2 && version != 3)
      WITH (4, version, "another version");
  WITH (4, (guint32) 0x03000000, "big-endian numbers");
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      WITH (8, counts[i], "too many tensors");
      WITH (16, counts[i], "too many keys");
      WITH (first - 8, counts[i], "a long key");
      WITH (first + 20 + 4, counts[i], "a long string");
      WITH (tensor - 8 - 8, counts[i], "a long tensor name");
      WITH (tensor + 4, counts[i], "a huge dimension");
      WITH (tensor + 12, counts[i], "another huge dimension");
      WITH (tensor + 24, counts[i] & ~31ull, "an offset outside");
    }
  WITH (tensor + 4, (guint64) 0, "a zero dimension");
  WITH (tensor + 4, (guint64) 31, "half a block");
  WITH (tensor + 24, (guint64) 1, "an unaligned offset");
  for (guint dims = 5; dims; dims = dims == 5 ? 255 : dims == 255 ? G_MAXUINT32 : 0)
    WITH (tensor, dims, "too many dimensions");
  WITH (tensor, (guint32) 0, "no dimensions");
  WITH (tensor + 20, (guint32) 4, "a removed type");
  WITH (tensor + 20, (guint32) 9999, "an unknown type");
  WITH (first + 20, (guint32) 13, "an unknown value type");
#undef WITH
  /* the last 20 bytes are padding, which nobody needs */
  for (gsize cut = 0; cut < n - 20; cut += 1 + cut / 64)
    refuse_gguf (good, cut, "its end cut off");
}

/* A type we do not read is named, and so are those we read. */
static void
test_gguf_foreign_types (void)
{
  static const struct
  {
    guint32 id;
    const char *name;
  } foreign[] = { { 16, "IQ2_XXS" }, { 18, "IQ3_XXS" }, { 29, "IQ1_M" }, { 31, "Q4_0_4_4" }, { 40, "NVFP4" } };
  g_autoptr (GBytes) bytes = small_gguf ();
  gsize n;
  g_autofree guint8 *data = g_bytes_unref_to_data (g_bytes_ref (bytes), &n);
  guint8 *type = data + (find (data, n, "m.weight") - data) + 8 + 20;

  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++)
    {
      g_autoptr (GBytes) changed = NULL;
      g_autoptr (GError) error = NULL;

      memcpy (type, &foreign[i].id, 4);
      changed = g_bytes_new (data, n);
      g_assert_null (lk_gguf_open_bytes (changed, "foreign", &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, foreign[i].name));
      g_assert_nonnull (strstr (error->message, "m.weight"));
      g_assert_nonnull (strstr (error->message, "F32, F16, BF16, Q4_0,"));
      g_assert_nonnull (strstr (error->message, "TQ2_0, MXFP4"));
      g_assert_null (strstr (error->message, "I32"));
    }
}

static void
test_gguf_mutations (void)
{
  g_autoptr (GBytes) bytes = small_gguf ();
  gsize n;
  const guint8 *good = g_bytes_get_data (bytes, &n);
  GRand *random = g_rand_new_with_seed (11);

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree guint8 *data = g_memdup2 (good, n);
      g_autoptr (GBytes) changed = NULL;
      g_autoptr (GError) error = NULL;
      LkGguf *gguf;

      for (gint k = g_rand_int_range (random, 1, 5); k > 0; k--)
        data[g_rand_int_range (random, 0, (gint32) n)] = (guint8) g_rand_int_range (random, 0, 256);
      changed = g_bytes_new (data, n);
      gguf = lk_gguf_open_bytes (changed, "mutation", &error);
      g_assert_true ((gguf == NULL) == (error != NULL));
      for (guint t = 0; gguf && t < lk_gguf_get_n_tensors (gguf); t++)
        {
          const LkTensorInfo *info = lk_gguf_get_tensor (gguf, t);
          volatile guint8 byte = info->size ? info->data[info->size - 1] : 0;
          (void) byte;
        }
      if (gguf)
        lk_gguf_unref (gguf);
    }
  g_rand_free (random);
}

/* A million tiny keys must not take quadratic time. */
static void
test_gguf_many_keys (void)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  guint32 head[2] = { 0x46554747, 3 };
  guint64 counts[2] = { 0, 200000 };
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  LkGguf *gguf;

  g_byte_array_append (file, (guint8 *) head, sizeof head);
  g_byte_array_append (file, (guint8 *) counts, sizeof counts);
  for (guint i = 0; i < counts[1]; i++)
    {
      char key[16];
      guint64 length = (guint64) g_snprintf (key, sizeof key, "k%u", i);
      guint32 type = 7;
      guint8 value = 1;

      g_byte_array_append (file, (guint8 *) &length, 8);
      g_byte_array_append (file, (guint8 *) key, (guint) length);
      g_byte_array_append (file, (guint8 *) &type, 4);
      g_byte_array_append (file, &value, 1);
    }
  bytes = g_bytes_new (file->data, file->len);
  gguf = lk_gguf_open_bytes (bytes, "many", &error);
  g_assert_true ((gguf == NULL) == (error != NULL)); /* read or refused; the test's own time limit is the measure */
  if (gguf)
    lk_gguf_unref (gguf);
}

static GBytes *
safetensors_bytes (const char *header, gsize data)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  guint64 n = strlen (header);

  g_byte_array_append (file, (guint8 *) &n, 8);
  g_byte_array_append (file, (const guint8 *) header, (guint) n);
  g_byte_array_set_size (file, (guint) (8 + n + data));
  memset (file->data + 8 + n, 1, data);
  return g_bytes_new (file->data, file->len);
}

static void
test_safetensors (void)
{
  static const struct
  {
    const char *header;
    gsize data;
    gboolean good;
  } cases[] = {
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16, TRUE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}   ", 16, TRUE },
    { "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]}}", 6, TRUE },
    { "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, TRUE },
    { "{}", 0, TRUE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 17, FALSE },   /* bytes behind */
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 15, FALSE },   /* cut */
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,12]}}", 12, FALSE },   /* shape says more */
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, FALSE },       /* a hole */
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, FALSE },
    { "{\"a\":{\"dtype\":\"X9\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905,4],\"data_offsets\":[0,16]}}", 16, FALSE }, /* wraps to 4 */
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,16]}}", 16, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, FALSE },
    { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, FALSE },
    { "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, FALSE },
    { "{\"a\":3}", 0, FALSE },
    { "{\"__metadata__\":{\"a\":1}}", 0, FALSE },
    { "[1]", 0, FALSE },
    { "{\"a\":", 0, FALSE },
    { "", 0, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = safetensors_bytes (cases[i].header, cases[i].data);
      g_autoptr (GError) error = NULL;
      LkSafetensors *file = lk_safetensors_open_bytes (bytes, "case", &error);

      if ((file != NULL) != cases[i].good)
        g_error ("%s: %s", cases[i].header, error ? error->message : "accepted");
      if (file)
        lk_safetensors_unref (file);
      else
        g_assert_true (error->domain == LK_ERROR && strstr (error->message, "case"));
    }
}

static void
test_safetensors_header_length (void)
{
  static const guint64 lengths[] = { 0, 1, 100000001, G_MAXUINT64, G_MAXUINT64 - 8, 1ull << 63 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      guint8 data[16] = { 0 };
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;

      memcpy (data, &lengths[i], 8);
      bytes = g_bytes_new (data, sizeof data);
      g_assert_null (lk_safetensors_open_bytes (bytes, "length", &error));
      g_assert_nonnull (error);
    }
}

/* The index may only name files that lie beside it. */
static void
test_safetensors_index (void)
{
  g_autofree char *long_name = g_strnfill (5000, 'x');
  g_autofree char *fifo = in_folder ("fifo.safetensors");
  g_autofree char *directory = in_folder ("directory.safetensors");
  g_autofree char *device = in_folder ("device.safetensors");
  const char *const names[] = { "../x.safetensors", "/etc/passwd", "a/../../x", "a/b.safetensors", "", "..", ".", "missing.safetensors",
                                "C:\\\\x", "..\\\\x", "x\\u0000y", "/proc/self/mem", "/dev/zero", long_name, "fifo.safetensors",
                                "directory.safetensors", "device.safetensors" };

  g_assert_cmpint (mkfifo (fifo, 0600) | mkdir (directory, 0700) | symlink ("/dev/zero", device), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = in_folder ("model.safetensors.index.json");
      g_autofree char *text = g_strdup_printf ("{\"metadata\":{},\"weight_map\":{\"a\":\"%s\"}}", names[i]);
      g_autoptr (GError) error = NULL;

      g_assert_true (lk_file_write (path, text, -1, &error));
      g_assert_null (lk_safetensors_open (path, &error));
      g_assert_nonnull (error);
    }
  g_assert_cmpint (unlink (fifo) | rmdir (directory) | unlink (device), ==, 0);
}

static void
test_safetensors_mutations (void)
{
  g_autoptr (GBytes) bytes = safetensors_bytes ("{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                                                "\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]}}",
                                                24);
  gsize n;
  const guint8 *good = g_bytes_get_data (bytes, &n);
  GRand *random = g_rand_new_with_seed (13);

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree guint8 *data = g_memdup2 (good, n);
      g_autoptr (GBytes) changed = NULL;
      g_autoptr (GError) error = NULL;
      LkSafetensors *file;

      for (gint k = g_rand_int_range (random, 1, 4); k > 0; k--)
        data[g_rand_int_range (random, 0, (gint32) n)] = (guint8) "0123456789[]{},:\"\\-.eE\0\xff"[g_rand_int_range (random, 0, 24)];
      changed = g_bytes_new (data, n);
      file = lk_safetensors_open_bytes (changed, "mutation", &error);
      g_assert_true ((file == NULL) == (error != NULL));
      if (file)
        lk_safetensors_unref (file);
    }
  g_rand_free (random);
}

static void
test_peft_round_trip (void)
{
  g_autofree char *path = in_folder ("adapter");
  char *targets[] = { (char *) "q_proj", NULL };
  LkPeftConfig config = { .r = 2, .alpha = 8, .dropout = 0.1, .targets = targets, .base_model = (char *) "base" };
  float a[2 * 3] = { 1, 2, 3, 4, 5, 6 }, b[4 * 2] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  LkPeftMatrices module = { "model.layers.0.self_attn.q_proj", 2, 3, 4, a, b };
  g_autoptr (GError) error = NULL;
  g_autoptr (LkPeft) peft = NULL;
  const LkPeftModule *read;

  g_assert_true (lk_peft_write (path, &config, &module, 1, &error));
  g_assert_true (lk_peft_write (path, &config, &module, 1, &error)); /* over an older one */
  peft = lk_peft_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lk_peft_get_n_modules (peft), ==, 1);
  read = lk_peft_get_module (peft, 0);
  g_assert_cmpstr (read->path, ==, module.path);
  g_assert_cmpfloat (read->scale, ==, 4);
  g_assert_cmpmem (read->a->data, read->a->size, a, sizeof a);
  g_assert_cmpmem (read->b->data, read->b->size, b, sizeof b);
}

/* What would change the numbers and is not done is refused by name. */
static void
test_peft_refusals (void)
{
  static const char *const members[] = { "\"peft_type\":\"IA3\"", "\"use_dora\":true", "\"bias\":\"all\"", "\"fan_in_fan_out\":true",
                                         "\"modules_to_save\":[\"lm_head\"]", "\"use_qalora\":true", "\"alora_invocation_tokens\":[5]", "\"r\":0", "\"r\":\"x\"", "\"lora_alpha\":[]",
                                         "\"rank_pattern\":{\"q.*\":4}", "\"rank_pattern\":{\"q_proj\":4}" };
  g_autofree char *path = in_folder ("adapter");
  g_autofree char *config = g_build_filename (path, "adapter_config.json", NULL);

  test_peft_round_trip ();
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      gboolean own_type = strstr (members[i], "peft_type") != NULL, own_r = g_str_has_prefix (members[i], "\"r\"");
      g_autofree char *text = g_strdup_printf ("{%s%s%s}", own_type ? "" : "\"peft_type\":\"LORA\",", own_r ? "" : "\"r\":2,", members[i]);
      g_autoptr (GError) error = NULL;

      g_assert_true (lk_file_write (config, text, -1, &error));
      g_assert_null (lk_peft_open (path, &error));
      g_assert_true (error && error->domain == LK_ERROR);
    }
}

/* The file of older versions of PEFT. */
static void
test_peft_pickle (void)
{
  g_autofree char *path = in_folder ("adapter");
  g_autofree char *tensors = g_build_filename (path, "adapter_model.safetensors", NULL);
  g_autofree char *pickle = g_build_filename (path, "adapter_model.bin", NULL);
  g_autoptr (GError) error = NULL;

  test_peft_round_trip ();
  g_assert_cmpint (rename (tensors, pickle), ==, 0);
  g_assert_null (lk_peft_open (path, &error));
  g_assert_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED);
  g_assert_true (strstr (error->message, "adapter_model.bin") && strstr (error->message, "pickle"));
  g_assert_cmpint (rename (pickle, tensors), ==, 0);
}

static void
test_golden_folders (void)
{
  static const char *const families[] = { "llama", "llama3", "smollm2", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3" };
  const char *shared = g_getenv ("LK_SHARED_DIR");

  if (!shared || !*shared)
    {
      g_test_skip ("the golden numbers are not here");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autofree char *path = g_build_filename (shared, "golden", "families", families[i], NULL);
      g_autofree char *adapter = g_build_filename (path, "adapter", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LkSafetensors) base = lk_safetensors_open (path, &error);
      g_autoptr (LkPeft) peft = base ? lk_peft_open (adapter, &error) : NULL;
      g_autoptr (JsonObject) config = lk_hf_config_load (path, NULL);

      g_assert_no_error (error);
      g_assert_nonnull (config);
      g_assert_cmpfloat (lk_peft_get_module (peft, 0)->scale, ==, 2);
    }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("lorikeet-files-XXXXXX", NULL);
  g_test_add_func ("/format/gguf/round-trip", test_gguf_round_trip);
  g_test_add_func ("/format/gguf/hostile", test_gguf_hostile);
  g_test_add_func ("/format/gguf/foreign-types", test_gguf_foreign_types);
  g_test_add_func ("/format/gguf/mutations", test_gguf_mutations);
  g_test_add_func ("/format/gguf/many-keys", test_gguf_many_keys);
  g_test_add_func ("/format/safetensors/cases", test_safetensors);
  g_test_add_func ("/format/safetensors/header-length", test_safetensors_header_length);
  g_test_add_func ("/format/safetensors/index", test_safetensors_index);
  g_test_add_func ("/format/safetensors/mutations", test_safetensors_mutations);
  g_test_add_func ("/format/peft/round-trip", test_peft_round_trip);
  g_test_add_func ("/format/peft/refusals", test_peft_refusals);
  g_test_add_func ("/format/peft/pickle", test_peft_pickle);
  g_test_add_func ("/format/golden", test_golden_folders);
  status = g_test_run ();
  lk_remove_recursively (folder, NULL);
  g_free (folder);
  return status;
}
