/* SPDX-License-Identifier: MIT */
/* test_claims.c - the devices that the kernel shows its log on belong to whoever maps them, while they are mapped. */
#define _GNU_SOURCE /* memmem() */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/kernel_world.h"

#define BASE 0x400000ull
#define PAGES(n) ((n)*MNOS_PAGE_BYTES)
#define RW (MNOS_MAP_READ | MNOS_MAP_WRITE)

enum {
    FRAME = 0xE0000, /* of the screen, 100 pages */
    COM1 = 0x3F8,
};

static struct process *child;
static struct thread *actor, *owner;
static mnos_cap_t process, ports,
    device; /* of the child's first thread; of `owner`, all there are */

static char line[4096], screen[4096];
static size_t line_bytes, screen_bytes;

static bool line_show(const char *text, size_t size_bytes, size_t *taken)
{
    memcpy(line + line_bytes, text, size_bytes);
    line_bytes += size_bytes;
    *taken = size_bytes;
    return true;
}

static bool screen_show(const char *text, size_t size_bytes, size_t *taken)
{
    memcpy(screen + screen_bytes, text, size_bytes);
    screen_bytes += size_bytes;
    *taken = size_bytes;
    return true;
}

static void reset(void)
{
}

static void show_all(void)
{
    while (log_show_step())
        ;
}

/* Whether the kernel has the device: a line that is logged now appears there. */
static bool kernels(const char *shown, const size_t *bytes)
{
    static unsigned number;
    char text[32];
    size_t from = *bytes;

    snprintf(text, sizeof(text), "line %u\n", ++number);
    log_info("line %u", number);
    show_all();
    return memmem(shown + from, *bytes - from, text, strlen(text)) != NULL;
}

#define LINE_IS_KERNELS() kernels(line, &line_bytes)
#define SCREEN_IS_KERNELS() kernels(screen, &screen_bytes)

static mnos_cap_t give(enum mnos_memory_flavour flavour, uint64_t count)
{
    struct memory *memory;
    mnos_cap_t cap;

    CHECK_EQ(memory_create_fixed(flavour, 0, count, false, &memory), MNOS_OK);
    CHECK_EQ(
        cap_create_root(child, &memory->obj, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, 0, count, &cap),
        MNOS_OK);
    return cap;
}

static void init(void)
{
    world_init();
    log_add_device(&(struct log_device){line_show, reset, LOG_PORTS, COM1, 8});
    log_add_device(&(struct log_device){screen_show, reset, LOG_FRAMES, FRAME, 100});
    log_user_space_runs();
    actor = world_thread(world_root, WORLD_PRIORITY);
    child = world_process(world_root, 256, 1 << 20, &process);
    owner = world_thread(child, WORLD_PRIORITY);
    ports = give(MNOS_MEMORY_PORTS, 0x10000);
    device = give(MNOS_MEMORY_DEVICE, 1 << 20);
    CHECK(LINE_IS_KERNELS() && SCREEN_IS_KERNELS());
}

static mnos_status_t map(mnos_cap_t cap, uint64_t address, uint64_t first, uint64_t count,
                         uint64_t flags)
{
    return STATUS_OF(CALL(owner, mem_map, MNOS_SELF, cap, address, first, count, flags));
}

TEST(claims, opening_the_ports_takes_the_line_and_the_end_of_the_process_gives_it_back)
{
    init();
    CHECK_EQ(map(ports, 0, 0x60, 16, RW), MNOS_OK);
    CHECK(LINE_IS_KERNELS());
    CHECK_EQ(map(ports, 0, COM1, 8, RW), MNOS_OK);
    CHECK(!LINE_IS_KERNELS() && SCREEN_IS_KERNELS());
    CHECK_EQ(STATUS_OF(CALL(actor, proc_destroy, process, 0)), MNOS_OK);
    CHECK(LINE_IS_KERNELS());
    world_check();
}

TEST(claims, revoking_the_ports_gives_the_line_back)
{
    mnos_cap_t com1;

    init();
    com1 = CALL_VALUE(owner, cap_create, MNOS_CREATE_RANGE, ports,
                      MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, COM1 + 7, 1);
    CHECK_EQ(map(com1, 0, 0, 1, RW), MNOS_OK);
    CHECK(!LINE_IS_KERNELS());
    CHECK_EQ(STATUS_OF(CALL(owner, cap_revoke, ports)), MNOS_OK);
    CHECK(LINE_IS_KERNELS());
    world_check();
}

TEST(claims, what_is_said_comes_out_before_the_ports_are_open)
{
    init();
    log_info("before");
    CHECK_EQ(map(ports, 0, COM1, 8, RW), MNOS_OK);
    CHECK(memmem(line, line_bytes, "before\n", 7) != NULL);
}

TEST(claims, mapping_the_framebuffer_takes_the_screen_until_the_last_page_is_gone)
{
    init();
    CHECK_EQ(map(device, BASE, FRAME - 4, 4, RW), MNOS_OK);
    CHECK_EQ(map(device, BASE * 2, FRAME + 100, 1, RW), MNOS_OK);
    CHECK(SCREEN_IS_KERNELS());
    CHECK_EQ(map(device, BASE * 3, FRAME - 2, 10, RW), MNOS_OK);
    CHECK(!SCREEN_IS_KERNELS() && LINE_IS_KERNELS());
    CHECK_EQ(map(device, BASE * 4, FRAME + 99, 1, RW | MNOS_MAP_WRITE_COMBINING), MNOS_OK);
    /* A part of a mapping, from its middle, so that it becomes two. */
    CHECK_EQ(STATUS_OF(CALL(owner, mem_unmap, MNOS_SELF, BASE * 3 + PAGES(4), 2)), MNOS_OK);
    CHECK_EQ(STATUS_OF(CALL(owner, mem_unmap, MNOS_SELF, BASE * 3, 4)), MNOS_OK);
    CHECK(!SCREEN_IS_KERNELS());
    CHECK_EQ(STATUS_OF(CALL(owner, mem_unmap, MNOS_SELF, BASE * 3 + PAGES(6), 4)), MNOS_OK);
    CHECK(!SCREEN_IS_KERNELS());
    CHECK_EQ(STATUS_OF(CALL(owner, mem_unmap, MNOS_SELF, BASE * 4, 1)), MNOS_OK);
    CHECK(SCREEN_IS_KERNELS());
    world_check();
}

TEST(claims, who_only_reads_the_framebuffer_takes_nothing)
{
    init();
    CHECK_EQ(map(device, BASE, FRAME, 10, MNOS_MAP_READ), MNOS_OK);
    CHECK(SCREEN_IS_KERNELS());
}

TEST(claims, a_mapping_that_fails_takes_nothing)
{
    init();
    CHECK_EQ(map(device, BASE, FRAME, 4, RW), MNOS_OK);
    CHECK_EQ(map(device, BASE, FRAME, 1, RW), MNOS_ERR_OVERLAP);
    CHECK_EQ(map(device, BASE + PAGES(2), FRAME, 4, RW), MNOS_ERR_OVERLAP);
    CHECK_EQ(STATUS_OF(CALL(owner, mem_unmap, MNOS_SELF, BASE, 4)), MNOS_OK);
    CHECK(SCREEN_IS_KERNELS());
    world_check();
}
