// SPDX-License-Identifier: MIT
/*
 * ioapic.c - interrupt lines: the pins of all I/O APICs, numbered as ACPI's global system interrupts.
 * All go to the boot core. The 8259s are silenced here. What a line means to a program is
 * object/interrupt.c.
 */
#include "arch/x86_64/ioapic.h"

#include <stddef.h>

#include "arch/arch.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/lapic.h"
#include "arch/x86_64/vectors.h"
#include "boot/madt.h"
#include "core.h"
#include "log/log.h"
#include "mm/kmap.h"
#include "object/interrupt.h"
#include "sync/spinlock.h"

#define LINES_MAX MNOS_STATISTICS_LINES
#define LINE_NONE UINT32_MAX

/* Intel 82093AA datasheet, "I/O APIC Registers". */
enum {
    IOAPIC_SELECT = 0x00,
    IOAPIC_WINDOW = 0x10,
    IOAPIC_REGISTER_BYTES = 0x20,
    IOAPIC_VERSION = 1,
    IOAPIC_REDIRECTION = 0x10, /* two registers a pin */
};
#define REDIRECTION_ACTIVE_LOW (1u << 13)
#define REDIRECTION_LEVEL (1u << 15)
#define REDIRECTION_MASKED (1u << 16)

struct line {
    volatile uint32_t *ioapic; /* registers; NULL: there is no such line */
    uint32_t pin;
    uint32_t redirection; /* low word, as last written */
    uint8_t vector;       /* 0: never enabled */
};

/* Guards lines[], vectors and the registers; rank LOCK_IOAPIC. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOAPIC);
static struct line lines[LINES_MAX];
static uint32_t line_count;
/* Written before the line is unmasked for the first time, constant afterwards: read without lock. */
static uint32_t vector_lines[256];
static unsigned next_vector = VECTOR_LINE_FIRST;

static uint32_t ioapic_read(volatile uint32_t *ioapic, uint32_t reg)
{
    ioapic[IOAPIC_SELECT / 4] = reg;
    return ioapic[IOAPIC_WINDOW / 4];
}

static void ioapic_write(volatile uint32_t *ioapic, uint32_t reg, uint32_t value)
{
    ioapic[IOAPIC_SELECT / 4] = reg;
    ioapic[IOAPIC_WINDOW / 4] = value;
}

static void redirection_write_locked(struct line *line, uint32_t value)
{
    line->redirection = value;
    ioapic_write(line->ioapic, IOAPIC_REDIRECTION + 2 * line->pin, value);
}

/* Intel 8259A datasheet, "Initialization Command Words". Even masked, an 8259 can raise a spurious
 * interrupt 7, so they are moved away from the exceptions first. */
static void pic_silence(void)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } writes[] = {
        {0x20, 0x11},       {0xA0, 0x11},           /* initialise, four words */
        {0x21, VECTOR_PIC}, {0xA1, VECTOR_PIC + 8}, /* vectors */
        {0x21, 0x04},       {0xA1, 0x02},           /* the second is on input 2 of the first */
        {0x21, 0x01},       {0xA1, 0x01},           /* 8086 mode */
        {0x21, 0xFF},       {0xA1, 0xFF},           /* all masked */
    };

    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        outb(writes[i].port, writes[i].value);
}

static void ioapic_add(const struct madt_ioapic *info)
{
    volatile uint32_t *ioapic = kmap_device(info->address, IOAPIC_REGISTER_BYTES, KMAP_UNCACHED);
    uint32_t pins = (ioapic_read(ioapic, IOAPIC_VERSION) >> 16 & 0xFF) + 1;

    if (info->first_line >= LINES_MAX || pins > LINES_MAX - info->first_line) {
        log_warning("ioapic: lines %u to %u are beyond the %u supported", info->first_line,
                    info->first_line + pins - 1, LINES_MAX);
        return;
    }
    for (uint32_t pin = 0; pin < pins; pin++) {
        struct line *line = &lines[info->first_line + pin];

        line->ioapic = ioapic;
        line->pin = pin;
        /* ISA interrupts, lines 0 to 15, are edge triggered and active high unless an override says
         * otherwise; all others are PCI: level triggered and active low. */
        redirection_write_locked(
            line,
            REDIRECTION_MASKED |
                (info->first_line + pin < 16 ? 0 : REDIRECTION_LEVEL | REDIRECTION_ACTIVE_LOW));
    }
    if (info->first_line + pins > line_count)
        line_count = info->first_line + pins;
}

