/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-command.h"
#include "lk-json.h"
#include "lk-model.h"

static gboolean plain;

static gboolean as_json; /* it is JSON anyway; scripts that say so to every command may say it here */

static const GOptionEntry entries[] = {
  { "plain", 0, 0, G_OPTION_ARG_NONE, &plain, "Take the texts of control tokens for plain text", NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Nothing else: what comes out is lines of JSON anyway", NULL },
  { NULL },
};

static JsonObject *
answer (LkTokenizer *tokenizer, const char *text, GError **error)
{
  g_autoptr (GString) bytes = lk_cli_restore_nul (text);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) decoded = NULL;
  g_autofree char *shown = NULL;
  JsonArray *array;
  JsonObject *out;

  if (!lk_tokenizer_encode (tokenizer, bytes->str, (gssize) bytes->len, !plain, ids, error))
    return NULL;
  decoded = lk_tokenizer_decode_string (tokenizer, (const gint32 *) (void *) ids->data, ids->len, FALSE);
  shown = lk_cli_protect_nul (decoded);
  array = json_array_sized_new (ids->len);
  for (guint i = 0; i < ids->len; i++)
    json_array_add_int_element (array, g_array_index (ids, gint32, i));
  out = json_object_new ();
  json_object_set_array_member (out, "ids", array);
  json_object_set_string_member (out, "decoded", shown);
  return out;
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "MODEL < TEXTS",
    .description
    = "MODEL is a GGUF file (one that holds only a vocabulary too), a model folder, a tokenizer.json or\n"
      "a tokenizer.model. Reads lines {\"text\": …} from standard input, writes a line\n"
      "{\"ids\": […], \"decoded\": …} for each.\n"
      "No beginning or end token is added; the texts of control tokens become those tokens unless --plain.",
    .entries = entries,
    .min = 1,
    .max = 1,
  };
  g_autoptr (LkCliLines) lines = lk_cli_lines_new ();
  g_autoptr (LkModel) model = NULL;
  g_autoptr (GError) error = NULL;
  LkTokenizer *tokenizer;
  JsonObject *object;
  int status = LK_EXIT_OK;

  if (!lk_cli_parse (&lk_command_tokenize, &usage, &argc, &argv, &status))
    return status;
  model = lk_model_open_text (argv[1], &error);
  if (!model)
    return lk_cli_fail (error);
  tokenizer = lk_model_get_tokenizer (model);
  if (!tokenizer)
    {
      g_set_error (&error, LK_ERROR, LK_ERROR_UNSUPPORTED, "“%s” holds no tokenizer", argv[1]);
      return lk_cli_fail (error);
    }
  while ((object = lk_cli_lines_next (lines, &error)))
    {
      const char *text = NULL;
      JsonObject *out = NULL;

      if (lk_json_get_string (object, "text", lk_cli_lines_get_place (lines), &text, &error))
        {
          if (text)
            out = answer (tokenizer, text, &error);
          else
            g_set_error (&error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: there is no “text”",
                         lk_cli_lines_get_place (lines));
        }
      json_object_unref (object);
      if (!out)
        break;
      lk_cli_take_json (out);
    }
  return error ? lk_cli_fail (error) : LK_EXIT_OK;
}

const LkCommand lk_command_tokenize = { "tokenize", "Turn texts into token ids", run };
