/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-family-template.h"

#define RAISE(message) "{{ raise_exception('" message "') }}"
/* Where the format has no place for tools. */
#define NO_TOOLS "{% if tools %}" RAISE ("The format of this model family has no tools") "{% endif %}"
#define ONLY(roles) \
  "{% if m.tool_calls or m.role not in [" roles "] %}" RAISE ("The format of this model family knows the roles " \
  "system, user and assistant") "{% endif %}"
#define THREE_ROLES "'system', 'user', 'assistant'"
/* Splits a system prompt off: @messages begin with the user then. */
#define TAKE_SYSTEM \
  "{% set system = messages[0].content if messages[0].role == 'system' else none %}" \
  "{% set messages = messages[1:] if messages[0].role == 'system' else messages %}"
#define ALTERNATE \
  "{% if (m.role == 'user') != (loop.index0 % 2 == 0) or m.role not in ['user', 'assistant'] or m.tool_calls %}" \
  RAISE ("The format of this model family has users and assistants take turns") "{% endif %}"

static const char llama2[]
    = NO_TOOLS TAKE_SYSTEM
      "{% for m in messages %}" ALTERNATE
      "{% if m.role == 'user' %}"
      "{% set text = '<<SYS>>\\n' + system | trim + '\\n<</SYS>>\\n\\n' + m.content if loop.first and system is string else m.content %}"
      "{{ bos_token + '[INST] ' + text | trim + ' [/INST]' }}"
      "{% else %}{{ ' ' + m.content | trim + ' ' + eos_token }}{% endif %}{% endfor %}";

static const char llama3[]
    = NO_TOOLS "{{ bos_token }}{% for m in messages %}" ONLY (THREE_ROLES)
      "{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";

/* The date is that of the family's own default: a text that depends on the day cannot be learned again. Tools stand in the first
 * question; a call is an object. */
#define LLAMA_3_1_TURN(role) "'<|start_header_id|>" role "<|end_header_id|>\\n\\n'"
static const char llama3_1[]
    = TAKE_SYSTEM
      "{{ bos_token + " LLAMA_3_1_TURN ("system") " }}{% if tools %}{{ 'Environment: ipython\\n' }}{% endif %}"
      "{{ 'Cutting Knowledge Date: December 2023\\nToday Date: 26 Jul 2024\\n\\n' }}"
      "{{ (system or '') | trim + '<|eot_id|>' }}"
      "{% for m in messages %}"
      "{% if tools and loop.first %}{{ " LLAMA_3_1_TURN ("user") " }}{{ 'Given the following functions, please respond with a JSON for a "
      "function call with its proper arguments that best answers the given prompt.\\n\\nRespond in the format {\"name\": function name, "
      "\"parameters\": dictionary of argument name and its value}.Do not use variables.\\n\\n' }}"
      "{% for tool in tools %}{{ tool | tojson(indent=4) + '\\n\\n' }}{% endfor %}{{ m.content | trim }}"
      "{% elif m.role in ['tool', 'ipython'] %}{{ " LLAMA_3_1_TURN ("ipython") " }}"
      "{{ m.content | tojson }}"
      "{% elif 'tool_calls' in m %}"
      "{% if m.tool_calls | length != 1 %}" RAISE ("The format of this model family has one call in a turn") "{% endif %}"
      "{% set call = m.tool_calls[0].function %}"
      "{{ " LLAMA_3_1_TURN ("assistant") " + '{\"name\": \"' + call.name + '\", \"parameters\": ' }}{{ call.arguments | tojson }}{{ '}' }}"
      "{% else %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim }}{% endif %}"
      "{{ '<|eot_id|>' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ " LLAMA_3_1_TURN ("assistant") " }}{% endif %}";

#define CHATML_TURN "'<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n'"
#define CHATML_PROMPT "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
static const char chatml[]
    = NO_TOOLS "{% for m in messages %}" ONLY (THREE_ROLES) "{{ " CHATML_TURN " }}{% endfor %}" CHATML_PROMPT;

static const char qwen2[]
    = NO_TOOLS "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
      "{% for m in messages %}" ONLY (THREE_ROLES) "{{ " CHATML_TURN " }}{% endfor %}" CHATML_PROMPT;

