// SPDX-License-Identifier: MIT
/* main - the service `store`: texts by name, which outlive it. */
#include "lib/base/string.h"
#include "lib/client/region.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/server/alive.h"
#include "table.h"

enum { EXIT_MEMORY = 1, EXIT_RECEIVE = 2 };

static struct store_table table;

static mnos_status_t open_memory(void)
{
    static struct region region;
    static struct region_piece floor[1];
    mnos_status_t status = region_open(&region, BOOTSTRAP_REQUIRED("store_state"), floor, 1);

    if (status != MNOS_OK)
        return status;
    return texts_open(&table, region.address, region.bytes);
}

/* What every request but LIST begins with. */
static mnos_status_t take_name(const struct message *msg, void *record, size_t bytes)
{
    const struct store_name *name = record;

    if (message_get(msg, record, bytes) != bytes)
        return MNOS_ERR_SIZE;
    if (name->bytes[0] == 0 || strnlen(name->bytes, sizeof name->bytes) == sizeof name->bytes)
        return MNOS_ERR_ARGUMENT;
    return MNOS_OK;
}

/* SET and REMOVE. */
static mnos_status_t change(const struct message *msg, uint64_t client)
{
    struct store_pair pair;
    mnos_status_t status;

    if (msg->label == STORE_REMOVE) {
        status = take_name(msg, &pair.name, sizeof pair.name);
        if (status == MNOS_OK)
            texts_remove(&table, client, &pair.name);
        return status;
    }
    status = take_name(msg, &pair, sizeof pair);
    if (status != MNOS_OK)
        return status;
    pair.text.bytes[sizeof pair.text.bytes - 1] = 0;
    return texts_set(&table, client, &pair);
}

static void get(struct message *msg, uint64_t client)
{
    struct store_name name;
    mnos_status_t status = take_name(msg, &name, sizeof name);
    const struct store_pair *pair = status == MNOS_OK ? texts_find(&table, client, &name) : NULL;

    if (pair != NULL)
        message_put(msg, MNOS_OK, &pair->text, sizeof pair->text);
    else
        message_put(msg, status != MNOS_OK ? status : MNOS_ERR_NOT_FOUND, NULL, 0);
}

static void list(struct message *msg, uint64_t client)
{
    struct store_index record;
    bool whole = message_get(msg, &record, sizeof record) == sizeof record;
    const struct store_pair *pair = whole ? texts_at(&table, client, record.index) : NULL;

    if (pair != NULL)
        message_put(msg, MNOS_OK, pair, sizeof *pair);
    else
        message_put(msg, whole ? MNOS_ERR_END : MNOS_ERR_SIZE, NULL, 0);
}

/* A request becomes the reply to it. */
static void handle(struct message *msg)
{
    uint64_t client = manager_index_of(msg->badge);

    switch (msg->label) {
    case STORE_SET:
    case STORE_REMOVE: message_put(msg, change(msg, client), NULL, 0); break;
    case STORE_GET: get(msg, client); break;
    case STORE_LIST: list(msg, client); break;
    default: message_put(msg, MNOS_ERR_LABEL, NULL, 0); break;
    }
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct message msg = {0};
    mnos_status_t status = open_memory();

    if (status != MNOS_OK)
        return log_failure(status, "open the memory of the store", EXIT_MEMORY);
    for (;;) {
        status = ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return log_failure(status, "receive a request", EXIT_RECEIVE);
        alive_answer(&msg);
        if (msg.kind == MNOS_KIND_MESSAGE)
            handle(&msg);
        else
            msg = (struct message){0};
    }
}
