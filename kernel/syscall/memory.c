// SPDX-License-Identifier: MIT
/* memory.c - system calls on Memory capabilities: allocate, map, unmap, grant. */
#include <stddef.h>

#include "syscall/calls.h"
#include "cap/derive.h"
#include "base/log.h"
#include "mm/frame.h"
#include "vm/ports.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/sched.h"
#include "base/trace.h"

#define ALLOC_FLAGS_ALL (MNOS_ALLOC_CONTIGUOUS | MNOS_ALLOC_BELOW_4G | MNOS_ALLOC_ALIGN_2M)

/* Gives the object of a call that fails its frames back, and ends it: nobody else knows it. */
static mnos_status_t alloc_undo(struct call_record *record)
{
    struct memory *memory = record->memory;
    mnos_status_t status = record->failed;

    while (!memory_empty(memory))
        if (sched_preempt_point())
            return CALL_AGAIN;
    (void)kobject_detach(&memory->obj);
    (void)memory_free(memory);
    record->memory = NULL;
    record->search = (struct memory_search){0};
    record->failed = MNOS_OK;
    return status;
}

/* Frames, then zeros. */
static mnos_status_t alloc_contents(struct call_record *record)
{
    struct memory *memory = record->memory;

    while (record->failed == MNOS_OK && memory->frames < memory->page_count)
        if (!memory_fill(memory, &record->search, &record->failed) && sched_preempt_point())
            return CALL_AGAIN;
    if (record->failed != MNOS_OK)
        return alloc_undo(record);
    if (record->done == 0 && memory->page_count != 1 && sched_preempt_point())
        return CALL_AGAIN;
    while (!memory_zero(memory, &record->done))
        if (sched_preempt_point())
            return CALL_AGAIN;
    return MNOS_OK;
}

/* Needs nothing but quota. */
mnos_status_t sys_mem_alloc(struct thread *current, uint64_t page_count, uint64_t flags,
                            uint64_t *value)
{
    struct process *process = current->process;
    struct call_record *record = call_record(current);
    struct memory *memory;
    mnos_status_t status;

    if (page_count == 0 || page_count > UINT32_MAX)
        return call_argument(1, MNOS_ERR_ARGUMENT);
    if ((flags & ~(uint64_t)ALLOC_FLAGS_ALL) != 0)
        return call_argument(2, MNOS_ERR_ARGUMENT);
    if (record->memory == NULL) {
        status = memory_create(process, page_count, (unsigned)flags, &record->memory);
        if (status != MNOS_OK)
            return status;
    }
    status = alloc_contents(record);
    if (status != MNOS_OK)
        return status;
    memory = record->memory;
    record->memory = NULL;
    /* Without room for the capability the call may be made again, with another object. */
    record->done = 0;
    record->search = (struct memory_search){0};
    status = cap_create_root(process, &memory->obj, MNOS_RIGHTS_ALL, 0, page_count, value);
    if (status != MNOS_OK)
        kobject_unreferenced(&memory->obj);
    return status;
}

_Static_assert((unsigned)MNOS_MAP_READ == MNOS_RIGHT_READ && (unsigned)MNOS_MAP_READ == MAP_READ);
_Static_assert((unsigned)MNOS_MAP_WRITE == MNOS_RIGHT_WRITE &&
               (unsigned)MNOS_MAP_WRITE == MAP_WRITE);
_Static_assert((unsigned)MNOS_MAP_EXECUTE == MNOS_RIGHT_EXECUTE &&
               (unsigned)MNOS_MAP_EXECUTE == MAP_EXECUTE);

#define MAP_ACCESS (MNOS_MAP_READ | MNOS_MAP_WRITE | MNOS_MAP_EXECUTE)

/* True when memory of this flavour can be mapped with these flags. */
static inline bool map_flags_valid(const struct memory *memory, uint64_t flags)
{
    static const uint8_t allowed[] = {
        [MNOS_MEMORY_RAM] = MAP_ACCESS,
        [MNOS_MEMORY_DEVICE] = MNOS_MAP_READ | MNOS_MAP_WRITE | MNOS_MAP_WRITE_COMBINING,
        [MNOS_MEMORY_PORTS] = MNOS_MAP_READ | MNOS_MAP_WRITE,
    };
    const uint64_t writable_code = MNOS_MAP_WRITE | MNOS_MAP_EXECUTE;

    if ((flags & ~(uint64_t)allowed[memory->flavour]) != 0 || (flags & MAP_ACCESS) == 0)
        return false;
    if (memory->flavour == MNOS_MEMORY_PORTS) /* a port that is open is open both ways */
        return flags == allowed[MNOS_MEMORY_PORTS];
    return (flags & writable_code) != writable_code;
}

/* enum map_rights; x86 has no page that can be written or executed but not read. */
static inline unsigned map_rights(const struct memory *memory, uint64_t flags)
{
    unsigned rights = MAP_READ | (unsigned)(flags & MAP_ACCESS);

    if (memory->flavour == MNOS_MEMORY_DEVICE)
        rights |= (flags & MNOS_MAP_WRITE_COMBINING) != 0 ? MAP_WRITE_COMBINING : MAP_UNCACHED;
    return rights;
}

static bool range_inside(const struct cap_view *cap, uint64_t first, uint64_t count)
{
    return count != 0 && first < cap->count && count <= cap->count - first;
}

/* Device memory that turns out to be RAM belongs to somebody, and the machine's own registers to the kernel. */
static bool is_not_device(const struct memory *memory, uint64_t first, uint64_t count)
{
    paddr_t frame = memory->single.frame + first * PAGE_BYTES;

    return memory->flavour == MNOS_MEMORY_DEVICE &&
           (frame_overlaps_ram(frame, count) || arch_is_own_device(frame, count));
}

