// SPDX-License-Identifier: MIT
/* block - see block.h. */
#include "lib/client/block.h"

#include "lib/client/manager.h"
#include "lib/client/service.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

/* Of ring and data. Grant: the driver hands the data on to whoever tells it bus addresses. */
#define MEMORY_RIGHTS (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT)
/* How long the driver may be silent while something is outstanding before it is asked. */
#define SILENCE_NS 1000000000ull
#define BADGE_COUNTER 0xFFFFu
/* A driver that dies this often while it is told of the data's pieces is not waited for any longer. */
#define ATTACH_TRIES 16u

/* A request, every one of which may be repeated as it is. */
struct call {
    uint32_t label;
    const void *record;
    size_t bytes;
    mnos_cap_t caps[3];
    mnos_rights_t rights[3]; /* that the driver gets of them */
    unsigned cap_count;
    unsigned accept;
};

static mnos_status_t request(mnos_cap_t service, const struct call *call, struct message *reply)
{
    *reply = (struct message){.accept = call->accept & 7};
    message_put(reply, call->label, call->record, call->bytes);
    for (unsigned i = 0; i < call->cap_count; i++)
        message_add_cap(reply, call->caps[i], call->rights[i]);
    return service_call(service, reply);
}

mnos_status_t block_info(mnos_cap_t service, struct block_info *info)
{
    struct call call = {.label = BLOCK_INFO};
    struct message reply;
    mnos_status_t status = request(service, &call, &reply);

    if (status != MNOS_OK)
        return status;
    if (message_get(&reply, info, sizeof *info) != sizeof *info)
        return MNOS_ERR_FORMAT;
    info->name[BLOCK_NAME_BYTES - 1] = 0;
    return info->sector_bytes < 512 || info->sector_bytes > MNOS_PAGE_BYTES ||
                   (info->sector_bytes & (info->sector_bytes - 1)) != 0
               ? MNOS_ERR_FORMAT
               : MNOS_OK;
}

/* ---- Attaching ---- */

static uint64_t data_pages(const struct block_client *client)
{
    uint64_t pages = 0;

    for (uint32_t i = 0; i < client->piece_count; i++)
        pages += client->pieces[i].pages;
    return pages;
}

static mnos_status_t send_piece(struct block_client *client, uint32_t piece, uint64_t first_page)
{
    struct block_extend record = {first_page};
    struct call call = {.label = BLOCK_EXTEND,
                        .record = &record,
                        .bytes = sizeof record,
                        .caps = {client->pieces[piece].memory},
                        .rights = {MEMORY_RIGHTS},
                        .cap_count = 1};
    struct message reply;

    return request(client->setup.service, &call, &reply);
}

static mnos_status_t send_attach(struct block_client *client, mnos_cap_t endpoint, uint64_t epoch,
                                 uint64_t *answer)
{
    struct block_attach record = {
        .events = client->setup.events, .pages = data_pages(client), .epoch = epoch};
    struct call call = {.label = BLOCK_ATTACH,
                        .record = &record,
                        .bytes = sizeof record,
                        .caps = {client->setup.ring_memory, client->pieces[0].memory, endpoint},
                        .rights = {MEMORY_RIGHTS, MEMORY_RIGHTS, MNOS_RIGHT_WRITE},
                        .cap_count = 3};
    struct block_attached attached;
    struct message reply;
    mnos_status_t status = request(client->setup.service, &call, &reply);

    if (status != MNOS_OK)
        return status;
    if (message_get(&reply, &attached, sizeof attached) != sizeof attached || attached.epoch == 0)
        return MNOS_ERR_FORMAT;
    *answer = attached.epoch;
    return MNOS_OK;
}

/* The pieces after the first. A driver that dies meanwhile knows of none: then all begins again. */
static mnos_status_t send_pieces(struct block_client *client)
{
    uint64_t page = client->pieces[0].pages;
    mnos_status_t status = MNOS_OK;

    for (uint32_t i = 1; status == MNOS_OK && i < client->piece_count; i++) {
        status = send_piece(client, i, page);
        page += client->pieces[i].pages;
    }
    return status;
}

