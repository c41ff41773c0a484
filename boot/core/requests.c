// SPDX-License-Identifier: MIT
/* requests - see requests.h. */
#include "requests.h"

/* More different requests than any protocol revision has, unknown ones included. */
#define MAX_REQUESTS 64

#define HEADER_SIZE 48 /* id, revision, response */

static const struct {
    uint64_t id[2];
    uint8_t arguments; /* words of revision 0 after the header */
} known[BOOT_REQUEST_COUNT] = {
    [BOOT_REQUEST_BOOTLOADER_INFO] = {{LIMINE_ID_LOADER}, 0},
    [BOOT_REQUEST_FIRMWARE_TYPE] = {{LIMINE_ID_FIRMWARE_TYPE}, 0},
    [BOOT_REQUEST_STACK_SIZE] = {{LIMINE_ID_STACK_SIZE}, 1},
    [BOOT_REQUEST_HHDM] = {{LIMINE_ID_HHDM}, 0},
    [BOOT_REQUEST_FRAMEBUFFER] = {{LIMINE_ID_FRAMEBUFFER}, 0},
    [BOOT_REQUEST_PAGING_MODE] = {{LIMINE_ID_PAGING_MODE}, 1},
    [BOOT_REQUEST_MP] = {{LIMINE_ID_MP}, 1},
    [BOOT_REQUEST_MEMORY_MAP] = {{LIMINE_ID_MEMORY_MAP}, 0},
    [BOOT_REQUEST_ENTRY_POINT] = {{LIMINE_ID_ENTRY_POINT}, 1},
    [BOOT_REQUEST_EXECUTABLE_FILE] = {{LIMINE_ID_FILE}, 0},
    [BOOT_REQUEST_MODULE] = {{LIMINE_ID_MODULE}, 0},
    [BOOT_REQUEST_RSDP] = {{LIMINE_ID_RSDP}, 0},
    [BOOT_REQUEST_SMBIOS] = {{LIMINE_ID_SMBIOS}, 0},
    [BOOT_REQUEST_EFI_SYSTEM_TABLE] = {{LIMINE_ID_EFI_SYSTEM_TABLE}, 0},
    [BOOT_REQUEST_EFI_MEMORY_MAP] = {{LIMINE_ID_EFI_MEMORY_MAP}, 0},
    [BOOT_REQUEST_DATE_AT_BOOT] = {{LIMINE_ID_BOOT_TIME}, 0},
    [BOOT_REQUEST_EXECUTABLE_ADDRESS] = {{LIMINE_ID_KERNEL_ADDRESS}, 0},
    [BOOT_REQUEST_EXECUTABLE_CMDLINE] = {{LIMINE_ID_CMDLINE}, 0},
};

/* What one pass over the image finds. The words lie in its memory. */
struct scan {
    uint64_t *base_tag;
    uint64_t base_tag_room; /* words left in the segment */
    struct {
        struct limine_request *request;
        uint64_t room; /* bytes left in the segment */
    } list[MAX_REQUESTS];
    unsigned count;
    bool ended;
};

static bool words_equal(const uint64_t *words, uint64_t room, const uint64_t *wanted,
                        unsigned count)
{
    if (room < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (words[i] != wanted[i])
            return false;
    }
    return true;
}

/* One word that may start something; `room` words follow in the segment, this one included. */
static const char *examine(struct scan *scan, uint64_t *word, uint64_t room)
{
    static const uint64_t start_marker[] = LIMINE_START_MARKER;
    static const uint64_t end_marker[] = LIMINE_END_MARKER;
    static const uint64_t common[] = {LIMINE_COMMON_0, LIMINE_COMMON_1};
    static const uint64_t base[] = {LIMINE_BASE_MAGIC_0, LIMINE_BASE_MAGIC_1};

    if (words_equal(word, room, start_marker, 4)) {
        if (scan->ended)
            return "request start marker comes after the end marker";
        scan->count = 0; /* only what follows the last start marker counts */
        scan->base_tag = NULL;
    } else if (words_equal(word, room, end_marker, 2)) {
        scan->ended = true;
    } else if (scan->ended) {
        return NULL;
    } else if (words_equal(word, room, common, 2)) {
        if (scan->count == MAX_REQUESTS)
            return "too many requests";
        scan->list[scan->count].request = (struct limine_request *)word;
        scan->list[scan->count++].room = room * 8;
    } else if (words_equal(word, room, base, 2)) {
        if (scan->base_tag != NULL)
            return "second base revision tag";
        scan->base_tag = word;
        scan->base_tag_room = room;
    }
    return NULL;
}

