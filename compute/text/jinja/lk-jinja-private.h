/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Values, syntax tree and evaluation. Everything lives in an arena: the tree in the template's, values in that of one
 * rendering; nothing is freed by itself. Functions that return a value return NULL after setting an error.
 */
#pragma once

#include <string.h>

#include "lk-error.h"
#include "lk-jinja.h"

typedef struct _LkArena LkArena;
typedef struct _LkValue LkValue;
typedef struct _LkExpr LkExpr;
typedef struct _LkStmt LkStmt;
typedef struct _LkScope LkScope;
typedef struct _LkContext LkContext;

/* Zeroed memory that lasts as long as the arena; NULL when @limit is passed. */
LkArena *lk_arena_new (gsize limit);
void lk_arena_free (LkArena *self);
gpointer lk_arena_alloc (LkArena *self, gsize size);

typedef enum
{
  LK_VALUE_UNDEFINED,
  LK_VALUE_NONE,
  LK_VALUE_BOOL,
  LK_VALUE_INT,
  LK_VALUE_FLOAT,
  LK_VALUE_STRING,
  LK_VALUE_LIST,
  LK_VALUE_DICT,     /* namespaces too: is_namespace */
  LK_VALUE_FUNCTION, /* builtin, macro or bound method */
} LkValueKind;

typedef LkValue *(*LkFunction) (LkContext *context, LkValue *self, LkValue **args, guint n_args, LkValue *kwargs);

/* Tags of strings: the low bits say where a byte came from, the high ones that a generation block wrote it and which of two
 * neighbours. Joined, the greater origin wins. */
#define LK_TAG_ORIGIN 0x3f
#define LK_TAG_GENERATED 0x80
#define LK_TAG_PARITY 0x40

struct _LkValue
{
  LkValueKind kind;
  union
  {
    gboolean boolean;
    gint64 integer;
    double real;
    const char *name; /* UNDEFINED: what was undefined */
    struct
    {
      const char *bytes;
      const guint8 *tags; /* NULL: all 0 */
      gsize n;
    } string;
    struct
    {
      LkValue **items;
      gsize n, allocated;
      gboolean tuple;
    } list;
    struct
    {
      LkValue **keys, **values;
      gsize n, allocated;
      guint32 *index; /* hash of the key → its number + 1; NULL while there are few */
      gsize n_index;  /* a power of two */
      gboolean is_namespace;
      LkStmt *loop;   /* a recursive loop's variable: it can be called */
      LkScope *scope; /* where that loop stands */
    } dict;
    struct
    {
      LkFunction call;
      LkValue *self;
      LkStmt *macro;
      LkScope *scope; /* macro: where it stands */
      const char *name;
    } function;
  } as;
};

typedef enum
{
  LK_EXPR_LITERAL,
  LK_EXPR_NAME,
  LK_EXPR_LIST,
  LK_EXPR_TUPLE,
  LK_EXPR_DICT,       /* items: key, value, key, value … */
  LK_EXPR_ATTRIBUTE,  /* items[0].name */
  LK_EXPR_ITEM,       /* items[0][items[1]] */
  LK_EXPR_SLICE,      /* items[0][items[1]:items[2]:items[3]], NULL where left out */
  LK_EXPR_CALL,       /* items[0](items[1…], keywords) */
  LK_EXPR_FILTER,     /* items[0] | name(items[1…]) */
  LK_EXPR_TEST,       /* items[0] is name(items[1…]) */
  LK_EXPR_NOT,
  LK_EXPR_NEGATE,
  LK_EXPR_POSITIVE,
  LK_EXPR_AND,
  LK_EXPR_OR,
  LK_EXPR_BINARY,     /* items[0] name items[1] */
  LK_EXPR_COMPARE,    /* items[0] names[0] items[1] names[1] items[2] … */
  LK_EXPR_IF,         /* items[1] if items[0] else items[2] */
  LK_EXPR_CAPTURED,   /* what the body of a set or filter block printed */
} LkExprKind;

