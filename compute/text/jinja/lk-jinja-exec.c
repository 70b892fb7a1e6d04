/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-jinja-private.h"

static gboolean
lk_emit (LkContext *context, const LkValue *text)
{
  LkJinjaOutput *output = context->output;
  gsize n = text->as.string.n, before = output->text->len;

  if (n > LK_JINJA_MAX_OUTPUT - before)
    return lk_context_fail (context, "the result grows too long") != NULL;
  g_string_append_len (output->text, text->as.string.bytes, (gssize) n);
  g_byte_array_set_size (output->tags, (guint) (before + n));
  if (n > 0 && text->as.string.tags)
    memcpy (output->tags->data + before, text->as.string.tags, n);
  else if (n > 0)
    memset (output->tags->data + before, 0, n);
  for (gsize i = before; context->generated && i < before + n; i++)
    output->tags->data[i] = (guint8) ((output->tags->data[i] & LK_TAG_ORIGIN) | context->generated);
  return lk_context_work (context, n);
}

static gboolean
lk_exec_list (LkContext *context, const LkStmt *stmt)
{
  for (; stmt && !context->breaking && !context->continuing; stmt = stmt->next)
    if (!lk_exec (context, stmt))
      return FALSE;
  return TRUE;
}

/* Runs @body and gives what it printed as a string. */
static LkValue *
lk_exec_capture (LkContext *context, const LkStmt *body)
{
  LkJinjaOutput captured = { g_string_new (NULL), g_byte_array_new (), NULL };
  LkJinjaOutput *outer = context->output;
  LkValue *value = NULL;

  context->output = &captured;
  if (lk_exec_list (context, body))
    value = lk_value_string (context, captured.text->str, captured.text->len, captured.tags->data);
  context->output = outer;
  lk_jinja_output_clear (&captured);
  return value;
}

/* In the arena: a macro may hold on to it. */
static LkScope *
lk_push_scope (LkContext *context, LkScope *parent)
{
  LkScope *scope = lk_arena_alloc (context->arena, sizeof (LkScope));

  if (!scope)
    return lk_context_fail (context, "the template needs too much memory");
  scope->parent = parent;
  scope->variables = lk_value_dict (context);
  if (!scope->variables)
    return NULL;
  return context->scope = scope;
}

/* Binds a name, a tuple of names or a namespace's attribute. */
static gboolean
lk_assign (LkContext *context, const LkExpr *target, LkValue *value)
{
  if (target->kind == LK_EXPR_NAME)
    return lk_dict_set_text (context, context->scope->variables, target->name, value);
  if (target->kind == LK_EXPR_TUPLE)
    {
      LkValue *items = lk_value_iterate (context, value);

      if (!items)
        return FALSE;
      if (items->as.list.n != target->n_items)
        return lk_context_fail (context, "%u values were wanted, %" G_GSIZE_FORMAT " are there", target->n_items, items->as.list.n) != NULL;
      for (guint i = 0; i < target->n_items; i++)
        if (!lk_assign (context, target->items[i], items->as.list.items[i]))
          return FALSE;
      return TRUE;
    }
  if (target->kind == LK_EXPR_ATTRIBUTE)
    {
      LkValue *space = lk_eval (context, target->items[0]);

      if (!space)
        return FALSE;
      if (space->kind == LK_VALUE_DICT && space->as.dict.is_namespace)
        return lk_dict_set_text (context, space, target->name, value);
    }
  return lk_context_fail (context, "cannot assign to this") != NULL;
}

static gboolean
lk_loop_set (LkContext *context, LkValue *loop, LkValue *items, gsize i, gsize depth)
{
  gsize n = items->as.list.n;
  const struct
  {
    const char *name;
    gint64 value;
    gboolean truth;
  } members[] = { { "index0", (gint64) i, FALSE },         { "index", (gint64) i + 1, FALSE },     { "revindex", (gint64) (n - i), FALSE },
                  { "revindex0", (gint64) (n - i) - 1, FALSE }, { "first", i == 0, TRUE },         { "last", i + 1 == n, TRUE },
                  { "length", (gint64) n, FALSE },         { "depth", (gint64) depth, FALSE },     { "depth0", (gint64) depth - 1, FALSE } };

  for (guint k = 0; k < G_N_ELEMENTS (members); k++)
    if (!lk_dict_set_text (context, loop, members[k].name,
                           members[k].truth ? lk_value_bool (context, members[k].value != 0) : lk_value_int (context, members[k].value)))
      return FALSE;
  return lk_dict_set_text (context, loop, "previtem", i > 0 ? items->as.list.items[i - 1] : lk_value_undefined (context, "previtem"))
         && lk_dict_set_text (context, loop, "nextitem", i + 1 < n ? items->as.list.items[i + 1] : lk_value_undefined (context, "nextitem"));
}

