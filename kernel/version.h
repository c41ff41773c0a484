// SPDX-License-Identifier: MIT
/* version.h - what the kernel calls itself. */
#pragma once

#define KERNEL_VERSION "MinimalOS NextGen 0.1"
