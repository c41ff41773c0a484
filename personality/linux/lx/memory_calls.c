// SPDX-License-Identifier: MIT
/* memory_calls - mmap() and its kin, brk(). */
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/open_file.h"

static uint64_t break_start, break_end;

void memory_set_break(uint64_t start)
{
    break_start = break_end = start;
}

int64_t lx_brk(uint64_t wanted)
{
    uint64_t old = lx_page_up(break_end), new = lx_page_up(wanted);
    struct vma area = {
        .start = old, .end = new, .protection = VMA_READ | VMA_WRITE, .flags = VMA_HEAP};
    const struct vma *above;
    uint32_t index;

    if (wanted < break_start || wanted >= MEMORY_TOP)
        return (int64_t)break_end;
    if (new > old) {
        index = vma_index(&memory_areas, old);
        above = index < memory_areas.count ? &memory_areas.areas[index] : NULL;
        if ((above != NULL && above->start < new) || !vma_insert(&memory_areas, &area))
            return (int64_t)break_end;
    } else if (new < old && memory_remove(new, old) != 0) {
        return (int64_t)break_end;
    }
    break_end = wanted;
    return (int64_t)wanted;
}

/* A range of the program: whole pages that do not wrap. */
static bool is_range(uint64_t start, uint64_t bytes)
{
    return (start & LX_PAGE_MASK) == 0 && bytes <= MEMORY_TOP && start <= MEMORY_TOP - bytes;
}

static int64_t check_file(struct open_file *file, uint32_t protection, uint32_t flags,
                          struct vma *area)
{
    if ((file->flags & LINUX_O_ACCMODE) == LINUX_O_WRONLY)
        return -LX_EACCES;
    if (file->methods == &zero_methods)
        return 0; /* as anonymous memory */
    if (file->methods != &file_methods)
        return -LX_ENODEV;
    /* What is written there would have to reach the file: that is not there yet. */
    if ((flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE && (protection & VMA_WRITE) != 0)
        return (file->flags & LINUX_O_ACCMODE) != LINUX_O_RDWR ? -LX_EACCES : -LX_ENODEV;
    area->file = file;
    area->data_end = VMA_NO_END;
    return 0;
}

/* Where the area comes to be: as asked for, if it is to be there or is free, else where there is room. */
static int64_t choose(struct vma *area, uint64_t hint, uint64_t bytes, uint32_t flags)
{
    uint64_t start = hint & ~LX_PAGE_MASK;
    uint32_t index = vma_index(&memory_areas, start);
    bool is_free =
        start >= MEMORY_LOWEST && is_range(start, bytes) &&
        (index == memory_areas.count || memory_areas.areas[index].start >= start + bytes);

    if ((flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE)) != 0) {
        if ((hint & LX_PAGE_MASK) != 0)
            return -LX_EINVAL;
        if (!is_range(start, bytes))
            return -LX_ENOMEM;
        if (start < MEMORY_LOWEST)
            return -LX_EPERM;
        if ((flags & LINUX_MAP_FIXED_NOREPLACE) != 0 && !is_free)
            return -LX_EEXIST;
    } else if (!is_free) {
        start = memory_find(bytes);
        if (start == 0)
            return -LX_ENOMEM;
    }
    area->start = start;
    area->end = start + bytes;
    return 0;
}

/* What may be mapped in that way: with the errors of do_mmap(), in its order. */
static int64_t check_kind(struct open_file *file, uint32_t protection, uint32_t flags,
                          struct vma *area)
{
    uint32_t type = flags & LINUX_MAP_TYPE;
    int64_t result = 0;

    if (type < LINUX_MAP_SHARED || type > LINUX_MAP_SHARED_VALIDATE)
        return -LX_EINVAL;
    if (file != NULL)
        result = check_file(file, protection, flags, area);
    if (result == 0 && (protection & VMA_WRITE) != 0 && (protection & VMA_EXECUTE) != 0)
        result = -LX_EACCES; /* the kernel never maps both */
    if (type != LINUX_MAP_PRIVATE)
        area->flags |= VMA_SHARED;
    return result;
}

int64_t lx_mmap(uint64_t hint, uint64_t length, uint32_t protection, uint32_t flags, int32_t fd,
                uint64_t offset)
{
    struct vma area = {.protection = protection & LINUX_PROT_ALL, .offset = offset};
    struct open_file *file = NULL;
    int64_t result;

    if ((offset & LX_PAGE_MASK) != 0)
        return -LX_EINVAL;
    if ((flags & LINUX_MAP_ANONYMOUS) == 0) {
        file = descriptor_file(fd);
        if (file == NULL || (file->flags & LINUX_O_PATH) != 0)
            return -LX_EBADF;
    }
    if (length == 0)
        return -LX_EINVAL;
    if (length > MEMORY_TOP)
        return -LX_ENOMEM;
    length = lx_page_up(length);
    if (offset + length < offset)
        return -LX_EOVERFLOW;
    result = choose(&area, hint, length, flags);
    if (result == 0)
        result = check_kind(file, protection, flags, &area);
    if (result == 0)
        result = memory_place(&area);
    return result == 0 ? (int64_t)area.start : result;
}

