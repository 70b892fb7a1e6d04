/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cairo-pdf.h>

#include <glib/gi18n-lib.h>
#include <cairo-svg.h>

#include "lk-chart.h"
#include "lk-error.h"
#include "lk-file.h"

#define MIN_SIZE 64
#define MAX_SIZE 8192
#define PNG_SCALE 2

static cairo_status_t
append (void *data, const unsigned char *bytes, unsigned int n)
{
  g_byte_array_append (data, bytes, n);
  return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *
create_png (GByteArray *bytes, double width, double height)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) width * PNG_SCALE,
                                                         (int) height * PNG_SCALE);
  cairo_surface_set_device_scale (surface, PNG_SCALE, PNG_SCALE);
  return surface;
}

static cairo_surface_t *
create_svg (GByteArray *bytes, double width, double height)
{
  return cairo_svg_surface_create_for_stream (append, bytes, width, height);
}

static cairo_surface_t *
create_pdf (GByteArray *bytes, double width, double height)
{
  return cairo_pdf_surface_create_for_stream (append, bytes, width, height);
}

static cairo_status_t
finish_png (cairo_surface_t *surface, GByteArray *bytes)
{
  return cairo_surface_write_to_png_stream (surface, append, bytes);
}

static cairo_status_t
finish_vector (cairo_surface_t *surface, GByteArray *bytes)
{
  cairo_surface_finish (surface);
  return cairo_surface_status (surface);
}

static const struct
{
  const char *ending;
  cairo_surface_t *(*create) (GByteArray *bytes, double width, double height);
  cairo_status_t (*finish) (cairo_surface_t *surface, GByteArray *bytes);
} formats[] = {
  { ".png", create_png, finish_png },
  { ".svg", create_svg, finish_vector },
  { ".pdf", create_pdf, finish_vector },
};

static gint
find_format (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (lower, formats[i].ending))
      return (gint) i;
  return -1;
}

gboolean
lk_chart_export (const LkChartSpec *spec, const char *path, double width, double height, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gint format = find_format (path);
  cairo_surface_t *surface;
  cairo_status_t status;
  cairo_t *cr;

  if (format < 0)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT,
                   _ ("“%s” does not end in .png, .svg, .pdf or .csv, so it is not clear what to write."), path);
      return FALSE;
    }
  if (!(width >= MIN_SIZE && width <= MAX_SIZE && height >= MIN_SIZE && height <= MAX_SIZE))
    {
      g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, _ ("A chart of %g × %g cannot be drawn; each side must be %d to %d."),
                   width, height, MIN_SIZE, MAX_SIZE);
      return FALSE;
    }
  surface = formats[format].create (bytes, width, height);
  cr = cairo_create (surface);
  lk_chart_draw (cr, spec, width, height);
  status = cairo_status (cr);
  cairo_destroy (cr);
  if (status == CAIRO_STATUS_SUCCESS)
    status = formats[format].finish (surface, bytes);
  cairo_surface_destroy (surface);
  if (status != CAIRO_STATUS_SUCCESS)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_FAILED, _ ("The chart “%s” could not be drawn: %s."), path,
                   cairo_status_to_string (status));
      return FALSE;
    }
  return lk_file_write (path, bytes->data, bytes->len, error);
}
