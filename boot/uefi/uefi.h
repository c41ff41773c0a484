// SPDX-License-Identifier: MIT
/* uefi - what the parts of the UEFI front end share. */
#pragma once

#include "boot/core/platform.h"
#include "efi.h"

extern efi_handle_t uefi_image;
extern struct efi_system_table *uefi_system;

/* files.c: the volume that the loader was started from. */
const char *uefi_open_volume(void); /* NULL or a reason */
const char *uefi_read_file(const char *path, bool keep, struct boot_file *file);
void uefi_describe_media(struct boot_media *media);

/* graphics.c: chooses a mode; false if there is no linear framebuffer. */
bool uefi_set_mode(struct boot_framebuffer *fb);
bool uefi_has_graphics(void);

/* memory.c */
uint64_t uefi_allocate(uint64_t page_count, uint64_t below);
const char *uefi_leave(struct boot_platform *platform, struct boot_memmap *map);
