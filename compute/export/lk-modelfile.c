/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-modelfile.h"

#include <string.h>

#include "lk-error.h"

/* Texts that a template has no reason to change, and that no template holds. */
#define MARK(role, n) "QX" role #n "XQ"

/* What stands around the messages. */
typedef struct
{
  char *first;        /* before the first user's message, where there is no system message */
  char *before_system; /* NULL: the template takes no system message */
  char *after_system; /* and before the user's that follows */
  char *after_user;   /* and before the answer that is known */
  char *after_answer; /* and before the user's next */
  char *last;         /* after the last user's: where the model begins to write */
  char *preset;       /* the system message that the template makes itself where none is given; NULL: none */
} Frame;

typedef struct
{
  const char *role, *content;
} Message;

static void
frame_clear (Frame *self)
{
  g_free (self->first);
  g_free (self->before_system);
  g_free (self->after_system);
  g_free (self->after_user);
  g_free (self->after_answer);
  g_free (self->last);
  g_free (self->preset);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Frame, frame_clear)

static const char *
token_text (LkTokenizer *tokenizer, gint32 id)
{
  const char *text = id >= 0 ? lk_tokenizer_get_token (tokenizer, id) : NULL;

  return text ? text : "";
}

/* As the model's own template has it, without the beginning token where whoever runs the model puts it there. */
static char *
render (LkModel *model, const Message *messages, guint n, gint64 now, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (JsonArray) array = json_array_new ();
  const char *bos = token_text (tokenizer, lk_tokenizer_get_bos (tokenizer));
  LkTemplateInput input = { .messages = array, .add_generation_prompt = g_str_equal (messages[n - 1].role, "user"), .bos_token = bos,
                            .eos_token = token_text (tokenizer, lk_tokenizer_get_eos (tokenizer)), .now = now };
  g_autofree char *text = NULL;

  for (guint i = 0; i < n; i++)
    {
      JsonObject *message = json_object_new ();

      json_object_set_string_member (message, "role", messages[i].role);
      json_object_set_string_member (message, "content", messages[i].content);
      json_array_add_object_element (array, message);
    }
  text = lk_template_render (lk_model_get_template (model), &input, NULL, error);
  if (text && bos[0] != 0 && lk_tokenizer_get_add_bos (tokenizer) && g_str_has_prefix (text, bos))
    return g_strdup (text + strlen (bos));
  return g_steal_pointer (&text);
}

/* Cuts @text at the contents of @messages, each of which must be there once and in order: n + 1 parts. (transfer full) NULL: not so. */
static char **
cut (const char *text, const Message *messages, guint n)
{
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();

  for (guint i = 0; i < n; i++)
    {
      const char *place = strstr (text, messages[i].content);
      g_autofree char *part = place ? g_strndup (text, (gsize) (place - text)) : NULL;

      if (!part)
        return NULL;
      g_strv_builder_add (parts, part);
      text = place + strlen (messages[i].content);
    }
  g_strv_builder_add (parts, text);
  return g_strv_builder_end (parts);
}

static char **
render_and_cut (LkModel *model, const Message *messages, guint n, gint64 now)
{
  g_autofree char *text = render (model, messages, n, now, NULL);

  return text ? cut (text, messages, n) : NULL;
}

static const Message probe[] = { { "system", MARK ("system", 1) }, { "user", MARK ("user", 1) }, { "assistant", MARK ("answer", 1) },
                                 { "user", MARK ("user", 2) } };

/* What is between @before and @after in @text; NULL when it does not begin and end like that or nothing is between. */
static char *
between (const char *text, const char *before, const char *after)
{
  gsize all = strlen (text), a = strlen (before), b = strlen (after);

  return all > a + b && g_str_has_prefix (text, before) && g_str_has_suffix (text, after) ? g_strndup (text + a, all - a - b) : NULL;
}

static gboolean
find_frame (LkModel *model, gint64 now, Frame *out)
{
  g_auto (GStrv) user = render_and_cut (model, probe + 1, 1, now);
  g_auto (GStrv) both = render_and_cut (model, probe + 1, 3, now);
  g_auto (GStrv) system = render_and_cut (model, probe, 2, now);

  if (!user || !both)
    return FALSE;
  out->first = g_strdup (user[0]);
  out->last = g_strdup (user[1]);
  out->after_user = g_strdup (both[1]);
  out->after_answer = g_strdup (both[2]);
  if (!system)
    return TRUE;
  out->before_system = g_strdup (system[0]);
  out->after_system = g_strdup (system[1]);
  out->preset = between (out->first, out->before_system, out->after_system);
  return TRUE;
}

/* What our TEMPLATE makes of @messages, as Ollama reads it. */
static char *
apply (const Frame *frame, const Message *messages, guint n)
{
  GString *text = g_string_new (NULL);
  const char *before = "";

  for (guint i = 0; i < n; i++)
    {
      const char *role = messages[i].role;

      if (g_str_equal (role, "system"))
        g_string_append (text, frame->before_system);
      else if (g_str_equal (role, "assistant"))
        g_string_append (text, frame->after_user);
      else
        g_string_append (text, g_str_equal (before, "system") ? frame->after_system
                               : before[0] != 0               ? frame->after_answer
                                                              : frame->first);
      g_string_append (text, messages[i].content);
      before = role;
    }
  return g_string_free (g_string_append (text, frame->last), FALSE);
}