static LkValue *
lk_loop_cycle (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  LkValue *index = lk_dict_get_text (self, "index0");

  if (n_args == 0)
    return lk_context_fail (context, "cycle needs values");
  return args[index->as.integer % n_args];
}

/* TRUE when the values are others than at the last call in this loop; @self keeps them. */
static LkValue *
lk_loop_changed (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs)
{
  LkValue *values = lk_value_list (context);
  gboolean same;

  for (guint i = 0; values && i < n_args; i++)
    values = lk_list_append (context, values, args[i]) ? values : NULL;
  if (!values)
    return NULL;
  same = self->as.list.n > 0 && lk_value_equal (context, self->as.list.items[0], values);
  if (self->as.list.n == 0 && !lk_list_append (context, self, values))
    return NULL;
  self->as.list.items[0] = values;
  return lk_value_bool (context, !same);
}

/* Items of @all that pass the loop's own “if”. */
static LkValue *
lk_for_items (LkContext *context, const LkStmt *stmt, LkValue *all)
{
  LkScope *outer = context->scope;
  LkValue *kept;

  all = all ? lk_value_iterate (context, all) : NULL;
  if (!all || !stmt->test)
    return all;
  kept = lk_value_list (context);
  for (gsize i = 0; kept && i < all->as.list.n; i++)
    {
      LkValue *test = NULL;

      if (lk_push_scope (context, outer) && lk_assign (context, stmt->target, all->as.list.items[i]))
        test = lk_eval (context, stmt->test);
      context->scope = outer;
      if (!test || (lk_value_truth (test) && !lk_list_append (context, kept, all->as.list.items[i])))
        return NULL;
    }
  return kept;
}

/* The “loop” of one turn: a dict, which in a recursive loop can be called. */
static LkValue *
lk_make_loop (LkContext *context, const LkStmt *stmt, LkValue *items, LkValue *changed, gsize i, gsize depth)
{
  LkValue *loop = lk_value_dict (context);

  if (!loop || !lk_loop_set (context, loop, items, i, depth)
      || !lk_dict_set_text (context, loop, "cycle", lk_value_function (context, "cycle", lk_loop_cycle, loop))
      || !lk_dict_set_text (context, loop, "changed", lk_value_function (context, "changed", lk_loop_changed, changed)))
    return NULL;
  loop->as.dict.loop = stmt->recursive ? (LkStmt *) stmt : NULL;
  loop->as.dict.scope = context->scope->parent;
  return loop;
}

static gboolean
lk_run_for (LkContext *context, const LkStmt *stmt, LkValue *all, gsize depth)
{
  LkValue *items = lk_for_items (context, stmt, all), *changed = lk_value_list (context);
  LkScope *outer = context->scope;
  gboolean ok = items && changed;

  if (ok && items->as.list.n == 0)
    return lk_exec_list (context, stmt->otherwise);
  for (gsize i = 0; ok && i < items->as.list.n; i++)
    {
      LkScope *scope = lk_context_step (context) ? lk_push_scope (context, outer) : NULL;

      ok = scope && lk_dict_set_text (context, scope->variables, "loop", lk_make_loop (context, stmt, items, changed, i, depth))
           && lk_assign (context, stmt->target, items->as.list.items[i]) && lk_exec_list (context, stmt->body);
      context->scope = outer;
      context->continuing = FALSE;
      if (context->breaking)
        break;
    }
  context->breaking = FALSE;
  return ok;
}

/* loop (items) in a recursive loop: its body over @args. */
LkValue *
lk_call_loop (LkContext *context, LkValue *self, LkValue **args, guint n_args)
{
  LkScope *caller = context->scope;
  LkJinjaOutput captured = { g_string_new (NULL), g_byte_array_new (), NULL };
  LkJinjaOutput *outer = context->output;
  LkValue *depth = lk_dict_get_text (self, "depth"), *value = NULL;

  context->output = &captured;
  context->scope = self->as.dict.scope;
  if (n_args != 1)
    lk_context_fail (context, "loop needs what to go through");
  else if (lk_context_enter (context) && lk_run_for (context, self->as.dict.loop, args[0], (gsize) depth->as.integer + 1))
    {
      value = lk_value_string (context, captured.text->str, captured.text->len, captured.tags->data);
      context->depth--;
    }
  context->scope = caller;
  context->output = outer;
  lk_jinja_output_clear (&captured);
  return value;
}

