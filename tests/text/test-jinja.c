/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The interpreter by itself: what Jinja2 3.1.6 gives in the set-up of transformers, and templates that mean harm.
 */
#include <string.h>
#include <time.h>

#include "lk-json.h"
#include "lk-template.h"

static char *
render (const char *source, const char *extra, GError **error)
{
  g_autoptr (LkTemplate) template = lk_template_new (source, "test", error);
  g_autoptr (JsonNode) node = lk_json_parse (extra ? extra : "{}", strlen (extra ? extra : "{}"), "extra", NULL);
  g_autoptr (JsonArray) messages = json_array_new ();
  LkTemplateInput input = { .messages = messages, .extra = json_node_get_object (node), .now = 1768478400 };

  return template ? lk_template_render (template, &input, NULL, error) : NULL;
}

/* Each result was printed by the reference. NULL: it raises. */
static void
test_reference (void)
{
  static const struct
  {
    const char *source, *wanted;
  } cases[] = {
    { "{{ -2**2 }} {{ -3|abs }} {{ 2**3**2 }}", "4 3 64" },
    { "{{ 7 % 2 is odd }}", NULL },
    { "{{ 1 == 1 is none }}", "False" },
    { "{{ 20.0 }} {{ 1e5 }} {{ 1e16 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.5 }} {{ 123456.789 }}", "20.0 100000.0 1e+16 0.0001 1e-05 1.5 123456.789" },
    { "{{ [20.0, 1e5]|tojson }}", "[20.0, 100000.0]" },
    { "{{ none[1:] is undefined }} {{ none.x is defined }}", "True False" },
    { "{{ 1, 2 }}", "(1, 2)" },
    { "{{ 'a' is in ['a'] }}", "True" },
    { "{{ '\\x41\\101\\U0001F600\\ud83d\\ude00' }}", "AA😀😀" },
    { "{{ '\\ud83d' }}", NULL }, /* here we differ, and above: half a pair is no text for us */
    { "{{ 3 * 'ab' }} {{ [1] == (1,) }}", "ababab False" },
    { "{{ 5|round }} {{ 2.567|round(1) }} {{ 2.5|round(0, 'ceil') }} {{ 2.5|round }}", "5 2.6 3.0 2.0" },
    { "{{ \"foo's bar\"|title }} {{ \"foo's bar\".title() }}", "Foo's Bar Foo'S Bar" },
    { "{% set x|replace('a','b')|upper %}aXa{% endset %}{{ x }}", "BXB" },
    { "{% filter replace('a','b')|upper %}aXa{% endfilter %}", "BXB" },
    { "{% for m in [1,2] %}{% macro f() %}{{ m }}{% endmacro %}{{ f() }}{% endfor %}", "12" },
    { "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=1) }}", NULL },
    { "{% macro f(a) %}{{ caller() }}{% endmacro %}{% set a = 'x' %}{% call f('y') %}{{ a }}{% endcall %}", "x" },
    { "{{ 1_000 + 0x1f }}", "1031" },
    { "{{ x|nope if false else 'ok' }}", "ok" },
    { "{{ 1|nope }}", NULL },
    { "{{ {1:2,true:3,none:4}|tojson }}", "{\"1\": 3, \"null\": 4}" },
    { "{{ 'ÀIİ'[:2]|lower }} {{ 'ßi'|upper }}", "ài SSI" },
    { "{{ '%s-%d' % ('a', 3) }} {{ '{} {x}'.format(1, x=2) }}", "a-3 1 2" },
    { "{{ '123' is lower }} {{ 'a1' is lower }}", "False True" },
    { "{{ {'b':1,'a':2}|dictsort }} {{ {'b':2,'a':3,'c':1}|dictsort(by='value') }}", "[('a', 2), ('b', 1)] [('c', 1), ('b', 2), ('a', 3)]" },
    { "{{ namespace({'a':1}).a }} {{ dict([('a', 2)], b=3) }}", "1 {'a': 2, 'b': 3}" },
    { "{{ 'a\u00a0'|trim }}|{{ '\\x0b a \\x1c\\x85'|trim }}|", "a|a|" },
    { "{% for i in [1,2] recursive %}{{ i }}{{ loop([3]) if i == 1 }}d{{ loop.depth }}{% endfor %}", "13d2d12d1" },
    { "{% raw %}\n{{ x }}{% endraw %}\nA", "\n{{ x }}A" },
    { "  {% raw -%} é{{ x }} {%- endraw -%} \nA", "é{{ x }}A" },
    { "a\u00a0{%- if true %}b{% endif %}", "ab" },
    { "{% with a=1 %}{{ a }}{% endwith %}{{ a }}", "1" },
    { "{{ [1,2,3,4,5]|batch(2)|list }} {{ [1,2]|max }}", "[[1, 2], [3, 4], [5]] 2" },
    { "{{ 'abc'[::2] }} {{ 'abc'[-1] }} {{ 'héé'[5] is undefined }} {{ 'héé'[1:] }} {{ 'héé'[::-1] }}", "ac c True éé ééh" },
    { "{{ [1,2,3].index(2) }} {{ 'abc'.index('c') }} {{ 'a b  c'.split(' ', 1) }} {{ ' a  b '.split() }}", "1 2 ['a', 'b  c'] ['a', 'b']" },
    { "{{ 'a,b,c'.rsplit(',', 1) }} {{ 'k: v: w'.partition(': ') }} {{ 'xay'.removeprefix('x') }}", "['a,b', 'c'] ('k', ': ', 'v: w') ay" },
    { "{{ {'a': 'é\"'}|tojson }} {{ 'é'|tojson(ensure_ascii=True) }} {{ {'b':1,'a':[2]}|tojson(sort_keys=true, separators=(',', ':')) }}",
      "{\"a\": \"é\\\"\"} \"\\u00e9\" {\"a\":[2],\"b\":1}" },
    { "{{ [1,{'a':[]}]|tojson(indent=2) }}", "[\n  1,\n  {\n    \"a\": []\n  }\n]" },
    { "{{ ['a\\n\\'', \"b'\", 1.0, none, true, (1,)] }}", "[\"a\\n'\", \"b'\", 1.0, None, True, (1,)]" },
    { "{{ [3,1,2]|sort(reverse=true) }} {{ ['b','A']|sort }} {{ [{'k':2},{'k':1}]|sort(attribute='k')|map(attribute='k')|join('-') }}",
      "[3, 2, 1] ['A', 'b'] 1-2" },
    { "{{ ['a','B','b']|unique|list }} {{ '42.9'|int }} {{ 'x'|int(7) }} {{ 'ff'|int(0, 16) }} {{ '3abc'|float }}", "['a', 'B'] 42 7 255 0.0" },
    { "{{ 'a\nb\n\nc'|indent(2) }}|{{ 'a\nb'|indent(first=true) }}", "a\n  b\n\n  c|    a\n    b" },
    { "{% if a is not defined and 1 in [1] and not false %}{{ 'y' }}{% elif true %}n{% endif %}", "y" },
    { "{{ undefined_thing.x }}", NULL },
    { "{{ undefined_thing }}{{ undefined_thing|length }}{{ undefined_thing|default('d') }}", "0d" },
    { "{{ strftime_now('%é %-é % ') }}", "%é %-é % " },
    { "{{ strftime_now('%d %b %Y %B %A %p %%') }}", "15 Jan 2026 January Thursday PM %" },
    { "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc\r\n", "a\nb\nc" },
    { "{% for i in range(3) %}{{ loop.changed(i // 2) }} {{ loop.cycle('a', 'b') }};{% endfor %}", "True a;False b;True a;" },
    { "{% for a, (b, c) in [(1, (2, 3))] %}{{ a + b + c }}{% else %}x{% endfor %}{% for i in [] %}{% else %}e{% endfor %}", "6e" },
    { "{% for i in [1,2,3,4] %}{% if i == 2 %}{% continue %}{% elif i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "13" },
    { "{{ (9223372036854775807 // -1) }} {{ 7 // -2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 1 < 2 < 3 }}", "-9223372036854775807 -4 2 3.5 True" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = render (cases[i].source, NULL, &error);

      if (g_strcmp0 (text, cases[i].wanted) != 0)
        g_test_message ("%s (%s)", cases[i].source, error ? error->message : "");
      g_assert_cmpstr (text, ==, cases[i].wanted);
      g_assert_true ((text == NULL) == (error != NULL));
      g_assert_true (!error || g_utf8_validate (error->message, -1, NULL));
    }
}

/* Of one processor, for a template read and rendered. */
#ifdef __SANITIZE_ADDRESS__
#define SECONDS 10.0
#else
#define SECONDS 2.0
#endif

/* All stopped, none slowly, by a limit of depth, steps, work, output or memory. */
static void
test_bombs (void)
{
#define DOUBLE(l, n) "{% set ns." l " = [] %}{% for i in range(" n ") %}{% set ns." l " = [ns." l ", ns." l "] %}{% endfor %}"
  static const char *const bombs[] = {
    "{% set ns = namespace() %}" DOUBLE ("l", "60") DOUBLE ("m", "60") "{{ ns.l == ns.m }}",
    "{% set ns = namespace() %}" DOUBLE ("l", "60") "{{ ns.l }}",
    "{% set ns = namespace() %}" DOUBLE ("l", "60") "{{ ns.l|tojson }}",
    "{% set ns = namespace(l=[]) %}{% for i in range(90000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l == [ns.l] }}",
    "{% set ns = namespace(l=[]) %}{% for i in range(90000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ 'a'.startswith(ns.l) }}",
    "{{ range(99999)|unique|list }}",
    "{% set r = range(99999)|list %}{% for i in r %}{{ (0 - i) in r }}{% endfor %}",
    "{{ ('a' * 4000000) in ('a' * 3999999 ~ 'b' ~ 'a' * 3999999) }}{% for i in range(99999) %}{{ ('a' * 70000 ~ 'b') in ('a' * 79999) }}{% endfor %}",
    "{% set ns = namespace(s='') %}{% for i in range(99999) %}{% set ns.s = ns.s ~ 'xxxxxxxxxxxxxxxxxxxxxxxx' %}{% endfor %}",
    "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = ns.l + [1] %}{% endfor %}",
    "{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ '%9999999d' % 1 }}", "{{ 'a'.ljust(999999999) }}", "{{ 'a' * 9223372036854775807 }}", "{{ [1] * 9223372036854775807 }}",
    "{{ range(0, 9223372036854775807, 1) }}", "{{ range(5, 1, 0) }}",
    "{{ [1]|sort(attribute=5.5) }}", "{{ [1]|join(',', attribute=[1]) }}", "{{ [1]|sum(attribute={}) }}", "{{ [1]|map(attribute=true)|list }}",
    "{{ 1|batch(0) }}", "{{ 'a'[::0] }}", "{{ 1 % 0 }}", "{{ 0 ** -1 }}", "{{ 9223372036854775807 * 2 }}", "{{ -9223372036854775807 - 1 - 1 }}",
    "{{ messages.__class__.__base__.__subclasses__() }}", "{{ cycler.__init__.__globals__ }}", "{{ self.__init__ }}", "{% include 'x' %}", "{% extends 'x' %}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "{{ dict(messages=messages).update(a=1) }}",
    /* texts that are looked through again and again, with nothing to show for it */
    "{% set s = '\\x01' * 1300000 %}{% for i in range(99999) %}{{ (s|tojson)[0] }}{% endfor %}",
    "{% set s = '\\\\' * 4000000 %}{% for i in range(99999) %}{{ s|tojson|length }}{% endfor %}",
    "{% set s = ' ' * 8000000 %}{% for i in range(99999) %}{{ s.split() }}{% endfor %}",
    "{% set s = ' ' * 8000000 %}{% for i in range(99999) %}{{ s.strip() }}{% endfor %}",
    "{% set s = 'x' * 8000000 %}{% for i in range(99999) %}{{ s.splitlines()|length }}{% endfor %}",
    "{% set s = 'x' * 8000000 %}{% for i in range(99999) %}{{ s|length }}{{ s|int }}{{ s is upper }}{% endfor %}",
    "{% set s = 'x' * 4000000 %}{% set t = 'x' * 4000000 %}{% for i in range(99999) %}{{ s == t }}{% endfor %}",
    "{% set s = 'x' * 4000000 %}{% set t = 'x' * 4000000 %}{% for i in range(99999) %}{{ s < t }}{% endfor %}",
    "{% set s = 'x' * 4000000 %}{% set d = {s: 1} %}{% for i in range(99999) %}{{ d[s] }}{{ d.get(s) }}{{ s in d }}{% endfor %}",
  };
  static const char *const fine[] = {
    "{{ (-9223372036854775807 - 1) is divisibleby(-1) }}", "{{ range(9223372036854775800, 9223372036854775807, 100)|length }}",
    "{{ 'abcdef'[5::9223372036854775807] }}{{ 'abcdef'[::-9223372036854775807] }}{{ [1,2][-9223372036854775807:9223372036854775807] }}",
    "{{ [[1]]|map(attribute=0)|list }}", "{{ ''|first }}{{ ''|last }}{{ ''[0] }}{{ ''.title() }}{{ ''.split() }}{{ ''.splitlines() }}{{ ''|replace('', 'a') }}",
    "{{ 'aé'|replace('', '-') }}", "{{ 1e308 * 10 }}", "{{ 'é'.center(7) }}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bombs); i++)
    {
      g_autoptr (GError) error = NULL;
      clock_t begin = clock ();
      g_autofree char *text = render (bombs[i], NULL, &error);
      double seconds = (double) (clock () - begin) / CLOCKS_PER_SEC;

      if (text)
        g_error ("not stopped: %s", bombs[i]);
      g_assert_nonnull (error);
      g_test_message ("%.2f s: %s: %.60s", seconds, error->message, bombs[i]);
      g_assert_cmpfloat (seconds, <, SECONDS);
    }
  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = render (fine[i], NULL, &error);

      g_assert_no_error (error);
      g_assert_nonnull (text);
    }
}

/* What people's templates and data have a lot of is no bomb. */
static void
test_large (void)
{
  g_autoptr (GString) chain = g_string_new ("{{ ''");
  g_autoptr (GString) branches = g_string_new ("{% if false %}");
  g_autoptr (GString) object = g_string_new ("{\"d\":{\"k\":0");
  g_autofree char *spaces = g_strnfill (1 << 20, 'x');
  g_autofree char *extra = g_strdup_printf ("{\"d\":\"%s\"}", spaces);
  g_autofree char *a = NULL, *b = NULL, *c = NULL, *d = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2000; i++)
    {
      g_string_append (chain, " + 'a'");
      g_string_append_printf (branches, "{%% elif 1 == %u %%}%u", i, i);
    }
  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (object, ",\"k%u\":%u", i, i);
  g_string_append (chain, " }}");
  g_string_append (branches, "{% endif %}");
  g_string_append (object, "}}");
  a = render (chain->str, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (a), ==, 2000);
  b = render (branches->str, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (b, ==, "1");
  c = render ("{{ d|length }} {{ d.k99999 }} {{ d['k5'] }}", object->str, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (c, ==, "100001 99999 5");
  d = render ("{% for i in range(30) %}{{ d[0] }}{{ d[-1] }}{{ d[1:3] }}{{ d[:-1]|length }}{{ d|first }};{% endfor %}", extra, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (d, "xxxx1048575x;"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("TZ", "UTC", TRUE);
  g_test_add_func ("/jinja/reference", test_reference);
  g_test_add_func ("/jinja/bombs", test_bombs);
  g_test_add_func ("/jinja/large", test_large);
  return g_test_run ();
}
