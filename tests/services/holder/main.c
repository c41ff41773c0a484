// SPDX-License-Identifier: MIT
/* main - a client of the tests' keeper: its argument is the request. What it gets a page for it reads for ever. */
#include "lib/base/string.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "tests/services/keeper/keeper.h"

#define PAUSE_NS 1000000u

static uint32_t request(void)
{
    static const char *const names[] = {
        [KEEPER_SHARED] = "shared",   [KEEPER_KEPT] = "kept",   [KEEPER_PART] = "part",
        [KEEPER_RELEASE] = "release", [KEEPER_BREAK] = "break", [KEEPER_COUNT] = "count",
        [KEEPER_HANG] = "hang",       [KEEPER_SLOW] = "slow",   [KEEPER_PARTS] = "parts",
        [KEEPER_ALL] = "all",
    };

    for (uint32_t i = 1; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(bootstrap_arguments(), names[i]) == 0)
            return i;
    }
    return 0;
}

static int hold(mnos_cap_t page)
{
    void *address;
    mnos_status_t status = memory_map(page, 0, 1, MNOS_MAP_READ, &address);
    uint64_t now;

    if (status != MNOS_OK) {
        log_error(status, "map the page");
        return 1;
    }
    log_line("holds a page");
    for (;;) {
        (void)*(volatile uint64_t *)address;
        (void)!sys_thread_block(MNOS_SELF, deadline_after_ns(PAUSE_NS), &now);
    }
}

int main(void)
{
    struct message msg = {.accept = 1};
    mnos_status_t status;

    message_put(&msg, request(), NULL, 0);
    /* One that kills the service is not to be repeated. */
    status = request() == KEEPER_BREAK ? ipc_request(bootstrap_cap("keeper"), &msg)
                                       : service_call(bootstrap_cap("keeper"), &msg);
    if (status == MNOS_OK && msg.cap_count != 0)
        return hold(message_cap(&msg, 0));
    log_line("answer %u, %llu", status, (unsigned long long)msg.words[0]);
    return 0;
}
