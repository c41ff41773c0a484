// SPDX-License-Identifier: MIT
/*
 * main - a client of a disk for tests. Its argument says what it does:
 *
 *   sum     reads all, and logs the CRC-32 of it and how many requests failed
 *   load    writes and reads all over the disk for many rounds, checking what it reads, and then as sum
 *   volume  as load, of the first partition that `volumes` knows, which it has assigned to itself
 *   speed   reads all in requests of 128 KiB, four at once, and looks at nothing; for measuring
 *   write   writes one page, and logs the status
 *   own     attaches memory that it has allocated itself, and logs the status
 *
 * It counts requests that failed and repeats none: what a driver that dies needs is in the library.
 */
#include "lib/base/string.h"
#include "lib/client/block.h"
#include "lib/client/volume.h"
#include "lib/format/disk/crc32.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

/* It is given the one or the other. */
BOOTSTRAP_LIST("volumes");
BOOTSTRAP_LIST("disk");

#define PAGE MNOS_PAGE_BYTES
#define DATA_PAGES 128u
#define BATCH 32u /* requests outstanding at once */
#define ROUNDS 600u
#define PATIENCE_NS 20000000000ull
#define LOOK_NS 10000000ull
#define BLOCKS_MAX 16384u /* of a page each */

static struct block_client disk;
static uint8_t *data;
static uint64_t blocks;
static uint32_t failed, wrong, done;
static uint32_t generation[BLOCKS_MAX]; /* of what was written; 0: never */
static uint64_t chance_state = 88172645463325252ull;

static uint64_t chance(uint64_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (chance_state >> 16) % below;
}

static mnos_status_t piece_of(mnos_cap_t buffers, uint64_t first, uint64_t pages, mnos_cap_t *piece)
{
    return sys_cap_create(MNOS_CREATE_RANGE, buffers,
                          MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, first, pages,
                          piece);
}

/* `volumes` reads the disks beside this program. */
static mnos_status_t find_volume(mnos_cap_t volumes, struct volume_entry *found)
{
    uint64_t deadline = deadline_after_ns(PATIENCE_NS);

    while (kinfo_time_ns() < deadline) {
        for (uint64_t i = 0; volume_entry(volumes, i, found) == MNOS_OK; i++)
            if (found->partition == 1)
                return MNOS_OK;
        sleep_until(deadline_after_ns(LOOK_NS));
    }
    return MNOS_ERR_NOT_FOUND;
}

static mnos_status_t open_volume(mnos_cap_t *session)
{
    mnos_cap_t volumes = bootstrap_lookup(bootstrap_listed("volumes"));
    struct volume_entry volume;
    mnos_status_t status = find_volume(volumes, &volume);

    if (status == MNOS_OK)
        status = volume_mine(volumes, session);
    if (status != MNOS_ERR_NOT_FOUND)
        return status;
    status = volume_assign(volumes, volume.id, "volume");
    return status == MNOS_OK ? volume_mine(volumes, session) : status;
}

static mnos_status_t open_disk(mnos_cap_t session, bool own)
{
    mnos_cap_t buffers = bootstrap_cap("buffers");
    struct block_setup setup = {
        .service = session, .data_pages = DATA_PAGES, .events = 1, .badge = 0x10000};
    void *address;
    mnos_status_t status = memory_map(buffers, 0, BLOCK_RING_PAGES + DATA_PAGES,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status == MNOS_OK)
        status = piece_of(buffers, 0, BLOCK_RING_PAGES, &setup.ring_memory);
    if (status == MNOS_OK)
        status = own ? sys_mem_alloc(DATA_PAGES, MNOS_ALLOC_CONTIGUOUS, &setup.data)
                     : piece_of(buffers, BLOCK_RING_PAGES, DATA_PAGES, &setup.data);
    if (status == MNOS_OK)
        status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &setup.endpoint);
    if (status != MNOS_OK)
        return status;
    memset(address, 0, BLOCK_RING_PAGES * PAGE);
    setup.ring = address;
    data = (uint8_t *)address + BLOCK_RING_PAGES * PAGE;
    status = block_open(&disk, &setup);
    blocks = disk.info.sectors * disk.info.sector_bytes / PAGE;
    return status == MNOS_OK && (blocks < BATCH || blocks > BLOCKS_MAX) ? MNOS_ERR_SIZE : status;
}

/* ---- The load ---- */

static uint64_t word_of(uint64_t block, uint32_t of, uint32_t i)
{
    return (block << 40 ^ (uint64_t)of << 12 ^ i) * 0x9E3779B97F4A7C15ull;
}

static void fill(uint64_t block, uint32_t page)
{
    uint64_t *words = (uint64_t *)(data + page * PAGE);

    for (uint32_t i = 0; i < PAGE / 8; i++)
        words[i] = word_of(block, generation[block], i);
}

static void compare(uint64_t block, uint32_t page)
{
    const uint64_t *words = (const uint64_t *)(data + page * PAGE);

    for (uint32_t i = 0; i < PAGE / 8; i++) {
        if (words[i] != word_of(block, generation[block], i)) {
            wrong++;
            return;
        }
    }
}

/* Takes results until nothing is outstanding. */
static void finish(void)
{
    struct block_result result;

    while (block_wait(&disk, &result) == MNOS_OK) {
        done++;
        failed += result.status != MNOS_OK;
        if (result.op == BLOCK_READ && result.status == MNOS_OK && generation[result.user] != 0)
            compare(result.user, result.page);
    }
}