/* Only bytes from the file can be more than zero, so only they are searched. */
static const char *scan_image(struct scan *scan, const struct boot_image *image)
{
    struct elf_segment segment;
    unsigned cursor = 0;

    while (elf_next_load(&image->elf, &cursor, &segment)) {
        uint64_t offset = segment.vaddr - image->elf.base;
        uint64_t skip = -offset & 7;
        uint64_t *words = (uint64_t *)(void *)(image->memory + offset + skip);
        uint64_t count = segment.file_size > skip ? (segment.file_size - skip) / 8 : 0;
        uint64_t room = segment.memory_size > skip ? (segment.memory_size - skip) / 8 : 0;

        for (uint64_t i = 0; i < count; i++) {
            const char *reason;

            if (words[i] != LIMINE_COMMON_0 && words[i] != LIMINE_BASE_MAGIC_0 &&
                words[i] != UINT64_C(0xf6b8f4b39de7d1ae) &&
                words[i] != UINT64_C(0xadc0e0531bb10d03))
                continue;
            reason = examine(scan, &words[i], room - i);
            if (reason != NULL)
                return reason;
        }
    }
    return NULL;
}

/* Revisions 0 to 2 promise mappings that revision 3 has dropped, and this loader does not make. */
static const char *answer_base_revision(const struct scan *scan)
{
    if (scan->base_tag == NULL || scan->base_tag_room < 3 ||
        scan->base_tag[2] < LIMINE_BASE_REVISION)
        return "kernel wants a base revision older than 3";
    scan->base_tag[1] = LIMINE_BASE_REVISION;
    if (scan->base_tag[2] == LIMINE_BASE_REVISION)
        scan->base_tag[2] = 0;
    return NULL;
}

static bool same_id(const struct limine_request *a, const struct limine_request *b)
{
    return a->id[2] == b->id[2] && a->id[3] == b->id[3];
}

/* A later revision of a request may have more fields; two of them do. */
static uint64_t needed_size(unsigned kind, uint64_t revision)
{
    uint64_t words = known[kind].arguments;

    if (revision >= 1 && (kind == BOOT_REQUEST_PAGING_MODE || kind == BOOT_REQUEST_MODULE))
        words += 2;
    return HEADER_SIZE + 8 * words;
}

static const char *classify(struct boot_requests *requests, struct limine_request *request,
                            uint64_t room)
{
    if (room < HEADER_SIZE)
        return "request lies across the end of its segment";
    for (unsigned kind = 0; kind < BOOT_REQUEST_COUNT; kind++) {
        if (request->id[2] != known[kind].id[0] || request->id[3] != known[kind].id[1])
            continue;
        if (room < needed_size(kind, request->revision))
            return "request lies across the end of its segment";
        requests->found[kind] = request;
    }
    return NULL;
}

const char *boot_requests_scan(struct boot_requests *requests, const struct boot_image *image)
{
    struct scan scan = {.count = 0};
    const char *reason = scan_image(&scan, image);

    *requests = (struct boot_requests){.found = {NULL}};
    if (reason == NULL)
        reason = answer_base_revision(&scan);
    if (reason != NULL)
        return reason;
    for (unsigned i = 0; i < scan.count; i++) {
        reason = classify(requests, scan.list[i].request, scan.list[i].room);
        if (reason != NULL)
            return reason;
        for (unsigned j = 0; j < i; j++) {
            if (same_id(scan.list[i].request, scan.list[j].request))
                return "duplicate request";
        }
    }
    return NULL;
}