static void override_apply(const struct madt_override *override)
{
    struct line *line;

    if (override->line >= line_count || lines[override->line].ioapic == NULL)
        return;
    line = &lines[override->line];
    redirection_write_locked(line, REDIRECTION_MASKED | (override->level ? REDIRECTION_LEVEL : 0) |
                                       (override->active_low ? REDIRECTION_ACTIVE_LOW : 0));
}

void ioapic_init(const struct madt_info *madt)
{
    pic_silence();
    for (unsigned vector = 0; vector < 256; vector++)
        vector_lines[vector] = LINE_NONE;
    spin_lock(&lock);
    for (uint32_t i = 0; i < madt->ioapic_count; i++)
        ioapic_add(&madt->ioapics[i]);
    for (uint32_t i = 0; i < madt->override_count; i++)
        override_apply(&madt->overrides[i]);
    spin_unlock(&lock);
    if (line_count == 0)
        log_warning("ioapic: none found: no device interrupts");
}

void ioapic_interrupt(unsigned vector)
{
    uint32_t number = vector_lines[vector];

    /* A level stays asserted until its driver has served the device: masked before the EOI, or it
     * would come again at once. */
    if (number != LINE_NONE && arch_irq_is_level(number))
        arch_irq_mask(number);
    lapic_eoi();
    if (number != LINE_NONE)
        interrupt_deliver(number);
}

/* ---- arch.h ---- */

uint32_t arch_irq_line_count(void)
{
    return line_count;
}

bool arch_irq_is_level(uint32_t number)
{
    return (lines[number].redirection & REDIRECTION_LEVEL) != 0;
}

mnos_status_t arch_irq_enable(uint32_t number)
{
    struct line *line;
    mnos_status_t st = MNOS_ERR_STATE;

    if (number >= line_count)
        return MNOS_ERR_STATE;
    line = &lines[number];
    spin_lock(&lock);
    if (line->ioapic == NULL || (line->vector == 0 && next_vector > VECTOR_LINE_LAST))
        goto out;
    if (line->vector == 0) {
        line->vector = (uint8_t)next_vector++;
        vector_lines[line->vector] = number;
    }
    /* Fixed delivery, physical destination: the boot core's local APIC. */
    ioapic_write(line->ioapic, IOAPIC_REDIRECTION + 2 * line->pin + 1, cores[0].arch.apic_id << 24);
    redirection_write_locked(line,
                             (line->redirection & ~0xFFu) | REDIRECTION_MASKED | line->vector);
    st = MNOS_OK;
out:
    spin_unlock(&lock);
    return st;
}

static void line_set_mask(uint32_t number, bool masked)
{
    struct line *line = &lines[number];
    uint32_t value;

    spin_lock(&lock);
    value =
        masked ? line->redirection | REDIRECTION_MASKED : line->redirection & ~REDIRECTION_MASKED;
    if (value != line->redirection)
        redirection_write_locked(line, value);
    spin_unlock(&lock);
}

void arch_irq_disable(uint32_t number)
{
    line_set_mask(number, true);
}

/* An edge that comes while its line is masked is lost, so edge lines stay open from their first unmask
 * until they are disabled; whoever delivers remembers what came too early. */
void arch_irq_mask(uint32_t number)
{
    if (arch_irq_is_level(number))
        line_set_mask(number, true);
}

void arch_irq_unmask(uint32_t number)
{
    line_set_mask(number, false);
}
