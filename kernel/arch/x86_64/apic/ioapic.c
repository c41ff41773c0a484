// SPDX-License-Identifier: MIT
/*
 * ioapic.c - interrupt lines: the pins of all I/O APICs, numbered as ACPI's global system interrupts,
 * and messages of devices to the local APIC. All go to the boot core, each with a vector of its own. The
 * 8259s are silenced here. What a line means to a program is object/interrupt.c.
 */
#include "arch/x86_64/apic/ioapic.h"

#include <stddef.h>

#include "abi/interrupt.h"
#include "arch/arch.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/apic/lapic.h"
#include "arch/x86_64/apic/vectors.h"
#include "boot/boot_code.h"
#include "lib/format/acpi.h"
#include "core.h"
#include "base/log.h"
#include "mm/kmap.h"
#include "base/spinlock.h"

#define LINES_MAX MNOS_MESSAGE_LINE_FIRST
_Static_assert(VECTOR_LINE_FIRST + LINES_MAX - 1 == VECTOR_LINE_LAST &&
                   VECTOR_MESSAGE_FIRST + MNOS_MESSAGE_LINES == VECTOR_LINE_FIRST,
               "a vector for each line");

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

/* Intel SDM vol 3A, "Message Address Register Format": fixed delivery of an edge, physical destination.
 * Both formats have eight bits for it; 255 is everybody. */
#define MESSAGE_ADDRESS 0xFEE00000u
#define MESSAGE_DESTINATION_SHIFT 12
#define DESTINATION_MAX 254

struct line {
    volatile uint32_t *ioapic; /* registers; NULL: there is no such line */
    uint32_t pin;
    uint32_t redirection; /* low word, as last written */
};

/* Guards lines[] and the registers; rank LOCK_IOAPIC. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOAPIC);
static struct line lines[LINES_MAX];

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
    value |= (uint32_t)(VECTOR_LINE_FIRST + (line - lines));
    line->redirection = value;
    ioapic_write(line->ioapic, IOAPIC_REDIRECTION + 2 * line->pin, value);
}

/* Intel 8259A datasheet, "Initialization Command Words". Even masked, an 8259 can raise a spurious
 * interrupt 7, so they are moved away from the exceptions first. */
BOOT_CODE static void pic_silence(void)
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

/* Returns the line behind its last. A line that another I/O APIC has keeps it: two tables' worth of pins
 * with one number is a fault of the firmware. */
BOOT_CODE static uint32_t ioapic_add(const struct madt_ioapic *info, uint32_t next_line)
{
    volatile uint32_t *ioapic = kmap_device(info->address, IOAPIC_REGISTER_BYTES, KMAP_UNCACHED);
    uint32_t pins = (ioapic_read(ioapic, IOAPIC_VERSION) >> 16 & 0xFF) + 1;
    uint32_t first_line = info->first_line == MADT_LINE_NEXT ? next_line : info->first_line;

    if (first_line >= LINES_MAX || pins > LINES_MAX - first_line) {
        log_warning("ioapic: %u lines from %u on are beyond the %u supported", pins, first_line,
                    LINES_MAX);
        return next_line;
    }
    for (uint32_t pin = 0; pin < pins; pin++) {
        struct line *line = &lines[first_line + pin];

        if (line->ioapic != NULL)
            continue;
        line->ioapic = ioapic;
        line->pin = pin;
        /* ISA interrupts, lines 0 to 15, are edge triggered and active high unless an override says
         * otherwise; all others are PCI: level triggered and active low. */
        redirection_write_locked(
            line, REDIRECTION_MASKED |
                      (first_line + pin < 16 ? 0 : REDIRECTION_LEVEL | REDIRECTION_ACTIVE_LOW));
    }
    return first_line + pins;
}

