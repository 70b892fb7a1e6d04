/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A model in the library: what it is, whether it fits, and its facts. Emits the action "models.use" with its path.
 */
#pragma once

#include <adwaita.h>

#include "lk-found-model.h"

G_BEGIN_DECLS

#define LK_TYPE_MODEL_ROW (lk_model_row_get_type ())
G_DECLARE_FINAL_TYPE (LkModelRow, lk_model_row, LK, MODEL_ROW, AdwActionRow)

GtkWidget *lk_model_row_new (LkFoundModel *model);

G_END_DECLS
