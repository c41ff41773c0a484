// SPDX-License-Identifier: MIT
/* node - files and directories that are open or were looked at lately: see service.h. */
#include "lib/base/string.h"
#include "services/fs/fat/service.h"

static uint32_t *bucket_of(struct fat_service *service, uint32_t directory, uint32_t entry)
{
    return &service
                ->buckets[((directory * 31 + entry / 32) * 0x9E3779B1u >> 8) & (NODE_BUCKETS - 1)];
}

struct fat_node *node_of(struct fat_service *service, uint32_t number)
{
    return &service->nodes[number];
}

uint32_t node_number(const struct fat_service *service, const struct fat_node *node)
{
    return (uint32_t)(node - service->nodes);
}

void node_init(struct fat_service *service)
{
    struct fat_node *root = node_of(service, FAT_ROOT);

    memset(service->nodes, 0, sizeof service->nodes);
    memset(service->buckets, 0, sizeof service->buckets);
    service->gone_count = 0;
    service->hand = service->free_node = FAT_ROOT + 1;
    for (uint32_t i = FAT_ROOT + 1; i < NODES_MAX; i++)
        service->nodes[i].next = i + 1;
    *root = (struct fat_node){
        .object = fatfs_root(), .used = true, .generation = ++service->next_generation};
}

static struct fat_node *find(struct fat_service *service, uint32_t directory, uint32_t entry)
{
    uint32_t at = *bucket_of(service, directory, entry);

    while (at != 0 &&
           (service->nodes[at].directory != directory || service->nodes[at].object.entry != entry))
        at = service->nodes[at].next;
    return at == 0 ? NULL : &service->nodes[at];
}

static void add(struct fat_service *service, struct fat_node *node)
{
    uint32_t *bucket = bucket_of(service, node->directory, node->object.entry);

    node->next = *bucket;
    *bucket = node_number(service, node);
    service->nodes[node->directory].children++;
}

static void take_out(struct fat_service *service, struct fat_node *node)
{
    uint32_t *at = bucket_of(service, node->directory, node->object.entry);

    while (*at != node_number(service, node))
        at = &service->nodes[*at].next;
    *at = node->next;
    service->nodes[node->directory].children--;
}

static void make_free(struct fat_service *service, struct fat_node *node)
{
    kept_forget(service, node);
    *node = (struct fat_node){.next = service->free_node};
    service->free_node = node_number(service, node);
}

/* Of a run that died: the number is a client's. */
void node_restore(struct fat_service *service, uint32_t number, uint32_t directory,
                  const struct fatfs_object *object, uint64_t generation)
{
    struct fat_node *node = node_of(service, number);

    node->used = true;
    node->generation = generation;
    node->object = *object;
    node->directory = directory;
    node->object.directory = &service->nodes[directory].object;
    add(service, node);
}

void node_restore_gone(struct fat_service *service, uint32_t number)
{
    struct fat_node *node = node_of(service, number);

    node->used = node->gone = node->object.is_directory = true;
    node->generation = ++service->next_generation;
    service->gone_count++;
}

void node_restored(struct fat_service *service)
{
    service->free_node = 0;
    for (uint32_t i = NODES_MAX; i > FAT_ROOT; i--) {
        if (service->nodes[i].used)
            continue;
        service->nodes[i].next = service->free_node;
        service->free_node = i;
    }
}

/* A node that only was looked at, by an earlier request. */
static bool is_spare(const struct fat_service *service, const struct fat_node *node)
{
    return node->used && !node->gone && node->holds == 0 && node->children == 0 && !node->dirty &&
           node->request != service->request;
}

static struct fat_node *take(struct fat_service *service)
{
    struct fat_node *node;

    for (uint32_t i = 0; service->free_node == 0 && i < NODES_MAX; i++) {
        node = &service->nodes[service->hand];
        service->hand = service->hand == NODES_MAX ? FAT_ROOT + 1 : service->hand + 1;
        if (!is_spare(service, node))
            continue;
        take_out(service, node);
        make_free(service, node);
    }
    if (service->free_node == 0)
        return NULL;
    node = &service->nodes[service->free_node];
    service->free_node = node->next;
    *node = (struct fat_node){
        .used = true, .request = service->request, .generation = ++service->next_generation};
    return node;
}

