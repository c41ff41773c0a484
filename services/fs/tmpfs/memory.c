// SPDX-License-Identifier: MIT
/* memory - see memory.h. */
#include "services/fs/tmpfs/memory.h"

#include "lib/base/string.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/file_server.h"

BOOTSTRAP_NEEDS("observer");

#define MAGIC 0x315346504D54534Dull
/* What lies in the region has changed when one of these has. */
#define LAYOUT (TMPFS_LAYOUT << 16 | 2u)
/* So that what follows the log begins with a page. */
#define LOG_BYTES (TMPFS_LOG_BYTES + MNOS_PAGE_BYTES - (uint32_t)sizeof(struct state_header))

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* Of sessions and locks, up to where the files begin. */
static uint64_t session_bytes(void)
{
    return round_up(file_server_session_bytes() + sizeof(struct file_locks), MNOS_PAGE_BYTES);
}

static uint64_t block_bytes(const struct memory *memory)
{
    return memory->region.bytes - state_overhead(LOG_BYTES) - session_bytes();
}

static mnos_status_t make_new(struct memory *memory)
{
    uint64_t limit = memory->region.bytes_max - state_overhead(LOG_BYTES) - session_bytes();

    state_drop(&memory->state);
    if (memory->region.bytes < state_overhead(LOG_BYTES) + session_bytes() ||
        tmpfs_format(memory->fs, block_bytes(memory),
                     (uint32_t)((limit - TMPFS_HEADER_BYTES) / TMPFS_PAGE_BYTES),
                     tsc_read() * 0x9E3779B97F4A7C15ull) == NULL)
        return MNOS_ERR_MEMORY;
    file_locks_format(memory->locks);
    sessions_format(memory->sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, kinfo_time_ns());
    state_extend(&memory->state, 0, memory->region.bytes);
    state_ready(&memory->state);
    return MNOS_OK;
}

struct holder {
    struct tmpfs *fs;
    const char *wrong;
};

static void hold_again(void *context, uint32_t object)
{
    struct holder *holder = context;

    if (object == 0 || object > holder->fs->inodes.page_count * TMPFS_INODES_PER_PAGE)
        holder->wrong = "what is open is no inode";
    else
        tmpfs_hold(holder->fs, object);
}

/* What sessions and handles have, as tmpfs_rebuild() has left it to its caller. */
static const char *hold_all(const struct memory *memory)
{
    struct holder holder = {.fs = memory->fs};

    sessions_hold_all(memory->sessions, hold_again, &holder);
    return holder.wrong;
}

/* Whether what the last run left is what it should be. */
static bool is_sound(const struct memory *memory)
{
    struct memory_block seen;
    const char *wrong =
        sessions_take_over(memory->sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES);

    tmpfs_rebuild(memory->fs);
    if (wrong == NULL)
        wrong = file_locks_check(memory->locks);
    if (wrong == NULL)
        wrong = hold_all(memory);
    if (wrong == NULL &&
        memory_allocate(memory->fs->page_count / MNOS_PAGE_BYTES + 1, &seen) == MNOS_OK) {
        wrong = tmpfs_check(memory->fs, seen.address);
        memory_free(&seen);
    }
    if (wrong != NULL)
        log_at(MNOS_LOG_ERROR, "what the last run left is damaged: %s; all files are lost", wrong);
    return wrong == NULL;
}

/* Pieces that the region has and the block has not yet. */
static void take_pieces(struct memory *memory)
{
    uint64_t pages = (block_bytes(memory) - TMPFS_HEADER_BYTES) / TMPFS_PAGE_BYTES;

    state_extend(&memory->state, 0, memory->region.bytes);
    if (pages > memory->fs->page_count)
        tmpfs_extend(memory->fs, (uint32_t)(pages - memory->fs->page_count));
}

mnos_status_t memory_begin(struct memory *memory)
{
    mnos_status_t status = region_open(&memory->region, BOOTSTRAP_REQUIRED("tmpfs_state"),
                                       memory->pieces, MEMORY_PIECES_MAX);

    if (status != MNOS_OK)
        return status;
    memory->found = state_open(&memory->state, memory->region.address, memory->region.bytes, MAGIC,
                               LAYOUT, LOG_BYTES, NULL);
    memory->sessions = state_content(&memory->state);
    memory->locks =
        (struct file_locks *)((uint8_t *)memory->sessions + file_server_session_bytes());
    memory->fs = (struct tmpfs *)((uint8_t *)memory->sessions + session_bytes());
    if (memory->found == STATE_FOREIGN)
        log_at(MNOS_LOG_ERROR, "what the last run left cannot be read; all files are lost");
    if (memory->found == STATE_WHOLE && !is_sound(memory))
        memory->found = STATE_FOREIGN;
    if (memory->found != STATE_WHOLE)
        status = make_new(memory);
    state_current = &memory->state;
    if (status == MNOS_OK)
        take_pieces(memory);
    return status;
}

void memory_grow(struct memory *memory)
{
    if (region_grow(&memory->region) == MNOS_OK)
        take_pieces(memory);
}