/* The tools, a line each, and how to call them. */
#define QWEN_TOOLS \
  "{{ '# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\nYou are provided with function signatures " \
  "within <tools></tools> XML tags:\\n<tools>' }}{% for tool in tools %}{{ '\\n' }}{{ tool | tojson }}{% endfor %}" \
  "{{ '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> " \
  "XML tags:\\n<tool_call>\\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\\n</tool_call><|im_end|>\\n' }}"
/* What tools answered: all of a row of answers in one turn of the user. */
#define QWEN_ANSWERS \
  "{% if loop.first or loop.previtem.role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}" \
  "{{ '\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}" \
  "{% if loop.last or loop.nextitem.role != 'tool' %}{{ '<|im_end|>\\n' }}{% endif %}"
#define QWEN_CALL(arguments) \
  "{% set f = call.function or call %}{{ '<tool_call>\\n{\"name\": \"' + f.name + '\", \"arguments\": ' }}{{ " arguments " }}" \
  "{{ '}\\n</tool_call>' }}"

static const char qwen2_5[]
    = "{% set own = messages[0].content if messages[0].role == 'system' else "
      "'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' %}"
      "{{ '<|im_start|>system\\n' + own }}"
      "{% if tools %}{{ '\\n\\n' }}" QWEN_TOOLS "{% else %}{{ '<|im_end|>\\n' }}{% endif %}"
      "{% for m in messages %}{% if m.role == 'tool' %}" QWEN_ANSWERS
      "{% elif m.role == 'assistant' and m.tool_calls %}"
      "{{ '<|im_start|>assistant' }}{% if m.content %}{{ '\\n' + m.content }}{% endif %}"
      "{% for call in m.tool_calls %}{{ '\\n' }}" QWEN_CALL ("f.arguments | tojson") "{% endfor %}{{ '<|im_end|>\\n' }}"
      "{% elif not (m.role == 'system' and loop.first) %}{{ " CHATML_TURN " }}{% endif %}{% endfor %}" CHATML_PROMPT;

/* Thoughts stay only in answers to the last question, where an empty one stands even if there were none. */
static const char qwen3[]
    = "{% set system = messages[0].content if messages[0].role == 'system' else none %}"
      "{% if tools %}{{ '<|im_start|>system\\n' }}{% if system is string %}{{ system + '\\n\\n' }}{% endif %}" QWEN_TOOLS
      "{% elif system is string %}{{ '<|im_start|>system\\n' + system + '<|im_end|>\\n' }}{% endif %}"
      "{% set last = namespace(question=-1) %}{% for m in messages %}"
      "{% if m.role == 'user' and not (m.content.startswith('<tool_response>') and m.content.endswith('</tool_response>')) %}"
      "{% set last.question = loop.index0 %}{% endif %}{% endfor %}"
      "{% if last.question < 0 %}{% set last.question = messages | length - 1 %}{% endif %}"
      "{% for m in messages %}{% if m.role == 'tool' %}" QWEN_ANSWERS
      "{% elif m.role == 'assistant' %}"
      "{% set thought = m.reasoning_content if m.reasoning_content is string else "
      "(m.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') if '</think>' in m.content else '') %}"
      "{% set text = m.content if m.reasoning_content is string or '</think>' not in m.content else "
      "m.content.split('</think>')[-1].lstrip('\\n') %}"
      "{{ '<|im_start|>assistant\\n' }}"
      "{% if loop.index0 > last.question and (loop.last or thought) %}"
      "{{ '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' + text.lstrip('\\n') }}{% else %}{{ text }}{% endif %}"
      "{% for call in m.tool_calls or [] %}{% if text or not loop.first %}{{ '\\n' }}{% endif %}"
      QWEN_CALL ("f.arguments if f.arguments is string else f.arguments | tojson") "{% endfor %}{{ '<|im_end|>\\n' }}"
      "{% elif m.role == 'user' or not loop.first %}{{ " CHATML_TURN " }}{% endif %}{% endfor %}" CHATML_PROMPT
      "{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}";

#define GEMMA_TURNS \
  "{% for m in messages %}" ALTERNATE \
  "{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else 'user') + '\\n' + (system if loop.first else '') + m.content | trim " \
  "+ '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
/* Gemma 1 and 2 have no system prompt. */
static const char gemma[]
    = NO_TOOLS "{{ bos_token }}{% set system = '' %}" GEMMA_TURNS;
/* Gemma 3 puts it before the first question. */
static const char gemma3[]
    = NO_TOOLS TAKE_SYSTEM "{{ bos_token }}{% set system = system + '\\n\\n' if system is string else '' %}" GEMMA_TURNS;

