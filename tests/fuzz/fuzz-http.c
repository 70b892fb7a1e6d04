/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a client sends to the server: a request's head and body, and the body as a chat completion.
 */
#include "lk-chat-request.h"
#include "lk-fuzz.h"
#include "lk-http.h"

static void
parse_body (GByteArray *body)
{
  g_auto (LkChatRequest) request = { 0 };
  GError *error = NULL;

  if (lk_chat_request_parse (&request, (const char *) body->data, body->len, &error))
    {
      g_autoptr (LkSampler) sampler = lk_sampler_new (&request.sampler, &error);

      if (!sampler)
        lk_fuzz_refused (error);
    }
  else
    lk_fuzz_refused (error);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GInputStream) in = g_memory_input_stream_new_from_data (data, (gssize) size, NULL);
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (in, out);
  g_auto (LkHttpRequest) request = { 0 };
  GError *error = NULL;
  guint status = 0;

  if (!lk_http_read (stream, &request, &status, NULL, &error))
    {
      lk_fuzz_refused (error);
      return 0;
    }
  g_assert_true (request.method && request.path && request.path[0] == '/');
  lk_fuzz_accepted (data, size);
  if (request.body->len > 0)
    parse_body (request.body);
  return 0;
}
