// SPDX-License-Identifier: MIT
/*
 * config.h - configuration space of any function: through memory (ECAM) where the firmware's MCFG
 * says where, else through the ports 0xCF8 and 0xCFC, which reach the first 256 bytes of segment 0.
 * Host tests have a model of the machine instead of config.c.
 *
 * Nobody but this service has either way, so accesses need no lock.
 */
#pragma once

#include <stdbool.h>

#include "protocols/device.h"

#define ADDRESS(segment, bus, device, function)                                                    \
    ((device_address_t)(segment) << 16 | (device_address_t)(bus) << 8 | (device) << 3 | (function))
#define ADDRESS_SEGMENT(address) ((address) >> 16)
#define ADDRESS_BUS(address) ((address) >> 8 & 0xFF)
#define ADDRESS_DEVICE(address) ((address) >> 3 & 0x1F)
#define ADDRESS_FUNCTION(address) ((address)&7)

/* `offset` is a multiple of `bytes`, which is 1, 2 or 4, below 256. Where nobody is, all ones are
 * read. */
uint32_t config_read(device_address_t address, unsigned offset, unsigned bytes);
void config_write(device_address_t address, unsigned offset, unsigned bytes, uint32_t value);

/* The buses that can be reached: those of segment number `index` of the firmware. False: no such
 * segment. */
struct config_segment {
    uint16_t number;
    uint8_t first_bus, last_bus;
};
bool config_segment(unsigned index, struct config_segment *segment);

/* Makes a bus reachable; false: it cannot be. What was not made so reads as nobody. */
bool config_bus(device_address_t address);

/* Whether [address, address + bytes) has a byte of configuration space in it: no window of a device
 * may. */
bool config_overlaps(uint64_t address, uint64_t bytes);
