// SPDX-License-Identifier: MIT
/* host - see host.h. Messages are in memory, and a reply goes to the client by its number. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/clock.h"
#include "tests/models/messages.h"

#include "services/fs/ext4/core/core.h"
#include "services/fs/ext4/service.h"
#include "tests/ext4_service/host.h"

#define CLIENT_BADGE 0x10001u

static struct ext4_service host_service;
struct disk host_disk;
struct host_reply host_replies[HOST_CLIENTS];

#define LOG_MAGIC 0x545345544F484553ull

static struct file_server server;
static struct park park;
static struct host_options options;
static uint32_t sequences[HOST_CLIENTS];

/* What a client has asked for last, to send it again if it waits for that. */
static struct {
    struct message message;
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
} asked[HOST_CLIENTS];

/* The regions of the service. */
static struct state log_state;
static uint8_t *region, *data;
static uint32_t data_pages; /* that there are by now */
#define PIECE_PAGES 512u

static jmp_buf death;
static bool mortal, in_request, taking_over;
static uint64_t deaths, deaths_during, fate;

void host_fail(const char *what)
{
    fprintf(stderr, "ext4-host: %s\n", what);
    exit(1);
}

#include "tests/ext4_service/stand_ins.h"

/* ---- The service and its clients ---- */

static void say(const char *text)
{
    fprintf(stderr, "ext4: %s\n", text);
}

/* One capability for all of the data. */
static mnos_cap_t memory_of(const void *address, uint64_t *page, uint64_t *page_count)
{
    *page = (uint64_t)((const uint8_t *)address - data) / CACHE_PAGE_BYTES;
    *page_count = host_service.memory.data_pages - *page;
    return 1;
}

/* C6: each page that is lent holds bytes of the file that it was lent for. */
static bool views_are_true(void)
{
    const struct cache *cache = &host_service.cache;

    for (uint32_t i = 0; i < server.views.used; i++) {
        mnos_cap_t cap = server.views.entries[i].lent;

        for (uint64_t at = 0; cap != 0 && at < lent_pages[cap].page_count; at++) {
            uint64_t page = lent_pages[cap].first_page + at;
            const struct cache_page *found =
                cache_page(cache, (uint32_t)(page - host_service.slots + 1));

            if (found->state != CACHE_VALID || !found->mapped ||
                found->inode != server.views.entries[i].object)
                return false;
        }
    }
    return true;
}

#include "tests/ext4_service/deaths.h"

/* Whatever is ready goes on. */
static void settle(void)
{
    do {
        server_loop_go_on(&server.loop);
        ext4_service_round(&host_service);
    } while (park.ready_count != 0);
}

static void cut_power(void)
{
    if (!disk_save(&host_disk, options.image, false))
        host_fail("the image cannot be written");
    exit(42);
}

static void step(void *)
{
    mnos_status_t status;
    uint64_t tag;

    if (disk_step(&host_disk, &tag, &status)) {
        moment();
        ext4_service_done(&host_service, tag, status);
        moment();
    } else { /* until something is due */
        host_service.tick_ns += SERVICE_COMMIT_NS / 4;
    }
    settle();
}

void host_step(void)
{
    if (options.cut != 0 && host_disk.done_count >= options.cut)
        cut_power();
    host_service.tick_ns += 1000000;
    live(step, NULL);
}

static void handle(void *argument)
{
    struct message *message = argument;

    in_request = true;
    server_loop_handle(&server.loop, message);
    in_request = false;
    deliver(message);
    settle();
}

void host_send(unsigned client, uint32_t operation, const void *record, size_t bytes,
               const void *text, size_t text_bytes)
{
    uint8_t request[MNOS_MESSAGE_MAX_BYTES];
    struct message message = {0};
    bool once = server_is_once(&server.loop.operations[operation]);

    if (bytes + text_bytes > sizeof request)
        host_fail("a request is longer than a message");
    if (bytes != 0)
        memcpy(request, record, bytes);
    if (text_bytes != 0)
        memcpy(request + bytes, text, text_bytes);
    if (once)
        sequences[client] = label_next(sequences[client]);
    message_put(&message, label_make(operation, 0, once ? sequences[client] : 0), request,
                bytes + text_bytes);
    message.badge = CLIENT_BADGE + client;
    message.kind = MNOS_KIND_MESSAGE;
    message.reply_id = client + 1;
    host_replies[client].arrived = false;
    asked[client].message = message;
    memcpy(asked[client].bytes, message_bytes, message.length);
    live(handle, &message);
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
    uint64_t end = host_service.tick_ns + seconds * 1000000000;

    while (host_service.tick_ns < end)
        host_step();
}

const char *host_reason(void)
{
    return ext4_reason(host_service.fs);
}

uint8_t *host_window(unsigned client)
{
    struct server_session *session = session_of(server.loop.sessions, CLIENT_BADGE + client);

    return server.windows[session->number - 1].memory.address;
}

/* Pages that the core has are nobody else's. */
static const char *check_slots(void)
{
    for (uint32_t i = host_service.slots; i < host_service.fs->slot_count; i++) {
        uint32_t page = ext4_slot_page(host_service.fs, i);

        if (cache_page(&host_service.cache, page - host_service.slots + 1)->state != CACHE_LENT)
            return "a page is the core's and a file's";
    }
    return NULL;
}

