// SPDX-License-Identifier: MIT
/* open - inodes that are open, and those that nobody needs any more: see service.h. */
#include "lib/base/string.h"
#include "lib/server/state.h"
#include "services/fs/ext4/service.h"

#define HASH_FACTOR 0x9E3779B97F4A7C15ull

static uint32_t hash_of(uint32_t inode, uint32_t size)
{
    return (uint32_t)(inode * HASH_FACTOR >> 40) & (size - 1);
}

void open_init(struct ext4_service *service)
{
    for (uint32_t i = SERVICE_OPEN_MAX; i != 0; i--) {
        service->opens[i] = (struct open_inode){.next = service->free_open};
        service->free_open = i;
    }
}

struct open_inode *open_find(struct ext4_service *service, uint32_t inode)
{
    uint32_t number = service->open_buckets[hash_of(inode, SERVICE_OPEN_BUCKETS)];

    while (number != 0 && service->opens[number].inode != inode)
        number = service->opens[number].next;
    return number == 0 ? NULL : &service->opens[number];
}

static void place(struct ext4_service *service, uint32_t number, uint32_t inode)
{
    uint32_t *bucket = &service->open_buckets[hash_of(inode, SERVICE_OPEN_BUCKETS)];

    service->opens[number] =
        (struct open_inode){.inode = inode, .next = *bucket, .last_index = UINT32_MAX};
    *bucket = number;
}

static void take_out(struct ext4_service *service, uint32_t number)
{
    struct open_inode *open = &service->opens[number];
    uint32_t *link = &service->open_buckets[hash_of(open->inode, SERVICE_OPEN_BUCKETS)];

    reopen_forget(service, number);
    while (*link != number)
        link = &service->opens[*link].next;
    *link = open->next;
    *open = (struct open_inode){.next = service->free_open};
    service->free_open = number;
}

void open_place_all(struct ext4_service *service, const struct kept_open *kept)
{
    memset(service->open_buckets, 0, sizeof service->open_buckets);
    service->free_open = 0;
    for (uint32_t i = SERVICE_OPEN_MAX; i != 0; i--) {
        if (kept[i].inode != 0 && open_find(service, kept[i].inode) == NULL) {
            place(service, i, kept[i].inode);
            continue;
        }
        reopen_forget(service, i);
        service->opens[i] = (struct open_inode){.next = service->free_open};
        service->free_open = i;
    }
}

void open_forget_unused(struct ext4_service *service)
{
    for (uint32_t i = 1; i <= SERVICE_OPEN_MAX; i++) {
        struct open_inode *open = &service->opens[i];

        if (open->inode != 0 && open->count == 0)
            take_out(service, i);
        open->count = 0;
    }
}

/* There is always one: each handle and each session has at most one inode. */
void open_hold(void *context, uint32_t inode)
{
    struct ext4_service *service = context;
    struct open_inode *open = open_find(service, inode);

    if (open == NULL) {
        uint32_t number = service->free_open;

        open = &service->opens[number];
        service->free_open = open->next;
        place(service, number, inode);
        reopen_keep(service, number);
    }
    open->count++;
}

static void leave(struct ext4_service *service, struct leaving leaving)
{
    struct service_kept *kept = service->kept;

    service->held_count += leaving.held;
    STATE_SET(kept->leaving[kept->leaving_count], leaving);
    STATE_SET(kept->leaving_count, kept->leaving_count + 1);
}

static void end_leaving(struct ext4_service *service, struct leaving *leaving)
{
    struct service_kept *kept = service->kept;

    service->held_count -= leaving->held;
    STATE_SET(*leaving, kept->leaving[kept->leaving_count - 1]);
    STATE_SET(kept->leaving_count, kept->leaving_count - 1);
}

void open_leave(struct ext4_service *service, uint32_t inode, bool whole, uint64_t size)
{
    struct service_kept *kept = service->kept;

    /* One that is being cut goes wholly instead, and not both: which of the two comes first is not kept, and its
     * number may be another file's behind the first. */
    for (uint32_t i = 0; whole && i < kept->leaving_count;) {
        if (kept->leaving[i].inode == inode)
            end_leaving(service, &kept->leaving[i]);
        else
            i++;
    }
    leave(service, (struct leaving){.inode = inode, .whole = whole, .size = size});
}

