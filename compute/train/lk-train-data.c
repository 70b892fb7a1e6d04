/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-train-data.h"

#include <string.h>

#include "lk-error.h"
#include "lk-random.h"
#include "lk-train-step.h"

#define LK_HELD_OUT_LEAST 16

typedef struct
{
  GPtrArray *examples; /* of LkExample */
  GArray *rows;        /* guint: row of the dataset each came from */
} LkPart;

struct _LkTrainData
{
  LkModel *model;
  LkDataset *dataset;
  LkPart train, held_out;
  guint length;
  gboolean is_context; /* @length is the model's context, which is less than was asked for */
  gint64 now;
  gboolean pack;
  guint batch; /* examples side by side where they are not packed */
  guint examples_per_step;
  guint64 seed;
  gint64 epoch; /* @order is the one of this epoch; −1: of none yet */
  guint32 *order;
  guint n_problems;
  LkTrainProblemFunc problem;
  gpointer problem_data;
};

static void
lk_example_destroy (gpointer data)
{
  lk_example_free (data);
}

static void
lk_part_init (LkPart *self)
{
  self->examples = g_ptr_array_new_with_free_func (lk_example_destroy);
  self->rows = g_array_new (FALSE, FALSE, sizeof (guint));
}

static void
lk_part_clear (LkPart *self)
{
  g_ptr_array_unref (self->examples);
  g_array_unref (self->rows);
}

void
lk_train_data_free (LkTrainData *self)
{
  if (!self)
    return;
  lk_part_clear (&self->train);
  lk_part_clear (&self->held_out);
  lk_dataset_unref (self->dataset);
  lk_model_unref (self->model);
  g_free (self->order);
  g_free (self);
}

static LkExample *
lk_example_take (GArray *ids, guint n_prompt)
{
  LkExample *example = g_new0 (LkExample, 1);

  example->n = ids->len;
  example->ids = g_memdup2 (ids->data, ids->len * sizeof (gint32));
  example->targets = g_malloc (ids->len + 1);
  for (guint i = 0; i < ids->len; i++)
    example->targets[i] = i >= n_prompt;
  return example;
}

static LkExample *
lk_example_from_text (LkModel *model, const LkRow *row, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint32 bos = lk_tokenizer_get_bos (tokenizer), eos = lk_tokenizer_get_eos (tokenizer);
  guint n_prompt;

  if (lk_tokenizer_get_add_bos (tokenizer) && bos >= 0)
    g_array_append_val (ids, bos);
  if (row->prompt && !lk_tokenizer_encode (tokenizer, row->prompt, -1, FALSE, ids, error))
    return NULL;
  n_prompt = row->prompt ? ids->len : 0;
  if (!lk_tokenizer_encode (tokenizer, row->text, -1, FALSE, ids, error))
    return NULL;
  if (eos >= 0)
    g_array_append_val (ids, eos);
  return lk_example_take (ids, n_prompt);
}

LkExample *
lk_example_from_row (LkModel *model, const LkRow *row, gint64 now, GError **error)
{
  LkTokenizer *tokenizer = lk_model_get_tokenizer (model);
  LkTemplate *template = lk_model_get_template (model);
  LkTemplateInput input = { .messages = row->messages, .tools = row->tools, .now = now };

  if (!tokenizer || (row->kind == LK_ROW_MESSAGES && !template))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "%s has no %s, so it cannot learn from %s",
                   lk_model_get_path (model), tokenizer ? "chat template" : "tokenizer",
                   tokenizer ? "conversations" : "text");
      return NULL;
    }
  if (!lk_row_is_conversation (row, template != NULL))
    return lk_example_from_text (model, row, error);
  input.bos_token = lk_tokenizer_get_token (tokenizer, lk_tokenizer_get_bos (tokenizer));
  input.eos_token = lk_tokenizer_get_token (tokenizer, lk_tokenizer_get_eos (tokenizer));
  return lk_template_encode (template, tokenizer, &input, error);
}

static void
lk_train_data_report (LkTrainData *self, const LkRow *row, const char *reason)
{
  self->n_problems++;
  self->problem (lk_dataset_get_path (self->dataset, row->file), row->line, reason, self->problem_data);
}

static guint
lk_example_count (const LkExample *example)
{
  guint n = 0;

  for (guint i = 1; i < example->n; i++)
    n += example->targets[i];
  return n;
}

/* Encodes the rows @indices into @part; what is too long is cut and said, what teaches nothing is left out
 * and said. */
