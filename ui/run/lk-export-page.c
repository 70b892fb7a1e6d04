/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-export-page.h"

#include <glib/gi18n-lib.h>
#include <adwaita.h>

#include "compat.h"
#include "lk-export-job.h"
#include "lk-export-name.h"
#include "lk-export-sizes.h"
#include "lk-json.h"
#include "lk-paths.h"
#include "lk-run.h"
#include "lk-words.h"
#include "widgets/lk-closures.h"

/* The formats of the page, in the order of its radio buttons. */
static const struct
{
  const char *format; /* as the engine calls it */
  const char *suffix; /* of the file or folder */
  const char *subtitle;
  const char *type; /* what it is written as where nothing is chosen; NULL: it has no type */
  gboolean precision, modelfile; /* whether there is a choice of the one and of the other */
} formats[] = {
  { "gguf", ".gguf", N_ ("The whole model with what it learned, as GGUF"), "F16", TRUE, TRUE },
  { "hf", "", N_ ("The whole model with what it learned, as safetensors"), "BF16", FALSE, FALSE },
  { "adapter", "-adapter", N_ ("A small PEFT adapter, to be used with the original model"), NULL, FALSE, FALSE },
  { "lora-gguf", "-lora.gguf", N_ ("A small GGUF file, to be used with the original model"), NULL, FALSE, FALSE },
};

/* The precisions of the drop-down, in its order. */
static const char *const types[] = { "F16", "Q8_0", "Q4_1", "Q4_0", "BF16", "F32" };

struct _LkExportPage
{
  GtkWidget parent_instance;

  LkRun *run;
  LkExportJob *job;
  LkExportSizes *sizes;
  char *asked;  /* the folder of the run whose sizes were asked for */
  char *folder; /* where to; NULL for the usual place */
  gint64 room;  /* free bytes there; −1: not known */
  GCancellable *measuring;

  GtkWidget *content, *modelfile_row;
  AdwActionRow *rows[G_N_ELEMENTS (formats)];
  GtkSwitch *modelfile;
  GtkLabel *no_room;
  GtkCheckButton *buttons[G_N_ELEMENTS (formats)];
  GtkDropDown *type;
  AdwActionRow *place;
};

enum
{
  PROP_0,
  PROP_RUN,
  PROP_JOB,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (LkExportPage, lk_export_page, GTK_TYPE_WIDGET)

static guint
chosen_format (LkExportPage *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (gtk_check_button_get_active (self->buttons[i]))
      return i;
  return 0;
}

/* NULL where there is none to choose. */
static const char *
chosen_type (LkExportPage *self, guint format)
{
  guint type = gtk_drop_down_get_selected (self->type);

  return formats[format].precision && type < G_N_ELEMENTS (types) ? types[type] : NULL;
}

/* Of the form that would be written. */
static gint64
size_of (LkExportPage *self, guint format)
{
  const char *type = chosen_type (self, format);

  return lk_export_sizes_get (self->sizes, formats[format].format, type != NULL ? type : formats[format].type);
}

/* In the chosen folder, and free. */
static char *
target_path (LkExportPage *self)
{
  g_autofree char *usual = lk_paths_get_export_dir ();
  guint format = chosen_format (self);

  return lk_export_name_choose (self->folder != NULL ? self->folder : usual, self->run != NULL ? lk_run_get_name (self->run) : "model",
                                formats[format].suffix, formats[format].modelfile);
}

static void
show_sizes (LkExportPage *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      gint64 size = size_of (self, i);
      g_autofree char *words = size >= 0 ? lk_words_bytes ((guint64) size) : NULL;
      g_autofree char *all = words != NULL ? g_strdup_printf (_ ("%s · about %s"), _ (formats[i].subtitle), words) : NULL;

      adw_action_row_set_subtitle (self->rows[i], all != NULL ? all : _ (formats[i].subtitle));
    }
}

/* FALSE, and words about it, when what was chosen does not fit into the folder. */
static gboolean
show_room (LkExportPage *self, const char *path)
{
  gint64 size = size_of (self, chosen_format (self));
  gboolean fits = size < 0 || self->room < 0 || size <= self->room;
  g_autofree char *need = lk_words_bytes ((guint64) MAX (size, 0));
  g_autofree char *room = lk_words_bytes ((guint64) MAX (self->room, 0));
  g_autofree char *place = self->room >= 0 ? g_strdup_printf (_ ("%s\n%s free there"), path, room) : g_strdup (path);
  g_autofree char *words
      = g_strdup_printf (_ ("This needs about %s, and %s are free in the folder. Choose another folder or a smaller form."), need, room);

  adw_action_row_set_subtitle (self->place, place);
  gtk_label_set_text (self->no_room, words);
  gtk_widget_set_visible (GTK_WIDGET (self->no_room), !fits);
  return fits;
}

