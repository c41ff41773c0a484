// SPDX-License-Identifier: MIT
/*
 * names - see names.h. The table, little-endian: magic; numbers of vendors, devices and classes;
 * bytes of text; the three lists, each {u32 key, u32 place of the text} in ascending order of keys;
 * the texts, each ended by a 0. Keys: vendor; vendor << 16 | device; of classes how many bytes of
 * the class code count << 24 | the code.
 */
#include "services/devices/names.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define HEADER_BYTES 24u
#define ENTRY_BYTES 8u

enum list { VENDORS, DEVICES, CLASSES };

static uint64_t count_of(const struct names *names, enum list list)
{
    return bytes_get(names->bytes + 8 + 4 * list, 4);
}

static uint64_t list_at(const struct names *names, enum list list)
{
    uint64_t at = HEADER_BYTES;

    for (enum list before = VENDORS; before < list; before++)
        at += count_of(names, before) * ENTRY_BYTES;
    return at;
}

bool names_open(struct names *names, const void *bytes, size_t size)
{
    *names = (struct names){bytes, size};
    if (size >= HEADER_BYTES && bytes_get(bytes, 8) == NAMES_MAGIC) {
        uint64_t texts = list_at(names, CLASSES) + count_of(names, CLASSES) * ENTRY_BYTES;
        uint64_t length = bytes_get(names->bytes + 20, 4);

        /* The last byte ends the last text. */
        if (length != 0 && texts <= size && length <= size - texts &&
            names->bytes[texts + length - 1] == 0) {
            names->size = (size_t)(texts + length);
            return true;
        }
    }
    *names = (struct names){0};
    return false;
}

/* NULL: no entry has this key. */
static const char *find(const struct names *names, enum list list, uint64_t key)
{
    uint64_t low = 0, high = count_of(names, list), at = list_at(names, list);
    uint64_t texts = list_at(names, CLASSES) + count_of(names, CLASSES) * ENTRY_BYTES;

    while (low < high) {
        uint64_t middle = (low + high) / 2;
        const uint8_t *entry = names->bytes + at + middle * ENTRY_BYTES;
        uint64_t found = bytes_get(entry, 4);

        if (found == key) {
            uint64_t place = bytes_get(entry + 4, 4);

            return place < names->size - texts ? (const char *)names->bytes + texts + place : NULL;
        }
        if (found < key)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The most that is known of a class. */
static const char *find_class(const struct names *names, uint32_t code)
{
    for (unsigned count = 3; count != 0; count--) {
        uint32_t kept = code & ~(0xFFFFFFu >> (8 * count));
        const char *text = find(names, CLASSES, (uint64_t)count << 24 | kept);

        if (text != NULL)
            return text;
    }
    return NULL;
}

void names_find(const struct names *names, const struct device_ids *ids, char *out, size_t size)
{
    const char *vendor, *device;

    out[0] = 0;
    if (names->bytes == NULL)
        return;
    vendor = find(names, VENDORS, ids->vendor);
    device = find(names, DEVICES, (uint64_t)ids->vendor << 16 | ids->device);
    if (device == NULL)
        device = find_class(names, ids->class_code);
    if (vendor != NULL && device != NULL)
        mnos_snprintf(out, size, "%s %s", vendor, device);
    else if (vendor != NULL || device != NULL)
        string_copy(out, vendor != NULL ? vendor : device, size);
}