static gboolean
lk_train_data_encode (LkTrainData *self, LkPart *part, GArray *indices, GError **error)
{
  for (guint i = 0; i < indices->len; i++)
    {
      guint index = g_array_index (indices, guint, i);
      const LkRow *row = lk_dataset_get_row (self->dataset, index);
      g_autoptr (GError) row_error = NULL;
      g_autoptr (LkExample) example = lk_example_from_row (self->model, row, self->now, &row_error);
      g_autofree char *reason = NULL;

      if (!example && g_error_matches (row_error, LK_ERROR, LK_ERROR_UNSUPPORTED))
        {
          g_propagate_error (error, g_steal_pointer (&row_error));
          return FALSE;
        }
      if (!example)
        {
          lk_train_data_report (self, row, row_error->message);
          continue;
        }
      if (example->n > self->length)
        {
          reason = g_strdup_printf ("the row has %u tokens and was cut at %u%s", example->n, self->length,
                                    self->is_context ? ", which is all the model can read" : "");
          example->n = self->length;
        }
      if (lk_example_count (example) == 0)
        {
          g_free (reason);
          reason = g_strdup (
              "nothing of the answer is left within the length limit, or it is empty: the row is not used");
        }
      if (reason)
        lk_train_data_report (self, row, reason);
      if (lk_example_count (example) == 0)
        continue;
      g_ptr_array_add (part->examples, g_steal_pointer (&example));
      g_array_append_val (part->rows, index);
    }
  return TRUE;
}

LkTrainData *
lk_train_data_new (LkModel *model, LkDataset *dataset, const LkRecipe *recipe, LkTrainProblemFunc problem,
                   gpointer data, GError **error)
{
  g_autoptr (LkTrainData) self = g_new0 (LkTrainData, 1);
  g_autoptr (GArray) train = NULL, held_out = NULL;

  self->model = lk_model_ref (model);
  self->dataset = lk_dataset_ref (dataset);
  self->length
      = (guint) MIN (lk_recipe_get_int (recipe, LK_SETTING_LENGTH), lk_model_get_config (model)->context);
  self->is_context = lk_recipe_get_int (recipe, LK_SETTING_LENGTH) > self->length;
  self->now = lk_recipe_get_created (recipe);
  self->pack = lk_recipe_get_boolean (recipe, LK_SETTING_PACKING);
  self->batch = (guint) lk_recipe_get_int (recipe, LK_SETTING_BATCH);
  self->examples_per_step = self->batch * (guint) lk_recipe_get_int (recipe, LK_SETTING_ACCUMULATION);
  self->seed = (guint64) lk_recipe_get_int (recipe, LK_SETTING_SEED);
  self->epoch = -1;
  self->problem = problem;
  self->problem_data = data;
  lk_part_init (&self->train);
  lk_part_init (&self->held_out);
  for (guint i = 0; i < lk_dataset_get_n_problems (dataset); i++)
    {
      const LkRowProblem *p = lk_dataset_get_problem (dataset, i);

      self->n_problems++;
      problem (lk_dataset_get_path (dataset, p->file), p->line, p->reason, data);
    }
  lk_dataset_split (dataset, lk_recipe_get_number (recipe, LK_SETTING_HELD_OUT), LK_HELD_OUT_LEAST,
                    self->seed, &train, &held_out);
  if (!lk_train_data_encode (self, &self->train, train, error)
      || !lk_train_data_encode (self, &self->held_out, held_out, error))
    return NULL;
  if (self->train.examples->len == 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_BAD_DATA, "%s: no row is left to train on",
                   lk_dataset_get_path (dataset, 0));
      return NULL;
    }
  self->order = g_new (guint32, self->train.examples->len);
  return g_steal_pointer (&self);
}

guint
lk_train_data_get_n_train (LkTrainData *self)
{
  return self->train.examples->len;
}

guint
lk_train_data_get_n_held_out (LkTrainData *self)
{
  return self->held_out.examples->len;
}

guint
lk_train_data_get_n_problems (LkTrainData *self)
{
  return self->n_problems;
}

gint64
lk_train_data_get_tokens (LkTrainData *self)
{
  gint64 n = 0;

  for (guint i = 0; i < self->train.examples->len; i++)
    n += ((LkExample *) g_ptr_array_index (self->train.examples, i))->n;
  return n;
}

gint64
lk_train_data_get_targets (LkTrainData *self)
{
  gint64 n = 0;

  for (guint i = 0; i < self->train.examples->len; i++)
    n += lk_example_count (g_ptr_array_index (self->train.examples, i));
  return n;
}

static guint
lk_part_longest (const LkPart *part)
{
  guint longest = 0;

  for (guint i = 0; i < part->examples->len; i++)
    longest = MAX (longest, ((LkExample *) g_ptr_array_index (part->examples, i))->n);
  return longest;
}