/* Mistral's three spellings differ in blanks; a system prompt stands before the last question (v3, Tekken) or before everything. */
static const char mistral[]
    = NO_TOOLS TAKE_SYSTEM "{{ bos_token }}{% if system is string %}{{ system | trim + '\\n\\n' }}{% endif %}"
      "{% for m in messages %}" ALTERNATE
      "{{ '[INST] ' + m.content | trim + ' [/INST]' if m.role == 'user' else ' ' + m.content | trim + eos_token }}{% endfor %}";
#define MISTRAL_TURNS(blank) \
  NO_TOOLS TAKE_SYSTEM "{{ bos_token }}{% for m in messages %}" ALTERNATE \
  "{% if m.role == 'user' %}{{ '[INST]" blank "' + (system + '\\n\\n' if loop.last and system is string else '') + m.content + '[/INST]' }}" \
  "{% else %}{{ '" blank "' + m.content + eos_token }}{% endif %}{% endfor %}"
static const char mistral_v3[] = MISTRAL_TURNS (" ");
static const char mistral_tekken[] = MISTRAL_TURNS ("");

static const char phi3[]
    = NO_TOOLS "{% for m in messages %}" ONLY (THREE_ROLES)
      "{% if m.content or m.role != 'system' %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endif %}{% endfor %}"
      "{{ '<|assistant|>\\n' if add_generation_prompt else eos_token }}";
static const char phi4_mini[]
    = NO_TOOLS "{% for m in messages %}" ONLY (THREE_ROLES) "{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}"
      "{{ '<|assistant|>' if add_generation_prompt else eos_token }}";
static const char phi4[]
    = NO_TOOLS "{% for m in messages %}" ONLY (THREE_ROLES)
      "{{ '<|im_start|>' + m.role + '<|im_sep|>' + m.content + '<|im_end|>' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}";

/* GGUF calls Mistral “llama”: the last Llama rows tell them apart by their tokens. */
static const LkFamilyTemplate templates[] = {
  { "Llama", "<|eom_id|>", NULL, "Llama 3.1", llama3_1 },
  { "Llama", "<|start_header_id|>", NULL, "Llama 3", llama3 },
  { "Llama", "<|im_start|>", NULL, "ChatML", chatml },
  { "Llama", "[INST]", "tekken", "Mistral Nemo", mistral_tekken },
  { "Llama", "[INST]", "", "Mistral v3", mistral_v3 },
  { "Llama", "<s>", "", "Llama 2", llama2 },
  { "Mistral", "[INST]", "tekken", "Mistral Nemo", mistral_tekken },
  { "Mistral", "[INST]", "", "Mistral v3", mistral_v3 },
  { "Mistral", "<s>", "", "Mistral", mistral },
  { "Qwen 2", "<tool_call>", NULL, "Qwen 2.5", qwen2_5 },
  { "Qwen 2", "<|im_start|>", NULL, "Qwen 2", qwen2 },
  { "Qwen 3", "<|im_start|>", NULL, "Qwen 3", qwen3 },
  { "Gemma", "<start_of_turn>", NULL, "Gemma", gemma },
  { "Gemma 2", "<start_of_turn>", NULL, "Gemma", gemma },
  { "Gemma 3", "<start_of_turn>", NULL, "Gemma 3", gemma3 },
  { "Phi-3", "<|im_sep|>", NULL, "Phi-4", phi4 },
  { "Phi-3", "<|assistant|>", "", "Phi-3", phi3 },
  { "Phi-3", "<|assistant|>", NULL, "Phi-4-mini", phi4_mini },
};

static gboolean
fits (const LkFamilyTemplate *row, const char *family, LkTokenizer *tokenizer)
{
  const char *pre = lk_tokenizer_get_pre (tokenizer);

  return g_str_equal (row->family, family) && (!row->token || lk_tokenizer_lookup (tokenizer, row->token) >= 0)
         && (!row->pre || g_str_equal (row->pre, pre ? pre : ""));
}

const LkFamilyTemplate *
lk_family_template_find (const char *family, LkTokenizer *tokenizer)
{
  for (guint i = 0; i < G_N_ELEMENTS (templates); i++)
    if (fits (&templates[i], family, tokenizer))
      return &templates[i];
  return NULL;
}

const LkFamilyTemplate *
lk_family_template_list (guint *n)
{
  *n = G_N_ELEMENTS (templates);
  return templates;
}
