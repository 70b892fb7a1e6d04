/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files that broke other programs, by the numbers of the reliability reference (sections 1.1 and 1.2) as CONTRIBUTING.md lists them; cases that
 * stand elsewhere are not repeated here. Files are put together byte by byte, so that every number in them can be wrong.
 */
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lk-error.h"
#include "lk-gguf.h"
#include "lk-safetensors.h"
#include "lk-type.h"

static GByteArray *
u32 (GByteArray *to, guint64 value)
{
  guint32 v = (guint32) value;
  return g_byte_array_append (to, (const guint8 *) &v, sizeof v);
}

static GByteArray *
u64 (GByteArray *to, guint64 value)
{
  return g_byte_array_append (to, (const guint8 *) &value, sizeof value);
}

/* A string whose length is said to be @length. */
static GByteArray *
string_as (GByteArray *to, const char *text, guint64 length)
{
  return g_byte_array_append (u64 (to, length), (const guint8 *) text, (guint) strlen (text));
}

static GByteArray *
string (GByteArray *to, const char *text)
{
  return string_as (to, text, strlen (text));
}

static GByteArray *
begin (guint64 tensors, guint64 keys)
{
  GByteArray *file = g_byte_array_new ();

  return u64 (u64 (u32 (u32 (file, 0x46554747), 3), tensors), keys);
}

/* Opens @file and frees it. @refused: TRUE, FALSE, or −1 where either will do. */
static void
check (GByteArray *file, int refused, const char *what)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (file);
  g_autoptr (GError) error = NULL;
  g_autoptr (LkGguf) gguf = lk_gguf_open_bytes (bytes, "bad.gguf", &error);

  if (refused >= 0 && (gguf == NULL) != refused)
    g_error ("%s: %s", what, error ? error->message : "accepted");
  g_assert_true ((gguf == NULL) == (error != NULL));
  g_assert_true (!error || (error->domain == LK_ERROR && strstr (error->message, "bad.gguf") && g_utf8_validate (error->message, -1, NULL)));
}

static const guint64 huge[] = { 1u << 31, 1ull << 32, (1ull << 32) - 1, 1ull << 62, 1ull << 63, (1ull << 63) - 1, G_MAXUINT64, G_MAXUINT64 - 7,
                                G_MAXUINT64 - 31, 0x1D1D1D1D1D1D1D1Dull };

static long
peak_kib (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* G1: counts of the header, refused before anything is allocated for them. */
static void
test_counts (void)
{
  long before = peak_kib ();

  check (begin (0, 0), FALSE, "an empty file");
  check (begin (1, 0), TRUE, "a tensor that is not there");
  check (begin (0, 1), TRUE, "a key that is not there");
  for (guint i = 0; i < G_N_ELEMENTS (huge); i++)
    {
      check (begin (huge[i], 0), TRUE, "tensors");
      check (begin (0, huge[i]), TRUE, "keys");
      check (begin (huge[i], huge[i]), TRUE, "both");
    }
  g_assert_cmpint (peak_kib () - before, <, 1024);
}

/* G2, G13: lengths of strings in every place there is one. What follows the length are four bytes. */
static void
test_lengths (void)
{
  guint64 lengths[G_N_ELEMENTS (huge) + 3] = { 5, 6, 1u << 20 };
  long before = peak_kib ();

  memcpy (lengths + 3, huge, sizeof huge);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      check (string_as (begin (0, 1), "abcd", lengths[i]), TRUE, "a key");
      check (string_as (u32 (string (begin (0, 1), "k"), 8), "abcd", lengths[i]), TRUE, "a value");
      check (string_as (u64 (u32 (u32 (string (begin (0, 1), "k"), 9), 8), 1), "abcd", lengths[i]), TRUE, "an item");
      check (string_as (begin (1, 0), "abcd", lengths[i]), TRUE, "a tensor's name");
    }
  check (string (u32 (string (begin (0, 1), "k"), 8), "abcd"), FALSE, "as many bytes as there are");
  check (string (u32 (string (begin (0, 1), "k"), 8), ""), FALSE, "an empty value");
  g_assert_cmpint (peak_kib () - before, <, 1024);
}

