/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Small functions that .ui files call in bindings: lk_has_text, lk_not, lk_both, lk_or_else.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Makes them known to @klass's template; call it from class_init, after the template is set. */
void lk_closures_bind (GtkWidgetClass *klass);

G_END_DECLS
