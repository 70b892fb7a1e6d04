/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>
#include <locale.h>

#include "lk-application.h"
#include "lk-config.h"
#include "lk-resources.h"

int
main (int argc, char **argv)
{
  g_autoptr (LkApplication) application = NULL;
  const char *own = g_getenv ("LK_LOCALE_DIR"); /* where it is not installed: the build's po folder */

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, own != NULL && own[0] != 0 ? own : LK_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_application_name ("Lorikeet");
  /* they live in a static library, whose constructor the linker would leave out */
  g_resources_register (lk_resources_get_resource ());
  application = lk_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
