// SPDX-License-Identifier: MIT
/* known - what is known of inodes: see known.h. */
#include "lib/base/string.h"
#include "services/fs/ext4/service.h"

/* The page in which an inode has its place, or 0. Those of a page that are looked at one after the other are one use. */
static inline uint32_t page_of(struct ext4_service *service, uint32_t inode)
{
    uint32_t index = inode / KNOWN_ATTRS_PER_PAGE;
    uint32_t *used = &service->known.used_pages[index % KNOWN_USED_PAGES], number = *used;

    if (number != 0 && cache_is(&service->cache, number, KNOWN_ATTRS_FILE, index))
        return number;
    number = cache_find(&service->cache, KNOWN_ATTRS_FILE, index);
    if (number != 0)
        cache_use(&service->cache, number);
    *used = number;
    return number;
}

/* A place for what the core has told; that of `other` if the cache has none. */
static struct known_attr *new_place(struct ext4_service *service, uint32_t inode)
{
    uint32_t number = page_of(service, inode), taken;

    if (number == 0) {
        service->cache.client = service->files->client;
        number =
            cache_take(&service->cache, KNOWN_ATTRS_FILE, inode / KNOWN_ATTRS_PER_PAGE, 1, &taken);
        if (number == 0)
            return &service->known.other;
        memset(cache_bytes(&service->cache, number), 0, CACHE_PAGE_BYTES);
    }
    return known_attr_in(service, number, inode);
}

static mnos_status_t ask(struct ext4_service *service, uint32_t inode,
                         const struct known_attr **found)
{
    struct ext4_attr attr;
    struct known_attr *known;
    mnos_status_t status = ext4_stat(service_begin(service), inode, &attr);

    status = service_end(service, status);
    if (status != MNOS_OK)
        return status;
    known = new_place(service, inode);
    *known = (struct known_attr){.inode = inode,
                                 .generation = attr.generation,
                                 .type = attr.type,
                                 .links = attr.links,
                                 .size = attr.size,
                                 .allocated_bytes = attr.allocated_bytes,
                                 .created_ns = attr.created_ns,
                                 .modified_ns = attr.modified_ns,
                                 .changed_ns = attr.changed_ns};
    reopen_learn(service, inode, attr.generation);
    *found = known;
    return MNOS_OK;
}

static inline mnos_status_t get(struct ext4_service *service, uint32_t inode, bool whole,
                                const struct known_attr **attr)
{
    uint32_t number = page_of(service, inode);

    if (number != 0) {
        *attr = known_attr_in(service, number, inode);
        if ((*attr)->inode == inode && !(whole && (*attr)->partly != 0))
            return MNOS_OK;
    }
    *attr = &service->known.other;
    return ask(service, inode, attr);
}

mnos_status_t known_inode(struct ext4_service *service, uint32_t inode,
                          const struct known_attr **attr)
{
    return get(service, inode, true, attr);
}

mnos_status_t known_kind(struct ext4_service *service, uint32_t inode,
                         const struct known_attr **attr)
{
    return get(service, inode, false, attr);
}

mnos_status_t known_attr(struct ext4_service *service, uint32_t inode, struct known_attr *attr)
{
    const struct known_attr *known;
    mnos_status_t status = known_inode(service, inode, &known);

    if (status == MNOS_OK)
        *attr = *known;
    return status;
}

bool known_generation(struct ext4_service *service, uint32_t inode, uint32_t *generation)
{
    /* Before, there is no cache to look into. */
    uint32_t number = service->state == SERVICE_MOUNTED ? page_of(service, inode) : 0;
    const struct known_attr *known =
        number != 0 ? known_attr_in(service, number, inode) : &service->known.other;

    *generation = known->generation;
    return known->inode == inode;
}

void known_touch(struct ext4_service *service, uint32_t inode)
{
    uint32_t number = page_of(service, inode);

    if (number != 0)
        known_attr_in(service, number, inode)->partly = 1;
}

void known_forget(struct ext4_service *service, uint32_t inode)
{
    uint32_t number = page_of(service, inode);

    if (number != 0)
        known_attr_in(service, number, inode)->inode = 0;
}
