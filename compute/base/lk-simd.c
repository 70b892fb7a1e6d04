/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-simd.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const struct
{
  const char *name, *asked; /* by LK_SIMD */
} sets[LK_N_SIMD] = {
  [LK_SIMD_BASELINE] = { "baseline", "baseline" },
  [LK_SIMD_AVX2] = { "AVX2", "avx2" },
  [LK_SIMD_AVX512] = { "AVX-512", "avx512" },
};

const char *
lk_simd_get_name (LkSimd simd)
{
  return sets[simd].name;
}

#if defined(__x86_64__)
/* __builtin_cpu_supports () of older clang does not know "f16c": leaf 1 of the CPU's own answer does. */
static gboolean
has_f16c (void)
{
  unsigned int a, b, c, d;

  return __get_cpuid (1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

gboolean
lk_simd_runs (LkSimd simd)
{
#if defined(__x86_64__)
  __builtin_cpu_init ();
  if (simd == LK_SIMD_AVX512)
    return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
           && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512dq")
           && __builtin_cpu_supports ("fma") && has_f16c ();
  if (simd == LK_SIMD_AVX2)
    return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma") && has_f16c ();
#endif
  return simd == LK_SIMD_BASELINE;
}

LkSimd
lk_simd_choose (void)
{
  static gsize chosen; /* plus one */

  if (g_once_init_enter (&chosen))
    {
      const char *wanted = g_getenv ("LK_SIMD");
      LkSimd best = LK_SIMD_BASELINE;

      for (LkSimd simd = LK_SIMD_BASELINE; simd < LK_N_SIMD; simd++)
        if (lk_simd_runs (simd))
          best = simd;
      for (LkSimd simd = LK_SIMD_BASELINE; simd < best; simd++)
        if (g_strcmp0 (wanted, sets[simd].asked) == 0)
          best = simd;
      g_once_init_leave (&chosen, (gsize) best + 1);
    }
  return (LkSimd) (chosen - 1);
}