static void
update (LkExportPage *self)
{
  g_autofree char *path = target_path (self);
  gboolean running = FALSE, fits;

  g_object_get (self->job, "running", &running, NULL);
  show_sizes (self);
  fits = show_room (self, path);
  gtk_widget_set_sensitive (GTK_WIDGET (self->type), formats[chosen_format (self)].precision);
  gtk_widget_set_sensitive (self->modelfile_row, formats[chosen_format (self)].modelfile);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "export.start",
                                 self->run != NULL && lk_run_get_has_adapter (self->run) && !running && fits);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "export.cancel", running);
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkExportPage *self = LK_EXPORT_PAGE (widget);
  g_autofree char *path = target_path (self);
  guint format = chosen_format (self);
  const LkExportWish wish = { .run = lk_run_get_folder (self->run), .base = lk_run_get_model (self->run), .format = formats[format].format,
                              .type = chosen_type (self, format), .path = path,
                              .rank = (guint) CLAMP (lk_json_peek_int (lk_run_get_settings (self->run), "rank", 0), 0, G_MAXINT32),
                              .modelfile = formats[format].modelfile && gtk_switch_get_active (self->modelfile) };

  lk_export_job_start (self->job, &wish);
}

static void
cancel_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  lk_export_job_cancel (LK_EXPORT_PAGE (widget)->job);
}

static void
copy_command_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_autofree char *command = NULL;

  g_object_get (LK_EXPORT_PAGE (widget)->job, "command", &command, NULL);
  if (command == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), command);
  gtk_widget_activate_action (widget, "win.toast", "s", _ ("Copied"));
}

static void measure_room (LkExportPage *self, GFile *folder);

static void
measured_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LkExportPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInfo) info = g_file_query_filesystem_info_finish (G_FILE (source), result, &error);
  g_autoptr (GFile) parent = g_file_get_parent (G_FILE (source));

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->content == NULL)
    return;
  if (info == NULL && parent != NULL)
    {
      measure_room (self, parent); /* a folder that the export will make */
      return;
    }
  self->room = info != NULL && g_file_info_has_attribute (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE)
                   ? (gint64) MIN (g_file_info_get_attribute_uint64 (info, G_FILE_ATTRIBUTE_FILESYSTEM_FREE), (guint64) G_MAXINT64)
                   : -1;
  update (self);
}

static void
measure_room (LkExportPage *self, GFile *folder)
{
  g_file_query_filesystem_info_async (folder, G_FILE_ATTRIBUTE_FILESYSTEM_FREE, G_PRIORITY_DEFAULT, self->measuring, measured_cb,
                                      g_object_ref (self));
}

static void
stop_measuring (LkExportPage *self)
{
  if (self->measuring != NULL)
    g_cancellable_cancel (self->measuring);
  g_clear_object (&self->measuring);
}

/* What an export would take and what there is, while the page is looked at. */
static void
look_around (LkExportPage *self)
{
  g_autofree char *usual = lk_paths_get_export_dir ();
  g_autoptr (GFile) folder = g_file_new_for_path (self->folder != NULL ? self->folder : usual);
  const char *run = self->run != NULL && lk_run_get_has_adapter (self->run) ? lk_run_get_folder (self->run) : NULL;

  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  stop_measuring (self);
  self->measuring = g_cancellable_new ();
  measure_room (self, folder);
  if (g_strcmp0 (run, self->asked) == 0)
    return;
  g_free (self->asked);
  self->asked = g_strdup (run);
  lk_export_sizes_ask (self->sizes, run);
}

static void
lk_export_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (lk_export_page_parent_class)->map (widget);
  look_around (LK_EXPORT_PAGE (widget));
}

static void
job_cb (LkExportPage *self)
{
  update (self);
  look_around (self); /* an export that has ended takes room */
}

static void
folder_chosen_cb (GFile *file, gpointer user_data)
{
  LkExportPage *self = LK_EXPORT_PAGE (user_data);

  g_free (self->folder);
  self->folder = g_file_get_path (file);
  self->room = -1;
  update (self);
  look_around (self);
}

static void
choose_folder_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LkExportPage *self = LK_EXPORT_PAGE (widget);

  lk_compat_choose_file (GTK_WINDOW (gtk_widget_get_root (widget)), LK_COMPAT_OPEN_FOLDER, _ ("Export To"), NULL,
                         NULL, self->folder, NULL, folder_chosen_cb, self);
}

static void
open_result_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  const char *path = lk_export_job_get_path (LK_EXPORT_PAGE (widget)->job);
  g_autofree char *folder = path != NULL ? g_path_get_dirname (path) : NULL;
  g_autofree char *uri = folder != NULL ? g_filename_to_uri (folder, NULL, NULL) : NULL;

  if (uri != NULL)
    g_app_info_launch_default_for_uri_async (uri, NULL, NULL, NULL, NULL);
}

static void
set_run (LkExportPage *self, LkRun *run)
{
  if (self->run == run)
    return;
  if (self->run != NULL)
    g_signal_handlers_disconnect_by_data (self->run, self);
  g_set_object (&self->run, run);
  /* the job of another run goes on by itself; this run gets its own */
  g_signal_handlers_disconnect_by_data (self->job, self);
  g_object_unref (self->job);
  self->job = lk_export_job_new ();
  g_signal_connect_object (self->job, "notify::running", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
  if (run != NULL)
    g_signal_connect_object (run, "notify::has-adapter", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
  job_cb (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_JOB]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUN]);
}

