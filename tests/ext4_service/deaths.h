// SPDX-License-Identifier: MIT
/* deaths.h - the process of the service dies, and the next run goes on: a part of host.c. */
#pragma once

void __real_state_put_any(struct state *state, const void *address, size_t bytes);
void __wrap_state_put_any(struct state *state, const void *address, size_t bytes);

/* One that takes over lives longer, so that it comes to an end. */
static void moment(void)
{
    if (!mortal || options.deaths == 0)
        return;
    fate = fate * 6364136223846793005ull + 1442695040888963407ull;
    if ((fate >> 33) % (options.deaths * (taking_over ? 20ull : 1ull)) != 0)
        return;
    deaths++;
    deaths_during += in_request;
    longjmp(death, 1);
}

void __wrap_state_put_any(struct state *state, const void *address, size_t bytes)
{
    __real_state_put_any(state, address, bytes);
    moment();
}

uint64_t host_deaths(uint64_t *during)
{
    *during = deaths_during;
    return deaths;
}

static uint64_t region_bytes(void)
{
    return (state_overhead(EXT4_SERVICE_LOG_BYTES) + file_server_session_bytes() +
            ext4_service_state_bytes(options.pages + options.more_pages) + 63) /
           64 * 64;
}

static bool submit(void *context, const struct queue_request *request)
{
    bool taken;

    moment();
    taken = disk_port(context).submit(context, request);
    moment();
    return taken;
}

/* The region gets a piece more, as far as it goes. */
static uint32_t grow(struct ext4_service *)
{
    uint32_t left = options.pages + options.more_pages - data_pages;

    data_pages += left < PIECE_PAGES ? left : PIECE_PAGES;
    state_extend(&log_state, 1, (uint64_t)data_pages * 4096);
    return data_pages;
}

/* A run of the service begins, over what there is in the regions. */
static enum state_found start(void)
{
    struct state_area areas[STATE_AREAS_MAX] = {[1] = {data, (uint64_t)data_pages * 4096}};
    struct ext4_service_memory memory = {.log = &log_state,
                                         .data = data,
                                         .data_pages = data_pages,
                                         .pages_max = options.pages + options.more_pages};
    struct queue_port port = disk_port(&host_disk);
    uint64_t tick_ns = host_service.tick_ns;
    enum state_found found =
        state_open(&log_state, region, region_bytes(), LOG_MAGIC, 1, EXT4_SERVICE_LOG_BYTES, areas);
    struct sessions *sessions = state_content(&log_state);

    log_state.inline_ends[0] = log_state.inline_ends[1] = 0; /* a death may come at each record */
    memory.state = (uint8_t *)sessions + file_server_session_bytes();
    state_current = &log_state;
    memset(&server, 0, sizeof server);
    /* What a run has lent the service manager takes back. */
    memset(lent_pages, 0, sizeof lent_pages);
    pages_lent = 0;
    memset(&park, 0, sizeof park);
    memset(&host_service, 0, sizeof host_service);
    file_server_init(&server, &(struct file_system){&ext4_methods, &host_service, EXT4_ROOT, 0},
                     sessions, 1, &park);
    host_service.date_ns = date_of_tick;
    host_service.tick_ns = tick_ns;
    host_service.say = say;
    host_service.grow = grow;
    port.submit = submit;
    host_service.memory_of = memory_of;
    ext4_service_init(&host_service, &server, &memory, &port);
    server.window_memory = &window_memory;
    file_server_locks(&server, &host_service.kept->locks);
    server.loop.running = &host_service.kept->running;
    return found;
}

static void settle(void);

/* The next run has the regions at other addresses. */
static void next_run(void)
{
    uint8_t *old_region = region, *old_data = data;
    const char *wrong;

    disk_forget(&host_disk);
    region = aligned_alloc(64, region_bytes());
    data = aligned_alloc(4096, (size_t)(options.pages + options.more_pages) * 4096);
    memcpy(region, old_region, region_bytes());
    memcpy(data, old_data, (size_t)(options.pages + options.more_pages) * 4096);
    memset(old_region, 0xDE, region_bytes());
    memset(old_data, 0xDE, (size_t)(options.pages + options.more_pages) * 4096);
    free(old_region);
    free(old_data);
    host_disk.memory = data;
    if (start() != STATE_WHOLE)
        host_fail("what a dead run left is not whole");
    wrong = sessions_take_over(server.loop.sessions, FILE_SERVER_SESSIONS, FILE_SERVER_HANDLES);
    if (wrong != NULL)
        host_fail(wrong);
}

/* Clients send again what they wait for. */
static void send_again(void)
{
    (void)file_server_recover(&server, &window_memory, true);
    settle();
    for (unsigned i = 0; i < HOST_CLIENTS; i++) {
        struct message message = asked[i].message;

        if (message.reply_id == 0 || host_replies[i].arrived)
            continue;
        memcpy(message_bytes, asked[i].bytes, message.length);
        server_loop_handle(&server.loop, &message);
        deliver(&message);
        settle();
    }
}

static void restart_once(void)
{
    const char *wrong = "";

    next_run();
    if (ext4_service_take_over(&host_service, host_disk.bytes, &wrong) != MNOS_OK)
        host_fail(wrong);
    wrong = ext4_check(host_service.fs);
    if (wrong != NULL)
        host_fail(wrong);
    send_again();
}

void host_return(unsigned runs)
{
    for (unsigned i = 0; i < runs; i++) {
        next_run();
        if (!ext4_service_mount_again(&host_service, DISK_SECTOR, host_disk.bytes))
            host_fail("what is open is not found");
        send_again();
        /* The others die while they mount, or look whether what is open is there. */
        for (unsigned steps = 0; i + 1 < runs && steps < i; steps++)
            host_step();
    }
}

/* Runs a part of the service; when it dies in it, another run goes on, and may die as well. */
static void live(void (*part)(void *argument), void *argument)
{
    mortal = true;
    if (setjmp(death) == 0) {
        part(argument);
    } else {
        while (setjmp(death) != 0)
            continue;
        in_request = false;
        taking_over = true;
        restart_once();
    }
    mortal = taking_over = false;
}