/* With all in use, those whose clusters are to be freed, and those that are to be written, may become spare. */
static mnos_status_t take_or_commit(struct fat_service *service, struct fat_node **node)
{
    mnos_status_t status;

    *node = take(service);
    if (*node != NULL)
        return MNOS_OK;
    status = volume_writable(service) == MNOS_OK ? volume_commit(service) : MNOS_OK;
    if (status == MNOS_OK)
        *node = take(service);
    return status != MNOS_OK ? status : *node == NULL ? MNOS_ERR_QUOTA : MNOS_OK;
}

mnos_status_t node_get(struct fat_service *service, uint32_t directory,
                       const struct fatfs_object *object, struct fat_node **node)
{
    mnos_status_t status = MNOS_OK;

    *node = find(service, directory, object->entry);
    if (*node == NULL) {
        service->nodes[directory].request = service->request; /* it stays */
        status = take_or_commit(service, node);
        if (status != MNOS_OK)
            return status;
        (*node)->object = *object;
        (*node)->directory = directory;
        (*node)->object.directory = &service->nodes[directory].object;
        add(service, *node);
    }
    (*node)->request = service->request;
    if (service->commit_ns == 0) /* what was looked up is what the medium says */
        kept_know(service, *node);
    return status;
}

void node_move(struct fat_service *service, struct fat_node *node, uint32_t directory,
               const struct fatfs_object *place)
{
    kept_forget(service, node);
    take_out(service, node);
    node->directory = directory;
    node->object.directory = &service->nodes[directory].object;
    node->object.entry = place->entry;
    node->object.first_entry = place->first_entry;
    add(service, node);
}

void node_gone(struct fat_service *service, struct fat_node *node)
{
    kept_forget(service, node);
    take_out(service, node);
    node->directory = 0;
    node->object.directory = NULL;
    node->gone = true;
    node->dirty = false;
    service->gone_count++;
}

mnos_status_t node_for_clusters(struct fat_service *service, const struct fatfs_object *object)
{
    struct fat_node *node;
    mnos_status_t status;

    if (object->cluster == 0)
        return MNOS_OK;
    status = take_or_commit(service, &node);
    if (status != MNOS_OK)
        return status;
    node->object = *object;
    node->object.directory = NULL;
    node->gone = true;
    service->gone_count++;
    return MNOS_OK;
}

mnos_status_t node_free_gone(struct fat_service *service)
{
    for (uint32_t i = FAT_ROOT + 1; service->gone_count != 0 && i <= NODES_MAX; i++) {
        struct fat_node *node = &service->nodes[i];
        enum fatfs_result result;

        if (!node->used || !node->gone || node->holds != 0 || node->children != 0)
            continue;
        result = fatfs_free(&node->object);
        service->gone_count--;
        make_free(service, node);
        if (result == FATFS_DEVICE)
            return MNOS_ERR_DEVICE;
        if (result != FATFS_OK && service->say != NULL)
            service->say("clusters of a damaged chain stay lost");
    }
    return MNOS_OK;
}

mnos_status_t node_update_all(struct fat_service *service)
{
    mnos_status_t damaged = MNOS_OK;

    for (uint32_t i = FAT_ROOT + 1; i <= NODES_MAX; i++) {
        struct fat_node *node = &service->nodes[i];
        mnos_status_t status;

        if (!node->dirty)
            continue;
        status = fat_status(fatfs_update(&node->object));
        if (status == MNOS_ERR_DEVICE)
            return status;
        node->dirty = false;
        if (status != MNOS_OK)
            damaged = status;
    }
    return damaged;
}

void node_hold(void *context, uint32_t number)
{
    node_of(context, number)->holds++;
}

void node_drop(void *context, uint32_t number)
{
    struct fat_service *service = context;
    struct fat_node *node = node_of(service, number);

    if (--node->holds == 0 && node->gone)
        volume_changed(service); /* its clusters are freed by the next commit */
}

const char *node_check(struct fat_service *service)
{
    static uint32_t children[NODES_MAX + 1];

    memset(children, 0, sizeof children);
    for (uint32_t i = FAT_ROOT + 1; i <= NODES_MAX; i++) {
        const struct fat_node *node = &service->nodes[i];

        if (!node->used || node->gone)
            continue;
        children[node->directory]++;
        if (find(service, node->directory, node->object.entry) != node)
            return "N1: a node is not found, or is there twice";
    }
    for (uint32_t i = FAT_ROOT; i <= NODES_MAX; i++) {
        if (service->nodes[i].used && children[i] != service->nodes[i].children)
            return "N2: the children of a directory do not add up";
    }
    return NULL;
}
