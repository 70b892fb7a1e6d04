/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The advisor: a few questions that decide whether fine-tuning is the right tool. Each answer is explained in a sentence and brings the
 * next question; an earlier one can be answered anew.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LK_TYPE_ADVISOR_PAGE (lk_advisor_page_get_type ())
G_DECLARE_FINAL_TYPE (LkAdvisorPage, lk_advisor_page, LK, ADVISOR_PAGE, GtkWidget)

G_END_DECLS