guint
lk_train_data_get_longest (LkTrainData *self)
{
  return MAX (lk_part_longest (&self->train), lk_part_longest (&self->held_out));
}

gint64
lk_train_data_get_steps_per_epoch (LkTrainData *self)
{
  return (self->train.examples->len + self->examples_per_step - 1) / self->examples_per_step;
}

static void
lk_train_batch_clear (gpointer data)
{
  lk_batch_free (((LkTrainBatch *) data)->batch);
}

/* Examples in rows: whole ones behind each other. @first: n_rows + 1 places in @examples. */
static void
lk_train_batches_add (GArray *batches, LkExample *const *examples, const guint *first, guint n_rows,
                      guint length)
{
  LkTrainBatch batch = { lk_batch_new (n_rows, length), n_rows, length, 0 };

  for (guint row = 0; row < n_rows; row++)
    for (guint i = first[row], offset = 0; i < first[row + 1]; i++)
      {
        lk_batch_place (batch.batch, row, length, offset, examples[i]);
        offset += examples[i]->n;
        batch.tokens += examples[i]->n;
      }
  g_array_append_val (batches, batch);
}

/* As many as fit behind each other in one row of a batch. */
static void
lk_train_batches_pack (GArray *batches, LkExample **examples, guint n, guint capacity)
{
  g_autofree guint *lengths = g_new (guint, n + 1);
  g_autofree LkExample **members = g_new (LkExample *, n + 1);
  g_autoptr (LkPacking) packing = NULL;

  for (guint i = 0; i < n; i++)
    lengths[i] = examples[i]->n;
  packing = lk_packing_new (lengths, n, capacity, TRUE);
  for (guint row = 0; row < packing->n_rows; row++)
    {
      guint count = packing->first[row + 1] - packing->first[row], tokens = 0;

      for (guint i = 0; i < count; i++)
        {
          members[i] = examples[packing->members[packing->first[row] + i]];
          tokens += members[i]->n;
        }
      lk_train_batches_add (batches, members, (const guint[]){ 0, count }, 1,
                            lk_train_bucket (tokens, capacity));
    }
}

/* A row each, @side of them side by side where they fit. */
static void
lk_train_batches_spread (GArray *batches, LkExample **examples, guint n, guint side, guint capacity)
{
  g_autofree guint *first = g_new (guint, side + 1);

  for (guint i = 0; i <= side; i++)
    first[i] = i;
  for (guint at = 0; at < n;)
    {
      guint rows = 0, length = 0;

      while (rows < MIN (side, n - at))
        {
          guint wider = MAX (length, lk_train_bucket (examples[at + rows]->n, capacity));

          if (rows > 0 && (rows + 1) * wider > capacity)
            break;
          length = wider;
          rows++;
        }
      lk_train_batches_add (batches, examples + at, first, rows, length);
      at += rows;
    }
}

static GArray *
lk_train_data_batches (LkTrainData *self, LkExample **examples, guint n, guint capacity)
{
  GArray *batches = g_array_new (FALSE, FALSE, sizeof (LkTrainBatch));

  g_array_set_clear_func (batches, lk_train_batch_clear);
  if (self->pack)
    lk_train_batches_pack (batches, examples, n, capacity);
  else
    lk_train_batches_spread (batches, examples, n, self->batch, capacity);
  return batches;
}

/* Examples are visited in another order each epoch. */
static void
lk_train_data_set_epoch (LkTrainData *self, gint64 epoch)
{
  LkRandom random = lk_random (self->seed, 0x65706f6368000000u + (guint64) epoch);

  if (self->epoch == epoch)
    return;
  lk_random_permutation (&random, self->order, self->train.examples->len);
  self->epoch = epoch;
}

GArray *
lk_train_data_step (LkTrainData *self, gint64 step, guint capacity)
{
  gint64 steps = lk_train_data_get_steps_per_epoch (self);
  guint first = (guint) (step % steps) * self->examples_per_step;
  guint n = MIN (self->examples_per_step, self->train.examples->len - first);
  g_autofree LkExample **examples = g_new (LkExample *, n);

  lk_train_data_set_epoch (self, step / steps);
  for (guint i = 0; i < n; i++)
    examples[i] = g_ptr_array_index (self->train.examples, self->order[first + i]);
  return lk_train_data_batches (self, examples, n, capacity);
}

GArray *
lk_train_data_held_out (LkTrainData *self, guint capacity)
{
  return lk_train_data_batches (self, (LkExample **) self->held_out.examples->pdata,
                                self->held_out.examples->len, capacity);
}

const LkRow *
lk_train_data_get_held_out_row (LkTrainData *self, guint i)
{
  return lk_dataset_get_row (self->dataset, g_array_index (self->held_out.rows, guint, i));
}
