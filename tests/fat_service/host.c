// SPDX-License-Identifier: MIT
/*
 * host - the FAT service for tests/ext4_service/host.h. A request is put into a queue, from which the service
 * receives: in its loop, or in the middle of another one that waits for the disk. A reply goes to the client by its
 * number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/clock.h"
#include "tests/models/messages.h"

#include "services/fs/fat/service.h"
#include "tests/ext4_service/host.h"
#include "tests/ext4_service/kernel.h"

#define CLIENT_BADGE 0x10001u

struct disk host_disk;
struct host_reply host_replies[HOST_CLIENTS];

/* What was sent and not received yet: one request for each client. */
struct sent {
    bool waits;
    struct message message;
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
};

static struct fat_service service;
static struct fat_kept kept;
static struct file_server server;
static struct park park;
static struct host_options options;
static struct sent mail[HOST_CLIENTS];
static uint32_t sequences[HOST_CLIENTS];
static unsigned waits;    /* how often a request waited in its middle, */
static unsigned meetings; /* and another one came */

void host_fail(const char *what)
{
    fprintf(stderr, "fat-host: %s\n", what);
    exit(1);
}

/* Of lib/base/string.c, which has names of the C library as well. */
size_t string_copy(char *to, const char *from, size_t capacity)
{
    snprintf(to, capacity, "%s", from);
    return strlen(from);
}

/* ---- What the kernel does ---- */

mnos_status_t window_open(struct window *window, uint64_t bytes)
{
    window->memory.page_count = bytes / MNOS_PAGE_BYTES;
    window->memory.address = calloc(1, bytes);
    return MNOS_OK;
}

void window_close(struct window *window)
{
    free(window->memory.address);
    window->memory = (struct memory_block){0};
}

/* A message that was sent, or nothing until the deadline. */
static mnos_status_t ipc_receive(mnos_cap_t, struct message *msg, uint64_t)
{
    unsigned first = (unsigned)disk_pick(&host_disk, HOST_CLIENTS);

    for (unsigned i = 0; i < HOST_CLIENTS; i++) {
        struct sent *sent = &mail[(first + i) % HOST_CLIENTS];

        if (!sent->waits)
            continue;
        sent->waits = false;
        *msg = sent->message;
        memcpy(message_bytes, sent->bytes, sizeof message_bytes);
        return MNOS_OK;
    }
    return MNOS_ERR_DEADLINE;
}

/* ---- The disk ---- */

static void cut_power(void)
{
    if (!disk_save(&host_disk, options.image, false))
        host_fail("the image cannot be written");
    exit(42);
}

static mnos_status_t wait_for_disk(void)
{
    mnos_status_t status, failed = MNOS_OK;
    uint64_t tag;

    for (;;) {
        if (options.cut != 0 && host_disk.done_count >= options.cut)
            cut_power();
        if (!disk_step(&host_disk, &tag, &status))
            return failed;
        if (status != MNOS_OK)
            failed = status;
        waits++;
        if (server.loop.busy)
            host_fail("two requests wait in their middle");
        if (disk_pick(&host_disk, 2) == 0)
            meetings += server_loop_meanwhile(&server.loop, 0) == MNOS_OK;
    }
}

static mnos_status_t transfer(void *, const struct disk_transfer *transfers, uint32_t count)
{
    struct queue_port port = disk_port(&host_disk);

    for (uint32_t i = 0; i < count; i++) {
        struct queue_request request = {.op = transfers[i].write ? QUEUE_WRITE : QUEUE_READ,
                                        .part = (uint8_t)(transfers[i].offset / 512),
                                        .page = transfers[i].page,
                                        .bytes = transfers[i].bytes,
                                        .position = transfers[i].position};

        if (!port.submit(port.context, &request))
            host_fail("more is given to the disk at once than it takes");
    }
    return wait_for_disk();
}

static mnos_status_t flush(void *)
{
    struct queue_port port = disk_port(&host_disk);

    (void)port.submit(port.context, &(struct queue_request){.op = QUEUE_FLUSH});
    return wait_for_disk();
}

static const struct fat_disk fat_disk = {.transfer = transfer, .flush = flush};

/* ---- The service and its clients ---- */

static void say(const char *text)
{
    fprintf(stderr, "fat: %s\n", text);
}

static void go_on(struct message *message)
{
    one_round(&server.loop, message);
    deliver(message);
}

void host_step(void)
{
    struct message message = {0};

    service.tick_ns += 1000000;
    if (ipc_receive(1, &message, 0) != MNOS_OK) {
        service.tick_ns += FAT_COMMIT_NS / 64; /* until something is due */
        message = (struct message){.kind = MNOS_KIND_EVENTS};
    }
    go_on(&message);
}

