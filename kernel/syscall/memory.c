// SPDX-License-Identifier: MIT
/* memory.c - system calls on Memory capabilities: allocate, map, unmap, grant. */
#include <stddef.h>

#include "abi/message.h"
#include "syscall/calls.h"
#include "cap/derive.h"
#include "base/log.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "vm/ports.h"
#include "object/memory.h"
#include "object/process.h"
#include "sched/sched.h"
#include "base/trace.h"

#define ALLOC_FLAGS_ALL (MNOS_ALLOC_CONTIGUOUS | MNOS_ALLOC_BELOW_4G | MNOS_ALLOC_ALIGN_2M)

/* Gives the object of a call that fails its frames back, and ends it: nobody else knows it. */
static result_t alloc_undo(struct call_record *record)
{
    struct memory *memory = record->memory;
    result_t status = result_of(record->failed);

    while (!memory_empty(memory))
        if (sched_preempt_point())
            return RESULT_AGAIN;
    (void)kobject_detach(&memory->obj);
    (void)memory_free(&memory->obj);
    record->memory = NULL;
    record->search = (struct memory_search){0};
    record->failed = MNOS_OK;
    return status;
}

/* Frames, then zeros. */
static result_t alloc_contents(struct call_record *record)
{
    struct memory *memory = record->memory;

    while (record->failed == MNOS_OK && memory->frames < memory->page_count)
        if (!memory_fill(memory, &record->search, &record->failed) && sched_preempt_point())
            return RESULT_AGAIN;
    if (record->failed != MNOS_OK)
        return alloc_undo(record);
    if (record->done == 0 && memory->page_count != 1 && sched_preempt_point())
        return RESULT_AGAIN;
    while (!memory_zero(memory, &record->done))
        if (sched_preempt_point())
            return RESULT_AGAIN;
    return RESULT_OK;
}