static gboolean
lk_exec_for (LkContext *context, const LkStmt *stmt)
{
  LkValue *all = lk_eval (context, stmt->expr);

  return all && lk_run_for (context, stmt, all, 1);
}

/* @expr, the filters of a block, on what its body printed. */
static LkValue *
lk_filter_captured (LkContext *context, const LkExpr *expr, LkValue *text)
{
  LkValue *outer = context->captured, *result;

  context->captured = text;
  result = lk_eval (context, expr);
  context->captured = outer;
  return result;
}

static gboolean
lk_exec_set_block (LkContext *context, const LkStmt *stmt)
{
  LkValue *text = lk_exec_capture (context, stmt->body);

  if (text && stmt->expr)
    text = lk_filter_captured (context, stmt->expr, text);
  return text && lk_assign (context, stmt->target, text);
}

static gboolean
lk_exec_filter (LkContext *context, const LkStmt *stmt)
{
  LkValue *text = lk_exec_capture (context, stmt->body);

  text = text ? lk_filter_captured (context, stmt->expr, text) : NULL;
  text = text ? lk_value_to_string (context, text) : NULL;
  return text && lk_emit (context, text);
}

static LkValue *
lk_make_macro (LkContext *context, const LkStmt *stmt)
{
  LkValue *macro = lk_value_function (context, stmt->name, NULL, NULL);

  if (macro)
    {
      macro->as.function.macro = (LkStmt *) stmt;
      macro->as.function.scope = context->scope;
    }
  return macro;
}

/* A name the macro does not have, unless it is the caller. */
static const LkValue *
lk_unknown_keyword (const LkStmt *macro, const LkValue *kwargs)
{
  for (gsize i = 0; kwargs && i < kwargs->as.dict.n; i++)
    {
      gboolean known = lk_value_is_text (kwargs->as.dict.keys[i], "caller");

      for (guint k = 0; k < macro->n_parameters; k++)
        known |= lk_value_is_text (kwargs->as.dict.keys[i], macro->parameters[k]);
      if (!known)
        return kwargs->as.dict.keys[i];
    }
  return NULL;
}

static gboolean
lk_bind_parameters (LkContext *context, const LkStmt *macro, LkValue **args, guint n_args, LkValue *kwargs)
{
  const char *name = macro->name ? macro->name : "caller";
  const LkValue *unknown = lk_unknown_keyword (macro, kwargs);

  if (n_args > macro->n_parameters)
    return lk_context_fail (context, "the macro “%s” takes %u arguments, not %u", name, macro->n_parameters, n_args) != NULL;
  if (unknown)
    return lk_context_fail (context, "the macro “%s” has no argument “%s”", name, unknown->as.string.bytes) != NULL;
  for (guint i = 0; i < macro->n_parameters; i++)
    {
      LkValue *value = lk_argument (args, n_args, kwargs, i, macro->parameters[i]);

      if (!value)
        value = macro->defaults[i] ? lk_eval (context, macro->defaults[i]) : lk_value_undefined (context, macro->parameters[i]);
      if (!lk_dict_set_text (context, context->scope->variables, macro->parameters[i], value))
        return FALSE;
    }
  return TRUE;
}

LkValue *
lk_call_macro (LkContext *context, LkValue *function, LkValue **args, guint n_args, LkValue *kwargs)
{
  const LkStmt *macro = function->as.function.macro;
  LkScope *outer = context->scope, *scope;
  LkValue *caller = kwargs ? lk_dict_get_text (kwargs, "caller") : NULL;
  LkValue *result = NULL;

  if (!lk_context_enter (context) || !(scope = lk_push_scope (context, function->as.function.scope)))
    return NULL;
  if ((!caller || lk_dict_set_text (context, scope->variables, "caller", caller)) && lk_bind_parameters (context, macro, args, n_args, kwargs))
    result = lk_exec_capture (context, macro->body);
  context->scope = outer;
  context->depth--;
  return result;
}

