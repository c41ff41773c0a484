// SPDX-License-Identifier: MIT
/* edu.c - see edu.h. The registers are in QEMU's docs/specs/edu.rst. */
#include "tests/guest/edu.h"

#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/scene.h"

#define EDU_ID 0x11E81234u
#define SLOTS 32

/* PCI Local Bus Specification 3.0, "Configuration Space Decoding", "Message Capability Structure". */
#define CONFIG_PORT 0xCF8
#define CONFIG_PORTS 8
#define CONFIG_ENABLE 0x80000000u
#define CONFIG_COMMAND 0x04
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define CONFIG_BAR 0x10
#define CONFIG_CAPABILITIES 0x34
#define CAPABILITY_MESSAGES 5
#define MESSAGES_ENABLE 0x10000u

/* By word. */
#define CAUSES (0x24 / 4)
#define CLEAR (0x64 / 4)

/* The q35 chipset wires the pins of its slots in turn. */
#define PIN_LINE(slot) (20 + (slot) % 4)

static uint32_t config_read(uint32_t address, uint32_t offset)
{
    port_write32(CONFIG_PORT, address | offset);
    return port_read32(CONFIG_PORT + 4);
}

static void config_write(uint32_t address, uint32_t offset, uint32_t value)
{
    port_write32(CONFIG_PORT, address | offset);
    port_write32(CONFIG_PORT + 4, value);
}

static bool find(struct edu *edu)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        edu->address = CONFIG_ENABLE | slot << 11;
        edu->pin_line = PIN_LINE(slot);
        if (config_read(edu->address, 0) == EDU_ID)
            return true;
    }
    return CHECK(!"the machine has an edu device");
}

static bool map_registers(struct edu *edu)
{
    uint32_t command = config_read(edu->address, CONFIG_COMMAND) & 0xFFFF;
    void *address;

    config_write(edu->address, CONFIG_COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
    edu->window = cap_range(bootstrap_cap("device"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE,
                            config_read(edu->address, CONFIG_BAR) / PAGE, 1);
    if (!CHECK_OK(memory_map(edu->window, 0, 1, MAP_RW, &address)))
        return false;
    edu->words = address;
    return true;
}

bool edu_begin(struct edu *edu)
{
    *edu = (struct edu){0};
    edu->config = cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, CONFIG_PORT,
                            CONFIG_PORTS);
    if (!CHECK_OK(sys_mem_map(MNOS_SELF, edu->config, 0, 0, CONFIG_PORTS, MAP_RW)) || !find(edu) ||
        !map_registers(edu))
        return false;
    edu_use_messages(edu, 0);
    edu_clear(edu);
    return true;
}

void edu_finish(struct edu *edu)
{
    if (edu->words != NULL) {
        edu_use_messages(edu, 0);
        edu_clear(edu);
        memory_unmap((void *)(uintptr_t)edu->words, 1);
    }
    cap_drop(edu->window);
    cap_drop(edu->config);
}

void edu_use_messages(const struct edu *edu, mnos_cap_t line)
{
    uint32_t offset = config_read(edu->address, CONFIG_CAPABILITIES) & 0xFF;
    struct mnos_cap_info info = {0};
    uint32_t control;

    while (offset != 0 && (config_read(edu->address, offset) & 0xFF) != CAPABILITY_MESSAGES)
        offset = config_read(edu->address, offset) >> 8 & 0xFF;
    if (!CHECK(offset != 0))
        return;
    control = config_read(edu->address, offset) & ~MESSAGES_ENABLE;
    config_write(edu->address, offset, control);
    if (line == 0)
        return;
    info = cap_info(line);
    config_write(edu->address, offset + 4, (uint32_t)info.physical_address);
    config_write(edu->address, offset + 8, (uint32_t)(info.physical_address >> 32));
    config_write(edu->address, offset + 12, info.message_data);
    config_write(edu->address, offset, control | MESSAGES_ENABLE);
}

void edu_raise(const struct edu *edu, uint32_t causes)
{
    edu->words[EDU_RAISE] = causes;
}

void edu_clear(const struct edu *edu)
{
    edu->words[CLEAR] = edu->words[CAUSES];
}
