// SPDX-License-Identifier: MIT
/* windows - see windows.h. */
#include "services/devices/windows.h"

#define PAGE ((uint64_t)MNOS_PAGE_BYTES)

struct range {
    uint64_t first, end;
};

static struct range pages_of(uint64_t address, uint64_t bytes)
{
    return (struct range){address / PAGE, (address + bytes + PAGE - 1) / PAGE};
}

static struct range table_pages(const struct function *function)
{
    const struct pci_msix *msix = &function->msix;

    if (msix->at == 0)
        return (struct range){0};
    return pages_of(function->bars[msix->table_bar].address + msix->table_offset,
                    (uint64_t)msix->vectors * PCI_MSIX_ENTRY_BYTES);
}

static bool is_shared(const struct table *table, const struct function *function,
                      struct range pages)
{
    for (uint32_t i = 0; i < table->count; i++) {
        for (unsigned bar = 0; &table->functions[i] != function && bar < DEVICE_BARS; bar++) {
            const struct function_bar *other = &table->functions[i].bars[bar];
            struct range theirs = pages_of(other->address, other->bytes);

            if ((other->flags & DEVICE_BAR_MEMORY) != 0 && other->address != 0 &&
                theirs.first < pages.end && pages.first < theirs.end)
                return true;
        }
    }
    return false;
}

/* The pages of a part: what lies below the MSI-X table, then what lies above; false: there is
 * none. */
static bool part_pages(struct range window, struct range hole, uint32_t part, struct range *out)
{
    struct range parts[2] = {window, {window.end, window.end}};
    uint32_t count = 0;

    if (hole.first < window.end && window.first < hole.end) {
        parts[0].end = hole.first > window.first ? hole.first : window.first;
        parts[1].first = hole.end < window.end ? hole.end : window.end;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (parts[i].first < parts[i].end && count++ == part) {
            *out = parts[i];
            return true;
        }
    }
    return false;
}

mnos_status_t window_part(const struct table *table, const struct function *function, uint32_t bar,
                          uint32_t part, struct device_bar_part *out, uint64_t *first_page)
{
    const struct function_bar *window;
    struct range pages;
    uint64_t start, end;

    if (bar >= DEVICE_BARS || function->bars[bar].bytes == 0)
        return MNOS_ERR_END;
    window = &function->bars[bar];
    if ((window->flags & DEVICE_BAR_MEMORY) == 0 ||
        is_shared(table, function, pages_of(window->address, window->bytes)))
        return MNOS_ERR_DENIED;
    if (!part_pages(pages_of(window->address, window->bytes), table_pages(function), part, &pages))
        return MNOS_ERR_END;
    start = pages.first * PAGE > window->address ? pages.first * PAGE : window->address;
    end = pages.end * PAGE;
    if (end > window->address + window->bytes)
        end = window->address + window->bytes;
    *first_page = pages.first;
    *out = (struct device_bar_part){
        .offset = start - window->address,
        .bytes = end - start,
        .page_offset = (uint32_t)(start % PAGE),
        .page_count = (uint32_t)(pages.end - pages.first),
        .flags = window->flags,
    };
    return MNOS_OK;
}

uint32_t window_parts(const struct table *table, const struct function *function, uint32_t bar)
{
    struct device_bar_part part;
    uint64_t first_page;
    uint32_t count = 0;

    while (count < 2 && window_part(table, function, bar, count, &part, &first_page) == MNOS_OK)
        count++;
    return count;
}