static mnos_status_t map_pages(struct thread *current, struct process *process,
                               const struct cap_view *cap, uaddr_t address, uint64_t first,
                               uint64_t count, unsigned rights)
{
    struct call_record *record = call_record(current);
    struct tlb_batch batch = {0};
    mnos_status_t status;
    bool again;

    do {
        status = aspace_map(process, cap, address, first, count, rights, record, &again, &batch);
        if (again && tlb_batch_preempt_point(&batch)) {
            status = CALL_AGAIN;
            break;
        }
    } while (again);
    tlb_batch_finish(&batch);
    return status;
}

static mnos_status_t open_ports(struct thread *current, struct process *process,
                                const struct cap_view *cap, uint64_t address, uint64_t first,
                                uint64_t count)
{
    struct call_record *record = call_record(current);
    mnos_status_t status;

    if (address != 0)
        return call_argument(3, MNOS_ERR_ADDRESS);
    /* What the kernel still has to say on a device there goes out first. */
    while (log_hand_over_step(LOG_PORTS, first, count, &record->done))
        if (sched_preempt_point())
            return CALL_AGAIN;
    status = ports_open(process, cap, (uint32_t)first, (uint32_t)count);
    return status == MNOS_ERR_OVERLAP ? call_argument(4, status) : status;
}

/* Needs Write on the process (not for MNOS_SELF); on the memory Read, and Write and Execute as the
 * flags ask. For I/O ports the address is 0, pages are ports, and the flags are read and write, both. */
mnos_status_t sys_mem_map(struct thread *current, mnos_cap_t process_cap, mnos_cap_t memory_cap,
                          uint64_t address, uint64_t first_page, uint64_t page_count,
                          uint64_t flags)
{
    struct process *process = current->process;
    struct memory *memory;
    struct cap_view cap;
    mnos_rights_t needed;
    mnos_status_t status;
    uint64_t first;

    if (process_cap != MNOS_SELF) {
        status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
        if (status != MNOS_OK)
            return status;
    }
    status = call_cap(current, 2, memory_cap, MNOS_TYPE_MEMORY, 0, &cap);
    if (status != MNOS_OK)
        return status;
    memory = (struct memory *)cap.object;
    if (!map_flags_valid(memory, flags))
        return call_argument(6, MNOS_ERR_ARGUMENT);
    needed = MNOS_RIGHT_READ | (flags & MAP_ACCESS);
    if ((needed & ~cap.rights) != 0)
        return call_rights(2, needed, cap.rights);
    if (memory->read_only && (flags & MNOS_MAP_WRITE) != 0)
        return call_argument(6, MNOS_ERR_ARGUMENT);
    if (!range_inside(&cap, first_page, page_count))
        return call_argument(5, MNOS_ERR_ARGUMENT);
    first = cap.first + first_page;
    if (is_not_device(memory, first, page_count))
        return call_argument(4, MNOS_ERR_ARGUMENT);
    if (memory->flavour == MNOS_MEMORY_PORTS)
        return open_ports(current, process, &cap, address, first, page_count);
    if (page_count == 1)
        status = aspace_map_page(process, &cap, address, first, map_rights(memory, flags));
    else
        status = map_pages(current, process, &cap, address, first, page_count,
                           map_rights(memory, flags));
    if (status == MNOS_OK)
        trace(MNOS_TRACE_MAP, address, page_count);
    else if (status == MNOS_ERR_ADDRESS || status == MNOS_ERR_OVERLAP)
        return call_argument(3, status);
    return status;
}

static mnos_status_t unmap_pages(struct thread *current, struct process *process, uint64_t address,
                                 uint64_t page_count)
{
    struct call_record *record = call_record(current);
    struct tlb_batch batch = {0};
    mnos_status_t status;
    bool again;

    do {
        status = aspace_unmap(process, address, page_count, record, &again, &batch);
        if (again && tlb_batch_preempt_point(&batch)) {
            status = CALL_AGAIN;
            break;
        }
    } while (again);
    tlb_batch_finish(&batch);
    return status;
}

/* Needs Write on the process (not for MNOS_SELF). */
mnos_status_t sys_mem_unmap(struct thread *current, mnos_cap_t process_cap, uint64_t address,
                            uint64_t page_count)
{
    struct process *process = current->process;
    mnos_status_t status = MNOS_OK;

    if (process_cap != MNOS_SELF)
        status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
    if (status != MNOS_OK)
        return status;
    if (page_count != 1 || !aspace_unmap_page(process, address))
        status = unmap_pages(current, process, address, page_count);
    if (status == MNOS_OK)
        trace(MNOS_TRACE_UNMAP, address, page_count);
    else if (status != CALL_AGAIN)
        return call_argument(2, status);
    return status;
}

/* Needs Write on the process, Grant on the memory. The new capability is a child of `memory`. */
mnos_status_t sys_mem_grant(struct thread *current, mnos_cap_t process_cap, mnos_cap_t memory_cap,
                            uint64_t first_page, uint64_t page_count, uint64_t rights,
                            uint64_t *value)
{
    struct process *process;
    struct cap_view cap;
    mnos_status_t status;

    status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
    if (status != MNOS_OK)
        return status;
    status = call_cap(current, 2, memory_cap, MNOS_TYPE_MEMORY, MNOS_RIGHT_GRANT, &cap);
    if (status != MNOS_OK)
        return status;
    if (!range_inside(&cap, first_page, page_count))
        return call_argument(4, MNOS_ERR_ARGUMENT);
    if ((rights & ~(uint64_t)cap.rights) != 0)
        return call_rights(5, rights, cap.rights);
    cap.rights = (mnos_rights_t)rights;
    cap.first += first_page;
    cap.count = page_count;
    return cap_give(process, &cap, value);
}