int64_t lx_munmap(uint64_t start, uint64_t length)
{
    if (length == 0 || length > MEMORY_TOP || !is_range(start, lx_page_up(length)))
        return -LX_EINVAL;
    return memory_remove(start, start + lx_page_up(length));
}

int64_t lx_mprotect(uint64_t start, uint64_t length, uint32_t protection)
{
    if ((start & LX_PAGE_MASK) != 0 ||
        (protection & ~(LINUX_PROT_ALL | LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP)) != 0)
        return -LX_EINVAL;
    if (length == 0)
        return 0;
    if (length > MEMORY_TOP || !is_range(start, lx_page_up(length)))
        return -LX_ENOMEM;
    if ((protection & (LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP)) != 0)
        return -LX_EINVAL; /* no area grows */
    if ((protection & VMA_WRITE) != 0 && (protection & VMA_EXECUTE) != 0)
        return -LX_EACCES;
    return memory_protect(start, start + lx_page_up(length), protection);
}

/* The part of the area with `bytes` from `old` on becomes an area of `wanted` bytes elsewhere. What can fail comes first: with
 * an error nothing has changed. */
static int64_t move(const struct vma *area, uint64_t old, uint64_t bytes, uint64_t wanted)
{
    struct vma moved = *area;
    uint64_t to = memory_find(wanted);

    moved.start = to;
    moved.end = to + wanted;
    moved.offset += old - area->start;
    if (moved.data_end != VMA_NO_END)
        moved.data_end += to - old;
    if (to == 0 || !memory_make_room(old, to, bytes) ||
        !vma_move(&memory_areas, old, old + bytes, &moved))
        return -LX_ENOMEM;
    memory_move(old, to, bytes);
    return (int64_t)to;
}

int64_t lx_mremap(uint64_t old, uint64_t bytes, uint64_t wanted, uint32_t flags, uint64_t to)
{
    struct vma *area, more;
    uint32_t index;

    (void)to;
    if ((flags & ~LINUX_MREMAP_MAYMOVE) != 0 || (old & LX_PAGE_MASK) != 0 || wanted == 0 ||
        wanted > MEMORY_TOP || bytes > MEMORY_TOP || bytes == 0)
        return -LX_EINVAL;
    bytes = lx_page_up(bytes);
    wanted = lx_page_up(wanted);
    area = vma_find(&memory_areas, old);
    if (area == NULL || area->end - old < bytes)
        return -LX_EFAULT;
    if (wanted <= bytes)
        return wanted == bytes || memory_remove(old + wanted, old + bytes) == 0 ? (int64_t)old
                                                                                : -LX_ENOMEM;
    index = vma_index(&memory_areas, old + bytes);
    more = *area;
    more.start = old + bytes;
    more.end = old + wanted;
    more.offset += more.start - area->start;
    if (area->end == old + bytes && is_range(old, wanted) &&
        (index == memory_areas.count || memory_areas.areas[index].start >= more.end) &&
        vma_insert(&memory_areas, &more))
        return (int64_t)old;
    if ((flags & LINUX_MREMAP_MAYMOVE) == 0)
        return -LX_ENOMEM;
    return move(area, old, bytes, wanted);
}

/* What is shared would come back with its bytes: it stays. */
static void drop_private(uint64_t start, uint64_t end)
{
    for (uint32_t i = vma_index(&memory_areas, start);
         i < memory_areas.count && memory_areas.areas[i].start < end; i++) {
        const struct vma *area = &memory_areas.areas[i];

        if ((area->flags & VMA_SHARED) == 0)
            memory_drop(area->start > start ? area->start : start,
                        area->end < end ? area->end : end);
    }
}

int64_t lx_madvise(uint64_t start, uint64_t length, uint32_t advice)
{
    if ((start & LX_PAGE_MASK) != 0 || (length != 0 && lx_page_up(length) == 0) || advice > 25)
        return -LX_EINVAL;
    length = lx_page_up(length);
    if (start + length < start)
        return -LX_EINVAL;
    if (length != 0 && !vma_covers(&memory_areas, start, start + length))
        return -LX_ENOMEM;
    if (advice == LINUX_MADV_DONTNEED || advice == LINUX_MADV_FREE)
        drop_private(start, start + length);
    return 0;
}
