// SPDX-License-Identifier: MIT
/*
 * first_process.c - makes the first process: finds `init` in the initial RAM disk, loads it, and gives it a
 * capability to everything there is (abi/bootstrap.h has the list). The only use of ELF and of
 * archives in the kernel; every other program is loaded by init.
 */
#include "boot/first_process.h"

#include <stddef.h>

#include "abi/bootstrap.h"
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "cap/captable.h"
#include "cap/derive.h"
#include "sched/info.h"
#include "lib/format/elf.h"
#include "lib/format/ustar.h"
#include "lib/base/string.h"
#include "base/log.h"
#include "base/panic.h"
#include "mm/frame.h"
#include "vm/mapping.h"
#include "object/endpoint.h"
#include "object/interrupt.h"
#include "object/memory.h"
#include "object/process.h"
#include "object/thread.h"
#include "sched/sched.h"
#include "base/trace.h"

#define INIT_PATH "init"
#define INIT_PRIORITY 50
#define STACK_PAGES 8
/* A quarter of the free memory may be kernel objects of init and its descendants. */
#define BYTES_SHARE 4

/* Beside the kernel information page, so that they share its page table. */
#define BOOTSTRAP_ADDRESS (MNOS_KINFO_ADDRESS - PAGE_BYTES)
#define BUFFER_ADDRESS (MNOS_KINFO_ADDRESS - 2 * PAGE_BYTES)
#define STACK_TOP (MNOS_KINFO_ADDRESS - 3 * PAGE_BYTES)

#define PORT_COUNT 0x10000u

#define RIGHTS_READ_ONLY (MNOS_RIGHT_READ | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE)

static void require(mnos_status_t status, const char *what)
{
    static const char *const texts[] = {
#define STATUS(code, name, text) [code] = text,
#include "abi/status.def"
#undef STATUS
    };

    if (status != MNOS_OK)
        panic("init: cannot create %s: %s", what, texts[status]);
}

static struct process *create_process(void)
{
    struct mnos_process_params params = {
        .name = "init",
        .frames_quota = frame_count_free() + arch_boot_pages(),
        .bytes_quota = frame_count_free() * PAGE_BYTES / BYTES_SHARE,
        .priority_ceiling = MNOS_PRIORITY_COUNT - 1,
    };
    struct process *process;

    require(process_create(NULL, &params, &process), "its process");
    return process;
}

/* ---- the bootstrap table ---- */

static void give(struct process *process, struct mnos_bootstrap *table, const char *name,
                 struct kobject *object, mnos_rights_t rights, uint64_t count)
{
    struct mnos_bootstrap_entry *entry = &table->entries[table->entry_count++];

    memcpy(entry->name, name, strlen(name) + 1);
    require(cap_create_root(process, object, rights, 0, count, &entry->cap), name);
}

static void give_memory(struct process *process, struct mnos_bootstrap *table, const char *name,
                        enum mnos_memory_flavour flavour, paddr_t address, uint64_t page_count,
                        mnos_rights_t rights)
{
    struct memory *memory;
    bool read_only = (rights & MNOS_RIGHT_WRITE) == 0 || strcmp(name, "log") == 0;

    require(memory_create_fixed(flavour, address, page_count, read_only, &memory), name);
    memory->watched |= strcmp(name, "trace") == 0;
    give(process, table, name, &memory->obj, rights, page_count);
}

static void give_framebuffer(struct process *process, struct mnos_bootstrap *table)
{
    const struct boot_framebuffer *fb = &boot_info.framebuffer;
    uint64_t bytes = (uint64_t)fb->height * fb->pitch + fb->address % PAGE_BYTES;

    if (fb->address != 0)
        give_memory(process, table, "framebuffer", MNOS_MEMORY_DEVICE,
                    fb->address & ~(PAGE_BYTES - 1), (bytes + PAGE_BYTES - 1) / PAGE_BYTES,
                    MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE);
}

/* The pages from the first to the last ACPI table, unless that would show somebody's RAM. */
static void give_acpi(struct process *process, struct mnos_bootstrap *table)
{
    paddr_t first, end;
    uint64_t pages;

    if (!arch_firmware_tables(&first, &end))
        return;
    first &= ~(PAGE_BYTES - 1);
    pages = (end - first + PAGE_BYTES - 1) / PAGE_BYTES;
    if (frame_overlaps_ram(first, pages))
        log_warning("acpi: the tables are not in a region of their own; init does not get them");
    else
        give_memory(process, table, "acpi", MNOS_MEMORY_RAM, first, pages, RIGHTS_READ_ONLY);
}

static void give_everything(struct process *process, struct thread *thread,
                            struct mnos_bootstrap *table)
{
    const mnos_rights_t device = MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE;
    uint64_t pages;
    paddr_t frame;

