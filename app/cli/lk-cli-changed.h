/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Models and datasets are mapped. Where somebody makes such a file shorter while it is read (a download begun again, a copy over it), the
 * system raises SIGBUS; the process then ends as after any other damaged file: a sentence that names it, LK_EXIT_BAD_INPUT, and
 * the state "failed" in the events of a run.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* For the whole process; once, before other threads. */
void lk_cli_watch_files (void);

G_END_DECLS
