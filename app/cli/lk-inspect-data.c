/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-inspect-data.h"

#include "lk-command.h"
#include "lk-json.h"
#include "lk-train-data.h"

#define MEASURED 5000
#define SHOWN_PROBLEMS 100

/* A row as the model will see it. */
typedef struct
{
  char *text;
  GArray *spans; /* LkSpan, bytes */
  gint64 length; /* tokens, or characters without a model; -1: it cannot be encoded */
} RowView;

static void
row_view_clear (RowView *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->spans, g_array_unref);
}

static const char *
token_text (LkTokenizer *tokenizer, gint32 id)
{
  const char *text = id >= 0 ? lk_tokenizer_get_token (tokenizer, id) : NULL;

  return text ? text : "";
}

/* As training counts them; −1 when the row cannot be learned from. */
static gint64
count_tokens (LkModel *model, const LkRow *row)
{
  g_autoptr (LkExample) example = lk_example_from_row (model, row, 0, NULL);

  return example ? (gint64) example->n : -1;
}

/* Messages without a template: "role: content" by line, answers are what is learned. */
static char *
write_messages (JsonArray *messages, GArray *spans)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (messages); i++)
    {
      JsonObject *message = json_array_get_object_element (messages, i);
      const char *role = lk_json_peek_string (message, "role", "");
      JsonNode *content = json_object_get_member (message, "content");
      gboolean plain
          = content && JSON_NODE_HOLDS_VALUE (content) && json_node_get_value_type (content) == G_TYPE_STRING;
      LkSpan span;

      g_string_append_printf (text, "%s%s: ", i ? "\n" : "", role);
      span.begin = text->len;
      g_string_append (text, plain ? json_node_get_string (content) : "");
      span.end = text->len;
      if (g_str_equal (role, "assistant"))
        g_array_append_val (spans, span);
    }
  return g_string_free (text, FALSE);
}

static gboolean
view_messages (RowView *self, const LkRow *row, LkModel *model, GError **error)
{
  LkTokenizer *tokenizer = model ? lk_model_get_tokenizer (model) : NULL;
  LkTemplate *chat_template = model ? lk_model_get_template (model) : NULL;
  LkTemplateInput input
      = { .messages = row->messages, .tools = row->tools, .bos_token = "", .eos_token = "" };

  if (!chat_template)
    self->text = write_messages (row->messages, self->spans);
  else
    {
      if (tokenizer)
        {
          input.bos_token = token_text (tokenizer, lk_tokenizer_get_bos (tokenizer));
          input.eos_token = token_text (tokenizer, lk_tokenizer_get_eos (tokenizer));
        }
      self->text = lk_template_render (chat_template, &input, self->spans, error);
    }
  if (!self->text)
    return FALSE;
  self->length = tokenizer && chat_template ? count_tokens (model, row) : g_utf8_strlen (self->text, -1);
  return TRUE;
}

static gboolean
view_plain (RowView *self, const LkRow *row, LkModel *model)
{
  LkTokenizer *tokenizer = model ? lk_model_get_tokenizer (model) : NULL;
  const char *prompt = row->kind == LK_ROW_COMPLETION ? row->prompt : "";
  const char *end = tokenizer ? token_text (tokenizer, lk_tokenizer_get_eos (tokenizer)) : "";
  LkSpan span = { strlen (prompt), 0 };

  self->text = g_strconcat (prompt, row->text, end, NULL);
  span.end = strlen (self->text);
  g_array_append_val (self->spans, span);
  self->length = tokenizer ? count_tokens (model, row) : g_utf8_strlen (self->text, -1);
  return TRUE;
}

static gboolean
row_view_init (RowView *self, const LkRow *row, LkModel *model, GError **error)
{
  *self = (RowView){ .spans = g_array_new (FALSE, FALSE, sizeof (LkSpan)), .length = -1 };
  return lk_row_is_conversation (row, model && lk_model_get_template (model)) ? view_messages (self, row, model, error)
                                                                               : view_plain (self, row, model);
}

