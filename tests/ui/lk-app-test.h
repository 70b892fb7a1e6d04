/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of app/ share: a folder of their own, and waiting with a limit.
 */
#pragma once

#include "lk-draft.h"

typedef gboolean (*LkTestCondition) (gpointer data);

/* Runs the main loop until @condition holds; fails the test when it does not in time. */
void lk_test_wait_for (LkTestCondition condition, gpointer data);

/* A new temporary folder; lk_test_clean() removes and frees it. */
char *lk_test_make_folder (void);
void lk_test_clean (char *folder);

/* The string @property of @object; the caller frees it. */
char *lk_test_text_of (gpointer object, const char *property);

/* Whether the property "busy" of @data is FALSE: a condition. */
gboolean lk_test_is_idle (gpointer data);

/* A draft with four settings, without asking the engine. */
LkDraft *lk_test_make_draft (void);

/* Each file of tests adds its own. */
void lk_test_add_run (void);
void lk_test_add_run_edit (void);
void lk_test_add_queue (void);
void lk_test_add_worker (void);
void lk_test_add_engine (void);
void lk_test_add_http (void);
void lk_test_add_data (void);
void lk_test_add_preferences (void);
void lk_test_add_markdown (void);
void lk_test_add_pace (void);