/* One try. `epoch`: of the run that is thought to be there, or 0. MNOS_ERR_MEMORY: this program or the driver lacks it
 * now, which says nothing about whether there is a driver. */
static mnos_status_t attach_once(struct block_client *client, uint64_t epoch)
{
    mnos_badge_t badge =
        (client->setup.badge & ~(mnos_badge_t)BADGE_COUNTER) | (++client->mints & BADGE_COUNTER);
    uint64_t answer;
    mnos_cap_t mine;
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_MINT, client->setup.endpoint,
                       MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, badge, client->setup.events, &mine);

    if (status != MNOS_OK)
        return status == MNOS_ERR_QUOTA ? MNOS_ERR_MEMORY : status;
    status = send_attach(client, mine, epoch, &answer);
    (void)!sys_cap_delete(mine); /* the driver's copy stays, and tells when the driver ends */
    if (status != MNOS_OK || answer == epoch)
        return status;
    client->badge = badge;
    client->attaches++;
    client->interrupted += client->ring.outstanding != 0;
    client->epoch = 0; /* until it knows of all pieces, it is to be told of all once more */
    status = send_pieces(client);
    if (status == MNOS_OK)
        client->epoch = answer;
    return status;
}

static mnos_status_t attach(struct block_client *client, uint64_t epoch)
{
    mnos_status_t status = MNOS_ERR_STATE;

    for (unsigned tries = 0; tries < ATTACH_TRIES && status == MNOS_ERR_STATE; tries++) {
        status = attach_once(client, epoch);
        epoch = 0;
    }
    if (status == MNOS_ERR_MEMORY && client->failure == MNOS_OK)
        client->deadline_ns =
            deadline_after_ns(SILENCE_NS); /* what is outstanding waits for the next try */
    else
        client->failure = status;
    return status;
}

mnos_status_t block_open(struct block_client *client, const struct block_setup *setup)
{
    mnos_status_t status;

    *client = (struct block_client){.setup = *setup, .badge = setup->badge, .piece_count = 1};
    client->pieces[0].memory = setup->data;
    client->pieces[0].pages = setup->data_pages;
    client->deadline_ns = MNOS_DEADLINE_NEVER;
    status = block_ring_open(&client->ring, setup->ring);
    if (status == MNOS_OK)
        status = block_info(setup->service, &client->info);
    if (status == MNOS_OK)
        status = attach(client, 0);
    if (client->ring.outstanding != 0)
        client->deadline_ns = deadline_after_ns(SILENCE_NS);
    return status;
}

mnos_status_t block_extend(struct block_client *client, mnos_cap_t memory, uint64_t pages)
{
    uint64_t first = data_pages(client);
    mnos_status_t status;

    if (client->piece_count == BLOCK_PIECES_MAX)
        return MNOS_ERR_QUOTA;
    client->pieces[client->piece_count].memory = memory;
    client->pieces[client->piece_count].pages = pages;
    status = send_piece(client, client->piece_count, first);
    if (status == MNOS_ERR_STATE) { /* another run, which gets this piece with the others */
        client->piece_count++;
        status = attach(client, 0);
        client->piece_count -= status != MNOS_OK;
    } else {
        client->piece_count += status == MNOS_OK;
    }
    return status;
}

/* ---- Requests ---- */

mnos_status_t block_submit(struct block_client *client, const struct block_submission *entry)
{
    struct block_submission copy = *entry;

    return block_ring_put(&client->ring, &copy);
}

void block_bell(struct block_client *client)
{
    if (!block_ring_publish(&client->ring))
        return;
    if (client->deadline_ns == MNOS_DEADLINE_NEVER)
        client->deadline_ns = deadline_after_ns(SILENCE_NS);
    /* It fails when the session is gone, which ATTACH will tell. */
    (void)!sys_ipc_notify(client->setup.service, BLOCK_EVENT_SUBMITTED);
}