void host_send(unsigned client, uint32_t operation, const void *record, size_t bytes,
               const void *text, size_t text_bytes)
{
    struct sent *sent = &mail[client];
    bool once = server_is_once(&server.loop.operations[operation]);

    if (bytes != 0)
        memcpy(sent->bytes, record, bytes);
    if (text_bytes != 0)
        memcpy(sent->bytes + bytes, text, text_bytes);
    if (once)
        sequences[client] = label_next(sequences[client]);
    sent->message =
        (struct message){.label = label_make(operation, 0, once ? sequences[client] : 0),
                         .length = (uint32_t)(bytes + text_bytes),
                         .badge = CLIENT_BADGE + client,
                         .kind = MNOS_KIND_MESSAGE,
                         .reply_id = client + 1};
    memcpy(sent->message.words, sent->bytes, sizeof sent->message.words);
    sent->waits = true;
    host_replies[client].arrived = false;
}

mnos_status_t host_do(unsigned client, uint32_t operation, const void *record, size_t bytes,
                      const void *text, size_t text_bytes)
{
    host_send(client, operation, record, bytes, text, text_bytes);
    for (unsigned steps = 0; !host_replies[client].arrived; steps++) {
        if (steps == 2000000)
            host_fail("a request is never answered");
        host_step();
    }
    return (mnos_status_t)host_replies[client].status;
}

void host_wait(uint64_t seconds)
{
    uint64_t end = service.tick_ns + seconds * 1000000000;

    while (service.tick_ns < end)
        host_step();
}

void host_return(unsigned)
{
    host_fail("what a run leaves is not kept, so nothing is open in the next");
}

uint64_t host_deaths(uint64_t *during)
{
    *during = 0; /* it is not killed here */
    return 0;
}

void host_break(unsigned)
{
    host_fail("what a run leaves is not kept, so it cannot be damaged");
}

void host_lose_windows(void)
{
    host_fail("windows are not kept, so they cannot be lost");
}

const char *host_reason(void)
{
    return service.reason;
}

uint8_t *host_window(unsigned client)
{
    struct server_session *session = session_of(server.loop.sessions, CLIENT_BADGE + client);

    return server.windows[session->number - 1].memory.address;
}

void host_check(void)
{
    const char *wrong = fat_service_check(&service);

    if (wrong == NULL)
        wrong = sessions_check(server.loop.sessions);
    if (wrong == NULL)
        wrong = park_check(&park);
    if (wrong != NULL)
        host_fail(wrong);
}

static mnos_status_t wait_for_state(enum fat_state during)
{
    for (unsigned steps = 0; service.state == during; steps++) {
        if (steps == 1000)
            host_fail("mounting or unmounting does not end");
        host_step();
    }
    return service.state == FAT_FAILED ? service.failure : MNOS_OK;
}

static void begin_service(void)
{
    uint32_t pages = options.pages;

    service.memory = aligned_alloc(4096, (size_t)pages * 4096);
    service.pages = pages;
    service.table = malloc(volume_cache_table_bytes(pages));
    if (!disk_open(&host_disk, options.image, service.memory, options.seed))
        host_fail("the image cannot be read");
    host_disk.fail_reads = options.fail_reads;
    host_disk.fail_writes = options.fail_writes;
    file_server_init(
        &server, &(struct file_system){&fat_methods, &service, FAT_ROOT, 0},
        sessions_format(malloc(sessions_bytes(FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES)),
                        FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, 1000),
        1, &park);
    service.date_ns = date_of_tick;
    service.tick_ns = 1000000000;
    service.say = say;
    file_locks_format(&kept.locks);
    file_server_locks(&server, &kept.locks);
    fat_service_init(&service, &server, &fat_disk, &kept);
}

static void round_ends(void *)
{
    fat_service_round(&service);
}

mnos_status_t host_begin(const struct host_options *wanted)
{
    mnos_status_t status;

    options = *wanted;
    begin_service();
    server.loop.round = round_ends;
    fat_service_mount(&service, DISK_SECTOR, host_disk.bytes, wanted->read_only);
    status = wait_for_state(FAT_MOUNTING);
    for (unsigned i = 0; status == MNOS_OK && i < HOST_CLIENTS; i++) {
        struct file_open_session open = {.window_bytes = FILE_WINDOW_BYTES_MAX};

        if (host_do(i, FILE_OPEN_SESSION, &open, sizeof open, NULL, 0) != MNOS_OK)
            host_fail("a session cannot be opened");
    }
    return status;
}

mnos_status_t host_end(void)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < HOST_CLIENTS; i++) {
        struct message gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = CLIENT_BADGE + i};

        go_on(&gone);
    }
    if (service.state == FAT_MOUNTED) {
        fat_service_unmount(&service);
        status = wait_for_state(FAT_UNMOUNTING);
    }
    host_check();
    if (!options.keep && !disk_save(&host_disk, options.image, true))
        host_fail("the image cannot be written");
    fprintf(stderr, "%u waits, %u meetings\n", waits, meetings);
    return status;
}
