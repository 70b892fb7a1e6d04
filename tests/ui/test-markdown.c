/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Markdown of models' answers: what it becomes, and that no text makes markup that is not well-formed.
 */
#include <string.h>

#include "lk-app-test.h"
#include "lk-markdown.h"

static char *
flat (const char *text)
{
  g_autoptr (GPtrArray) blocks = lk_markdown_parse (text);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < blocks->len; i++)
    {
      const LkMarkdownBlock *block = blocks->pdata[i];

      if (block->is_code)
        g_string_append_printf (out, "[%s|%s]", block->language, block->text);
      else
        g_string_append_printf (out, "{%s}", block->text);
    }
  return g_string_free (out, FALSE);
}

static void
test_blocks (void)
{
  static const struct
  {
    const char *text, *expected;
  } cases[] = {
    { "", "" },
    { "Hello\nyou\n", "{Hello\nyou}" },
    { "a **b** c *d* `e<f` ~~g~~", "{a <b>b</b> c <i>d</i> <tt>e&lt;f</tt> <s>g</s>}" },
    { "**bold *and italic* bold**", "{<b>bold <i>and italic</i> bold</b>}" },
    { "snake_case_name and 2 * 3 * 4", "{snake_case_name and 2 * 3 * 4}" },
    { "_so_ and **not closed", "{<i>so</i> and **not closed}" },
    { "\\*no\\* emphasis", "{*no* emphasis}" },
    { "# Title\n### Small", "{<big><b>Title</b></big>\n<b>Small</b>}" },
    { "- one\n* two\n  + in", "{• one\n• two\n\u00a0\u00a0• in}" },
    { "> said", "{│ said}" },
    { "---", "{────────}" },
    { "see [here](https://e.org/?a&b)", "{see here (https://e.org/?a&amp;b)}" },
    { "[[a] [b](c) [d", "{[[a] b (c) [d}" },
    { "So:\n```c\nint a = b < c;\n\n```\ndone", "{So:}[c|int a = b < c;]{done}" },
    { "\n\nA\n```\nx\n```\n\nB", "{A}[|x]{B}" },
    { "```\nnever closed **x**", "[|never closed **x**]" },
    { "~~~~py\n```\n~~~~", "[py|```]" },
    { "<b>own tag</b> & <span", "{&lt;b&gt;own tag&lt;/b&gt; &amp; &lt;span}" },
    { "bell\x07", "{bell\xef\xbf\xbd}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = flat (cases[i].text);

      g_assert_cmpstr (got, ==, cases[i].expected);
    }
}

/* A bracket's end is looked for near by: a line of brackets must not cost its square. */
static void
test_reach (void)
{
  g_autofree char *letters = g_strnfill (5000, 'x');
  g_autofree char *near = g_strdup_printf ("[a](%.3000s)", letters);
  g_autofree char *far = g_strdup_printf ("[a](%s)", letters);
  g_autofree char *near_got = flat (near), *far_got = flat (far);
  g_autofree char *near_expected = g_strdup_printf ("{a (%.3000s)}", letters);
  g_autofree char *far_expected = g_strdup_printf ("{[a](%s)}", letters);

  g_assert_cmpstr (near_got, ==, near_expected);
  g_assert_cmpstr (far_got, ==, far_expected);
}

static void
assert_well_formed (const char *text)
{
  static const GMarkupParser parser = { 0 };
  g_autoptr (GPtrArray) blocks = lk_markdown_parse (text);

  for (guint i = 0; i < blocks->len; i++)
    {
      const LkMarkdownBlock *block = blocks->pdata[i];
      g_autofree char *markup = block->is_code ? NULL : g_strdup_printf ("<markup>%s</markup>", block->text);
      g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, NULL, NULL);
      g_autoptr (GError) error = NULL;

      if (markup != NULL
          && (!g_markup_parse_context_parse (context, markup, -1, &error) || !g_markup_parse_context_end_parse (context, &error)))
        g_error ("“%s” became “%s”: %s", text, markup, error->message);
    }
}

/* Everything that can be made of the marks, and long lines of one of them. */
static void
test_hostile (void)
{
  static const char *const parts[] = { "*", "**", "_", "`", "```", "~~", "[", "](", ")", "<b>", "</i>", "&", "\"", "\\", "\n", " ",
                                       "#", "- ", "> ", "a", "ä", "\x01", "\xff", "|", "---" };
  g_autofree char *stars = g_strnfill (20000, '*');
  g_autofree char *ticks = g_strnfill (20001, '`');

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      for (int n = g_test_rand_int_range (0, 14); n > 0; n--)
        g_string_append (text, parts[g_test_rand_int_range (0, G_N_ELEMENTS (parts))]);
      assert_well_formed (text->str);
    }
  assert_well_formed (stars);
  assert_well_formed (ticks);
}

void
lk_test_add_markdown (void)
{
  g_test_add_func ("/app/markdown/blocks", test_blocks);
  g_test_add_func ("/app/markdown/reach", test_reach);
  g_test_add_func ("/app/markdown/hostile", test_hostile);
}