/* {% call f(x) %}body{% endcall %}: f with caller() giving the body. */
static gboolean
lk_exec_call (LkContext *context, const LkStmt *stmt)
{
  LkValue *function = lk_eval (context, stmt->expr->items[0]), *kwargs = lk_value_dict (context), *result;
  LkValue *args[16];
  guint n = stmt->expr->n_items - 1;

  if (!function || !kwargs || n > G_N_ELEMENTS (args))
    return lk_context_fail (context, "too many arguments") != NULL;
  for (guint i = 0; i < n; i++)
    if (!(args[i] = lk_eval (context, stmt->expr->items[1 + i])))
      return FALSE;
  for (guint i = 0; i < stmt->expr->n_keywords; i++)
    if (!lk_dict_set_text (context, kwargs, stmt->expr->names[i], lk_eval (context, stmt->expr->keywords[i])))
      return FALSE;
  if (!lk_dict_set_text (context, kwargs, "caller", lk_make_macro (context, stmt)))
    return FALSE;
  result = lk_call (context, function, args, n, kwargs);
  result = result ? lk_value_to_string (context, result) : NULL;
  return result && lk_emit (context, result);
}

/* What is printed inside carries a mark, through captured blocks and macros; neighbours carry different ones. */
static gboolean
lk_exec_generation (LkContext *context, const LkStmt *stmt)
{
  guint8 outer = context->generated;
  gboolean ok;

  context->parity ^= LK_TAG_PARITY;
  context->generated = (guint8) (LK_TAG_GENERATED | context->parity);
  ok = lk_exec_list (context, stmt->body);
  context->generated = outer;
  return ok;
}

static gboolean
lk_exec_with (LkContext *context, const LkStmt *stmt)
{
  LkScope *outer = context->scope, *scope;
  g_autofree LkValue **values = g_new (LkValue *, stmt->n_parameters + 1);
  gboolean ok = TRUE;

  for (guint i = 0; i < stmt->n_parameters; i++)
    if (!(values[i] = lk_eval (context, stmt->defaults[i])))
      return FALSE;
  scope = lk_push_scope (context, outer);
  for (guint i = 0; scope && ok && i < stmt->n_parameters; i++)
    ok = lk_dict_set_text (context, scope->variables, stmt->parameters[i], values[i]);
  ok = scope && ok && lk_exec_list (context, stmt->body);
  context->scope = outer;
  return ok;
}

static gboolean
lk_exec_print (LkContext *context, const LkStmt *stmt)
{
  LkValue *value = lk_eval (context, stmt->expr);

  value = value ? lk_value_to_string (context, value) : NULL;
  return value && lk_emit (context, value);
}

static gboolean
lk_exec_if (LkContext *context, const LkStmt *stmt)
{
  LkValue *test;

  while ((test = lk_eval (context, stmt->test)) && !lk_value_truth (test))
    {
      if (!stmt->otherwise || !stmt->otherwise->is_elif)
        return lk_exec_list (context, stmt->otherwise);
      stmt = stmt->otherwise;
      context->line = stmt->line;
    }
  return test && lk_exec_list (context, stmt->body);
}

static gboolean
lk_exec_kind (LkContext *context, const LkStmt *stmt)
{
  LkValue *value;

  switch (stmt->kind)
    {
    case LK_STMT_TEXT:
      return lk_emit (context, stmt->text);
    case LK_STMT_PRINT:
      return lk_exec_print (context, stmt);
    case LK_STMT_IF:
      return lk_exec_if (context, stmt);
    case LK_STMT_FOR:
      return lk_exec_for (context, stmt);
    case LK_STMT_SET:
      value = lk_eval (context, stmt->expr);
      return value && lk_assign (context, stmt->target, value);
    case LK_STMT_SET_BLOCK:
      return lk_exec_set_block (context, stmt);
    case LK_STMT_MACRO:
      return lk_dict_set_text (context, context->scope->variables, stmt->name, lk_make_macro (context, stmt));
    case LK_STMT_CALL:
      return lk_exec_call (context, stmt);
    case LK_STMT_FILTER:
      return lk_exec_filter (context, stmt);
    case LK_STMT_WITH:
      return lk_exec_with (context, stmt);
    case LK_STMT_GENERATION:
      return lk_exec_generation (context, stmt);
    case LK_STMT_BREAK:
      return context->breaking = TRUE;
    case LK_STMT_CONTINUE:
      return context->continuing = TRUE;
    case LK_STMT_DO:
    default:
      return lk_eval (context, stmt->expr) != NULL;
    }
}

gboolean
lk_exec (LkContext *context, const LkStmt *stmt)
{
  gboolean ok;

  context->line = stmt->line;
  if (!lk_context_step (context) || !lk_context_enter (context))
    return FALSE;
  ok = lk_exec_kind (context, stmt);
  context->depth--;
  return ok && !context->error;
}

