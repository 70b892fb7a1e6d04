/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A chat completion's request and answers, in OpenAI's JSON.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "lk-generator.h"

G_BEGIN_DECLS

typedef struct
{
  JsonObject *object; /* owner of what the others point to */
  const char *model;  /* NULL: none was named */
  JsonArray *messages;
  JsonNode *tools; /* may be NULL */
  gboolean stream;
  char **stops; /* may be NULL */
  LkSamplerConfig sampler;
  double strength; /* of the adapter: 1 as trained, 0 the base */
  guint max_tokens; /* 0: until the context is full */
} LkChatRequest;

/* Members that are missing get our defaults; max_completion_tokens is max_tokens' newer name; top_k, min_p
 * and repetition_penalty are understood too, and adapter_strength from 0 to 2. */
gboolean lk_chat_request_parse (LkChatRequest *self, const char *data, gsize size, GError **error);
void lk_chat_request_clear (LkChatRequest *self);

/* One event of a stream: @text may be NULL, @finish NULL until the last. @id and @model name the answer. */
char *lk_chat_chunk_to_json (const char *id, const char *model, const char *text,
                             const LkGenerated *finished);
/* The whole answer at once. */
char *lk_chat_answer_to_json (const char *id, const char *model, const LkGenerated *finished);
char *lk_chat_error_to_json (const char *message, guint status);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkChatRequest, lk_chat_request_clear)

G_END_DECLS