static char *
result_title_cb (gpointer self, const char *path, const char *size)
{
  g_autofree char *name = path != NULL ? g_path_get_basename (path) : g_strdup ("");

  return size != NULL && size[0] != 0 ? g_strdup_printf (_ ("Exported “%s”, %s"), name, size)
                                      : g_strdup_printf (_ ("Exported “%s”"), name);
}

static void
lk_export_page_dispose (GObject *object)
{
  LkExportPage *self = LK_EXPORT_PAGE (object);

  stop_measuring (self);
  g_clear_pointer (&self->content, gtk_widget_unparent);
  g_clear_object (&self->sizes);
  g_clear_object (&self->job);
  g_clear_object (&self->run);
  G_OBJECT_CLASS (lk_export_page_parent_class)->dispose (object);
}

static void
lk_export_page_finalize (GObject *object)
{
  g_free (LK_EXPORT_PAGE (object)->folder);
  g_free (LK_EXPORT_PAGE (object)->asked);
  G_OBJECT_CLASS (lk_export_page_parent_class)->finalize (object);
}

static void
lk_export_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LkExportPage *self = LK_EXPORT_PAGE (object);

  if (id == PROP_RUN)
    g_value_set_object (value, self->run);
  else
    g_value_set_object (value, self->job);
}

static void
lk_export_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  set_run (LK_EXPORT_PAGE (object), g_value_get_object (value));
}

static void
lk_export_page_class_init (LkExportPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (LK_TYPE_EXPORT_JOB);
  object_class->dispose = lk_export_page_dispose;
  object_class->finalize = lk_export_page_finalize;
  object_class->get_property = lk_export_page_get_property;
  object_class->set_property = lk_export_page_set_property;
  widget_class->map = lk_export_page_map;
  properties[PROP_RUN] = g_param_spec_object (
      "run", NULL, NULL, LK_TYPE_RUN, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  properties[PROP_JOB]
      = g_param_spec_object ("job", NULL, NULL, LK_TYPE_EXPORT_JOB,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/lorikeet/Lorikeet/ui/lk-export-page.ui");
  lk_closures_bind (widget_class);
  gtk_widget_class_bind_template_child (widget_class, LkExportPage, content);
  gtk_widget_class_bind_template_child_full (widget_class, "gguf_button", FALSE,
                                             G_STRUCT_OFFSET (LkExportPage, buttons[0]));
  gtk_widget_class_bind_template_child_full (widget_class, "hf_button", FALSE,
                                             G_STRUCT_OFFSET (LkExportPage, buttons[1]));
  gtk_widget_class_bind_template_child_full (widget_class, "adapter_button", FALSE,
                                             G_STRUCT_OFFSET (LkExportPage, buttons[2]));
  gtk_widget_class_bind_template_child_full (widget_class, "lora_button", FALSE,
                                             G_STRUCT_OFFSET (LkExportPage, buttons[3]));
  gtk_widget_class_bind_template_child_full (widget_class, "gguf_row", FALSE, G_STRUCT_OFFSET (LkExportPage, rows[0]));
  gtk_widget_class_bind_template_child_full (widget_class, "hf_row", FALSE, G_STRUCT_OFFSET (LkExportPage, rows[1]));
  gtk_widget_class_bind_template_child_full (widget_class, "adapter_row", FALSE, G_STRUCT_OFFSET (LkExportPage, rows[2]));
  gtk_widget_class_bind_template_child_full (widget_class, "lora_row", FALSE, G_STRUCT_OFFSET (LkExportPage, rows[3]));
  gtk_widget_class_bind_template_child (widget_class, LkExportPage, modelfile_row);
  gtk_widget_class_bind_template_child (widget_class, LkExportPage, modelfile);
  gtk_widget_class_bind_template_child (widget_class, LkExportPage, no_room);
  gtk_widget_class_bind_template_child (widget_class, LkExportPage, type);
  gtk_widget_class_bind_template_child (widget_class, LkExportPage, place);
  gtk_widget_class_bind_template_callback (widget_class, update);
  gtk_widget_class_bind_template_callback (widget_class, result_title_cb);
  gtk_widget_class_install_action (widget_class, "export.start", NULL, start_action);
  gtk_widget_class_install_action (widget_class, "export.cancel", NULL, cancel_action);
  gtk_widget_class_install_action (widget_class, "export.copy-command", NULL, copy_command_action);
  gtk_widget_class_install_action (widget_class, "export.choose-folder", NULL, choose_folder_action);
  gtk_widget_class_install_action (widget_class, "export.open-result", NULL, open_result_action);
}

static void
lk_export_page_init (LkExportPage *self)
{
  self->job = lk_export_job_new ();
  self->sizes = lk_export_sizes_new ();
  self->room = -1;
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->job, "notify::running", G_CALLBACK (job_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->sizes, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
