/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "lk-file.h"
#include "lk-modelfile.h"
#include "lk-written-model.h"

#define CHATML "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}" \
               "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

/* What is written of a template, or words of why nothing is. */
static const struct
{
  const char *name, *template, *text, *note;
} cases[] = {
  { "chatml", CHATML,
    "TEMPLATE \"\"\"{{ $before := \"\" }}{{ range .Messages }}{{ if eq .Role \"system\" }}<|im_start|>system\n{{ .Content }}"
    "{{ else if eq .Role \"assistant\" }}<|im_end|>\n<|im_start|>assistant\n{{ .Content }}{{ else if eq .Role \"user\" }}"
    "{{ if eq $before \"system\" }}<|im_end|>\n<|im_start|>user\n{{ else if eq $before \"assistant\" }}<|im_end|>\n<|im_start|>user\n"
    "{{ else }}<|im_start|>user\n{{ end }}{{ .Content }}{{ end }}{{ $before = .Role }}{{ end }}<|im_end|>\n<|im_start|>assistant\n\"\"\"\n"
    "PARAMETER stop",
    NULL },
  { "system of its own", "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}{% endif %}" CHATML,
    "SYSTEM \"\"\"Be kind.\"\"\"\nPARAMETER stop", NULL },
  { "no system message",
    "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" CHATML,
    "{{ range .Messages }}{{ if eq .Role \"assistant\" }}<|im_end|>", NULL },
  { "braces", "{% for m in messages %}{{ '{{' + m.role + '}}' + m.content + ';' }}{% endfor %}"
              "{% if add_generation_prompt %}{{ '{{assistant}}' }}{% endif %}",
    "{{ else if eq .Role \"assistant\" }};{{ \"{{\" }}assistant}}{{ .Content }}", NULL },
  { "date", "{{ strftime_now('%d %B %Y') }}" CHATML, NULL, "date" },
  { "numbers", "{% for m in messages %}{{ '#' ~ loop.index ~ m.role + ':' + m.content + ';' }}{% endfor %}"
               "{% if add_generation_prompt %}{{ '#a:' }}{% endif %}",
    NULL, "more than to put words around messages" },
  { "last only", "{{ messages[-1].content }}", NULL, "more than to put words around messages" },
};

static void
test_modelfile (void)
{
  LkWrittenModel written = { 0 };
  g_autofree char *path = NULL;

  lk_written_model_init (&written, "F32");
  if (!written.model)
    return;
  path = g_build_filename (written.hf, "chat_template.jinja", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LkModel) model = NULL;
      g_autofree char *note = NULL;
      g_autofree char *text = NULL;

      lk_file_write (path, cases[i].template, -1, &error);
      g_assert_no_error (error);
      model = lk_model_open_text (written.hf, &error);
      g_assert_no_error (error);
      text = lk_modelfile_make (model, "mine.gguf", &note);
      g_test_message ("%s: %s\n%s", cases[i].name, note ? note : "no note", text);
      g_assert_true (g_str_has_prefix (text, "FROM ./mine.gguf\n"));
      g_assert_true (strstr (text, "PARAMETER stop \"<|im_end|>\"\n") != NULL);
      g_assert_true ((strstr (text, "TEMPLATE") != NULL) == (cases[i].note == NULL));
      if (cases[i].note)
        g_assert_true (note && strstr (note, cases[i].note));
      else
        g_assert_true (!note && strstr (text, cases[i].text));
    }
  lk_written_model_clear (&written);
}

static void
test_path (void)
{
  g_autofree char *a = lk_modelfile_path ("/x/mine.gguf");
  g_autofree char *b = lk_modelfile_path ("/x/mine");

  g_assert_cmpstr (a, ==, "/x/mine.Modelfile");
  g_assert_cmpstr (b, ==, "/x/mine.Modelfile");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/modelfile/templates", test_modelfile);
  g_test_add_func ("/modelfile/path", test_path);
  return g_test_run ();
}
