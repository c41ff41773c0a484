// SPDX-License-Identifier: MIT
/*
 * boot_code.h - marks functions that only the boot needs, in files that are not all boot code: those
 * kernel.ld lists. Their memory is given back by arch_leave_boot(); the linker refuses an image in which
 * other code refers to them.
 */
#pragma once

#define BOOT_CODE [[gnu::section(".boot.text")]]