LkJinja *
lk_jinja_new (const char *source, const char *name, GError **error)
{
  g_autoptr (LkJinja) self = g_new0 (LkJinja, 1);
  g_autoptr (GError) local_error = NULL;

  self->name = g_strdup (name);
  self->arena = lk_arena_new (LK_JINJA_MAX_HEAP);
  if (strlen (source) > LK_JINJA_MAX_SOURCE || !g_utf8_validate (source, -1, NULL))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_FILE, "%s: the template is not UTF-8 or longer than %d bytes", name, LK_JINJA_MAX_SOURCE);
      return NULL;
    }
  self->body = lk_jinja_parse (self, source, &local_error);
  if (local_error)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
lk_jinja_free (LkJinja *self)
{
  if (!self)
    return;
  lk_arena_free (self->arena);
  g_free (self->name);
  g_free (self);
}

void
lk_jinja_output_clear (LkJinjaOutput *output)
{
  if (output->text)
    g_string_free (output->text, TRUE);
  g_clear_pointer (&output->tags, g_byte_array_unref);
  g_clear_pointer (&output->generations, g_array_unref);
  output->text = NULL;
}

/* The list of messages with each string tagged. */
static LkValue *
lk_messages_from_json (LkContext *context, JsonNode *node, LkJinjaTagFunc tag)
{
  LkValue *list = lk_value_list (context);
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; list && array && i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      LkValue *message = lk_value_dict (context);
      JsonObjectIter iter;
      const char *name;
      JsonNode *member;

      if (!JSON_NODE_HOLDS_OBJECT (item))
        return lk_context_fail (context, "message %u is not an object", i);
      json_object_iter_init_ordered (&iter, json_node_get_object (item));
      while (message && json_object_iter_next_ordered (&iter, &name, &member))
        if (!lk_dict_set_text (context, message, name, lk_value_from_json (context, member, tag (json_node_get_object (item), i, name))))
          return NULL;
      if (!message || !lk_list_append (context, list, message))
        return NULL;
    }
  return list;
}

static gboolean
lk_context_add_variables (LkContext *context, JsonObject *variables, LkJinjaTagFunc tag)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, variables);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      LkValue *value = tag && g_str_equal (name, "messages") ? lk_messages_from_json (context, node, tag)
                                                             : lk_value_from_json (context, node, tag ? tag (NULL, 0, name) : 0);
      if (!lk_dict_set_text (context, context->globals->variables, name, value))
        return FALSE;
    }
  return TRUE;
}

/* Runs of bytes with one generation mark, which is taken off. */
static void
lk_output_find_generations (LkJinjaOutput *output)
{
  guint8 *tags = output->tags->data, mark = 0;
  guint64 range[2] = { 0, 0 };

  for (gsize i = 0; i <= output->text->len; i++)
    {
      guint8 here = i < output->text->len ? tags[i] & ~LK_TAG_ORIGIN : 0;

      if (here == mark && i < output->text->len)
        {
          tags[i] &= LK_TAG_ORIGIN;
          continue;
        }
      range[1] = i;
      if (mark)
        g_array_append_val (output->generations, range);
      range[0] = i;
      mark = here;
      if (i < output->text->len)
        tags[i] &= LK_TAG_ORIGIN;
    }
}

gboolean
lk_jinja_render (LkJinja *self, JsonObject *variables, LkJinjaTagFunc tag, gint64 now, guint64 *work, LkJinjaOutput *output,
                 GError **error)
{
  LkScope globals = { NULL, NULL };
  LkContext context = { .arena = lk_arena_new (LK_JINJA_MAX_HEAP), .name = self->name, .scope = &globals, .globals = &globals,
                        .output = output, .line = 1, .now = now, .work = work ? *work : LK_JINJA_MAX_WORK };
  gboolean ok;

  *output = (LkJinjaOutput){ g_string_new (NULL), g_byte_array_new (), g_array_new (FALSE, FALSE, 2 * sizeof (guint64)) };
  globals.variables = lk_value_dict (&context);
  ok = lk_jinja_add_globals (&context) && lk_context_add_variables (&context, variables, tag) && lk_exec_list (&context, self->body)
       && !context.error;
  if (work)
    *work = context.work;
  if (ok)
    lk_output_find_generations (output);
  if (!ok)
    g_propagate_error (error, context.error ? g_steal_pointer (&context.error)
                                            : g_error_new (LK_ERROR, LK_ERROR_FAILED, "%s could not be rendered", self->name));
  g_clear_error (&context.error);
  lk_arena_free (context.arena);
  return ok;
}