static GByteArray *
array (guint element, guint64 count, guint bytes)
{
  GByteArray *file = u64 (u32 (u32 (string (begin (0, 1), "k"), 9), element), count);

  for (guint i = 0; i < bytes; i++)
    g_byte_array_append (file, (const guint8 *) "\1", 1);
  return file;
}

/* G3: arrays. */
static void
test_arrays (void)
{
  static const guint sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

  for (guint type = 0; type < G_N_ELEMENTS (sizes); type++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (huge); i++)
        check (array (type, huge[i], 64), TRUE, "an array that is longer than the file");
      if (sizes[type] == 0)
        continue;
      check (array (type, 64 / sizes[type], 64), FALSE, "an array to the end of the file");
      check (array (type, 64 / sizes[type] + 1, 64), TRUE, "one item more");
      check (array (type, G_MAXUINT64 / sizes[type] + 2, 64), sizes[type] > 1 ? TRUE : -1, "a size that wraps");
    }
  for (guint type = 13; type < 300; type += 41)
    check (array (type, 1, 64), TRUE, "a type of items there is not");
  check (u64 (u32 (u32 (u64 (u32 (u32 (string (begin (0, 1), "k"), 9), 9), 1), 9), 9), 1), TRUE, "arrays in arrays");
  check (u32 (string (begin (0, 1), "k"), 13), TRUE, "a type there is not");
  check (u32 (string (begin (0, 1), "k"), G_MAXUINT32), TRUE, "the greatest type there is not");
}

/* One tensor, its data as long as @bytes. */
static GByteArray *
tensor (guint n_dims, const guint64 *dims, guint type, guint64 offset, guint bytes)
{
  GByteArray *file = u32 (string (begin (1, 0), "t"), n_dims);

  for (guint i = 0; i < MIN (n_dims, 8); i++)
    u64 (file, dims[i]);
  u64 (u32 (file, type), offset);
  g_byte_array_set_size (file, (file->len + 31) / 32 * 32 + bytes);
  return file;
}

/* G4, G6, G7, G8, G10: shapes and places of tensors, for every type. */
static void
test_tensors (void)
{
  static const guint64 ones[] = { 32, 1, 1, 1, 1, 1, 1, 1 };

  check (tensor (1, ones, 0, 0, 128), FALSE, "one dimension");
  check (tensor (4, ones, 0, 0, 128), FALSE, "four");
  for (guint n = 5; n < 9; n++)
    check (tensor (n, ones, 0, 0, 128), TRUE, "more");
  for (guint type = 0; type < 45; type++)
    for (guint zero = 0; zero < 4; zero++)
      {
        guint64 dims[4] = { 256, 4, 4, 4 };

        dims[zero] = 0;
        check (tensor (4, dims, type, 0, 4096), TRUE, "a dimension of nothing");
        for (guint i = 0; i < G_N_ELEMENTS (huge); i++)
          {
            dims[zero] = huge[i] & ~255ull;
            check (tensor (4, dims, type, 0, 4096), TRUE, "a product that is larger than the file, or wraps");
          }
        /* 2^32·256 × 2^24 × 1: wraps to 0 */
        dims[0] = 1ull << 40, dims[1] = 1ull << 24, dims[2] = dims[3] = 1;
        check (tensor (4, dims, type, 0, 4096), TRUE, "a product of 2^64");
      }
  for (guint i = 0; i < 64; i++)
    check (tensor (1, ones, 0, G_MAXUINT64 - i, 128), TRUE, "an offset at the end of all numbers");
  check (tensor (1, ones, 0, 32, 128), TRUE, "a tensor that ends behind the file");
  check (tensor (1, ones, 0, 0, 127), TRUE, "a byte too few");
}

static GByteArray *
alignment (guint type, guint64 value, guint bytes)
{
  GByteArray *file = u32 (string (begin (0, 1), "general.alignment"), type);

  g_byte_array_append (file, (const guint8 *) &value, bytes);
  return file;
}

