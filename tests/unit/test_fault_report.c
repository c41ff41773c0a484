// SPDX-License-Identifier: MIT
/* test_fault_report - what is said of a fault, and that a hostile stack is read within its bounds. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"
#include "lib/server/fault_report.h"

#define CODE 0x400000u
#define CODE_BYTES 64u
#define STACK 0x7000000000u
#define STACK_PAGES 2u
#define STACK_BYTES (STACK_PAGES * MNOS_PAGE_BYTES)
#define LINES_MAX (2 + FAULT_PLACES_MAX)

static uint8_t code[CODE_BYTES];
static uint8_t *stack;
static struct mnos_fault fault;
static char lines[LINES_MAX + 1][FAULT_LINE_BYTES];
static unsigned line_count;
static bool launched;
static const char *program_name;

static void take_line(void *, const char *text)
{
    CHECK(line_count < LINES_MAX);
    snprintf(lines[line_count++], FAULT_LINE_BYTES, "%s", text);
}

/* A CALL with a distance ends at CODE + 16, one through a register at CODE + 32. The stack is a block of its own, so that
 * the sanitizer sees who reads beyond it. */
static void make_scene(uint64_t vector, uint64_t error, uint64_t address)
{
    free(stack);
    stack = calloc(1, STACK_BYTES);
    memset(code, 0x90, sizeof code);
    code[11] = 0xE8;
    code[30] = 0xFF;
    code[31] = 0xD0;
    fault = (struct mnos_fault){.vector = vector, .error = error, .address = address};
    fault.registers.rip = CODE + 8;
    fault.registers.rsp = STACK + STACK_BYTES - 64;
}

static void put_word(uint64_t address, uint64_t word)
{
    memcpy(stack + (address - STACK), &word, sizeof word);
}

static const char *report(void)
{
    struct fault_image image = {NULL, code, CODE, CODE_BYTES};
    struct fault_scene scene = {.fault = &fault,
                                .program = fault_image_program(&image),
                                .stack_address = STACK,
                                .stack_bytes = STACK_BYTES,
                                .launched = launched,
                                .program_name = program_name};
    uint64_t offset = 0;

    scene.word_count = fault_stack_part(fault.registers.rsp, STACK, STACK_BYTES, &offset) / 8;
    scene.words = stack + offset;
    line_count = 0;
    memset(lines, 0, sizeof lines);
    fault_report(&scene, take_line, NULL);
    CHECK(line_count >= 2);
    return lines[0];
}

static void begins(const char *text, const char *wanted)
{
    if (strncmp(text, wanted, strlen(wanted)) != 0)
        fprintf(stderr, "\"%s\" does not begin with \"%s\"\n", text, wanted);
    CHECK_EQ(strncmp(text, wanted, strlen(wanted)), 0);
}

TEST(fault_report, an_access_where_nothing_is_mapped_is_told_with_its_callers)
{
    make_scene(14, 6, 0x1000);
    put_word(STACK + STACK_BYTES - 48, CODE + 16);
    put_word(STACK + STACK_BYTES - 40, CODE + 17); /* behind no call */
    put_word(STACK + STACK_BYTES - 32, CODE + 32);
    begins(report(), "0x400008 writes to 0x1000, where nothing is mapped");
    CHECK_EQ(line_count, 4);
    begins(lines[1], "  #0 0x400008");
    begins(lines[2], "  #1 0x40000f");
    begins(lines[3], "  #2 0x40001f");
    make_scene(14, 5, 0x401000);
    begins(report(), "0x400008 reads 0x401000, whose mapping does not allow it");
}

TEST(fault_report, what_to_type_for_file_and_line_names_the_build_and_as_many_places_as_fit)
{
    char name[FAULT_PROGRAM_BYTES];

    fault_program_text("/boot/crash", "5e01c0ffee1234", name);
    CHECK_EQ(strcmp(name, "crash@5e01c0ffee12"), 0);
    program_name = name;
    make_scene(14, 6, 0x1000);
    put_word(STACK + STACK_BYTES - 48, CODE + 16);
    report();
    CHECK_EQ(line_count, 4);
    begins(lines[3],
           "  file and line: make where PROGRAM=crash@5e01c0ffee12 ADDRESS=0x400008,0x40000f");

    /* The longest of everything: the line ends with a whole address. */
    fault_program_text("a/name-that-is-longer_than.one-can-be-here", "5e01c0ffee1234", name);
    begins(name, "name-that-is-longer_than.one-ca@5e01c0ffee12");
    make_scene(14, 6, 0x1000);
    fault.registers.rip = UINT64_MAX;
    for (unsigned at = 64; at != 0; at -= 8)
        put_word(STACK + STACK_BYTES - at, CODE + 16);
    report();
    CHECK_EQ(line_count, 2 + FAULT_PLACES_MAX);
    begins(lines[line_count - 1] + strlen(lines[line_count - 1]) - 9, ",0x40000f");

    /* What is no plain word of a hostile name is not typed by anybody. */
    fault_program_text("/disk/$(reboot)", "5e01c0ffee1234", name);
    CHECK_EQ(strcmp(name, "@5e01c0ffee12"), 0);
    program_name = NULL;
}

