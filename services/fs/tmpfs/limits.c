// SPDX-License-Identifier: MIT
/* limits - see limits.h. */
#include "services/fs/tmpfs/limits.h"

#include "lib/base/string.h"

#define RIGHTS (FILE_LOOKUP | FILE_READ_RIGHT | FILE_WRITE_RIGHT | FILE_CREATE_RIGHT)

static bool is_record(const struct file_limits_record *record)
{
    uint64_t bytes = strnlen(record->directory, sizeof record->directory);

    return bytes != 0 && bytes < sizeof record->directory && record->reserved == 0 &&
           (record->rights & ~(uint32_t)RIGHTS) == 0;
}

bool tmpfs_limits_open(struct service_limits *limits, const void *bytes, uint64_t size)
{
    if (!service_limits_open(limits, bytes, size, FILE_LIMITS_MAGIC, FILE_LIMITS_VERSION,
                             sizeof(struct file_limits_record)))
        return false;
    for (uint32_t i = 0; i < limits->count; i++)
        if (!is_record(service_limits_at(limits, i))) {
            *limits = (struct service_limits){0};
            return false;
        }
    return true;
}

mnos_status_t tmpfs_limits_directory(struct tmpfs_files *files,
                                     const struct file_limits_record *record, uint32_t account,
                                     uint32_t *inode)
{
    uint32_t bytes = (uint32_t)strnlen(record->directory, sizeof record->directory);
    struct file_place place = {.directory = TMPFS_ROOT,
                               .bytes = bytes,
                               .text = record->directory,
                               .word = text_word(record->directory, bytes < 8 ? bytes : 8)};
    enum file_type type;
    mnos_status_t status = tmpfs_methods.look(files, &place);

    if (status == MNOS_OK && place.inode == 0)
        return tmpfs_methods.create(files, &place, FILE_TYPE_DIRECTORY, account, inode);
    if (status == MNOS_OK)
        status = tmpfs_methods.type(files, place.inode, &type);
    if (status == MNOS_OK && type != FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_NOT_DIRECTORY;
    *inode = place.inode;
    return status;
}
