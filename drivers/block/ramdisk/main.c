// SPDX-License-Identifier: MIT
/* main - a disk of memory: its region, and the loop. See README.md. */
#include "drivers/block/ramdisk/disk.h"
#include "lib/client/region.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"

#define STATE_MAGIC 0x4B53494444414Dull
#define STATE_LOG_BYTES 0u
/* Before the disk's bytes: the header of the state, and the sessions. */
#define STATE_BYTES MNOS_PAGE_BYTES
_Static_assert(sizeof(struct state_header) + STATE_LOG_BYTES + sizeof(struct block_sessions) <=
                   STATE_BYTES,
               "one page");

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

static struct region region;
static struct region_piece pieces[1];
static struct state state;
static struct block_server server;
static struct disk disk;

static int fail(mnos_status_t status, const char *what, int code)
{
    log_error(status, what);
    return code;
}

static void open_server(void)
{
    bool fresh = state_open(&state, region.address, region.bytes, STATE_MAGIC,
                            BLOCK_SESSIONS_LAYOUT, STATE_LOG_BYTES, NULL) != STATE_WHOLE;
    struct block_sessions *sessions = state_content(&state);

    disk_open(&disk, &server, region.address + STATE_BYTES, region.bytes - STATE_BYTES);
    block_sessions_open(sessions, fresh, disk.device.info.sectors, kinfo_time_ns());
    state_ready(&state);
    block_server_open(&server, &disk.device, sessions, bootstrap_cap("requests"),
                      state.header->epoch);
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status;

        message.accept = BLOCK_SERVER_ACCEPTS;
        status = ipc_reply_receive(server.endpoint, &message, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
        alive_answer(&message);
        if (message.kind == MNOS_KIND_EVENTS)
            message = (struct message){0}; /* there is something to look for */
        else
            block_server_handle(&server, &message);
        block_server_pump(&server);
    }
}

int main(void)
{
    mnos_status_t status = guard_begin();

    if (status == MNOS_OK)
        status = region_open(&region, "ramdisk", pieces, 1);
    if (status == MNOS_OK && region.bytes <= STATE_BYTES)
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return fail(status, "get memory for the disk", EXIT_MEMORY);
    open_server();
    log_line("%lu KiB of memory as a disk", (unsigned long)(region.bytes - STATE_BYTES) / 1024);
    return fail(serve(), "receive a request", EXIT_RECEIVE);
}
