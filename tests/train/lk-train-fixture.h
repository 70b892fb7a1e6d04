/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A model of a few thousand weights, with tokenizer and chat template, and data for it: made once a program
 * by the engine itself, in a folder that goes away with it.
 */
#pragma once

#include "lk-error.h"
#include "lk-trainer.h"

/* Paths in the temporary folder; valid until the program ends. */
const char *lk_fixture_folder (void);
const char *lk_fixture_model (void);
/* @rows conversations, each answered. */
const char *lk_fixture_data (guint rows);
/* A path in the folder that nothing has used yet. (transfer full) */
char *lk_fixture_path (const char *name);
void lk_fixture_remove (void);

/* A recipe for model and @rows conversations with the settings "name=value name=value". (transfer full) */
LkRecipe *lk_fixture_recipe (guint rows, const char *settings);
/* A run folder with such a recipe. (transfer full) */
LkRunFolder *lk_fixture_run (guint rows, const char *settings);

/* What happened to a run. */
typedef struct
{
  GPtrArray *lines;  /* JsonObject */
  gint64 stop_after; /* cancel after this step; −1: never */
  void (*on_event) (JsonObject *event, gpointer data);
  gpointer data;
  LkSampleSetupFunc setup;
  LkSampleReleaseFunc release;
  LkSampleFunc sample;
  LkOutcome outcome;
  GError *error; /* NULL: it went well */
} LkFixtureRun;

#define LK_FIXTURE_RUN_INIT                                                                                  \
  {                                                                                                          \
    .stop_after = -1                                                                                         \
  }

/* Trains @folder until it ends. TRUE when it did not fail. */
gboolean lk_fixture_train (LkRunFolder *folder, gboolean resume, LkFixtureRun *run);
void lk_fixture_run_clear (LkFixtureRun *run);
/* Events of that name. */
guint lk_fixture_count (const LkFixtureRun *run, const char *event);
/* The last one of that name; NULL when there was none. */
JsonObject *lk_fixture_last (const LkFixtureRun *run, const char *event);

/* g_asserts that a file below both run folders has the same bytes. */
void lk_fixture_assert_same (LkRunFolder *a, LkRunFolder *b, const char *file);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LkFixtureRun, lk_fixture_run_clear)
