/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-chat-server.h"
#include "lk-cli-model.h"
#include "lk-command.h"

#include <string.h>

static char *model_path, *socket_path, *device;
static char **adapters;
static int context;

static const GOptionEntry entries[] = {
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &model_path,
    "A GGUF file, a model folder or a run; default: the shipped model", "MODEL" },
  { "adapter", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &adapters,
    "An adapter folder and the name it answers to; may be given several times", "NAME=PATH" },
  { "socket", 's', 0, G_OPTION_ARG_FILENAME, &socket_path, "Where to listen", "PATH" },
  { "context", 0, 0, G_OPTION_ARG_INT, &context, "Tokens of a conversation; default 2048 or the model's",
    "N" },
  { "device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, vulkan or vulkan:N; default auto", "DEVICE" },
  LK_CLI_BASE_TYPE,
  LK_CLI_PRECISION,
  { NULL },
};

static gboolean
add_adapter (LkChatServer *server, LkCliModel *cli, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *name = equals ? g_strndup (text, (gsize) (equals - text)) : NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *base = NULL;
  g_autofree char *own = NULL;
  g_autoptr (LkAdapter) adapter = NULL;

  if (!equals || equals == text || !equals[1])
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "“--adapter %s” is not of the form NAME=PATH",
                   text);
      return FALSE;
    }
  if (lk_cli_is_run (equals + 1) && !lk_cli_run_parts (equals + 1, &base, &own, error))
    return FALSE;
  prefix = g_strconcat ("voice.", name, NULL);
  adapter = lk_adapter_load (cli->model, prefix, own ? own : equals + 1, FALSE, error);
  return adapter && lk_chat_server_add_adapter (server, name, adapter, error);
}

/* One more adapter, a folder or a run: all must have been trained on the same weights. */
static gboolean
agree_on_base_type (const char *path, const char **first, LkType *type, GError **error)
{
  g_autofree char *base = NULL;
  g_autofree char *own = NULL;
  LkType one;

  if ((lk_cli_is_run (path) && !lk_cli_run_parts (path, &base, &own, error))
      || !lk_cli_adapter_base_type (own ? own : path, &one, error))
    return FALSE;
  if (*first && one != *type)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_MISMATCH,
                   "“%s” and “%s” were trained on a base held as %s and as %s; --base-type chooses one", *first, path,
                   lk_base_type_name (*type), lk_base_type_name (one));
      return FALSE;
    }
  *type = one;
  *first = path;
  return TRUE;
}

static gboolean
find_base_type (LkType *type, GError **error)
{
  const char *first = NULL;

  if (lk_cli_base_type)
    return lk_base_type_parse (lk_cli_base_type, type, error);
  if (model_path && lk_cli_is_run (model_path) && !agree_on_base_type (model_path, &first, type, error))
    return FALSE;
  for (guint i = 0; adapters && adapters[i]; i++)
    {
      const char *equals = strchr (adapters[i], '=');

      if (equals && !agree_on_base_type (equals + 1, &first, type, error)) /* without one it is refused later */
        return FALSE;
    }
  return TRUE;
}

static gboolean
open_model (LkCliModel *cli, GError **error)
{
  LkType type = LK_TYPE_INVALID;

  return find_base_type (&type, error) && lk_cli_model_open_as (cli, model_path, NULL, device, type, error);
}

static gboolean
serve (LkCliModel *cli, GError **error)
{
  g_autoptr (LkChatServer) server = lk_chat_server_new (cli->model, cli->backend, (guint) context);

  if (cli->adapter && !lk_chat_server_add_adapter (server, "tuned", cli->adapter, error))
    return FALSE;
  for (guint i = 0; adapters && adapters[i]; i++)
    if (!add_adapter (server, cli, adapters[i], error))
      return FALSE;
  lk_cli_tell_template (cli->model);
  return lk_backend_prepare (cli->backend, lk_model_get_variables (cli->model), error)
         && lk_chat_server_run (server, socket_path, lk_cli_cancellable (), error);
}

static int
run (int argc, char **argv)
{
  static const LkCliUsage usage = {
    .arguments = "--socket PATH",
    .description
    = "Answers OpenAI chat completions over HTTP/1.1 on a Unix socket, for this user only: POST\n"
      "/v1/chat/completions (with \"stream\": true as server-sent events) and GET /v1/models. The request's\n"
      "“model” is “base” or an adapter's name; of a run, its adapter is “tuned”. Ctrl-C ends it.",
    .entries = entries,
    .max = 0,
  };
  g_auto (LkCliModel) cli = { 0 };
  g_autoptr (GError) error = NULL;
  int status;

  if (!lk_cli_parse (&lk_command_serve, &usage, &argc, &argv, &status))
    return status;
  if (!socket_path)
    return lk_cli_fail_usage ("--socket is needed: where to listen");
  lk_cli_cancellable ();
  if (!lk_cli_check_count ("--context", context, 0, &error) || !open_model (&cli, &error) || !serve (&cli, &error))
    return lk_cli_fail (error);
  return LK_EXIT_OK;
}

const LkCommand lk_command_serve = { "serve", "Answer chats on a socket", run };
