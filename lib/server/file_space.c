// SPDX-License-Identifier: MIT
/* file_space - what takes room, of a file and of the whole: SEEK, ALLOCATE and STATFS. See file_server.h. */
#include "lib/server/file_server.h"

static mnos_status_t open_file_of(struct file_server *server, const struct server_request *request,
                                  uint64_t number, uint32_t right, uint32_t *inode)
{
    struct server_handle *handle;
    mnos_status_t status = file_server_handle(server, request, number, right, &handle);

    if (status == MNOS_OK && handle->type != FILE_TYPE_FILE)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK)
        *inode = handle->object;
    return status;
}

/* A file system that does not know better has data everywhere. */
static mnos_status_t find(struct file_server *server, uint32_t inode, bool hole, uint64_t *offset)
{
    const struct file_methods *methods = server->system.methods;
    struct file_attr attr;
    mnos_status_t status = methods->attr(server->system.fs, inode, &attr);

    if (status != MNOS_OK)
        return status;
    if (*offset >= attr.size)
        return MNOS_ERR_END;
    if (methods->seek != NULL)
        status = methods->seek(server->system.fs, inode, *offset, hole, offset);
    else if (hole)
        *offset = attr.size;
    if (status != MNOS_OK || *offset < attr.size)
        return status;
    *offset = attr.size; /* behind the last byte all is a hole */
    return hole ? MNOS_OK : MNOS_ERR_END;
}

mnos_status_t file_server_SEEK(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct file_seek wanted;
    uint32_t inode;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status == MNOS_OK && wanted.what != FILE_SEEK_DATA && wanted.what != FILE_SEEK_HOLE)
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK)
        status = open_file_of(server, request, wanted.handle, FILE_READ_RIGHT, &inode);
    if (status == MNOS_OK)
        status = find(server, inode, wanted.what == FILE_SEEK_HOLE, &wanted.offset);
    return status != MNOS_OK ? status
                             : file_server_answer(request, &wanted.offset, sizeof wanted.offset);
}

mnos_status_t file_server_ALLOCATE(void *context, struct server_request *request)
{
    struct file_server *server = context;
    const struct file_methods *methods = server->system.methods;
    struct file_allocate wanted;
    struct file_count count = {0};
    uint32_t inode;
    bool ends;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (methods->allocate == NULL)
        return MNOS_ERR_LABEL;
    if (status == MNOS_OK &&
        ((wanted.flags & ~(uint64_t)(FILE_ALLOCATE_KEEP_SIZE | FILE_ALLOCATE_PUNCH)) != 0 ||
         wanted.bytes == 0))
        status = MNOS_ERR_ARGUMENT;
    if (status == MNOS_OK && wanted.bytes > UINT64_MAX - wanted.offset)
        status = MNOS_ERR_SIZE;
    if (status == MNOS_OK)
        status = open_file_of(server, request, wanted.handle, FILE_WRITE_RIGHT, &inode);
    if (status == MNOS_OK)
        status = file_server_begin_write(server, request, inode, wanted.offset, false, &ends);
    if (status == MNOS_OK && (wanted.flags & FILE_ALLOCATE_PUNCH) != 0)
        file_server_take_back(server, inode);
    if (status == MNOS_OK)
        status = methods->allocate(server->system.fs, inode, wanted.offset, wanted.bytes,
                                   (uint32_t)wanted.flags, &count.bytes);
    count.offset = wanted.offset;
    return status != MNOS_OK ? status : file_server_answer(request, &count, sizeof count);
}

mnos_status_t file_server_STATFS(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct file_space space;
    mnos_status_t status =
        server->system.methods->space(server->system.fs, request->session->account, &space);

    return status != MNOS_OK ? status : file_server_answer(request, &space, sizeof space);
}