struct _LkExpr
{
  LkExprKind kind;
  guint line;
  const char *name;
  LkFunction function;    /* filter or test; NULL: there is none of that name */
  LkValue *literal;
  LkExpr **items;
  guint n_items;
  const char **names;     /* of keywords or comparisons */
  LkExpr **keywords;
  guint n_keywords;
};

typedef enum
{
  LK_STMT_TEXT,
  LK_STMT_PRINT,
  LK_STMT_IF,         /* test, body, otherwise */
  LK_STMT_FOR,
  LK_STMT_SET,
  LK_STMT_SET_BLOCK,
  LK_STMT_MACRO,
  LK_STMT_CALL,       /* {% call %}: expr is the call, body the caller */
  LK_STMT_FILTER,     /* {% filter name %} */
  LK_STMT_WITH,       /* parameters are the names, defaults their values */
  LK_STMT_GENERATION,
  LK_STMT_BREAK,
  LK_STMT_CONTINUE,
  LK_STMT_DO,
} LkStmtKind;

struct _LkStmt
{
  LkStmtKind kind;
  guint line;
  LkStmt *next;
  LkValue *text;
  const char *name;       /* macro */
  LkExpr *expr, *test, *target;
  LkStmt *body, *otherwise;
  gboolean is_elif, recursive;
  const char **parameters;
  LkExpr **defaults;
  guint n_parameters;
};

struct _LkJinja
{
  char *name;
  LkArena *arena;
  LkStmt *body;
};

struct _LkScope
{
  LkScope *parent;
  LkValue *variables; /* dict */
};

struct _LkContext
{
  LkArena *arena;
  const char *name;
  LkScope *scope, *globals;
  LkJinjaOutput *output;
  LkValue *captured;      /* for LK_EXPR_CAPTURED */
  guint line, depth;
  guint64 steps, work; /* work: what is left */
  guint8 generated;       /* tag bits of the generation block under way */
  guint8 parity;
  gint64 now;
  gboolean breaking, continuing; /* a loop control is under way */
  GError *error;
};

/* lk-jinja-value.c */
LkValue *lk_value_undefined (LkContext *context, const char *name);
LkValue *lk_value_none (LkContext *context);
LkValue *lk_value_bool (LkContext *context, gboolean value);
LkValue *lk_value_int (LkContext *context, gint64 value);
LkValue *lk_value_float (LkContext *context, double value);
/* Copies. @tags may be NULL. */
LkValue *lk_value_string (LkContext *context, const char *bytes, gsize n, const guint8 *tags);
LkValue *lk_value_text (LkContext *context, const char *text);
/* Shares the bytes of @whole. */
LkValue *lk_value_substring (LkContext *context, const LkValue *whole, gsize begin, gsize n);
/* Copies @bytes; all of it came from where @origin came from (its greatest tag). */
LkValue *lk_value_derived (LkContext *context, const char *bytes, gsize n, const LkValue *origin);
LkValue *lk_value_concat (LkContext *context, const LkValue *a, const LkValue *b);
LkValue *lk_value_list (LkContext *context);
LkValue *lk_value_dict (LkContext *context);
LkValue *lk_value_function (LkContext *context, const char *name, LkFunction call, LkValue *self);
gboolean lk_list_append (LkContext *context, LkValue *list, LkValue *item);
gboolean lk_dict_set (LkContext *context, LkValue *dict, LkValue *key, LkValue *value);
gboolean lk_dict_set_text (LkContext *context, LkValue *dict, const char *key, LkValue *value);
LkValue *lk_dict_get (const LkValue *dict, const LkValue *key);        /* NULL: absent, no error */
LkValue *lk_dict_get_text (const LkValue *dict, const char *key);
gboolean lk_value_truth (const LkValue *value);
gboolean lk_value_equal (LkContext *context, const LkValue *a, const LkValue *b); /* FALSE with an error too */
/* −1, 0, 1; FALSE and an error when the two cannot be ordered. */
gboolean lk_value_order (LkContext *context, const LkValue *a, const LkValue *b, int *order);
gboolean lk_value_is_text (const LkValue *value, const char *text);
const char *lk_value_kind_name (const LkValue *value);
/* str(): what {{ }} prints. Strings come back as they are. */
LkValue *lk_value_to_string (LkContext *context, LkValue *value);
/* Numbers and texts as Python's repr gives them. */
void lk_format_float (char *buffer, gsize size, double real);
/* The character @i of a string, counted from the end when negative; NULL with or without an error: none. */
LkValue *lk_string_at (LkContext *context, const LkValue *string, gint64 i);
/* A list of what iterating gives. */
LkValue *lk_value_iterate (LkContext *context, LkValue *value);
gboolean lk_value_length (LkContext *context, const LkValue *value, gsize *length);
LkValue *lk_value_from_json (LkContext *context, JsonNode *node, guint8 tag);
/* A growing string with tags. */
typedef struct
{
  LkContext *context;
  GString *text;
  GByteArray *tags;
} LkBuilder;
void lk_builder_init (LkBuilder *self, LkContext *context);
void lk_builder_text (LkBuilder *self, const char *bytes, gsize n, guint8 tag);
void lk_builder_value (LkBuilder *self, const LkValue *string);
LkValue *lk_builder_finish (LkBuilder *self); /* frees the builder */
guint8 lk_value_tag (const LkValue *value);   /* of all bytes of a string together */

