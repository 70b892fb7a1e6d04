/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-advice.h"

#include <glib/gi18n-lib.h>

enum
{
  WRONG,
  PROMPTED,
  EXAMPLES,
  CHANGING,
  BREADTH,
};

#define END(verdict) -1, LK_VERDICT_##verdict
#define ASK(question) question, LK_VERDICT_FINE_TUNE

const LkQuestion lk_questions[] = {
  [WRONG] = { N_ ("What is wrong with the answers you get today?"),
              { { N_ ("They lack facts: my products, my documents, what is new"),
                  N_ ("Fine-tuning teaches how to answer; facts learned that way are forgotten, mixed up and never up to date."), END (RETRIEVAL) },
                { N_ ("They have the wrong form or the wrong tone"),
                  N_ ("Form and tone are what fine-tuning teaches best, and what a prompt often manages as well."), ASK (PROMPTED) },
                { N_ ("The model reasons wrongly about my kind of task"),
                  N_ ("Examples of a task done right teach the pattern, where explaining it does not help."), ASK (EXAMPLES) },
                { N_ ("A large model does it well, but it is too slow or too dear"),
                  N_ ("A small model that learned one task from a large one's answers often does it as well."), ASK (EXAMPLES) } } },
  [PROMPTED] = { N_ ("Have you tried a prompt with two or three examples?"),
                 { { N_ ("Not yet"), N_ ("That takes minutes, and is undone in seconds when it does not help."), END (PROMPT) },
                   { N_ ("Yes, but it slips now and then"), N_ ("Hundreds of examples hold better than three."), ASK (EXAMPLES) },
                   { N_ ("Yes, and it works, but the prompt has become long"),
                     N_ ("What is learned need not be said each time, which makes every answer quicker."), ASK (EXAMPLES) } } },
  [EXAMPLES] = { N_ ("How many examples of a question with a good answer do you have?"),
                 { { N_ ("Fewer than fifty"), N_ ("So few are learned by heart, and nothing beyond them."), END (MORE_DATA) },
                   { N_ ("Fifty to a few hundred"), N_ ("Enough for a form or a tone, if they are good."), ASK (CHANGING) },
                   { N_ ("More"), N_ ("Enough for most tasks; good ones count for more than many."), ASK (CHANGING) } } },
  [CHANGING] = { N_ ("How often does what counts as a good answer change?"),
                 { { N_ ("Every few days or weeks"), N_ ("Each change would need new examples and another run."), END (CHANGES) },
                   { N_ ("Seldom"), N_ ("Then what is learned once serves for long."), ASK (BREADTH) } } },
  [BREADTH] = { N_ ("How many kinds of task is it to do?"),
                { { N_ ("One"), N_ ("One task, learned from its own examples, is where small models shine."), END (FINE_TUNE) },
                  { N_ ("A handful"), N_ ("That works when each kind has its share of the examples."), END (FINE_TUNE) },
                  { N_ ("Whatever somebody may ask"), N_ ("For that, a larger model helps more than any examples of yours."), END (TOO_BROAD) } } },
};
const guint lk_n_questions = G_N_ELEMENTS (lk_questions);

const LkVerdictText lk_verdicts[LK_N_VERDICTS] = {
  [LK_VERDICT_FINE_TUNE] = { N_ ("Fine-Tuning Fits"), N_ ("Choose a small model, drop in your examples and start; an hour later you know more. Keep some questions aside to compare it with the model as it was."), TRUE },
  [LK_VERDICT_RETRIEVAL] = { N_ ("Let It Look Things Up Instead"), N_ ("Give the model the passages it needs along with each question; programs for “retrieval” or “chat with documents” do that. If its answers then have the wrong form, come back."), FALSE },
  [LK_VERDICT_PROMPT] = { N_ ("Try a Prompt First"), N_ ("Write down what you want, add two or three examples, and try it on ten questions. If it still slips, those ten are your first examples for a fine-tune."), FALSE },
  [LK_VERDICT_MORE_DATA] = { N_ ("Not Yet: Collect Examples"), N_ ("Gather a hundred questions with the answers you would have given. Corrected answers of the model itself are a quick beginning."), FALSE },
  [LK_VERDICT_CHANGES] = { N_ ("Not Yet: It Changes Too Often"), N_ ("Put what changes into the prompt, or let the model look it up. Fine-tune only what stays the same: the form, the tone, the steps."), FALSE },
  [LK_VERDICT_TOO_BROAD] = { N_ ("Not Yet: The Task Is Too Broad"), N_ ("Choose the one kind of question that matters most or goes wrong most often, and fine-tune for that. The rest can stay with the model as it is."), FALSE },
};