BOOT_CODE static void override_apply(const struct madt_override *override)
{
    struct line *line;

    if (override->line >= LINES_MAX || lines[override->line].ioapic == NULL)
        return;
    line = &lines[override->line];
    redirection_write_locked(line, REDIRECTION_MASKED | (override->level ? REDIRECTION_LEVEL : 0) |
                                       (override->active_low ? REDIRECTION_ACTIVE_LOW : 0));
}

BOOT_CODE void ioapic_init(const struct madt_info *madt)
{
    uint32_t next_line = 0;

    pic_silence();
    spin_lock(&lock);
    for (uint32_t i = 0; i < madt->ioapic_count; i++)
        next_line = ioapic_add(&madt->ioapics[i], next_line);
    for (uint32_t i = 0; i < madt->override_count; i++)
        override_apply(&madt->overrides[i]);
    spin_unlock(&lock);
    if (madt->ioapic_count == 0)
        log_warning("ioapic: none found: no device interrupts but messages");
}

uint32_t ioapic_interrupt(unsigned vector)
{
    uint32_t number = vector >= VECTOR_LINE_FIRST
                          ? vector - VECTOR_LINE_FIRST
                          : vector - VECTOR_MESSAGE_FIRST + MNOS_MESSAGE_LINE_FIRST;

    /* A level stays asserted until its driver has served the device: masked before the EOI, or it
     * would come again at once. */
    if (arch_irq_is_level(number))
        arch_irq_mask(number);
    lapic_eoi();
    return number;
}

/* ---- arch.h ---- */

bool arch_irq_is_level(uint32_t number)
{
    return number < LINES_MAX && (lines[number].redirection & REDIRECTION_LEVEL) != 0;
}

bool arch_irq_message(uint32_t number, paddr_t *address, uint32_t *data)
{
    *address = MESSAGE_ADDRESS | (paddr_t)cores[0].arch.apic_id << MESSAGE_DESTINATION_SHIFT;
    *data = VECTOR_MESSAGE_FIRST + number - MNOS_MESSAGE_LINE_FIRST;
    return number >= MNOS_MESSAGE_LINE_FIRST && cores[0].arch.apic_id <= DESTINATION_MAX;
}

mnos_status_t arch_irq_enable(uint32_t number)
{
    struct line *line = &lines[number];

    if (cores[0].arch.apic_id > DESTINATION_MAX)
        return MNOS_ERR_STATE;
    if (number >= MNOS_MESSAGE_LINE_FIRST)
        return MNOS_OK;
    if (line->ioapic == NULL)
        return MNOS_ERR_STATE;
    spin_lock(&lock);
    /* Fixed delivery, physical destination: the boot core's local APIC. */
    ioapic_write(line->ioapic, IOAPIC_REDIRECTION + 2 * line->pin + 1, cores[0].arch.apic_id << 24);
    spin_unlock(&lock);
    return MNOS_OK;
}

static void line_set_mask(uint32_t number, uint32_t masked)
{
    struct line *line = &lines[number];
    uint32_t value;

    if (number >= MNOS_MESSAGE_LINE_FIRST)
        return;
    spin_lock(&lock);
    value = (line->redirection & ~REDIRECTION_MASKED) | masked;
    if (value != line->redirection)
        redirection_write_locked(line, value);
    spin_unlock(&lock);
}

void arch_irq_disable(uint32_t number)
{
    line_set_mask(number, REDIRECTION_MASKED);
}

void arch_irq_mask(uint32_t number)
{
    line_set_mask(number, REDIRECTION_MASKED);
}

void arch_irq_unmask(uint32_t number)
{
    line_set_mask(number, 0);
}

void arch_irq_hold(enum irq_hold hold)
{
    static const uint8_t first_vectors[] = {
        [IRQ_HOLD_NONE] = 0,
        [IRQ_HOLD_MESSAGES] = VECTOR_LINE_FIRST,
        [IRQ_HOLD_LINES] = VECTOR_LINE_LAST + 1,
    };

    lapic_hold_below(first_vectors[hold]);
}