/* Sets the error, with template and line. Always NULL. */
gpointer lk_context_fail (LkContext *context, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* lk-jinja-json.c: Python's json.dumps */
typedef struct
{
  gboolean ascii, sort;
  const char *indent;                          /* NULL: one line */
  const LkValue *item_separator, *key_separator; /* strings, or NULL for the usual */
} LkJsonStyle;
LkValue *lk_value_to_json (LkContext *context, const LkValue *value, const LkJsonStyle *style);

/* lk-jinja-strings.c: Python's str */
gboolean lk_is_space (gunichar c);
/* First place of @needle in @self from @from on; −1. */
gssize lk_string_find (LkContext *context, const LkValue *self, gsize from, const LkValue *needle);
LkFunction lk_string_method (const char *name);
/* “%s of %d” % values */
LkValue *lk_string_format (LkContext *context, const LkValue *format, LkValue **args, guint n_args);

/* lk-jinja-statements.c */
LkStmt *lk_jinja_parse (LkJinja *self, const char *source, GError **error);

/* lk-jinja-eval.c */
LkValue *lk_eval (LkContext *context, const LkExpr *expr);
LkValue *lk_call (LkContext *context, LkValue *function, LkValue **args, guint n_args, LkValue *kwargs);
LkValue *lk_get_attribute (LkContext *context, LkValue *value, const char *name);
LkValue *lk_get_item (LkContext *context, LkValue *value, LkValue *key);
gboolean lk_context_step (LkContext *context);
/* Bytes or items looked at or copied; FALSE after failing when it is too many. */
gboolean lk_context_work (LkContext *context, gsize n);
/* The same for a call that may look through the whole of @value. */
gboolean lk_context_look (LkContext *context, const LkValue *value);
gboolean lk_context_enter (LkContext *context);

/* lk-jinja-exec.c */
gboolean lk_exec (LkContext *context, const LkStmt *stmt);
LkValue *lk_call_macro (LkContext *context, LkValue *function, LkValue **args, guint n_args, LkValue *kwargs);
LkValue *lk_call_loop (LkContext *context, LkValue *loop, LkValue **args, guint n_args);

/* lk-jinja-operators.c */
LkValue *lk_binary (LkContext *context, const char *operator, LkValue *a, LkValue *b);
LkValue *lk_compare (LkContext *context, const char *operator, LkValue *a, LkValue *b);
LkValue *lk_slice (LkContext *context, LkValue *value, LkValue *begin, LkValue *end, LkValue *step);

/* Tables: NULL when the name is unknown. */
LkFunction lk_jinja_filter (const char *name);       /* self: what is piped */
LkFunction lk_jinja_test (const char *name);         /* self: what is tested; gives a bool */
LkValue *lk_jinja_method (LkContext *context, LkValue *self, const char *name); /* bound; NULL without error: none */
gboolean lk_jinja_add_globals (LkContext *context);

/* Arguments: positional @i or keyword @name; NULL when absent. */
LkValue *lk_argument (LkValue **args, guint n_args, LkValue *kwargs, guint i, const char *name);
