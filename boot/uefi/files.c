// SPDX-License-Identifier: MIT
/* files - reads files of the volume that the loader was started from. */
#include <string.h>

#include "uefi.h"

#define PATH_SIZE 512
#define READ_SIZE (UINT64_C(1) << 20)

static const struct efi_guid loaded_image_guid = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid file_system_guid = {
    0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid file_info_guid = {
    0x09576e92, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid device_path_guid = {
    0x09576e91, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

static efi_handle_t device;
static struct efi_file *root;

const char *uefi_open_volume(void)
{
    struct efi_boot_services *boot = uefi_system->boot;
    struct efi_loaded_image *image;
    struct efi_file_system *volume;

    if (boot->handle_protocol(uefi_image, &loaded_image_guid, (void **)&image) != EFI_SUCCESS)
        return "does not say where the loader comes from";
    device = image->device;
    if (boot->handle_protocol(device, &file_system_guid, (void **)&volume) != EFI_SUCCESS ||
        volume->open_volume(volume, &root) != EFI_SUCCESS)
        return "cannot read the volume that the loader comes from";
    return NULL;
}

/* UEFI wants UCS-2 and backslashes. False: the path cannot be expressed. */
static bool convert_path(efi_char_t *to, const char *path)
{
    size_t i;

    for (i = 0; path[i] != 0; i++) {
        if (i == PATH_SIZE - 1 || (unsigned char)path[i] >= 0x80)
            return false;
        to[i] = path[i] == '/' ? '\\' : (efi_char_t)path[i];
    }
    to[i] = 0;
    return true;
}

static bool read_all(struct efi_file *file, uint8_t *to, uint64_t size)
{
    while (size > 0) {
        /* In pieces: some firmware has trouble with long reads. */
        uint64_t piece = size < READ_SIZE ? size : READ_SIZE;

        if (file->read(file, &piece, to) != EFI_SUCCESS || piece == 0)
            return false;
        to += piece;
        size -= piece;
    }
    return true;
}

static const char *read_open_file(struct efi_file *opened, struct boot_file *file)
{
    static struct efi_file_info info;
    uint64_t info_size = sizeof info, memory;

    if (opened->get_info(opened, &file_info_guid, &info_size, &info) != EFI_SUCCESS ||
        (info.attributes & EFI_FILE_DIRECTORY) != 0)
        return "cannot be read";
    memory = uefi_allocate(info.file_size / BOOT_PAGE_SIZE + 1, BOOT_BELOW_4G);
    if (memory == 0)
        return "does not fit into memory";
    if (!read_all(opened, (uint8_t *)(uintptr_t)memory, info.file_size))
        return "cannot be read";
    file->data = (const uint8_t *)(uintptr_t)memory;
    file->size = info.file_size;
    return NULL;
}

/* Every file gets pages of its own, whether it is kept or not. */
const char *uefi_read_file(const char *path, bool keep, struct boot_file *file)
{
    static efi_char_t name[PATH_SIZE];
    struct efi_file *opened;
    const char *reason;
    efi_status_t status;

    (void)keep;
    if (!convert_path(name, path))
        return "not found";
    status = root->open(root, &opened, name, EFI_FILE_READ, 0);
    if (status != EFI_SUCCESS)
        return status == EFI_NOT_FOUND ? "not found" : "cannot be read";
    reason = read_open_file(opened, file);
    opened->close(opened);
    return reason;
}

/* UEFI specification, "Media Device Path": hard disk nodes are 42 bytes. */
void uefi_describe_media(struct boot_media *media)
{
    const struct efi_device_path *node;

    if (uefi_system->boot->handle_protocol(device, &device_path_guid, (void **)&node) !=
        EFI_SUCCESS)
        return;
    while (node->type != EFI_PATH_END) {
        const uint8_t *bytes = (const uint8_t *)node;
        unsigned length = node->length[0] | (unsigned)node->length[1] << 8;

        if (length < sizeof *node)
            return;
        if (node->type == EFI_PATH_MEDIA && node->subtype == EFI_PATH_MEDIA_CDROM)
            media->type = 1;
        if (node->type == EFI_PATH_MEDIA && node->subtype == EFI_PATH_MEDIA_DISK && length >= 42) {
            memcpy(&media->partition_index, bytes + 4, sizeof media->partition_index);
            if (bytes[41] == 1)
                memcpy(&media->mbr_disk_id, bytes + 24, sizeof media->mbr_disk_id);
            if (bytes[41] == 2)
                memcpy(&media->gpt_partition, bytes + 24, sizeof media->gpt_partition);
        }
        node = (const void *)(bytes + length);
    }
}
