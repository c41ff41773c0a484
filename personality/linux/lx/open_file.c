// SPDX-License-Identifier: MIT
/* open_file - see open_file.h. */
#include "personality/linux/lx/open_file.h"

#include "lib/base/string.h"
#include "personality/linux/lx/events.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/status.h"
#include "personality/linux/lx/wait.h"

static struct {
    struct open_file *file; /* NULL: free */
    bool close_on_exec;
} descriptors[DESCRIPTORS_MAX];

static struct open_file *all;

struct open_file *open_file_make(const struct open_methods *methods, uint32_t flags,
                                 const char *path)
{
    size_t bytes = strlen(path) + 1;
    struct open_file *file = piece_allocate(sizeof *file + bytes);

    if (file == NULL)
        return NULL;
    *file = (struct open_file){
        .methods = methods, .references = 1, .flags = flags, .path = (char *)(file + 1)};
    memcpy(file->path, path, bytes);
    file->next = all;
    if (all != NULL)
        all->previous = file;
    all = file;
    return file;
}

void open_file_hold(struct open_file *file)
{
    file->references++;
}

void open_file_release(struct open_file *file)
{
    if (--file->references != 0)
        return;
    if (wait_file == file)
        wait_file = NULL;
    if (file->watched)
        epoll_forget(file);
    if (file->methods->close != NULL)
        file->methods->close(file);
    if (file->has_object)
        (void)!host_ask(LXHOST_DROP, &(struct lxhost_object){file->object},
                        sizeof(struct lxhost_object), NULL, 0);
    if (file->next != NULL)
        file->next->previous = file->previous;
    if (file->previous != NULL)
        file->previous->next = file->next;
    else
        all = file->next;
    piece_free(file->listing);
    piece_free(file);
}

/* ---- Offsets ---- */

static uint64_t shared_offset(const struct open_file *file, uint64_t flags, uint64_t offset)
{
    struct lxhost_seek record = {file->object, offset, flags};
    struct lxhost_offset before = {0};

    (void)!host_ask(LXHOST_SEEK, &record, sizeof record, &before, sizeof before);
    return before.offset;
}

uint64_t open_file_offset(struct open_file *file)
{
    if (file->has_object && file->methods->seekable)
        file->offset = shared_offset(file, 0, 0);
    return file->offset;
}

void open_file_set_offset(struct open_file *file, uint64_t offset)
{
    file->offset = offset;
    if (file->has_object && file->methods->seekable)
        (void)shared_offset(file, LXHOST_SEEK_SET, offset);
}

/* ---- A copy of the process ---- */

bool open_files_share(void)
{
    for (struct open_file *file = all; file != NULL; file = file->next) {
        struct lxhost_offset record = {file->offset};
        struct lxhost_object made;

        if (file->has_object || file->methods != &file_methods)
            continue;
        if (host_ask(LXHOST_OFFSET, &record, sizeof record, &made, sizeof made) != MNOS_OK)
            return false;
        file->object = made.object;
        file->has_object = true;
    }
    return true;
}

void open_files_lose(const struct open_methods *methods)
{
    static const struct open_methods lost;

    for (struct open_file *file = all; file != NULL; file = file->next) {
        if (file->methods == methods)
            file->methods = &lost;
    }
}

void open_files_each(void (*visit)(struct open_file *file, void *context), void *context)
{
    for (struct open_file *file = all; file != NULL; file = file->next) {
        if (file->methods == &file_methods ||
            (file->methods == &directory_methods && file->made_up == NULL))
            visit(file, context);
    }
}

int64_t open_file_read_at(const struct open_file *file, uint64_t offset, void *to, uint64_t count)
{
    uint64_t read;
    mnos_status_t status = file_read(&file->file, offset, to, count, &read);

    return status == MNOS_OK ? (int64_t)read : status_to_errno(status);
}

/* ---- Descriptors ---- */

struct open_file *descriptor_file(int32_t fd)
{
    struct open_file *file =
        fd >= 0 && (uint32_t)fd < DESCRIPTORS_MAX ? descriptors[fd].file : NULL;

    wait_file = file;
    return file;
}

int64_t descriptor_add(struct open_file *file, int32_t lowest, bool close_on_exec)
{
    for (uint32_t i = (uint32_t)lowest; i < DESCRIPTORS_MAX; i++) {
        if (descriptors[i].file == NULL) {
            descriptors[i].file = file;
            descriptors[i].close_on_exec = close_on_exec;
            return i;
        }
    }
    open_file_release(file);
    return -LX_EMFILE;
}

int64_t descriptor_set(int32_t fd, struct open_file *file, bool close_on_exec)
{
    if (fd < 0 || (uint32_t)fd >= DESCRIPTORS_MAX) {
        open_file_release(file);
        return -LX_EBADF;
    }
    (void)descriptor_close(fd);
    descriptors[fd].file = file;
    descriptors[fd].close_on_exec = close_on_exec;
    return fd;
}

int64_t descriptor_close(int32_t fd)
{
    struct open_file *file = descriptor_file(fd);

    if (file == NULL)
        return -LX_EBADF;
    descriptors[fd].file = NULL;
    descriptors[fd].close_on_exec = false;
    open_file_release(file);
    return 0;
}

void descriptors_executed(void)
{
    for (int32_t fd = 0; (uint32_t)fd < DESCRIPTORS_MAX; fd++) {
        if (descriptors[fd].close_on_exec)
            (void)descriptor_close(fd);
    }
}

bool descriptor_closes_on_exec(int32_t fd)
{
    return descriptors[fd].close_on_exec;
}

void descriptor_set_close_on_exec(int32_t fd, bool value)
{
    descriptors[fd].close_on_exec = value;
}
