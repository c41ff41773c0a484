// SPDX-License-Identifier: MIT
/* open - inodes that are open, what is known of inodes, and those that nobody needs any more: see service.h. */
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

/* There is always one: each handle and each session has at most one inode. */
void open_hold(void *context, uint32_t inode)
{
    struct ext4_service *service = context;
    struct open_inode *open = open_find(service, inode);
    uint32_t *bucket = &service->open_buckets[hash_of(inode, SERVICE_OPEN_BUCKETS)];

    if (open == NULL) {
        uint32_t number = service->free_open;

        open = &service->opens[number];
        service->free_open = open->next;
        *open = (struct open_inode){.inode = inode, .next = *bucket, .last_index = UINT32_MAX};
        *bucket = number;
    }
    open->count++;
}

void open_leave(struct ext4_service *service, uint32_t inode, bool whole, uint64_t size)
{
    /* One that is being cut goes wholly instead, and not both: which of the two comes first is not kept, and its
     * number may be another file's behind the first. */
    for (uint32_t i = 0; whole && i < service->leaving_count; i++) {
        if (service->leaving[i].inode == inode) {
            service->leaving[i] = (struct leaving){inode, true, 0};
            return;
        }
    }
    service->leaving[service->leaving_count++] = (struct leaving){inode, whole, size};
}

bool open_is_leaving(const struct ext4_service *service, uint32_t inode)
{
    for (uint32_t i = 0; i < service->leaving_count; i++) {
        if (service->leaving[i].inode == inode)
            return true;
    }
    return false;
}

void open_drop(void *context, uint32_t inode)
{
    struct ext4_service *service = context;
    struct open_inode *open = open_find(service, inode);
    uint32_t number = (uint32_t)(open - service->opens);
    uint32_t *link = &service->open_buckets[hash_of(inode, SERVICE_OPEN_BUCKETS)];

    if (--open->count != 0)
        return;
    if (open->gone)
        open_leave(service, inode, true, 0);
    while (*link != number)
        link = &service->opens[*link].next;
    *link = open->next;
    *open = (struct open_inode){.next = service->free_open};
    service->free_open = number;
}

/* ---- What is known ---- */

static struct ext4_attr *attr_of(struct ext4_service *service, uint32_t inode)
{
    return &service->attrs[hash_of(inode, SERVICE_ATTRS)];
}

mnos_status_t open_attr(struct ext4_service *service, uint32_t inode, struct ext4_attr *attr)
{
    struct ext4_attr *known = attr_of(service, inode);
    mnos_status_t status;

    if (known->inode != inode) {
        status = ext4_stat(service_begin(service), inode, attr);
        status = service_end(service, status);
        if (status != MNOS_OK)
            return status;
        *known = *attr;
        known->inode = inode;
    }
    *attr = *known;
    return MNOS_OK;
}

void open_forget_attr(struct ext4_service *service, uint32_t inode)
{
    struct ext4_attr *known = attr_of(service, inode);

    if (known->inode == inode)
        known->inode = 0;
}

void open_know_size(struct ext4_service *service, uint32_t inode, uint64_t size)
{
    struct ext4_attr *known = attr_of(service, inode);

    if (known->inode != inode)
        return;
    known->size = size;
    known->modified_ns = known->changed_ns = service->now_ns;
}

/* ---- Those that go ---- */

void open_gone(struct ext4_service *service, uint32_t inode)
{
    struct open_inode *open = open_find(service, inode);

    open_forget_attr(service, inode);
    if (open != NULL)
        open->gone = true;
    else
        open_leave(service, inode, true, 0);
}

/* Begins to wait, as ext4_end() says. */
static void background_waits(struct ext4_service *service, struct background *background)
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

/* One operation of taking the first one away; false: it has to wait. */
static bool leave_step(struct ext4_service *service, bool *done)
{
    struct background *own = &service->release;
    struct leaving leaving = service->leaving[0];
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
    service_changed(service);
    /* What cannot be taken away stays on the list of orphans, for the next mount or for e2fsck. */
    *done = *done || status != MNOS_OK;
    return true;
}

void open_release(struct ext4_service *service)
{
    bool done;

    while (service->leaving_count != 0 && !service->release.waits && leave_step(service, &done)) {
        if (!done)
            continue;
        open_forget_attr(service, service->leaving[0].inode);
        service->leaving[0] = service->leaving[--service->leaving_count];
        service_wake(service, service_key(KEY_LEFT, 0));
    }
}
