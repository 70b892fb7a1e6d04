/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * {text}: learned as it stands.
 */
#include "lk-form.h"

static gboolean
lk_text_matches (JsonObject *object)
{
  return json_object_has_member (object, "text");
}

static gboolean
lk_text_read (JsonObject *object, LkRow *row, char **reason)
{
  const char *text = lk_form_text_of (object, "text");

  if (!text)
    return lk_form_fail (reason, "“text” is no text");
  if (lk_form_is_blank (text))
    return lk_form_fail (reason, "the text is empty");
  row->kind = LK_ROW_TEXT;
  row->text = g_strdup (text);
  return TRUE;
}

const LkForm lk_form_text = { "Plain text", lk_text_matches, lk_text_read };
