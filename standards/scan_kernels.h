/* scan_kernels.h - the kernels that have files of their own because they are compiled with other instructions.
 * Private to scan*.c. */
#ifndef SHUNT_SCAN_KERNELS_H
#define SHUNT_SCAN_KERNELS_H

#include "standards/scan.h"

extern const shunt_scan_kernel shunt_scan_avx512; /* VBMI2: from 2019 (Intel) and 2022 (AMD) on */
extern const shunt_scan_kernel shunt_scan_avx2;

#endif