TEST(fault_report, a_stack_overflow_is_told_apart_from_a_wild_access)
{
    make_scene(14, 6, STACK - 8);
    fault.registers.rsp = STACK - 8;
    begins(report(), "stack overflow in 0x400008: its 2 pages are used up");
    make_scene(14, 6, STACK - 100000); /* a large array */
    fault.registers.rsp = STACK - 100008;
    begins(report(), "stack overflow in 0x400008: its 2 pages");
    make_scene(14, 6, 0x50000FF8); /* another thread */
    fault.registers.rsp = 0x50001000;
    begins(report(), "stack overflow of a thread in 0x400008");
    make_scene(14, 6, STACK - 0x1000000);
    begins(report(), "0x400008 writes to");
    make_scene(14, 7, STACK - 8); /* something is mapped there */
    begins(report(), "0x400008 writes to");
}

TEST(fault_report, a_port_that_is_not_open_is_named_with_its_direction)
{
    make_scene(13, 0, 0);
    code[8] = 0xEE;
    fault.registers.rdx = 0xABCD0060;
    begins(report(), "0x400008 writes to port 0x60,");
    code[8] = 0x66;
    code[9] = 0xED;
    begins(report(), "0x400008 reads port 0x60,");
    code[8] = 0xF3;
    code[9] = 0x6F;
    begins(report(), "0x400008 writes to port 0x60,");
    code[8] = 0xE4;
    code[9] = 0x71;
    begins(report(), "0x400008 reads port 0x71,");
    code[8] = 0xF4;
    begins(report(), "general protection in 0x400008, error 0x0");
    fault.registers.rip = CODE + CODE_BYTES - 1; /* the port would be behind the code */
    code[CODE_BYTES - 1] = 0xE4;
    begins(report(), "general protection");
    memset(code, 0x66, sizeof code); /* prefixes only */
    begins(report(), "general protection");
}

TEST(fault_report, a_call_of_nothing_and_a_foreign_system_call_are_named)
{
    make_scene(14, 0x14, 0x2000);
    fault.registers.rip = 0x2000;
    put_word(STACK + STACK_BYTES - 64, CODE + 32);
    begins(report(), "calls or jumps to 0x2000, where it has no code");
    begins(lines[2], "  #1 0x40001f");
    make_scene(MNOS_FAULT_SYSCALL, 0, 0);
    fault.registers.rax = 39;
    begins(report(), "0x400008 makes system call 39, which is not of this system");
    make_scene(0, 0, 0);
    begins(report(), "division error in 0x400008");
}

TEST(fault_report, a_program_that_was_launched_is_not_told_of_a_manifest)
{
    launched = true;
    make_scene(14, 6, STACK - 8);
    CHECK(strstr(report(), "its 2 pages are used up; use less") != NULL);
    CHECK(strstr(lines[0], "manifest") == NULL);
    make_scene(13, 0, 0);
    code[8] = 0xEE;
    CHECK(strstr(report(), "a port capability, which it has not been given") != NULL);
    launched = false;
}

TEST(fault_report, the_first_thread_has_not_called_what_another_one_does)
{
    make_scene(14, 4, 0xDEAD0000);
    put_word(STACK, CODE + 16);
    fault.registers.rsp = 0x50001000;
    report();
    CHECK_EQ(line_count, 2);
    fault.registers.rsp = STACK - 100008; /* of its own stack, with a large array below it */
    report();
    CHECK_EQ(line_count, 3);
}

static const char *hostile_name(void *, uint64_t, uint64_t *offset)
{
    *offset = 8;
    return "0x401234";
}

TEST(fault_report, a_function_cannot_pass_for_an_address)
{
    struct fault_image image = {NULL, code, CODE, CODE_BYTES};
    struct fault_scene scene = {.fault = &fault, .program = fault_image_program(&image)};

    make_scene(14, 4, 0xDEAD0000);
    scene.program.name = hostile_name;
    line_count = 0;
    fault_report(&scene, take_line, NULL);
    CHECK_STR_EQ(lines[1], "  #0 0x400008 0x401234+0x8");
}

TEST(fault_report, a_hostile_stack_pointer_leads_nowhere)
{
    static const uint64_t pointers[] = {
        0,
        1,
        STACK - 1,
        STACK + 1,
        STACK + STACK_BYTES - 8,
        STACK + STACK_BYTES - 7,
        STACK + STACK_BYTES,
        UINT64_MAX - 7,
        UINT64_MAX,
    };

    for (unsigned i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        make_scene(14, 4, 0xDEAD0000);
        for (uint64_t at = 0; at < STACK_BYTES; at += 8)
            put_word(STACK + at, i % 2 == 0 ? CODE + 16 : CODE + CODE_BYTES + 1);
        fault.registers.rsp = pointers[i];
        report();
        CHECK(line_count <= LINES_MAX);
    }
    make_scene(14, 4, 0xDEAD0000);
    for (uint64_t at = 0; at < STACK_BYTES; at += 8)
        put_word(STACK + at, CODE + 16);
    fault.registers.rsp = STACK;
    report();
    CHECK_EQ(line_count, 1 + FAULT_PLACES_MAX);
}
