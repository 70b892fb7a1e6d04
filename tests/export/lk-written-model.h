/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shipped model, written as a folder and as a GGUF, for tests that change what they say.
 */
#pragma once

#include "lk-backend.h"
#include "lk-model.h"

typedef struct
{
  LkModel *model; /* NULL where the tests have none; then nothing is written */
  LkBackend *backend;
  char *folder, *hf, *gguf;
} LkWrittenModel;

/* @type: of the folder's weights; those of the GGUF are F32. */
void lk_written_model_init (LkWrittenModel *self, const char *type);
void lk_written_model_clear (LkWrittenModel *self);