/* G8, G9: the alignment of every type; keys without a name; bytes that are no text. */
static void
test_keys (void)
{
  static const guint bytes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8 };
  static const guint64 wrong[] = { 0, 3, 7, 31, 1ull << 31, (1ull << 31) + 1 };
  static const char *const odd[] = { "\xff\xfe", "a\xc0\xaf", "\xed\xa0\x80" };

  for (guint type = 0; type < G_N_ELEMENTS (bytes); type++)
    if (type != 9)
      check (alignment (type, type == 8 ? 0 : 32, bytes[type]), type == 8 || type == 6 || type == 7 || type == 12 ? TRUE : -1, "an alignment");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    check (alignment (4, wrong[i], 4), TRUE, "an alignment that is none");
  check (alignment (4, 32, 4), FALSE, "the usual alignment");
  check (u32 (u32 (string (begin (0, 1), ""), 4), 1), TRUE, "a key without a name");
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      check (u32 (u32 (string (begin (0, 1), odd[i]), 4), 1), TRUE, "a key that is not UTF-8");
      check (u32 (string (begin (1, 0), odd[i]), 1), TRUE, "a tensor whose name is not UTF-8");
    }
  check (u32 (u32 (string (u32 (u32 (string (begin (0, 2), "k"), 4), 1), "k"), 4), 1), TRUE, "a key twice");
}

/* G9: what a file says is not obeyed by a terminal: messages hold no escapes. */
static void
test_escapes (void)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (u32 (string (begin (0, 1), "k\033[2J\033]0;x\a\r\n"), 99));
  g_autoptr (GError) error = NULL;

  g_assert_null (lk_gguf_open_bytes (bytes, "bad.gguf", &error));
  for (const char *p = error->message; *p; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

/* G12: a million tensors, then a million of one name: read or refused, in little time. */
static void
test_many_tensors (void)
{
  for (guint same = 0; same < 2; same++)
    {
      GByteArray *file = begin (1000000, 0);
      clock_t since;

      for (guint i = 0; i < 1000000; i++)
        {
          char name[16];

          g_snprintf (name, sizeof name, "t%u", same ? 0 : i);
          u64 (u32 (u64 (u32 (string (file, name), 1), 1), 0), same ? 0 : (guint64) i * 32);
        }
      since = clock ();
      check (file, same ? TRUE : -1, "a million tensors");
      g_assert_cmpfloat ((double) (clock () - since) / CLOCKS_PER_SEC, <, 20); /* 2; sanitizers are slower */
    }
}

/* Sections 1.2: headers of safetensors. */
static void
test_safetensors (void)
{
  static const struct
  {
    const char *header;
    gsize data;
  } cases[] = {
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]}}", 16 },
    { "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1 },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[[[[1]]]],\"data_offsets\":[0,4]}}", 4 },
    { "{\"__metadata__\":{},\"__metadata__\":{},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4 },
    { "{\"__metadata__\":[],\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4 },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1e400],\"data_offsets\":[0,4]}}", 4 },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551615]}}", 4 },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,4]}}", 4 },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,8]}}", 8 },
  };
  g_autoptr (GString) overlapping = g_string_new ("{");
  g_autofree char *deep = g_strnfill (100000, '[');

  for (guint i = 0; i < 10; i++)
    g_string_append_printf (overlapping, "%s\"t%u\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}", i ? "," : "", i);
  g_string_append (overlapping, "}");
  for (guint i = 0; i < G_N_ELEMENTS (cases) + 2; i++)
    {
      const char *header = i < G_N_ELEMENTS (cases) ? cases[i].header : i == G_N_ELEMENTS (cases) ? overlapping->str : deep;
      GByteArray *file = string (g_byte_array_new (), header);
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;

      g_byte_array_set_size (file, file->len + (guint) (i < G_N_ELEMENTS (cases) ? cases[i].data : 16));
      bytes = g_byte_array_free_to_bytes (file);
      if (lk_safetensors_open_bytes (bytes, "bad.safetensors", &error))
        g_error ("accepted: %.200s", header);
      g_assert_true (error->domain == LK_ERROR && strstr (error->message, "bad.safetensors"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bad/gguf/counts", test_counts);
  g_test_add_func ("/bad/gguf/lengths", test_lengths);
  g_test_add_func ("/bad/gguf/arrays", test_arrays);
  g_test_add_func ("/bad/gguf/tensors", test_tensors);
  g_test_add_func ("/bad/gguf/keys", test_keys);
  g_test_add_func ("/bad/gguf/escapes", test_escapes);
  g_test_add_func ("/bad/gguf/many-tensors", test_many_tensors);
  g_test_add_func ("/bad/safetensors", test_safetensors);
  return g_test_run ();
}
