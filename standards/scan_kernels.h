/* scan_kernels.h - the kernel that has a file of its own because it is compiled with other instructions. Private to scan*.c. */
#ifndef SHUNT_SCAN_KERNELS_H
#define SHUNT_SCAN_KERNELS_H

#include "standards/scan.h"

extern const shunt_scan_kernel shunt_scan_avx2;

#endif
