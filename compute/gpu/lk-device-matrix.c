/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-device-matrix.h"

#include "lk-error.h"
#include "lk-vulkan-matrix.h"

#define VENDOR_AMD 0x1002
#define VENDOR_NVIDIA 0x10de
#define VENDOR_INTEL 0x8086

#define LEAST_SUBGROUPS 4 /* of the smallest tile for matrix units (lk-matmul-plan.c) */

const char *const lk_precision_names[] = { "auto", "float32", "float16", "float16-threads", "float16-matrix",
                                           "float16-matrix8", NULL };

gboolean
lk_precision_parse (const char *name, LkPrecision *out, GError **error)
{
  g_autofree char *names = NULL;

  for (*out = LK_PRECISION_AUTO; lk_precision_names[*out]; (*out)++)
    if (!name || g_str_equal (lk_precision_names[*out], name))
      return TRUE;
  names = g_strjoinv (", ", (char **) lk_precision_names);
  g_set_error (error, LK_ERROR, LK_ERROR_INVALID_ARGUMENT, "There is no precision “%s”; there are %s", name, names);
  return FALSE;
}

/* RADV's hardware limits are real; these drivers offer cooperative matrices on chips without units for them. Mixed
 * 4×8-bit products in hardware tell RDNA 3 from what came before. */
static gboolean
is_amd_before_rdna3 (const LkDeviceSnapshot *s)
{
  return s->vendor_id == VENDOR_AMD
         && (s->driver_id == VK_DRIVER_ID_AMD_PROPRIETARY || s->driver_id == VK_DRIVER_ID_AMD_OPEN_SOURCE)
         && !s->integer_dot_product_mixed;
}

/* Alchemist: subgroups of 8 are what later generations no longer have. */
static gboolean
is_intel_before_xe2 (const LkDeviceSnapshot *s)
{
  return s->vendor_id == VENDOR_INTEL && s->subgroup_size_min < 16;
}

static const struct
{
  gboolean (*applies) (const LkDeviceSnapshot *s);
  const char *reason;
} distrusted[] = {
  { is_amd_before_rdna3,
    "Its matrix units are not used: this driver offers them on chips that have none (before RDNA 3)." },
  { is_intel_before_xe2,
    "Its matrix units are not used: on Intel chips before Xe2 they are many times slower than plain kernels." },
};

static gboolean
is_wanted (const LkDeviceMatrix *m)
{
  return m->a_type == VK_COMPONENT_TYPE_FLOAT16_KHR && m->b_type == VK_COMPONENT_TYPE_FLOAT16_KHR
         && m->c_type == VK_COMPONENT_TYPE_FLOAT32_KHR && m->result_type == VK_COMPONENT_TYPE_FLOAT32_KHR
         && m->scope == VK_SCOPE_SUBGROUP_KHR && m->m > 0 && m->n > 0 && m->k > 0 && m->m <= 16 && m->n <= 16
         && m->k <= 16 && m->m % 8 == 0 && m->n % 8 == 0 && m->k % 8 == 0;
}

void
lk_device_matrix_plan (const LkDeviceSnapshot *s, LkMatrixUnit *out, const char **reason)
{
  *out = (LkMatrixUnit){ 0 };
  *reason = "It has no matrix units that Vulkan shows (VK_KHR_cooperative_matrix).";
  if (!s->cooperative_matrix)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (distrusted); i++)
    if (distrusted[i].applies (s))
      {
        *reason = distrusted[i].reason;
        return;
      }
  *reason = "Its matrix units are not used: they lack 16-bit floats with 32-bit sums in a shape the kernels know.";
  if (!s->shader_float16 || !s->vulkan_memory_model
      || (!s->subgroup_size_control && s->subgroup_size_min != s->subgroup_size_max))
    return;
  for (guint i = 0; i < s->n_matrices; i++)
    {
      const LkDeviceMatrix *m = &s->matrices[i];

      if (is_wanted (m) && m->m * m->n * m->k > out->m * out->n * out->k)
        *out = (LkMatrixUnit){ m->m, m->n, m->k, 0 };
    }
  if (out->m == 0)
    return;
  /* Intel's units take the narrowest subgroup. */
  out->subgroup_size = s->vendor_id == VENDOR_INTEL ? s->subgroup_size_min : s->subgroup_size;
  if (LEAST_SUBGROUPS * out->subgroup_size > MIN (s->max_workgroup_invocations, s->max_workgroup_size_x))
    {
      *out = (LkMatrixUnit){ 0 };
      *reason = "Its matrix units are not used: their subgroups are too wide for its work groups.";
      return;
    }
  *reason = s->kind == LK_DEVICE_SOFTWARE ? "Its matrix units are software, used only where they are asked for (--precision)."
                                          : "Its matrix units multiply 16-bit floats.";
}

guint
lk_device_largest_tile (const LkDeviceSnapshot *s, gboolean matrix)
{
  static const struct { guint32 vendor; guint with_units, without; } rows[] = {
    { VENDOR_NVIDIA, 128 * 128, 128 * 128 },
    { VENDOR_AMD, 128 * 128, 64 * 64 },
    { VENDOR_INTEL, 128 * 128, 64 * 64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].vendor == s->vendor_id)
      return matrix ? rows[i].with_units : rows[i].without;
  return 64 * 64; /* Apple, Qualcomm, Arm, software */
}

const char *
lk_matmul_path_describe (LkMatmulPath path)
{
  static const char *const words[] = { "float32", "float16", "float16 on matrix units", "float16 on matrix units" };

  return words[path];
}

void
lk_device_plan_forget_matrix (LkDevicePlan *self, const char *reason)
{
  if (self->matrix.m == 0)
    return;
  self->matrix = (LkMatrixUnit){ 0 };
  self->matrix_reason = reason;
  lk_device_plan_set_precision (self, LK_PRECISION_AUTO, NULL);
}

static gboolean
refuse (const char *what, GError **error)
{
  g_set_error (error, LK_ERROR, LK_ERROR_UNSUPPORTED, "This device cannot multiply in this way. %s", what);
  return FALSE;
}

gboolean
lk_device_plan_set_precision (LkDevicePlan *self, LkPrecision precision, GError **error)
{
  const LkMatrixUnit *unit = &self->matrix;
  gboolean eight = unit->m == 8 && unit->n == 8 && unit->k == 8;

  if (precision == LK_PRECISION_AUTO) /* without units 16-bit floats gain little, and in software nothing */
    precision = unit->m > 0 && !self->software ? LK_PRECISION_FLOAT16 : LK_PRECISION_FLOAT32;
  if (precision != LK_PRECISION_FLOAT32 && !self->half)
    return refuse ("It has no 16-bit floats (shaderFloat16).", error);
  if (precision == LK_PRECISION_FLOAT16_MATRIX && unit->m == 0)
    return refuse (self->matrix_reason, error);
  if (precision == LK_PRECISION_FLOAT16_MATRIX8 && !eight)
    return refuse (unit->m ? "Its matrix units have another shape than 8 × 8 × 8." : self->matrix_reason, error);
  if (precision == LK_PRECISION_FLOAT32)
    self->matmul = LK_MATMUL_FLOAT32;
  else if (precision == LK_PRECISION_FLOAT16_THREADS || unit->m == 0)
    self->matmul = LK_MATMUL_FLOAT16;
  else if (precision == LK_PRECISION_FLOAT16_MATRIX)
    self->matmul = LK_MATMUL_MATRIX;
  else
    self->matmul = eight ? LK_MATMUL_MATRIX8 : LK_MATMUL_MATRIX;
  return TRUE;
}