void host_check(void)
{
    const char *wrong = NULL;

    if (host_service.state == SERVICE_MOUNTED) {
        wrong = cache_check(&host_service.cache);
        if (wrong == NULL)
            wrong = check_slots();
    }
    if (wrong == NULL)
        wrong = sessions_check(server.loop.sessions);
    if (wrong == NULL)
        wrong = park_check(&park);
    if (wrong == NULL && !views_are_true())
        wrong = "C6: a page that is lent holds something else";
    if (wrong != NULL)
        host_fail(wrong);
}

static mnos_status_t wait_for_state(enum service_state during, enum service_state other)
{
    for (unsigned steps = 0; host_service.state == during || host_service.state == other; steps++) {
        if (steps == 10000000)
            host_fail("mounting or unmounting does not end");
        host_step();
    }
    return host_service.state == SERVICE_FAILED ? host_service.failure : MNOS_OK;
}

/* Nothing of an earlier run is there, and the volume is mounted. */
static mnos_status_t begin_anew(void)
{
    sessions_format(server.loop.sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES, 1000);
    file_locks_format(&host_service.kept->locks);
    state_ready(&log_state);
    ext4_service_mount(&host_service, DISK_SECTOR, host_disk.bytes, options.read_only);
    settle();
    return wait_for_state(SERVICE_MOUNTING, SERVICE_MOUNTING);
}

mnos_status_t host_begin(const struct host_options *wanted)
{
    mnos_status_t status;

    options = *wanted;
    options.deaths = 0; /* not before it is mounted */
    region = aligned_alloc(64, region_bytes());
    memset(region, 0, region_bytes());
    data_pages = wanted->pages;
    data = aligned_alloc(4096, (size_t)(wanted->pages + wanted->more_pages) * 4096);
    if (!disk_open(&host_disk, wanted->image, data, wanted->seed))
        host_fail("the image cannot be read");
    host_disk.fail_reads = wanted->fail_reads;
    host_disk.fail_writes = wanted->fail_writes;
    host_service.tick_ns = 1000000000;
    (void)start();
    status = begin_anew();
    for (unsigned i = 0; status == MNOS_OK && i < HOST_CLIENTS; i++) {
        struct file_open_session open = {.window_bytes = FILE_WINDOW_BYTES_MAX};

        if (host_do(i, FILE_OPEN_SESSION, &open, sizeof open, NULL, 0) != MNOS_OK)
            host_fail("a session cannot be opened");
    }
    options.deaths = wanted->deaths;
    fate = wanted->seed;
    return status;
}

/* What is counted, where the log is, and where a page belongs are each an invariant's. */
static void damage(unsigned what)
{
    struct ext4_fs *fs = host_service.fs;

    if (what == 0)
        fs->dirty_count++;
    else if (what == 1)
        fs->journal.head = 0;
    else if (host_service.cache.dirty_first == 0)
        host_fail("there is no page to damage");
    else
        cache_blocks_of(&host_service.cache, host_service.cache.dirty_first)[0] = host_disk.bytes;
}

void host_break(unsigned what)
{
    const char *wrong = "";
    mnos_status_t status;

    damage(what);
    disk_forget(&host_disk);
    if (start() != STATE_WHOLE)
        host_fail("what a dead run left is not whole");
    status = ext4_service_take_over(&host_service, host_disk.bytes, &wrong);
    printf("refused: %s\n", wrong);
    if (status != MNOS_ERR_FORMAT || host_service.queue.outstanding + host_service.queue.count != 0)
        host_fail("a damaged memory was used");
    if (begin_anew() != MNOS_OK)
        host_fail("the volume is not mounted again");
    for (unsigned i = 0; i < HOST_CLIENTS; i++) {
        struct file_open_session open = {.window_bytes = FILE_WINDOW_BYTES_MAX};

        if (host_do(i, FILE_SYNC, NULL, 0, NULL, 0) != MNOS_ERR_LOST ||
            host_do(i, FILE_OPEN_SESSION, &open, sizeof open, NULL, 0) != MNOS_OK)
            host_fail("a client was not told that its session is lost");
    }
}

void host_lose_windows(void)
{
    const uint8_t *before[HOST_CLIENTS];

    for (unsigned i = 0; i < HOST_CLIENTS; i++)
        before[i] = host_window(i);
    windows_fail = true;
    restart_once();
    for (unsigned i = 0; i < HOST_CLIENTS; i++) {
        struct file_open_session open = {.window_bytes = FILE_WINDOW_BYTES_MAX};

        if (host_do(i, FILE_SYNC, NULL, 0, NULL, 0) != MNOS_ERR_LOST ||
            host_do(i, FILE_OPEN_SESSION, &open, sizeof open, NULL, 0) != MNOS_OK)
            host_fail("a client was not told that its window is lost");
        if (host_window(i) == NULL || (host_window(i) == before[i]) == windows_fail)
            host_fail("a client has not got the window that there is");
        windows_fail = false; /* the others' are found by now */
    }
}

mnos_status_t host_end(void)
{
    mnos_status_t status = MNOS_OK;

    for (unsigned i = 0; i < HOST_CLIENTS; i++) {
        struct message gone = {.kind = MNOS_KIND_CLIENT_GONE, .badge = CLIENT_BADGE + i};

        server_loop_handle(&server.loop, &gone);
    }
    if (host_service.state == SERVICE_MOUNTED) {
        ext4_service_unmount(&host_service);
        settle();
        status = wait_for_state(SERVICE_WRITING, SERVICE_UNMOUNTING);
    }
    host_check();
    if (options.more_pages != 0)
        printf("%u pages, %u of them came later\n", data_pages, data_pages - options.pages);
    if (!options.keep && !disk_save(&host_disk, options.image, true))
        host_fail("the image cannot be written");
    return status;
}