mnos_status_t block_take(struct block_client *client, struct block_result *result)
{
    mnos_status_t status = block_ring_take(&client->ring, result);

    if (status != MNOS_OK && client->failure != MNOS_OK) {
        status = block_ring_give_up(&client->ring, result);
        result->status = client->failure;
    }
    if (client->ring.outstanding == 0)
        client->deadline_ns = MNOS_DEADLINE_NEVER;
    else if (status == MNOS_OK)
        client->deadline_ns = deadline_after_ns(SILENCE_NS);
    return status;
}

/* ---- Death and silence ---- */

uint64_t block_deadline(const struct block_client *client)
{
    return client->deadline_ns;
}

/* What is done already is taken before the driver is asked only by its index: while ATTACH runs nothing
 * is taken (B7), and an answer of the same run changes nothing. */
void block_tick(struct block_client *client, uint64_t now_ns)
{
    if (client->deadline_ns == MNOS_DEADLINE_NEVER || now_ns < client->deadline_ns)
        return;
    client->deadline_ns = deadline_after_ns(SILENCE_NS);
    if (atomic_load_explicit(&client->ring.ring->done, memory_order_acquire) != client->ring.taken)
        return;
    /* While ATTACH waits for a driver that hangs, this program is as silent as that: the driver is to be judged first. */
    (void)!manager_ask_alive(client->setup.service);
    (void)!attach(client, client->epoch);
}

void block_gone(struct block_client *client, mnos_badge_t badge)
{
    if (ipc_client_is_gone(client->setup.endpoint, badge, client->badge))
        (void)!attach(client, 0);
}

void block_restarted(struct block_client *client)
{
    (void)!attach(client, client->failure == MNOS_OK ? client->epoch : 0);
}

mnos_status_t block_wait(struct block_client *client, struct block_result *result)
{
    for (;;) {
        struct message message = {0};
        mnos_status_t status = block_take(client, result);

        if (status == MNOS_OK || client->ring.outstanding == 0)
            return status;
        status = ipc_receive(client->setup.endpoint, &message, client->deadline_ns);
        if (status == MNOS_OK && message.kind == MNOS_KIND_CLIENT_GONE)
            block_gone(client, message.badge);
        else if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return status;
        block_tick(client, kinfo_time_ns());
    }
}

mnos_status_t block_do(struct block_client *client, uint8_t op, uint64_t sector, uint32_t page,
                       uint32_t bytes)
{
    struct block_submission entry = {.op = op, .sector = sector, .page = page, .bytes = bytes};
    struct block_result result;
    mnos_status_t status = block_submit(client, &entry);

    if (status != MNOS_OK)
        return status;
    block_bell(client);
    status = block_wait(client, &result);
    return status == MNOS_OK ? result.status : status;
}

/* ---- Sessions ---- */

mnos_status_t block_restrict(mnos_cap_t service, const struct block_restrict *part,
                             mnos_cap_t *session)
{
    struct call call = {
        .label = BLOCK_RESTRICT, .record = part, .bytes = sizeof *part, .accept = 1};
    struct message reply;
    mnos_status_t status = request(service, &call, &reply);

    if (status != MNOS_OK)
        return status;
    *session = message_cap(&reply, 0);
    return *session == 0 ? MNOS_ERR_FORMAT : MNOS_OK;
}

mnos_status_t block_close_tree(mnos_cap_t service, mnos_cap_t which)
{
    struct call call = {
        .label = BLOCK_CLOSE_TREE, .caps = {which}, .rights = {MNOS_RIGHT_WRITE}, .cap_count = 1};
    struct message reply;

    return request(service, &call, &reply);
}

mnos_status_t block_close_tagged(mnos_cap_t service, uint64_t tag)
{
    struct block_tag record = {tag};
    struct call call = {.label = BLOCK_CLOSE_TAGGED, .record = &record, .bytes = sizeof record};
    struct message reply;

    return request(service, &call, &reply);
}
