// SPDX-License-Identifier: MIT
/*
 * limine - structures of the Limine boot protocol, base revision 3, as a loader sees
 * them. Addresses that the kernel will use are integers here: they are not the loader's pointers.
 */
#pragma once

#include <stdint.h>

#include "lib/format/limine_numbers.h"

struct limine_request {
    uint64_t id[4];
    uint64_t revision;
    uint64_t response;
    uint64_t argument[3]; /* request fields; how many there are depends on the request */
};

/* Every response has a revision, then up to four 64-bit fields. */
struct limine_response {
    uint64_t revision;
    uint64_t field[4];
};

struct limine_mp_response {
    uint64_t revision;
    uint32_t flags;
    uint32_t bsp_lapic_id;
    uint64_t cpu_count;
    uint64_t cpus;
};

struct limine_cpu {
    uint32_t processor_uid;
    uint32_t lapic_id;
    uint64_t reserved;
    uint64_t goto_address;
    uint64_t extra_argument;
};

struct limine_framebuffer {
    uint64_t address, width, height, pitch;
    uint16_t bpp;
    uint8_t memory_model;
    uint8_t masks[6]; /* size and shift of red, green, blue */
    uint8_t unused[7];
    uint64_t edid_size, edid;
    uint64_t mode_count, modes;
};

struct limine_video_mode {
    uint64_t pitch, width, height;
    uint16_t bpp;
    uint8_t memory_model;
    uint8_t masks[6];
    uint8_t unused[7];
};

struct limine_uuid {
    uint8_t bytes[16];
};

struct limine_file {
    uint64_t revision, address, size, path, cmdline;
    uint32_t media_type, unused;
    uint32_t tftp_ip, tftp_port;
    uint32_t partition_index, mbr_disk_id;
    struct limine_uuid gpt_disk, gpt_partition, file_system;
};

struct limine_internal_module {
    uint64_t path, cmdline, flags;
};

#define LIMINE_INTERNAL_MODULE_REQUIRED UINT64_C(1)
#define LIMINE_MP_X2APIC 1u
#define LIMINE_MEMORY_MODEL_RGB 1

_Static_assert(sizeof(struct limine_mp_response) == 32, "MP response");
_Static_assert(sizeof(struct limine_cpu) == 32, "cpu entry");
_Static_assert(sizeof(struct limine_framebuffer) == 80, "framebuffer");
_Static_assert(sizeof(struct limine_video_mode) == 40, "video mode");
_Static_assert(sizeof(struct limine_file) == 112, "file");
