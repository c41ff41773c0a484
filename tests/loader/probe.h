// SPDX-License-Identifier: MIT
/*
 * probe - a kernel that checks what the boot protocol promises and prints a line for each promise.
 *
 * Lines on COM1 are "ok NAME" or "FAIL NAME: reason"; the exit code is QEMU's 33 if all are ok, 35
 * otherwise. What differs between boots is told on the command line, as words: see expect().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What entry.S pushes. */
struct saved {
    uint64_t rflags, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t return_address; /* the top of the stack, as the loader left it */
};

struct request {
    uint64_t id[4], revision;
    uint64_t *response;
    uint64_t argument[3];
};

enum { USABLE, RESERVED, ACPI, NVS, BAD, RECLAIMABLE, KERNEL, FRAMEBUFFER };

struct range {
    uint64_t base, length, type;
};

/* output.c */
void output_init(void);
void check(bool ok, const char *name, const char *reason);
void print(const char *text);
void print_hex(uint64_t value);
_Noreturn void finish(void);

/* probe.c */
extern volatile struct request request_memory_map, request_hhdm;
uint64_t range_count(void);
const struct range *range_at(uint64_t index);
uint64_t hhdm(void);

/* True if all of [base, base + length) has one of the types whose bits are set in `types`. */
bool memory_has_type(uint64_t base, uint64_t length, unsigned types);
#define MAPPED_TYPES (1u << USABLE | 1u << RECLAIMABLE | 1u << KERNEL | 1u << FRAMEBUFFER)

/* True if the word is on the command line. */
bool expect(const char *word);
/* The number after "name=" on the command line; 0 if it is not there. */
uint64_t expected_number(const char *name);
bool text_equal(const char *a, const char *b);

/* tables.c: the page tables that the loader has made. */
void check_tables(void);
bool translate(uint64_t address, uint64_t *physical, uint64_t *entry);
/* Makes a page of the probe show 4 KiB of physical memory. */
const volatile void *look_at(uint64_t physical);

/* machine.c: processor state, interrupt controllers, other processors. */
void check_entry_state(const struct saved *saved);
void check_interrupt_controllers(void);
void check_processors(const volatile uint64_t *response);
extern const uint8_t probe_entry[], ap_entry[], image_start[], image_end[];
extern const uint8_t text_end[], rodata_end[];

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(0));
}
