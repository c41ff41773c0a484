// SPDX-License-Identifier: MIT
/*
 * limine_numbers.h - the numbers of the Limine boot protocol, base revision 3, by which a loader finds
 * the requests in an executable. Each request has a pair of its own behind the common one.
 */
#pragma once

#include <stdint.h>

#define LIMINE_BASE_REVISION 3
#define LIMINE_BASE_MAGIC_0 UINT64_C(0xf9562b2d5c95a6c8)
#define LIMINE_BASE_MAGIC_1 UINT64_C(0x6a7b384944536bdc)
#define LIMINE_COMMON_0 UINT64_C(0xc7b1dd30df4c8b88)
#define LIMINE_COMMON_1 UINT64_C(0x0a82e883a194f07b)

#define LIMINE_START_MARKER                                                                        \
    {                                                                                              \
        UINT64_C(0xf6b8f4b39de7d1ae), UINT64_C(0xfab91a6940fcb9cf), UINT64_C(0x785c6ed015d3e316),  \
            UINT64_C(0x181e920a7852b9d9)                                                           \
    }
#define LIMINE_END_MARKER                                                                          \
    {                                                                                              \
        UINT64_C(0xadc0e0531bb10d03), UINT64_C(0x9572709f31764c62)                                 \
    }

#define LIMINE_ID_LOADER 0xf55038d8e2a1202f, 0x279426fcf5f59740
#define LIMINE_ID_FIRMWARE_TYPE 0x8c2f75d90bef28a8, 0x7045a4688eac00c3
#define LIMINE_ID_STACK_SIZE 0x224ef0460a8e8926, 0xe1cb0fc25f46ea3d
#define LIMINE_ID_HHDM 0x48dcf1cb8ad2b852, 0x63984e959a98244b
#define LIMINE_ID_FRAMEBUFFER 0x9d5827dcd881dd75, 0xa3148604f6fab11b
#define LIMINE_ID_PAGING_MODE 0x95c1a0edab0944cb, 0xa4e5cb3842f7488a
#define LIMINE_ID_MP 0x95a67b819a1b857e, 0xa0b61b723b6a73e0
#define LIMINE_ID_MEMORY_MAP 0x67cf3d9d378a806f, 0xe304acdfc50c3c62
#define LIMINE_ID_ENTRY_POINT 0x13d86c035a1cd3e1, 0x2b0caa89d8f3026a
#define LIMINE_ID_FILE 0xad97e90e83f1ed67, 0x31eb5d1c5ff23b69
#define LIMINE_ID_MODULE 0x3e7e279702be32af, 0xca1c4f3bd1280cee
#define LIMINE_ID_RSDP 0xc5e77b6b397e7b43, 0x27637845accdcf3c
#define LIMINE_ID_SMBIOS 0x9e9046f11e095391, 0xaa4a520fefbde5ee
#define LIMINE_ID_EFI_SYSTEM_TABLE 0x5ceba5163eaaf6d6, 0x0a6981610cf65fcc
#define LIMINE_ID_EFI_MEMORY_MAP 0x7df62a431d6872d5, 0xa4fcdfb3e57306c8
#define LIMINE_ID_BOOT_TIME 0x502746e184c088aa, 0xfbc5ec83e6327893
#define LIMINE_ID_KERNEL_ADDRESS 0x71ba76863cc55f63, 0xb2644a48c516a487
#define LIMINE_ID_CMDLINE 0x4b161536e598651e, 0xb390ad4a2f1f303a
