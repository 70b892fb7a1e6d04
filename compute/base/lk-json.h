/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * JSON from outside: nesting depth and size are checked before json-glib sees the bytes (releases before 1.10
 * overflow the stack), UTF-8 is checked, a byte-order mark is skipped. And typed look-ups with errors that name
 * file and field.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LK_JSON_MAX_DEPTH 128

/* Parses @data. @source names the file in errors; they give line and column. NULL: the caller says where the text stands, and errors give
 * the place in it (“in column 5, …”). (transfer full) */
JsonNode *lk_json_parse (const char *data, gsize size, const char *source, GError **error);
/* Reads a file of at most @limit bytes and parses it; the top must be an object. (transfer full) */
JsonObject *lk_json_load_object (const char *path, guint64 limit, GError **error);

/* Typed members. Missing → *out keeps its value and TRUE; there but of another type → FALSE and an error naming
 * @source and the member. null counts as missing. */
gboolean lk_json_get_int (JsonObject *object, const char *member, const char *source, gint64 *out, GError **error);
gboolean lk_json_get_double (JsonObject *object, const char *member, const char *source, double *out, GError **error);
gboolean lk_json_get_boolean (JsonObject *object, const char *member, const char *source, gboolean *out, GError **error);
/* *out borrows from @object. */
gboolean lk_json_get_string (JsonObject *object, const char *member, const char *source, const char **out, GError **error);
gboolean lk_json_get_object (JsonObject *object, const char *member, const char *source, JsonObject **out, GError **error);
gboolean lk_json_get_array (JsonObject *object, const char *member, const char *source, JsonArray **out, GError **error);

/* The member, or @fallback where it is missing or of another type. */
gint64 lk_json_peek_int (JsonObject *object, const char *member, gint64 fallback);
double lk_json_peek_double (JsonObject *object, const char *member, double fallback);
gboolean lk_json_peek_boolean (JsonObject *object, const char *member, gboolean fallback);
const char *lk_json_peek_string (JsonObject *object, const char *member, const char *fallback);

/* One line (or indented) of JSON text for @node: a line by Unicode's rules as well, as every control character and separator in a string is
 * escaped. Doubles are written shortest-exact. (transfer full) */
char *lk_json_to_string (JsonNode *node, gboolean pretty);

G_END_DECLS
