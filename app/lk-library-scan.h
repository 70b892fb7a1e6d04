/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where programs keep models, and what lies there. Reads folders, so that it belongs into a thread.
 */
#pragma once

#include "lk-found-model.h"

G_BEGIN_DECLS

/* Of LkFoundModel, by place and name; a file that two places share is listed once. @home stands for the user's home folder.
 * (transfer full) */
GPtrArray *lk_library_scan (const char *home);

G_END_DECLS
