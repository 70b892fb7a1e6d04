/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The few places where GTK 4.8 / libadwaita 1.2 and today's releases want different calls: questions, About,
 * file dialogs. The only file with #if about versions is compat.c.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

typedef void (*LkCompatAnswerFunc) (gboolean agreed, gpointer user_data);
typedef void (*LkCompatFileFunc) (GFile *file, gpointer user_data);

/* Asks with Cancel and a verb. @destructive: the verb loses something. */
void lk_compat_ask (GtkWindow *parent, const char *heading, const char *body, const char *verb,
                    gboolean destructive, LkCompatAnswerFunc answered, gpointer user_data);

typedef enum
{
  LK_COMPAT_OPEN_FILE,
  LK_COMPAT_OPEN_FOLDER,
  LK_COMPAT_SAVE_FILE, /* @name is the proposed name; the file or folder need not exist */
} LkCompatFileKind;

/* @chosen is not called when the user cancels. @filter_name may be NULL; else @suffixes (NULL-terminated) are
 * shown first, and all files as a second choice. @folder may be NULL. */
void lk_compat_choose_file (GtkWindow *parent, LkCompatFileKind kind, const char *title,
                            const char *filter_name, const char *const *suffixes, const char *folder,
                            const char *name, LkCompatFileFunc chosen, gpointer user_data);

/* Several files to open: a list of GFile, never empty. */
typedef void (*LkCompatFilesFunc) (GListModel *files, gpointer user_data);
void lk_compat_choose_files (GtkWindow *parent, const char *title, const char *filter_name,
                             const char *const *suffixes, const char *folder, LkCompatFilesFunc chosen,
                             gpointer user_data);

/* The window or dialog; what is copied from it is told as soon as it is known. (transfer none) */
GtkWidget *lk_compat_show_about (GtkWindow *parent);
void lk_compat_about_set_debug_info (GtkWidget *about, const char *debug_info);

/* Has a screen reader say @message; nothing where GTK cannot. */
void lk_compat_announce (GtkWidget *widget, const char *message);

G_END_DECLS
