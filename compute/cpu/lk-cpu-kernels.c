/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cpu-kernels.h"

extern const LkCpuKernels lk_cpu_kernels_baseline;
#if defined(__x86_64__)
extern const LkCpuKernels lk_cpu_kernels_avx2;
extern const LkCpuKernels lk_cpu_kernels_avx512;
#endif

const LkCpuKernels *const *
lk_cpu_kernels_all (void)
{
  static const LkCpuKernels *sets[4];
  static gsize once;

  if (g_once_init_enter (&once))
    {
      guint n = 0;

#if defined(__x86_64__)
      __builtin_cpu_init ();
      if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl")
          && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("fma"))
        sets[n++] = &lk_cpu_kernels_avx512;
      if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
        sets[n++] = &lk_cpu_kernels_avx2;
#endif
      sets[n] = &lk_cpu_kernels_baseline;
      g_once_init_leave (&once, 1);
    }
  return sets;
}

const LkCpuKernels *
lk_cpu_kernels (void)
{
  const LkCpuKernels *const *sets = lk_cpu_kernels_all ();
  const char *wanted = g_getenv ("LK_SIMD");

  for (guint i = 0; wanted && sets[i]; i++)
    {
      g_autofree char *name = g_ascii_strdown (sets[i]->name, -1);
      g_auto (GStrv) parts = g_strsplit (name, "-", -1);
      g_autofree char *plain = g_strjoinv ("", parts);

      if (g_str_equal (plain, wanted))
        return sets[i];
    }
  return sets[0];
}
