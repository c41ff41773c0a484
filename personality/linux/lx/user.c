// SPDX-License-Identifier: MIT
/* user - the program's memory: see lx.h. A number that is not the program's address is -EFAULT, so that it cannot make lx
 * read or write what is lx's by accident. */
#include "personality/linux/lx/lx.h"

/* entry.S */
size_t lx_user_copy(void *to, const void *from, size_t bytes);
size_t lx_user_zero(void *to, size_t bytes);
size_t lx_user_text(char *to, const char *from, size_t size);

int64_t lx_user_compare(uint32_t *word, uint32_t expected, uint32_t wanted);

/* How much of a range lies below lx. */
static size_t program_part(uint64_t address, size_t bytes)
{
    if (address >= LX_BASE)
        return 0;
    return bytes < LX_BASE - address ? bytes : LX_BASE - address;
}

size_t user_read_some(void *to, uint64_t from, size_t bytes)
{
    size_t part = program_part(from, bytes);

    return part - lx_user_copy(to, (const void *)from, part);
}

size_t user_write_some(uint64_t to, const void *from, size_t bytes)
{
    size_t part = program_part(to, bytes);

    return part - lx_user_copy((void *)to, from, part);
}

int64_t user_read(void *to, uint64_t from, size_t bytes)
{
    return user_read_some(to, from, bytes) == bytes ? 0 : -LX_EFAULT;
}

int64_t user_write(uint64_t to, const void *from, size_t bytes)
{
    return user_write_some(to, from, bytes) == bytes ? 0 : -LX_EFAULT;
}

int64_t user_zero(uint64_t to, size_t bytes)
{
    size_t part = program_part(to, bytes);

    return part == bytes && lx_user_zero((void *)to, bytes) == 0 ? 0 : -LX_EFAULT;
}

int64_t user_compare(uint64_t address, uint32_t expected, uint32_t wanted)
{
    int64_t found = address < LX_BASE - sizeof wanted
                        ? lx_user_compare((uint32_t *)address, expected, wanted)
                        : -1;

    return found < 0 ? -LX_EFAULT : found;
}

int64_t user_text(char *to, uint64_t from, size_t size)
{
    size_t part = program_part(from, size), length = lx_user_text(to, (const char *)from, part);

    if (length == SIZE_MAX || (length == part && part < size))
        return -LX_EFAULT;
    return length == size ? -LX_ENAMETOOLONG : (int64_t)length;
}

int64_t user_path(char to[LX_PATH_BYTES], uint64_t from)
{
    int64_t length = user_text(to, from, LX_PATH_BYTES);

    return length == 0 ? -LX_ENOENT : length;
}