static JsonObject *
view_to_json (const RowView *self, const LkRow *row, gboolean tokens)
{
  JsonObject *object = json_object_new ();
  JsonArray *spans = json_array_new ();

  json_object_set_string_member (object, "text", self->text);
  for (guint i = 0; i < self->spans->len; i++)
    {
      const LkSpan *span = &g_array_index (self->spans, LkSpan, i);
      JsonArray *pair = json_array_new ();

      json_array_add_int_element (pair, g_utf8_pointer_to_offset (self->text, self->text + span->begin));
      json_array_add_int_element (pair, g_utf8_pointer_to_offset (self->text, self->text + span->end));
      json_array_add_array_element (spans, pair);
    }
  json_object_set_array_member (object, "spans", spans);
  json_object_set_int_member (object, "line", (gint64) row->line);
  if (tokens)
    json_object_set_int_member (object, "tokens", self->length);
  return object;
}

static int
compare_lengths (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static JsonObject *
lengths_to_json (GArray *lengths, const char *unit)
{
  JsonObject *object = json_object_new ();
  const gint64 *v = (const gint64 *) (void *) lengths->data;
  gint64 total = 0;

  json_object_set_string_member (object, "unit", unit);
  json_object_set_int_member (object, "counted", lengths->len);
  if (lengths->len == 0)
    return object;
  g_array_sort (lengths, compare_lengths);
  for (guint i = 0; i < lengths->len; i++)
    total += v[i];
  json_object_set_int_member (object, "shortest", v[0]);
  json_object_set_int_member (object, "median", v[lengths->len / 2]);
  json_object_set_double_member (object, "mean", (double) total / lengths->len);
  json_object_set_int_member (object, "p95", v[(guint) ((double) (lengths->len - 1) * 0.95)]);
  json_object_set_int_member (object, "longest", v[lengths->len - 1]);
  json_object_set_int_member (object, "total", total);
  return object;
}

static void
add_problem (JsonArray *problems, const char *file, guint64 line, const char *reason)
{
  JsonObject *problem;

  if (json_array_get_length (problems) >= SHOWN_PROBLEMS)
    return;
  problem = json_object_new ();
  json_object_set_string_member (problem, "file", file);
  json_object_set_int_member (problem, "line", (gint64) line);
  json_object_set_string_member (problem, "reason", reason);
  json_array_add_object_element (problems, problem);
}

/* Walks the rows: the first ones are shown, up to MEASURED of them measured; a row the template refuses is a
 * problem. */
static guint
walk_rows (LkDataset *data, LkModel *model, guint n_preview, JsonArray *preview, GArray *lengths,
           JsonArray *problems)
{
  guint n = lk_dataset_get_n_rows (data);
  guint step = MAX (1, (n + MEASURED - 1) / MEASURED);
  guint refused = 0;

  for (guint i = 0; i < n; i++)
    {
      const LkRow *row = lk_dataset_get_row (data, i);
      g_autoptr (GError) error = NULL;
      RowView view;

      if (i % step != 0 && json_array_get_length (preview) >= n_preview)
        continue;
      if (!row_view_init (&view, row, model, &error))
        {
          refused++;
          add_problem (problems, lk_dataset_get_path (data, row->file), row->line, error->message);
        }
      else
        {
          if (json_array_get_length (preview) < n_preview)
            json_array_add_object_element (
                preview, view_to_json (&view, row, model && lk_model_get_tokenizer (model)));
          if (i % step == 0 && view.length >= 0)
            g_array_append_val (lengths, view.length);
        }
      row_view_clear (&view);
    }
  return refused;
}

static char *
forms_of (LkDataset *data, guint n_files)
{
  g_autoptr (GPtrArray) forms = g_ptr_array_new ();

  for (guint i = 0; i < n_files; i++)
    {
      const char *form = lk_dataset_get_form (data, i);

      if (form && !g_ptr_array_find_with_equal_func (forms, form, g_str_equal, NULL))
        g_ptr_array_add (forms, (gpointer) form);
    }
  g_ptr_array_add (forms, NULL);
  return g_strjoinv (", ", (char **) forms->pdata);
}

JsonObject *
lk_inspect_data (const char *const *paths, guint n_paths, const char *model_path, guint n_preview,
                 GError **error)
{
  g_autoptr (LkModel) model = model_path ? lk_model_open_text (model_path, error) : NULL;
  g_autoptr (LkDataset) data = model || !model_path ? lk_dataset_load (paths, n_paths, error) : NULL;
  g_autoptr (GArray) lengths = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *forms = NULL;
  JsonArray *problems, *preview;
  JsonObject *out;
  guint refused;

  if (!data)
    return NULL;
  problems = json_array_new ();
  preview = json_array_new ();
  for (guint i = 0; i < lk_dataset_get_n_problems (data); i++)
    {
      const LkRowProblem *problem = lk_dataset_get_problem (data, i);

      add_problem (problems, lk_dataset_get_path (data, problem->file), problem->line, problem->reason);
    }
  refused = walk_rows (data, model, n_preview, preview, lengths, problems);
  forms = forms_of (data, n_paths);
  out = json_object_new ();
  json_object_set_string_member (out, "kind", "dataset");
  json_object_set_string_member (out, "format", forms);
  json_object_set_int_member (out, "rows", lk_dataset_get_n_rows (data));
  json_object_set_int_member (out, "problem_count", (gint64) lk_dataset_get_n_problems (data) + refused);
  json_object_set_array_member (out, "problems", problems);
  json_object_set_object_member (
      out, "lengths",
      lengths_to_json (lengths, model && lk_model_get_tokenizer (model) ? "tokens" : "characters"));
  json_object_set_array_member (out, "preview", preview);
  return out;
}

static void
print_preview (JsonObject *row)
{
  const char *text = json_object_get_string_member (row, "text");
  JsonArray *spans = json_object_get_array_member (row, "spans");
  GString *marked = g_string_new (NULL);
  const char *at = text;

  for (guint i = 0; i < json_array_get_length (spans); i++)
    {
      JsonArray *pair = json_array_get_array_element (spans, i);
      const char *begin = g_utf8_offset_to_pointer (text, json_array_get_int_element (pair, 0));
      const char *end = g_utf8_offset_to_pointer (text, json_array_get_int_element (pair, 1));

      g_string_append_len (marked, at, begin - at);
      g_string_append (marked, "⟦");
      g_string_append_len (marked, begin, end - begin);
      g_string_append (marked, "⟧");
      at = end;
    }
  g_string_append (marked, at);
  lk_cli_print ("\n--- line %" G_GINT64_FORMAT "%s", json_object_get_int_member (row, "line"), "");
  lk_cli_print ("%s", marked->str);
  g_string_free (marked, TRUE);
}

void
lk_inspect_data_print (JsonObject *object)
{
  JsonArray *problems = json_object_get_array_member (object, "problems");
  JsonArray *preview = json_object_get_array_member (object, "preview");
  JsonObject *lengths = json_object_get_object_member (object, "lengths");
  gint64 count = json_object_get_int_member (object, "problem_count");

  lk_cli_print ("form: %s\nrows: %" G_GINT64_FORMAT, json_object_get_string_member (object, "format"),
                json_object_get_int_member (object, "rows"));
  if (json_object_has_member (lengths, "longest"))
    lk_cli_print (
        "length in %s: %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", half of them at most %" G_GINT64_FORMAT
        ", 95 %% at most %" G_GINT64_FORMAT,
        json_object_get_string_member (lengths, "unit"), json_object_get_int_member (lengths, "shortest"),
        json_object_get_int_member (lengths, "longest"), json_object_get_int_member (lengths, "median"),
        json_object_get_int_member (lengths, "p95"));
  if (count > 0)
    lk_cli_print ("rows that cannot be used: %" G_GINT64_FORMAT, count);
  for (guint i = 0; i < json_array_get_length (problems); i++)
    {
      JsonObject *problem = json_array_get_object_element (problems, i);

      lk_cli_print ("  %s, line %" G_GINT64_FORMAT ": %s", json_object_get_string_member (problem, "file"),
                    json_object_get_int_member (problem, "line"),
                    json_object_get_string_member (problem, "reason"));
    }
  if (count > json_array_get_length (problems))
    lk_cli_print ("  … and %" G_GINT64_FORMAT " more", count - json_array_get_length (problems));
  for (guint i = 0; i < json_array_get_length (preview); i++)
    print_preview (json_array_get_object_element (preview, i));
}
