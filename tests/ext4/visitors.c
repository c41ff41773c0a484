// SPDX-License-Identifier: MIT
/*
 * visitors - operations of others, between ours and while one waits: they look, and change times, wait themselves, and
 * keep what they have pinned; one of them asks for a commit now and then. So slots are shared, and a transaction goes on while another is being committed.
 */
#include <string.h>

#include "tests/ext4/host.h"

static bool take_any(void *context, const struct ext4_name *name)
{
    uint32_t *left = context;

    (void)name;
    return (*left)-- != 0;
}

static mnos_status_t visit(struct host *h, struct ext4_op *op, uint32_t kind)
{
    uint32_t inode = kind / 4 % 300, found, left = 20;
    uint64_t next;
    struct ext4_attr attr;
    struct ext4_run run;
    bool end;

    inode = inode < 11 ? EXT4_ROOT : inode;
    switch (kind % 4) {
    case 0: return ext4_lookup(op, inode, "n7", 2, &found);
    case 1: return ext4_readdir(op, inode, 0, take_any, &left, &next, &end);
    case 2: return ext4_map(op, inode, host_random(h, 400), 10, &run);
    default:
        attr.accessed_ns = h->now_ns;
        return ext4_set_attr(op, inode, EXT4_SET_ACCESSED, &attr);
    }
}

/* One of them begins, or goes on from its beginning. Whatever it finds is right: files come and go. */
void host_visit(struct host *h)
{
    struct host_visitor *visitor = &h->visitors[host_random(h, HOST_VISITORS)];

    if (host_random(h, 16) == 0)
        ext4_want_commit(h->fs);
    (void)ext4_work(h->fs);
    if (!visitor->waits) {
        memset(&visitor->op, 0, sizeof visitor->op);
        visitor->kind = host_random(h, 1200);
    }
    ext4_begin(&visitor->op, h->fs);
    visitor->waits =
        ext4_end(&visitor->op, visit(h, &visitor->op, visitor->kind)) == MNOS_ERR_AGAIN;
    state_done(&h->log);
}

void host_visitors_leave(struct host *h)
{
    for (uint32_t i = 0; i < HOST_VISITORS; i++) {
        if (h->visitors[i].waits)
            ext4_drop(&h->visitors[i].op);
        h->visitors[i].waits = false;
    }
}
