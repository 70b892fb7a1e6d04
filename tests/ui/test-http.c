/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-app-test.h"
#include "lk-error.h"
#include "lk-http-reader.h"

static void
data_cb (const char *data, gpointer user_data)
{
  g_string_append_printf (user_data, "[%s]", data);
}

/* Every way to cut the same answer in two must read the same. */
static void
test_http_reader (void)
{
  static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "a\r\ndata: one\n\r\n5\r\n\ndata\r\n8\r\n: two\r\n\n\r\n0\r\n\r\n";

  for (gsize cut = 0; cut < sizeof answer; cut++)
    {
      g_autoptr (GString) seen = g_string_new (NULL);
      g_autoptr (LkHttpReader) reader = lk_http_reader_new (data_cb, seen);
      g_autoptr (GError) error = NULL;

      g_assert_true (lk_http_reader_feed (reader, answer, cut, &error));
      g_assert_true (lk_http_reader_feed (reader, answer + cut,
                                          sizeof answer - 1 - MIN (cut, sizeof answer - 1), &error));
      g_assert_cmpstr (seen->str, ==, "[one][two]");
      g_assert_true (lk_http_reader_is_done (reader));
      g_assert_cmpuint (lk_http_reader_get_status (reader), ==, 200);
    }
}

static void
test_http_errors (void)
{
  static const char *const bad[]
      = { "SSH-2.0\r\n", "HTTP/1.1 abc\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" };
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (LkHttpReader) refused = lk_http_reader_new (data_cb, seen);
  const char *refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ndata";
  g_autoptr (GError) inner = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (LkHttpReader) reader = lk_http_reader_new (data_cb, seen);
      g_autoptr (GError) error = NULL;

      g_assert_false (lk_http_reader_feed (reader, bad[i], strlen (bad[i]), &error));
      g_assert_error (error, LK_ERROR, LK_ERROR_FAILED);
    }
  g_assert_true (lk_http_reader_feed (refused, refusal, strlen (refusal), &inner));
  g_assert_cmpuint (lk_http_reader_get_status (refused), ==, 404);
  g_assert_cmpstr (lk_http_reader_get_error_body (refused), ==, "data");
  g_assert_cmpstr (seen->str, ==, "");
}

void
lk_test_add_http (void)
{
  g_test_add_func ("/app/http/cuts", test_http_reader);
  g_test_add_func ("/app/http/errors", test_http_errors);
}
