// SPDX-License-Identifier: MIT
/* io - calls that read and write through descriptors. */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/proc.h"
#include "personality/linux/lx/stat.h"

static int64_t readable(int32_t fd, struct open_file **file)
{
    *file = descriptor_file(fd);
    if (*file == NULL || ((*file)->flags & LINUX_O_PATH) != 0 ||
        ((*file)->flags & LINUX_O_ACCMODE) == LINUX_O_WRONLY)
        return -LX_EBADF;
    return (*file)->methods->read == NULL ? -LX_EINVAL : 0;
}

static int64_t writable(int32_t fd, struct open_file **file)
{
    *file = descriptor_file(fd);
    if (*file == NULL || ((*file)->flags & LINUX_O_PATH) != 0 ||
        ((*file)->flags & LINUX_O_ACCMODE) == LINUX_O_RDONLY)
        return -LX_EBADF;
    return (*file)->methods->write == NULL ? -LX_EINVAL : 0;
}

static uint64_t limited(uint64_t count)
{
    return count < LINUX_IO_MAX ? count : LINUX_IO_MAX;
}

/* Where the open file is, which goes on behind what was moved. */
typedef int64_t move_once(struct open_file *file, uint64_t address, uint64_t count);

static int64_t read_on(struct open_file *file, uint64_t to, uint64_t count)
{
    int64_t result = file->methods->read(file, to, limited(count), open_file_offset(file));

    if (result > 0 && file->methods->seekable)
        open_file_set_offset(file, file->offset + (uint64_t)result);
    return result;
}

/* The same without a wait. */
static int64_t read_present(struct open_file *file, uint64_t to, uint64_t count)
{
    uint32_t kept = file->flags;
    int64_t result;

    file->flags |= LINUX_O_NONBLOCK;
    result = read_on(file, to, count);
    file->flags = kept;
    return result;
}

static int64_t write_on(struct open_file *file, uint64_t from, uint64_t count)
{
    int64_t result = file->methods->write(file, from, limited(count), open_file_offset(file));

    if (result > 0 && file->methods->seekable)
        open_file_set_offset(file, file->offset + (uint64_t)result);
    return result;
}

int64_t lx_read(int32_t fd, uint64_t to, uint64_t count)
{
    struct open_file *file;
    int64_t result = readable(fd, &file);

    return result != 0 ? result : read_on(file, to, count);
}

int64_t lx_write(int32_t fd, uint64_t from, uint64_t count)
{
    struct open_file *file;
    int64_t result = writable(fd, &file);

    return result != 0 ? result : write_on(file, from, count);
}

int64_t lx_pread64(int32_t fd, uint64_t to, uint64_t count, int64_t offset)
{
    struct open_file *file;
    int64_t result = readable(fd, &file);

    if (offset < 0)
        return -LX_EINVAL;
    if (result == 0 && !file->methods->seekable)
        result = -LX_ESPIPE;
    return result != 0 ? result : file->methods->read(file, to, limited(count), (uint64_t)offset);
}

int64_t lx_pwrite64(int32_t fd, uint64_t from, uint64_t count, int64_t offset)
{
    struct open_file *file;
    uint64_t kept;
    int64_t result = writable(fd, &file);

    if (offset < 0)
        return -LX_EINVAL;
    if (result == 0 && !file->methods->seekable)
        result = -LX_ESPIPE;
    if (result != 0)
        return result;
    kept = file->offset; /* appending moves it */
    result = file->methods->write(file, from, limited(count), (uint64_t)offset);
    file->offset = kept;
    return result;
}

/* Each piece in turn, as long as they are moved whole. All are of that open file, whatever another thread makes of the descriptor
 * during a wait. */
static int64_t in_pieces(struct open_file *file, uint64_t pieces, uint64_t count, move_once *first,
                         move_once *next)
{
    struct linux_iovec piece;
    int64_t done = 0;

    if (count > LINUX_IOV_MAX)
        return -LX_EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        int64_t result = user_read(&piece, pieces + i * sizeof piece, sizeof piece);

        if (result == 0 && (int64_t)piece.length < 0)
            result = -LX_EINVAL;
        if (result == 0 && (piece.length != 0 || count == 1))
            result = (done == 0 ? first : next)(file, piece.base, piece.length);
        if (result < 0)
            return done != 0 ? done : result;
        done += result;
        if ((uint64_t)result < piece.length)
            break;
    }
    return done;
}

int64_t lx_readv(int32_t fd, uint64_t pieces, uint64_t count)
{
    struct open_file *file;
    int64_t result = readable(fd, &file);

    return result != 0 ? result : in_pieces(file, pieces, count, read_on, read_present);
}

int64_t lx_writev(int32_t fd, uint64_t pieces, uint64_t count)
{
    struct open_file *file;
    int64_t result = writable(fd, &file);

    return result != 0 ? result : in_pieces(file, pieces, count, write_on, write_on);
}

static int64_t seek_data(struct open_file *file, uint64_t offset, uint32_t whence)
{
    uint64_t found;
    mnos_status_t status;

    if (file->methods != &file_methods)
        return -LX_EINVAL;
    status = file_seek(&file->file, offset,
                       whence == LINUX_SEEK_DATA ? FILE_SEEK_DATA : FILE_SEEK_HOLE, &found);
    if (status != MNOS_OK)
        return status == MNOS_ERR_END ? -LX_ENXIO : -LX_EIO;
    open_file_set_offset(file, found);
    return (int64_t)found;
}

int64_t lx_lseek(int32_t fd, int64_t offset, uint32_t whence)
{
    struct open_file *file = descriptor_file(fd);
    struct linux_stat stat = {0};
    int64_t base = 0, result;

    if (file == NULL || (file->flags & LINUX_O_PATH) != 0)
        return -LX_EBADF;
    if (whence > LINUX_SEEK_HOLE)
        return -LX_EINVAL;
    if (!file->methods->seekable)
        return -LX_ESPIPE;
    if (file->methods == &directory_methods)
        return whence == LINUX_SEEK_SET   ? directory_seek(file, (uint64_t)offset)
               : whence == LINUX_SEEK_CUR ? directory_seek(file, file->offset + (uint64_t)offset)
                                          : -LX_EINVAL;
    if (whence >= LINUX_SEEK_DATA)
        return offset < 0 ? -LX_ENXIO : seek_data(file, (uint64_t)offset, whence);
    if (file->methods != &file_methods && file->methods != &proc_methods)
        return 0; /* a device: as Linux' null_lseek() */
    if (whence == LINUX_SEEK_END) {
        result = file->methods->stat(file, &stat);
        if (result != 0)
            return result;
        base = stat.size;
    } else if (whence == LINUX_SEEK_CUR) {
        base = (int64_t)open_file_offset(file);
    }
    if (__builtin_add_overflow(base, offset, &base) || base < 0)
        return -LX_EINVAL;
    open_file_set_offset(file, (uint64_t)base);
    return base;
}
