// SPDX-License-Identifier: MIT
/* attributes - commands that show what a path names, and set its time: see commands.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ext4_service/commands.h"
#include "tests/ext4_service/host.h"

static mnos_status_t stat_of(const char *path, struct file_attr *attr)
{
    mnos_status_t status = command_path(FILE_STAT, path, FILE_NO_FOLLOW);

    memcpy(attr, host_replies[0].bytes, sizeof *attr);
    return status;
}

mnos_status_t attributes_show(const char *path)
{
    struct file_attr attr;
    mnos_status_t status = stat_of(path, &attr);

    if (status == MNOS_OK)
        printf("%c %llu bytes, %llu allocated, %u links\n", "?fdl"[attr.type],
               (unsigned long long)attr.size, (unsigned long long)attr.allocated_bytes, attr.links);
    return status;
}

mnos_status_t attributes_show_times(const char *path)
{
    struct file_attr attr;
    mnos_status_t status = stat_of(path, &attr);

    if (status == MNOS_OK)
        printf("created %lld modified %lld changed %lld\n", (long long)attr.created_ns,
               (long long)attr.modified_ns, (long long)attr.changed_ns);
    return status;
}

mnos_status_t attributes_set_time(const char *path, const char *time)
{
    struct file_open open = {.rights = FILE_WRITE_RIGHT};
    struct file_set_time record = {.flags = strcmp(time, "now") == 0 ? FILE_TIME_NOW : 0};
    mnos_status_t status = host_do(0, FILE_OPEN, &open, sizeof open, path, strlen(path));

    if (status == MNOS_ERR_DIRECTORY) {
        open.flags = FILE_ONLY_DIRECTORY;
        status = host_do(0, FILE_OPEN, &open, sizeof open, path, strlen(path));
    }
    if (status != MNOS_OK)
        return status;
    memcpy(&record.handle, host_replies[0].bytes, sizeof record.handle);
    record.modified_ns = strtoll(time, NULL, 0);
    status = host_do(0, FILE_SET_TIME, &record, sizeof record, NULL, 0);
    (void)!host_do(0, FILE_CLOSE, &record.handle, sizeof record.handle, NULL, 0);
    return status;
}