    pages = (boot_info.initrd_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    give_memory(process, table, "initrd", MNOS_MEMORY_RAM, boot_info.initrd, pages,
                RIGHTS_READ_ONLY | MNOS_RIGHT_EXECUTE);
    give_memory(process, table, "device", MNOS_MEMORY_DEVICE, 0, arch_physical_pages(), device);
    give_memory(process, table, "ports", MNOS_MEMORY_PORTS, 0, PORT_COUNT, device);
    give(process, table, "interrupts", interrupt_object(), device, MNOS_INTERRUPT_LINES);
    frame = log_ring_frames(&pages);
    give_memory(process, table, "log", MNOS_MEMORY_RAM, frame, pages,
                RIGHTS_READ_ONLY | MNOS_RIGHT_WRITE);
    frame = info_statistics_frame(&pages);
    give_memory(process, table, "statistics", MNOS_MEMORY_RAM, frame, pages, RIGHTS_READ_ONLY);
    frame = trace_frame(&pages);
    give_memory(process, table, "trace", MNOS_MEMORY_RAM, frame, pages, RIGHTS_READ_ONLY);
    give_acpi(process, table);
    give_framebuffer(process, table);
    give(process, table, "process", &process->obj, MNOS_RIGHTS_ALL, 0);
    give(process, table, "thread", &thread->obj, MNOS_RIGHTS_ALL, 0);
}

/* ---- memory of init ---- */

/* New zeroed memory, mapped in init through a capability of its own; where the kernel sees it is
 * contiguous. */
static void *map_new(struct process *process, const char *what, uaddr_t address,
                     uint64_t page_count, unsigned rights)
{
    struct memory *memory;
    struct cap_view view;
    mnos_cap_t handle;
    struct call_record record = {0};
    struct tlb_batch batch = {0}; /* nothing is taken back */
    bool again;

    require(memory_create(process, page_count, MNOS_ALLOC_CONTIGUOUS, &memory), what);
    while (!memory_fill(memory, &record.search, &record.failed))
        ;
    require(record.failed, what);
    memset(phys_to_virt(memory->single.frame), 0, page_count * PAGE_BYTES);
    require(cap_create_root(process, &memory->obj, MNOS_RIGHTS_ALL, 0, page_count, &handle), what);
    require(status_of(cap_lookup(&process->captable, handle, MNOS_TYPE_MEMORY, 0, &view)), what);
    do
        require(aspace_map(process, &view, address, 0, page_count, rights, &record, &again, &batch),
                what);
    while (again);
    return phys_to_virt(memory->single.frame);
}

static void load_segment(struct process *process, const struct elf_segment *segment)
{
    uaddr_t start = segment->vaddr & ~(PAGE_BYTES - 1);
    uint64_t offset = segment->vaddr - start;
    uint64_t pages = (offset + segment->memory_size + PAGE_BYTES - 1) / PAGE_BYTES;
    unsigned rights = MAP_READ;
    char *memory;

    if (segment->write)
        rights |= MAP_WRITE;
    if (segment->execute)
        rights |= MAP_EXECUTE;
    memory = map_new(process, "a segment", start, pages, rights);
    if (segment->file_size != 0)
        memcpy(memory + offset, segment->data, segment->file_size);
}

/* Loads the program and returns its entry point. */
static uaddr_t load_program(struct process *process)
{
    const struct elf_limits limits = {.lowest_vaddr = PAGE_BYTES,
                                      .highest_vaddr = MNOS_USER_END / 2};
    const void *archive = phys_to_virt(boot_info.initrd);
    struct elf_segment segment;
    struct ustar_entry file;
    struct elf_image image;
    enum ustar_error archive_error;
    enum elf_error error;
    unsigned cursor = 0;

    archive_error = ustar_find(archive, boot_info.initrd_bytes, INIT_PATH, &file);
    if (archive_error != USTAR_OK)
        panic("%s: %s: %s", boot_info.initrd_path, INIT_PATH,
              archive_error == USTAR_END ? "not in the archive" : ustar_error_text(archive_error));
    error = elf_open(&image, file.data, file.size, &limits);
    if (error != ELF_OK)
        panic("%s: %s: %s", boot_info.initrd_path, INIT_PATH, elf_error_text(error));
    while (elf_next_load(&image, &cursor, &segment))
        load_segment(process, &segment);
    return image.entry;
}

static struct thread *create_thread(struct process *process, uaddr_t entry)
{
    struct mnos_thread_params params = {
        .name = "main",
        .registers = {.rip = entry,
                      .rsp = STACK_TOP,
                      .rdi = BOOTSTRAP_ADDRESS,
                      .rsi = BUFFER_ADDRESS,
                      .fs_base = BUFFER_ADDRESS},
        .ipc_buffer = BUFFER_ADDRESS,
        .priority = INIT_PRIORITY,
        .affinity = MNOS_AFFINITY_ANY,
    };
    struct thread *thread;

    require(thread_create(process, &params, &thread), "its thread");
    return thread;
}

static void create_bootstrap(struct process *process, struct thread *thread)
{
    struct mnos_bootstrap *table =
        map_new(process, "its bootstrap table", BOOTSTRAP_ADDRESS, 1, MAP_READ);
    size_t length = strlen(boot_info.cmdline);

    table->magic = MNOS_BOOTSTRAP_MAGIC;
    memcpy(table->program, INIT_PATH, sizeof(INIT_PATH));
    if (length >= sizeof(table->arguments)) {
        log_warning("the command line is cut to %zu bytes for init", sizeof(table->arguments) - 1);
        length = sizeof(table->arguments) - 1;
    }
    memcpy(table->arguments, boot_info.cmdline, length);
    give_everything(process, thread, table);
}

void kernel_start_init(void)
{
    struct process *process;
    struct thread *thread;
    uaddr_t entry;

    mapping_caches_create();
    memory_caches_create();
    endpoint_caches_create();
    process_caches_create();
    thread_caches_create();
    interrupt_init();
    trace_init(info_boot_alloc(trace_bytes()));
    frame_reclaim_boot_memory();
    info_kinfo_create();

    process = create_process();
    entry = load_program(process);
    thread = create_thread(process, entry);
    map_new(process, "its stack", STACK_TOP - STACK_PAGES * PAGE_BYTES, STACK_PAGES,
            MAP_READ | MAP_WRITE);
    create_bootstrap(process, thread);
    log_info("init: %s from %s", INIT_PATH, boot_info.initrd_path);
    if (boot_cmdline_has("bench"))
        log_info("bench-mark init-first %lu", arch_cycles());
    log_user_space_runs();

    this_core()->need_resched = true;
    thread_resume(thread, STOP_SUSPEND);
    sched_boot_core_start();
}
