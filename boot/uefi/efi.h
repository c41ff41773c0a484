// SPDX-License-Identifier: MIT
/*
 * efi - the part of the UEFI interface that the loader uses. UEFI specification 2.10; members that
 * are not used are `unused` pointers in the right number.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t efi_status_t;
typedef void *efi_handle_t;
typedef uint16_t efi_char_t;

#define EFI_SUCCESS 0
#define EFI_ERROR(code) (UINT64_C(0x8000000000000000) | (code))
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_NOT_FOUND EFI_ERROR(14)

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct efi_table_header {
    uint64_t signature;
    uint32_t revision, size, crc, reserved;
};

struct efi_time {
    uint16_t year;
    uint8_t month, day, hour, minute, second, pad;
    uint32_t nanosecond;
    int16_t time_zone; /* minutes to add to get UTC; EFI_UNSPECIFIED_TIMEZONE: local time */
    uint8_t daylight, pad_2;
};

#define EFI_UNSPECIFIED_TIMEZONE 0x7ff

struct efi_memory_descriptor {
    uint32_t type, pad;
    uint64_t physical, virtual_start, page_count, attributes;
};

enum {
    EFI_LOADER_CODE = 1,
    EFI_LOADER_DATA = 2,
    EFI_BOOT_SERVICES_CODE = 3,
    EFI_BOOT_SERVICES_DATA = 4,
    EFI_CONVENTIONAL = 7,
    EFI_UNUSABLE = 8,
    EFI_ACPI_RECLAIM = 9,
    EFI_ACPI_NVS = 10,
};

enum { EFI_ALLOCATE_ANY, EFI_ALLOCATE_BELOW, EFI_ALLOCATE_AT };

struct efi_boot_services {
    struct efi_table_header header;
    void *unused_1[2];
    efi_status_t (*allocate_pages)(uint32_t how, uint32_t type, uint64_t pages, uint64_t *address);
    efi_status_t (*free_pages)(uint64_t address, uint64_t pages);
    efi_status_t (*get_memory_map)(uint64_t *size, void *map, uint64_t *key,
                                   uint64_t *descriptor_size, uint32_t *descriptor_version);
    void *unused_2[11];
    efi_status_t (*handle_protocol)(efi_handle_t handle, const struct efi_guid *guid,
                                    void **interface);
    void *unused_3[9];
    efi_status_t (*exit_boot_services)(efi_handle_t image, uint64_t key);
    void *unused_4;
    efi_status_t (*stall)(uint64_t microseconds);
    efi_status_t (*set_watchdog_timer)(uint64_t seconds, uint64_t code, uint64_t size, void *data);
    void *unused_5[7];
    efi_status_t (*locate_protocol)(const struct efi_guid *guid, void *registration,
                                    void **interface);
};

_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152, "boot services");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232, "boot services");
_Static_assert(offsetof(struct efi_boot_services, locate_protocol) == 320, "boot services");

struct efi_runtime_services {
    struct efi_table_header header;
    efi_status_t (*get_time)(struct efi_time *time, void *capabilities);
};

struct efi_text_output {
    void *unused;
    efi_status_t (*output_string)(struct efi_text_output *self, const efi_char_t *text);
};

struct efi_configuration_table {
    struct efi_guid guid;
    void *table;
};

struct efi_system_table {
    struct efi_table_header header;
    efi_char_t *vendor;
    uint32_t revision, pad;
    void *unused_1[3];
    struct efi_text_output *console_out;
    void *unused_2[2];
    struct efi_runtime_services *runtime;
    struct efi_boot_services *boot;
    uint64_t table_count;
    struct efi_configuration_table *tables;
};

_Static_assert(offsetof(struct efi_system_table, boot) == 96, "system table");

struct efi_loaded_image {
    uint32_t revision, pad;
    efi_handle_t parent;
    struct efi_system_table *system;
    efi_handle_t device;
};

struct efi_file {
    uint64_t revision;
    efi_status_t (*open)(struct efi_file *self, struct efi_file **opened, const efi_char_t *name,
                         uint64_t mode, uint64_t attributes);
    efi_status_t (*close)(struct efi_file *self);
    void *unused_1;
    efi_status_t (*read)(struct efi_file *self, uint64_t *size, void *buffer);
    void *unused_2[2];
    efi_status_t (*set_position)(struct efi_file *self, uint64_t position);
    efi_status_t (*get_info)(struct efi_file *self, const struct efi_guid *type, uint64_t *size,
                             void *buffer);
};

#define EFI_FILE_READ 1
#define EFI_FILE_DIRECTORY 0x10

struct efi_file_info {
    uint64_t size, file_size, physical_size;
    struct efi_time created, accessed, modified;
    uint64_t attributes;
    efi_char_t name[256];
};

struct efi_file_system {
    uint64_t revision;
    efi_status_t (*open_volume)(struct efi_file_system *self, struct efi_file **root);
};

struct efi_pixel_masks {
    uint32_t red, green, blue, reserved;
};

enum { EFI_PIXELS_RGB, EFI_PIXELS_BGR, EFI_PIXELS_MASKS, EFI_PIXELS_BLT_ONLY };

struct efi_graphics_info {
    uint32_t version, width, height, format;
    struct efi_pixel_masks masks;
    uint32_t pixels_per_line;
};

struct efi_graphics_mode {
    uint32_t mode_count, mode;
    struct efi_graphics_info *info;
    uint64_t info_size, base, size;
};

struct efi_pixel;

struct efi_graphics {
    efi_status_t (*query_mode)(struct efi_graphics *self, uint32_t mode, uint64_t *size,
                               struct efi_graphics_info **info);
    efi_status_t (*set_mode)(struct efi_graphics *self, uint32_t mode);
    efi_status_t (*blt)(struct efi_graphics *self, const struct efi_pixel *pixels,
                        uint32_t operation, uint64_t from_x, uint64_t from_y, uint64_t to_x,
                        uint64_t to_y, uint64_t width, uint64_t height, uint64_t delta);
    struct efi_graphics_mode *mode;
};

struct efi_pixel {
    uint8_t blue, green, red, reserved;
};

enum { EFI_BLT_FILL };

/* A device path is a list of nodes; type 0x7f ends it. */
struct efi_device_path {
    uint8_t type, subtype;
    uint8_t length[2];
};

#define EFI_PATH_MEDIA 4
#define EFI_PATH_MEDIA_DISK 1
#define EFI_PATH_MEDIA_CDROM 2
#define EFI_PATH_END 0x7f
