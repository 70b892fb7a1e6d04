/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lk-cpu-kernels.h"

extern const LkCpuKernels lk_cpu_kernels_baseline;
#if defined(__x86_64__)
extern const LkCpuKernels lk_cpu_kernels_avx2;
extern const LkCpuKernels lk_cpu_kernels_avx512;
#endif

static const LkCpuKernels *const sets[LK_N_SIMD] = {
  [LK_SIMD_BASELINE] = &lk_cpu_kernels_baseline,
#if defined(__x86_64__)
  [LK_SIMD_AVX2] = &lk_cpu_kernels_avx2,
  [LK_SIMD_AVX512] = &lk_cpu_kernels_avx512,
#endif
};

const LkCpuKernels *
lk_cpu_kernels_for (LkSimd simd)
{
  return sets[simd];
}

const LkCpuKernels *
lk_cpu_kernels (void)
{
  return lk_cpu_kernels_for (lk_simd_choose ());
}