/* Needs nothing but quota. */
result_t sys_mem_alloc(struct thread *current, uint64_t page_count, uint64_t flags, uint64_t *value)
{
    struct process *process = current->process;
    struct call_record *record = call_record(current);
    struct memory *memory;
    result_t status;

    if (page_count == 0 || page_count > UINT32_MAX)
        return error_at(1, MNOS_ERR_ARGUMENT);
    if ((flags & ~(uint64_t)ALLOC_FLAGS_ALL) != 0)
        return error_at(2, MNOS_ERR_ARGUMENT);
    if (record->memory == NULL) {
        status = result_of(memory_create(process, page_count, (unsigned)flags, &record->memory));
        if (status != RESULT_OK)
            return status;
    }
    status = alloc_contents(record);
    if (status != RESULT_OK)
        return status;
    memory = record->memory;
    record->memory = NULL;
    /* Without room for the capability the call may be made again, with another object. */
    record->done = 0;
    record->search = (struct memory_search){0};
    status =
        result_of(cap_create_root(process, &memory->obj, MNOS_RIGHTS_ALL, 0, page_count, value));
    if (status != RESULT_OK)
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

    if (memory->flavour != MNOS_MEMORY_PORTS)
        flags &= ~(uint64_t)MNOS_MAP_REPLACE;
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

/* Between two steps: whether there is another one, and it is now; else the call is made again, or is done. */
static inline bool goes_on(bool again, struct tlb_batch *batch, result_t *status)
{
    if (again && tlb_batch_preempt_point(batch)) {
        *status = RESULT_AGAIN;
        return false;
    }
    return again;
}

static result_t map_in_steps(struct thread *current, struct process *process,
                             const struct cap_view *cap, uaddr_t address, uint64_t first,
                             uint64_t count, unsigned rights)
{
    struct call_record *record = call_record(current);
    struct tlb_batch batch = {0};
    result_t status;
    bool again;

    do {
        status = result_of(
            aspace_map(process, cap, address, first, count, rights, record, &again, &batch));
    } while (goes_on(again, &batch, &status));
    tlb_batch_finish(&batch);
    return status;
}

/* A call that begins tries whether it is done at once; if it is made again, nothing has been done. */
[[gnu::noinline]] static result_t map_pages(struct thread *current, struct process *process,
                                            const struct cap_view *cap, uaddr_t address,
                                            uint64_t first, uint64_t count, unsigned rights)
{
    const bool tries = count <= ASPACE_RUN_MAX && current->record.number == 0;
    mnos_status_t status = MNOS_ERR_STATE;

    if (tries)
        status = aspace_map_run(process, cap, address, first, count, rights);
    if (status == MNOS_OK)
        return RESULT_OK;
    (void)call_record(current);
    if (status != MNOS_ERR_STATE)
        return result_of(status);
    if (tries && sched_preempt_point())
        return RESULT_AGAIN; /* the try was a step in length */
    return map_in_steps(current, process, cap, address, first, count, rights);
}

[[gnu::noinline]] static result_t open_ports(struct thread *current, struct process *process,
                                             const struct cap_view *cap, uint64_t address,
                                             uint64_t first, uint64_t count)
{
    struct call_record *record = call_record(current);
    mnos_status_t status;

    if (address != 0)
        return error_at(3, MNOS_ERR_ADDRESS);
    /* What the kernel still has to say on a device there goes out first. */
    while (log_hand_over_step(LOG_PORTS, first, count, &record->done))
        if (sched_preempt_point())
            return RESULT_AGAIN;
    status = ports_open(process, cap, (uint32_t)first, (uint32_t)count);
    return error_at(status == MNOS_ERR_OVERLAP ? 4 : 0, status);
}

/* ---- exchanging ---- */

static result_t replace_in_steps(struct thread *current, const struct exchange *wanted)
{
    struct call_record *record = call_record(current);
    struct tlb_batch batch = {0};
    result_t status;
    bool again;

    do {
        status = result_of(aspace_replace(wanted, record, &again, &batch));
    } while (goes_on(again, &batch, &status));
    tlb_batch_finish(&batch);
    return status;
}

static result_t replace_pages(struct thread *current, const struct exchange *wanted)
{
    mnos_status_t status = MNOS_ERR_STATE;

    if (wanted->count <= ASPACE_RUN_MAX && current->record.number == 0)
        status = aspace_replace_run(wanted);
    if (status == MNOS_OK)
        return RESULT_OK;
    (void)call_record(current);
    return status == MNOS_ERR_STATE ? replace_in_steps(current, wanted) : result_of(status);
}

/* ---- other rights ---- */

static result_t protect_in_steps(struct thread *current, struct process *process, uaddr_t address,
                                 uint64_t page_count, const struct protection *wanted)
{
    struct call_record *record = call_record(current);
    struct tlb_batch batch = {0};
    result_t status;
    bool again;

    do {
        status =
            result_of(aspace_protect(process, address, page_count, wanted, record, &again, &batch));
    } while (goes_on(again, &batch, &status));
    tlb_batch_finish(&batch);
    return status;
}

static result_t protect_pages(struct thread *current, struct process *process, uaddr_t address,
                              uint64_t page_count, const struct protection *wanted)
{
    mnos_status_t status = MNOS_ERR_STATE;

    if (page_count <= ASPACE_RUN_MAX && current->record.number == 0)
        status = aspace_protect_run(process, address, page_count, wanted);
    return status == MNOS_ERR_STATE
               ? protect_in_steps(current, process, address, page_count, wanted)
               : result_of(status);
}

/* sys_mem_map without a memory. */
[[gnu::noinline]] static result_t protect(struct thread *current, struct process *process,
                                          uint64_t address, uint64_t first_page,
                                          uint64_t page_count, uint64_t flags)
{
    const uint64_t writable_code = MNOS_MAP_WRITE | MNOS_MAP_EXECUTE;
    unsigned missing = 0;
    const struct protection wanted = {MAP_READ | (unsigned)flags, current->process, &missing};
    result_t status;

    if (first_page != 0)
        return error_at(4, MNOS_ERR_ARGUMENT);
    if (flags == 0 || (flags & ~(uint64_t)MAP_ACCESS) != 0 ||
        (flags & writable_code) == writable_code)
        return error_at(6, MNOS_ERR_ARGUMENT);
    status = protect_pages(current, process, address, page_count, &wanted);
    if (status == RESULT_OK)
        trace(MNOS_TRACE_MAP, address, page_count);
    else if (status == result_of(MNOS_ERR_RIGHTS))
        return error_rights(6, missing, 0);
    else if (status == result_of(MNOS_ERR_ADDRESS) || status == result_of(MNOS_ERR_NOT_MAPPED))
        return result_at(3, status);
    return status;
}

/* Needs Write on the process (not for MNOS_SELF); on the memory Read, and Write and Execute as the
 * flags ask. For I/O ports the address is 0, pages are ports, and the flags are read and write, both. Without
 * a memory what is mapped gets other rights. */
[[gnu::always_inline]] static inline result_t map(struct thread *current, mnos_cap_t process_cap,
                                                  mnos_cap_t memory_cap, uint64_t address,
                                                  uint64_t first_page, uint64_t page_count,
                                                  uint64_t flags)
{
    struct process *process = current->process;
    struct memory *memory;
    struct cap_view cap;
    mnos_rights_t needed;
    result_t status;
    uint64_t first;

    if (process_cap != MNOS_SELF) {
        status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
        if (status != RESULT_OK)
            return status;
    }
    if (memory_cap == 0)
        return protect(current, process, address, first_page, page_count, flags);
    status = argument_cap(current, 2, memory_cap, MNOS_TYPE_MEMORY, 0, &cap);
    if (status != RESULT_OK)
        return status;
    memory = memory_of(cap.object);
    if (!map_flags_valid(memory, flags))
        return error_at(6, MNOS_ERR_ARGUMENT);
    needed = MNOS_RIGHT_READ | (flags & MAP_ACCESS);
    if ((needed & ~cap.rights) != 0)
        return error_rights(2, needed, cap.rights);
    if (memory->read_only && (flags & MNOS_MAP_WRITE) != 0)
        return error_at(6, MNOS_ERR_ARGUMENT);
    if (!range_inside(&cap, first_page, page_count))
        return error_at(5, MNOS_ERR_ARGUMENT);
    first = cap.first + first_page;
    if (is_not_device(memory, first, page_count))
        return error_at(4, MNOS_ERR_ARGUMENT);
    if (memory->flavour == MNOS_MEMORY_PORTS)
        return open_ports(current, process, &cap, address, first, page_count);
    if ((flags & MNOS_MAP_REPLACE) != 0)
        status =
            replace_pages(current, &(const struct exchange){process, &cap, address, first,
                                                            page_count, map_rights(memory, flags)});
    else if (page_count == 1)
        status =
            result_of(aspace_map_page(process, &cap, address, first, map_rights(memory, flags)));
    else
        status = map_pages(current, process, &cap, address, first, page_count,
                           map_rights(memory, flags));
    if (status == RESULT_OK)
        trace(MNOS_TRACE_MAP, address, page_count);
    else if (status == result_of(MNOS_ERR_ADDRESS) || status == result_of(MNOS_ERR_OVERLAP))
        return result_at(3, status);
    return status;
}

/* The same; of an exchange that failed it is told how many pages have been exchanged. */
result_t sys_mem_map(struct thread *current, mnos_cap_t process_cap, mnos_cap_t memory_cap,
                     uint64_t address, uint64_t first_page, uint64_t page_count, uint64_t flags)
{
    result_t result;

    if ((flags & MNOS_MAP_REPLACE) != 0)
        (void)call_record(current);
    result = map(current, process_cap, memory_cap, address, first_page, page_count, flags);
    if (result != RESULT_OK && result != RESULT_AGAIN && (flags & MNOS_MAP_REPLACE) != 0)
        memcpy(current->buffer->data, &current->record.done, sizeof(current->record.done));
    return result;
}

[[gnu::noinline]] static result_t unmap_pages(struct thread *current, struct process *process,
                                              uint64_t address, uint64_t page_count)
{
    struct call_record *record;
    struct tlb_batch batch = {0};
    result_t status;
    bool again;

    if (page_count <= ASPACE_RUN_MAX && aspace_unmap_run(process, address, page_count))
        return RESULT_OK;
    record = call_record(current);
    do {
        status = result_of(aspace_unmap(process, address, page_count, record, &again, &batch));
    } while (goes_on(again, &batch, &status));
    tlb_batch_finish(&batch);
    return status;
}

/* Needs Write on the process (not for MNOS_SELF). */
result_t sys_mem_unmap(struct thread *current, mnos_cap_t process_cap, uint64_t address,
                       uint64_t page_count)
{
    struct process *process = current->process;
    result_t status = RESULT_OK;

    if (process_cap != MNOS_SELF)
        status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
    if (status != RESULT_OK)
        return status;
    if (page_count != 1 || !aspace_unmap_page(process, address))
        status = unmap_pages(current, process, address, page_count);
    if (status == RESULT_OK)
        trace(MNOS_TRACE_UNMAP, address, page_count);
    return result_at(2, status);
}

/* Needs Write on the process, Grant on the memory. The new capability is a child of `memory`. */
result_t sys_mem_grant(struct thread *current, mnos_cap_t process_cap, mnos_cap_t memory_cap,
                       uint64_t first_page, uint64_t page_count, uint64_t rights, uint64_t *value)
{
    struct process *process;
    struct cap_view cap;
    result_t status;

    status = call_process(current, 1, process_cap, MNOS_RIGHT_WRITE, &process);
    if (status != RESULT_OK)
        return status;
    status = argument_cap(current, 2, memory_cap, MNOS_TYPE_MEMORY, MNOS_RIGHT_GRANT, &cap);
    if (status != RESULT_OK)
        return status;
    if (!range_inside(&cap, first_page, page_count))
        return error_at(4, MNOS_ERR_ARGUMENT);
    if ((rights & ~(uint64_t)cap.rights) != 0)
        return error_rights(5, rights, cap.rights);
    cap.rights = (mnos_rights_t)rights;
    cap.first += first_page;
    cap.count = page_count;
    return result_of(cap_give(process, &cap, value));
}