/* Conversations that the frame was not made of. */
static gboolean
holds (LkModel *model, const Frame *frame, gint64 now)
{
  static const Message talk[] = { { "system", "Answer in verse." },   { "user", "Who are you?" }, { "assistant", "A parrot, as you see." },
                                  { "user", "And what do you eat?" }, { "assistant", "Seeds." },  { "user", "Really?\nNothing else?" } };
  guint begin = frame->before_system ? 0 : 1;

  for (guint from = begin; from < 2; from++)
    for (guint n = 2; n <= G_N_ELEMENTS (talk); n += 2)
      {
        g_autofree char *ours = apply (frame, talk + from, n - from);
        g_autofree char *theirs = render (model, talk + from, n - from, now, NULL);

        if (g_strcmp0 (ours, theirs) != 0)
          return FALSE;
      }
  return TRUE;
}

static gboolean
same_frame (const Frame *a, const Frame *b)
{
  return g_strcmp0 (a->first, b->first) == 0 && g_strcmp0 (a->before_system, b->before_system) == 0
         && g_strcmp0 (a->after_system, b->after_system) == 0 && g_strcmp0 (a->last, b->last) == 0;
}

/* Text in a template of Go's, where two braces begin something else. */
static void
add_literal (GString *out, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "{{", -1);

  for (guint i = 0; parts[i]; i++)
    g_string_append_printf (out, "%s%s", i ? "{{ \"{{\" }}" : "", parts[i]);
}

static void
add_template (GString *out, const Frame *frame)
{
  g_string_append (out, "TEMPLATE \"\"\"{{ $before := \"\" }}{{ range .Messages }}");
  if (frame->before_system)
    {
      g_string_append (out, "{{ if eq .Role \"system\" }}");
      add_literal (out, frame->before_system);
      g_string_append (out, "{{ .Content }}{{ else if eq .Role \"assistant\" }}");
    }
  else
    g_string_append (out, "{{ if eq .Role \"assistant\" }}");
  add_literal (out, frame->after_user);
  g_string_append (out, "{{ .Content }}{{ else if eq .Role \"user\" }}");
  if (frame->before_system)
    {
      g_string_append (out, "{{ if eq $before \"system\" }}");
      add_literal (out, frame->after_system);
      g_string_append (out, "{{ else if eq $before \"assistant\" }}");
    }
  else
    g_string_append (out, "{{ if eq $before \"assistant\" }}");
  add_literal (out, frame->after_answer);
  g_string_append (out, "{{ else }}");
  add_literal (out, frame->first);
  g_string_append (out, "{{ end }}{{ .Content }}{{ end }}{{ $before = .Role }}{{ end }}");
  add_literal (out, frame->last);
  g_string_append (out, "\"\"\"\n");
  if (frame->preset)
    g_string_append_printf (out, "SYSTEM \"\"\"%s\"\"\"\n", frame->preset);
}

static void
add_stops (GString *out, LkTokenizer *tokenizer)
{
  for (guint id = 0; id < lk_tokenizer_get_n_tokens (tokenizer); id++)
    {
      const char *text = token_text (tokenizer, (gint32) id);

      if (text[0] != 0 && lk_tokenizer_is_end (tokenizer, (gint32) id) && !strpbrk (text, "\"\n"))
        g_string_append_printf (out, "PARAMETER stop \"%s\"\n", text);
    }
}

static guint
count_quotes (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "\"\"\"", -1);

  return g_strv_length (parts) - 1;
}

/* Why the template cannot be said in Ollama's words; NULL: it can. */
static const char *
find_trouble (LkModel *model, Frame *frame)
{
  const gint64 now = 1700000000;
  g_auto (Frame) later = { 0 };
  g_autoptr (GString) text = g_string_new (NULL);

  if (!lk_model_get_tokenizer (model) || !lk_model_get_template (model))
    return "The model has no chat template, so the Modelfile has none.";
  if (!find_frame (model, now, frame) || !holds (model, frame, now))
    return "The chat template does more than to put words around messages, which a Modelfile cannot say: Ollama looks for one of its own.";
  if (!find_frame (model, now + 40 * 86400, &later) || !same_frame (frame, &later))
    return "The chat template writes the date, which a Modelfile cannot say: Ollama looks for a template of its own.";
  add_template (text, frame);
  if (count_quotes (text->str) != (frame->preset ? 4 : 2) || g_str_has_suffix (frame->last, "\"")
      || (frame->preset && (g_str_has_prefix (frame->preset, "\"") || g_str_has_suffix (frame->preset, "\""))))
    return "The chat template holds three quotation marks, which a Modelfile cannot say: Ollama looks for a template of its own.";
  return NULL;
}

char *
lk_modelfile_make (LkModel *model, const char *file, char **note)
{
  g_auto (Frame) frame = { 0 };
  const char *trouble = find_trouble (model, &frame);
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "FROM ./%s\n", file);
  if (!trouble)
    add_template (out, &frame);
  if (lk_model_get_tokenizer (model))
    add_stops (out, lk_model_get_tokenizer (model));
  *note = g_strdup (trouble);
  return g_string_free (out, FALSE);
}

char *
lk_modelfile_path (const char *path)
{
  gsize length = strlen (path) - (g_str_has_suffix (path, ".gguf") ? strlen (".gguf") : 0);

  return g_strdup_printf ("%.*s.Modelfile", (int) length, path);
}