/* B3: a round has no block twice. */
static bool is_free(const uint64_t *chosen, uint32_t count, uint64_t block)
{
    for (uint32_t i = 0; i < count; i++)
        if (chosen[i] == block)
            return false;
    return true;
}

static void round_of(uint32_t number)
{
    uint64_t chosen[BATCH];

    for (uint32_t i = 0; i < BATCH; i++) {
        struct block_submission entry = {.bytes = PAGE, .page = i};

        do
            chosen[i] = chance(blocks);
        while (!is_free(chosen, i, chosen[i]));
        entry.user = chosen[i];
        entry.sector = chosen[i] * (PAGE / disk.info.sector_bytes);
        entry.op = chance(3) == 0 ? BLOCK_READ : BLOCK_WRITE;
        if (entry.op == BLOCK_WRITE) {
            entry.flags = chance(16) == 0 ? BLOCK_FUA : 0;
            generation[chosen[i]] = number + 1;
            fill(chosen[i], i);
        }
        (void)!block_submit(&disk, &entry);
    }
    if (number % 8 == 0)
        (void)!block_submit(&disk, &(struct block_submission){.op = BLOCK_FLUSH});
    block_bell(&disk);
    finish();
}

/* ---- The sum ---- */

static uint32_t sum(void)
{
    uint32_t crc = UINT32_MAX;

    for (uint64_t at = 0; at < blocks; at += BATCH) {
        for (uint64_t i = 0; i < BATCH && at + i < blocks; i++) {
            struct block_submission entry = {.op = BLOCK_READ,
                                             .bytes = PAGE,
                                             .page = (uint32_t)i,
                                             .user = at + i,
                                             .sector = (at + i) * (PAGE / disk.info.sector_bytes)};

            memset(data + i * PAGE, 0, PAGE);
            (void)!block_submit(&disk, &entry);
        }
        block_bell(&disk);
        finish();
        for (uint64_t i = 0; i < BATCH && at + i < blocks; i++)
            crc = crc32_add(crc, data + i * PAGE, PAGE);
    }
    return ~crc;
}

#define LOOKS 500u

/* The volume is taken back: what the session says then, when it says something else than before. */
static mnos_status_t give_back(mnos_cap_t session)
{
    static const uint8_t none[VOLUME_ID_BYTES];
    struct block_info info;
    mnos_status_t status =
        volume_assign(bootstrap_lookup(bootstrap_listed("volumes")), none, "volume");

    for (unsigned i = 0; status == MNOS_OK && i < LOOKS; i++) {
        status = block_info(session, &info);
        sleep_until(deadline_after_ns(10000000));
    }
    return status;
}

#define SPEED_PAGES 32u

static void read_fast(void)
{
    uint64_t at = 0, end = blocks / SPEED_PAGES * SPEED_PAGES;
    struct block_result result;

    while (at < end || disk.ring.outstanding != 0) {
        while (at < end && disk.ring.outstanding < DATA_PAGES / SPEED_PAGES) {
            uint32_t page = (uint32_t)(at % DATA_PAGES);

            (void)!block_submit(
                &disk, &(struct block_submission){.op = BLOCK_READ,
                                                  .bytes = SPEED_PAGES * PAGE,
                                                  .page = page,
                                                  .sector = at * (PAGE / disk.info.sector_bytes)});
            at += SPEED_PAGES;
        }
        block_bell(&disk);
        if (block_wait(&disk, &result) != MNOS_OK)
            break;
        done++;
        failed += result.status != MNOS_OK;
    }
    log_line("read %llu KiB, %u requests, %u failed", (unsigned long long)end * PAGE / 1024, done,
             failed);
}

int main(void)
{
    const char *what = bootstrap_arguments();
    mnos_cap_t session = bootstrap_lookup(bootstrap_listed("disk"));
    mnos_status_t status = MNOS_OK;
    uint32_t crc;

    if (strcmp(what, "volume") == 0)
        status = open_volume(&session);
    if (status == MNOS_OK)
        status = open_disk(session, strcmp(what, "own") == 0);
    if (strcmp(what, "own") == 0) {
        log_line("own memory: status %u", status);
        return 0;
    }
    if (status != MNOS_OK) {
        log_error(status, "open the disk");
        return 1;
    }
    if (strcmp(what, "write") == 0) {
        log_line("write: status %u", block_do(&disk, BLOCK_WRITE, 0, 0, PAGE));
        return 0;
    }
    if (strcmp(what, "speed") == 0) {
        read_fast();
        sleep_until(MNOS_DEADLINE_NEVER - 1); /* its CPU time can be looked at */
    }
    log_line("begins");
    if (strcmp(what, "sum") != 0)
        for (uint32_t round = 0; round < ROUNDS; round++)
            round_of(round);
    crc = sum();
    log_line("crc %08x, %u requests, %u failed, %u wrong, %u attaches, %u interrupted", crc, done,
             failed, wrong, disk.attaches, disk.interrupted);
    log_line("behind its end: status %u", block_do(&disk, BLOCK_READ, disk.info.sectors, 0, 512));
    if (strcmp(what, "volume") == 0)
        log_line("taken back: status %u", give_back(session));
    return 0;
}