bool open_is_leaving(const struct ext4_service *service, uint32_t inode)
{
    for (uint32_t i = 0; open_leaving_count(service) != 0 && i < service->kept->leaving_count;
         i++) {
        if (service->kept->leaving[i].inode == inode && !service->kept->leaving[i].held)
            return true;
    }
    return false;
}

void open_drop(void *context, uint32_t inode)
{
    struct ext4_service *service = context;
    struct open_inode *open = open_find(service, inode);

    if (--open->count != 0)
        return;
    if (open->gone)
        open_leave(service, inode, true, 0);
    take_out(service, (uint32_t)(open - service->opens));
}

void open_forget_blocks(struct ext4_service *service, uint32_t inode)
{
    struct open_inode *open = open_find(service, inode);

    if (open != NULL)
        open->known_count = 0;
}

/* ---- Those that go ---- */

void open_gone(struct ext4_service *service, uint32_t inode)
{
    struct open_inode *open = open_find(service, inode);

    known_forget(service, inode);
    if (open == NULL) {
        open_leave(service, inode, true, 0);
        return;
    }
    /* What of it is being cut goes on being so: somebody waits for that. */
    open->gone = true;
    leave(service, (struct leaving){.inode = inode, .whole = true, .held = true});
}

void open_recover(struct ext4_service *service)
{
    service->held_count = 0;
    for (uint32_t i = 0; i < service->kept->leaving_count; i++) {
        struct leaving *leaving = &service->kept->leaving[i];
        struct open_inode *open = leaving->whole ? open_find(service, leaving->inode) : NULL;

        leaving->held = open != NULL;
        service->held_count += leaving->held;
        if (open != NULL)
            open->gone = true;
    }
}

/* Begins to wait, as ext4_end() says. */
void background_waits(struct ext4_service *service, struct background *background)
{
    uint32_t slot = background->op.waits_for;

    background->waits = true;
    background->waits_for = slot == EXT4_WAIT_COMMIT ? service_key(KEY_COMMIT, 0)
                            : slot == EXT4_WAIT_ANY  ? PARK_ANYTHING
                                                     : (uint64_t)slot + 1;
    if (slot == EXT4_WAIT_COMMIT) {
        ext4_want_commit(service->fs);
        service->work_due = true;
    }
}

/* The first that nobody has open; there is one. */
static struct leaving *first_to_leave(struct ext4_service *service)
{
    struct leaving *leaving = service->kept->leaving;

    while (leaving->held)
        leaving++;
    return leaving;
}

/* One operation of taking it away; false: it has to wait. */
static bool leave_step(struct ext4_service *service, struct leaving *first, bool *done)
{
    struct background *own = &service->release;
    struct leaving leaving = *first;
    uint32_t stays =
        leaving.whole ? cache_drop_range(&service->cache, leaving.inode, 0, UINT64_MAX) : 0;
    mnos_status_t status;

    *done = false;
    if (stays != 0) {
        own->waits = true;
        own->waits_for = service_key(KEY_PAGE, stays);
        return false;
    }
    ext4_begin(&own->op, service->fs);
    status = leaving.whole ? ext4_release(&own->op, leaving.inode, done)
                           : ext4_truncate(&own->op, leaving.inode, leaving.size, done);
    status = ext4_end(&own->op, status);
    if (status == MNOS_ERR_AGAIN) {
        *done = false;
        background_waits(service, own);
        return false;
    }
    own->op = (struct ext4_op){0};
    open_forget_blocks(service, leaving.inode);
    service_changed(service);
    /* What cannot be taken away stays on the list of orphans, for the next mount or for e2fsck. */
    *done = *done || status != MNOS_OK;
    if (*done) {
        known_forget(service, leaving.inode);
        end_leaving(service, first);
    }
    state_step();
    return true;
}

void open_release(struct ext4_service *service)
{
    bool done;

    while (open_leaving_count(service) != 0 && !service->release.waits &&
           leave_step(service, first_to_leave(service), &done)) {
        if (done)
            service_wake(service, service_key(KEY_LEFT, 0));
    }
}
