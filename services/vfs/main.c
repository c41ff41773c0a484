// SPDX-License-Identifier: MIT
/* main - the mount table: its memory and the loop. See README.md. */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/client/region.h"
#include "lib/format/ustar.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"
#include "services/vfs/server.h"

#define TABLE_NAME "mounts.bin"
/* How often an entry whose volume is looked for is looked at, beside what events say. */
#define PROBE_NS 500000000ull

enum { EXIT_TABLE = 1, EXIT_RECEIVE = 2 };

static struct region region;
static struct region_piece piece;
static struct state state;
static struct vfs vfs;

/* The initial RAM disk, which holds the compiled table. */
static const char *map_archive(const void **archive, size_t *bytes)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    mnos_cap_t memory = bootstrap_cap("initrd");
    uint64_t size, pages;
    void *address;

    if (sys_cap_inspect(memory, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return "there is no capability \"initrd\"";
    pages = info->count;
    if (memory_map(memory, 0, pages, MNOS_MAP_READ, &address) != MNOS_OK)
        return "the initial RAM disk cannot be mapped";
    *archive = address;
    *bytes = pages * MNOS_PAGE_BYTES;
    return NULL;
}

/* Makes the table of what the manifest says. */
static const char *read_table(struct vfs_table *table)
{
    struct ustar_entry entry;
    const void *archive;
    size_t bytes;
    const char *wrong = map_archive(&archive, &bytes);
    enum ustar_error error;

    if (wrong != NULL)
        return wrong;
    error = ustar_find(archive, bytes, TABLE_NAME, &entry);
    wrong = error == USTAR_OK ? vfs_table_format(table, entry.data, entry.size)
                              : ustar_error_text(error);
    memory_unmap((void *)archive, bytes / MNOS_PAGE_BYTES);
    return wrong;
}

/* The table of the run before, if there is one and it is whole; else a new one. */
static const char *open_table(void)
{
    const char *wrong = NULL;
    enum state_found found;

    if (region_open(&region, BOOTSTRAP_REQUIRED("vfs_state"), &piece, 1) != MNOS_OK ||
        region.bytes <
            state_overhead(VFS_LOG_BYTES) + sizeof(struct vfs_table) + sizeof(struct vfs_roots))
        return "there is no region \"vfs_state\", or it is too small";
    found = state_open(&state, region.address, region.bytes, VFS_TABLE_MAGIC, VFS_TABLE_LAYOUT,
                       VFS_LOG_BYTES, NULL);
    state_current = &state;
    vfs.table = state_content(&state);
    vfs.roots = (struct vfs_roots *)(vfs.table + 1);
    if (found == STATE_WHOLE)
        wrong = state_trust(&state) == STATE_TRUST_NONE ? "it has died too often with it"
                                                        : vfs_table_check(vfs.table);
    if (found == STATE_WHOLE && wrong == NULL)
        return NULL;
    if (found == STATE_FOREIGN || wrong != NULL)
        log_at(MNOS_LOG_WARNING,
               "what the run before left is not usable (%s): mounting what the manifest says",
               wrong != NULL ? wrong : "another layout, or damaged");
    state_drop(&state);
    *vfs.roots = (struct vfs_roots){0};
    wrong = read_table(vfs.table);
    if (wrong == NULL)
        state_ready(&state);
    return wrong;
}

/* Makes the message the reply; without reply id when there is none to send now. */
static void handle(struct message *message)
{
    mnos_status_t status = MNOS_ERR_LABEL;

    alive_answer(message);
    if (message->kind == MNOS_KIND_EVENTS) {
        world_told(&vfs, message->words[0]);
    } else if (message->kind == MNOS_KIND_CLIENT_GONE) {
        requests_forget(&vfs, message->badge);
        roots_gone(&vfs, message->badge);
        world_gone(&vfs, message->badge);
    } else if (message->reply_id != 0) {
        message_refuse_caps(message);
        message->cap_count = 0;
        if (message->label >= VFS_ROOT && message->label <= VFS_UMOUNT)
            status = requests_handle(&vfs, message);
        else
            status = root_handle(&vfs, message);
        if (status == VFS_ASIDE)
            message->reply_id = 0;
        else if (status != MNOS_OK)
            message_put(message, status, NULL, 0);
        return;
    }
    message_refuse_caps(message);
    *message = (struct message){0};
}

static uint64_t deadline(void)
{
    for (unsigned i = 0; i < VFS_MOUNTS_MAX; i++) {
        if (vfs.table->entries[i].at[0] != 0 && vfs.table->entries[i].state == VFS_PROBING)
            return deadline_after_ns(PROBE_NS);
    }
    return MNOS_DEADLINE_NEVER;
}

static mnos_status_t loop(void)
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status = ipc_reply_receive(vfs.endpoint, &message, deadline());

        if (status == MNOS_ERR_DEADLINE)
            message = (struct message){0};
        else if (status != MNOS_OK)
            return status;
        else
            handle(&message);
        /* Answered before anything is waited for. */
        if (message.reply_id != 0) {
            (void)!ipc_reply(&message);
            message = (struct message){0};
        }
        world_go_on(&vfs);
        requests_go_on(&vfs);
    }
}

int main(void)
{
    const char *wrong = open_table();

    if (wrong != NULL) {
        log_at(MNOS_LOG_ERROR, "the mount table: %s", wrong);
        return EXIT_TABLE;
    }
    vfs.endpoint = bootstrap_cap("requests");
    vfs.date_ns = kinfo()->wall_clock_base_ns;
    /* Badges of one run are not used again by the next: time goes on. */
    vfs.next_number = kinfo_time_ns() / 1000; /* minting one takes longer than a microsecond */
    roots_gone(&vfs, 0);
    world_init(&vfs);
    world_told(&vfs, VFS_EVENT_VOLUMES - 1); /* each goes on from its state */
    log_error(loop(), "receive a request");
    return EXIT_RECEIVE;
}
