// SPDX-License-Identifier: MIT
/*
 * fetch - the command that gets what a server of HTTP has at an address, into a file or onto the terminal.
 *
 *   connect --> ask --> read the head --200, 206--> read the body --> done
 *   whenever the connection breaks, or the server ends too early, and there was one at all: again from the byte that comes next (RFC 9110, 14), as
 *   long as each try brings something, or TRIES of them have brought nothing
 *
 * F1  `offset` bytes of the content are where they belong, from the first on, and no others.
 * F2  A part is put behind another only if the server has said that it is of the same content (If-Range), or the user has
 *     (-c).
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/out.h"
#include "lib/client/progress.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/url.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "lib/mnos/utf8.h"
#include "programs/network/network.h"
#include "programs/network/response.h"

#define WINDOW_BYTES 65536u
#define PART_BYTES 32768u
#define REQUEST_BYTES 2560u
#define SILENCE_NS 30000000000ull
#define TRIES 5u
#define INTERIM_MAX 16u /* answers of 1xx before one that is an answer */
#define TRY_AGAIN_NS 500000000ull

typedef unsigned long long ull;

enum outcome {
    MORE,   /* of an answer */
    DONE,   /* all of it is there */
    BROKEN, /* another try may help */
    FAILED, /* none does; why was told */
};

struct fetch {
    struct url url;
    const char *text; /* the URL */
    struct socket_session net;
    struct socket socket;
    struct response response;
    const char *why;    /* of BROKEN */
    bool was_connected; /* a server is there: it may come back */

    bool to_file;
    bool goes_on;     /* -c: what is in the file is the beginning */
    bool is_open;     /* the file */
    const char *path; /* as it was typed */
    const char *name; /* in the session */
    struct file_mounts files;
    struct file file;
    mnos_status_t write_status;

    uint64_t offset;  /* F1 */
    uint64_t skip;    /* bytes of the body that are there already */
    uint32_t interim; /* answers of 1xx, of this try */
    bool knows_total;
    uint64_t total;
    char validator[RESPONSE_VALUE_BYTES]; /* of what is there; empty: none */
    struct progress progress;
};

static struct fetch fetch;
static uint8_t part[PART_BYTES];

static enum outcome fail(const char *why)
{
    progress_end(&fetch.progress);
    out_print("fetch %s: %s\n", fetch.text, why);
    return FAILED;
}

static enum outcome broken(const char *why)
{
    fetch.why = why;
    return BROKEN;
}

/* ---- The connection ---- */

static mnos_status_t connect_one(struct ip_address address)
{
    mnos_status_t status = socket_open(&fetch.net, SOCKET_TCP, &fetch.socket);

    if (status != MNOS_OK)
        return status;
    status = socket_connect(&fetch.socket, address, fetch.url.port);
    if (status != MNOS_OK)
        (void)!socket_close(&fetch.socket);
    return status;
}

/* To the first of the addresses, which are words from number 5 on, that takes it. */
static enum outcome connect_any(void)
{
    mnos_status_t status = MNOS_ERR_NOT_FOUND;
    const char *text;

    for (uint32_t i = 5; status != MNOS_OK && (text = bootstrap_argument(i)) != NULL; i++) {
        struct ip_address address;

        status = ip_read(&text, &address) ? connect_one(address) : MNOS_ERR_ARGUMENT;
        if (status == MNOS_ERR_LOST)
            break;
    }
    fetch.was_connected |= status == MNOS_OK;
    if (status == MNOS_OK)
        return MORE;
    if (network_connect_text(status) != NULL)
        return fetch.was_connected ? broken(network_connect_text(status))
                                   : fail(network_connect_text(status));
    progress_end(&fetch.progress);
    network_failed(&fetch.net, status, fetch.text);
    return FAILED;
}

/* ---- The question ---- */

/* F2. */
static bool may_go_on(void)
{
    return fetch.validator[0] != 0 || fetch.goes_on;
}

static size_t write_request(char out[REQUEST_BYTES])
{
    char port[8] = "";
    int bytes;

    if (fetch.url.port != URL_HTTP_PORT)
        mnos_snprintf(port, sizeof port, ":%u", fetch.url.port);
    bytes =
        mnos_snprintf(out, REQUEST_BYTES,
                      "GET %s HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: MinimalOS\r\nAccept: */*\r\n"
                      "Connection: close\r\n",
                      fetch.url.target, fetch.url.host, port);
    if (fetch.offset != 0 && may_go_on()) {
        bytes += mnos_snprintf(out + bytes, REQUEST_BYTES - (size_t)bytes, "Range: bytes=%llu-\r\n",
                               (ull)fetch.offset);
        if (fetch.validator[0] != 0)
            bytes += mnos_snprintf(out + bytes, REQUEST_BYTES - (size_t)bytes, "If-Range: %s\r\n",
                                   fetch.validator);
    }
    bytes += mnos_snprintf(out + bytes, REQUEST_BYTES - (size_t)bytes, "\r\n");
    return (size_t)bytes; /* a target and a validator have less than there is room */
}

static enum outcome ask(void)
{
    char request[REQUEST_BYTES];
    size_t bytes = write_request(request), sent;

    if (socket_send(&fetch.socket, request, bytes, &sent) != MNOS_OK || sent != bytes)
        return broken("the connection broke"); /* the ring of a new socket has room for it */
    return MORE;
}

/* ---- The answer ---- */

static bool take_body(void *, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint64_t skip = fetch.skip < count ? fetch.skip : count, written = 0;

    at += skip;
    count -= (size_t)skip;
    fetch.skip -= skip;
    if (count != 0 && fetch.to_file) {
        fetch.write_status = file_write(&fetch.file, fetch.offset, at, count, &written);
        if (fetch.write_status == MNOS_OK && written != count)
            fetch.write_status = MNOS_ERR_FULL;
        if (fetch.write_status != MNOS_OK)
            return false;
        progress_show(&fetch.progress, fetch.offset + count);
    } else if (count != 0) {
        network_show((const char *)at, count);
    }
    fetch.offset += count;
    return true;
}

static void expect_total(bool known, uint64_t total)
{
    fetch.knows_total = known;
    fetch.total = known ? total : 0;
    fetch.progress.total = fetch.total;
    string_copy(fetch.validator, fetch.response.validator, sizeof fetch.validator);
}

/* Not before there is something to put into it, unless its end is where to go on. */
static bool open_file(void)
{
    mnos_status_t status;

    if (fetch.is_open)
        return true;
    status = file_open(&fetch.files.root, NULL, fetch.name, fetch.name[0] != 0 ? FILE_CREATE : 0,
                       FILE_WRITE_RIGHT, &fetch.file);
    if (status == MNOS_OK && fetch.file.type == FILE_TYPE_DIRECTORY)
        status = MNOS_ERR_DIRECTORY;
    if (status != MNOS_OK)
        out_failed(status, fetch.path);
    fetch.is_open = status == MNOS_OK;
    return fetch.is_open;
}

/* The whole comes: what is there is written over, and on the terminal what was shown is not shown again. */
static enum outcome begin_whole(void)
{
    const struct response *head = &fetch.response;
    mnos_status_t status;

    if (!fetch.to_file) {
        fetch.skip = fetch.offset;
    } else {
        if (!open_file())
            return FAILED;
        status = file_truncate(&fetch.file, 0);
        if (status != MNOS_OK) {
            progress_end(&fetch.progress);
            out_failed(status, fetch.path);
            return FAILED;
        }
        fetch.offset = 0;
    }
    expect_total(head->has_length, head->length);
    return head->has_length && head->length == 0 ? DONE : MORE;
}

static enum outcome begin_part(void)
{
    const struct response *head = &fetch.response;

    if (fetch.offset == 0 || !may_go_on() || !head->has_range || head->first != fetch.offset)
        return fail("the server sends another part than it was asked for");
    expect_total(head->has_total, head->total);
    return MORE;
}

/* Nothing is behind what is there. */
static enum outcome nothing_behind(void)
{
    if (fetch.response.has_total && fetch.response.total == fetch.offset) {
        expect_total(true, fetch.offset);
        return DONE;
    }
    return fail("the file is not the beginning of what the server has");
}

static enum outcome judge_head(void)
{
    const struct response *head = &fetch.response;
    char text[RESPONSE_VALUE_BYTES + 32];

    switch (head->status) {
    case 200: return begin_whole();
    case 206: return begin_part();
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        if (head->location[0] == 0)
            break;
        mnos_snprintf(text, sizeof text, "it has moved to %s", head->location);
        (void)utf8_clean(text);
        return fail(text);
    case 416:
        if (fetch.offset != 0)
            return nothing_behind();
        break;
    default: break;
    }
    mnos_snprintf(text, sizeof text, "the server says %u %s", head->status, head->reason);
    (void)utf8_clean(text); /* its words, which command no terminal */
    return fail(text);
}

/* All bytes of a piece, which may end in the middle of anything. */
static enum outcome take(const uint8_t *bytes, size_t count)
{
    enum outcome outcome = MORE;

    while (outcome == MORE && count != 0) {
        size_t taken;

        switch (response_take(&fetch.response, bytes, count, &taken)) {
        case RESPONSE_HEAD:
            if (fetch.response.status / 100 != 1)
                outcome = judge_head();
            else if (++fetch.interim <= INTERIM_MAX) /* the answer comes behind it */
                response_begin(&fetch.response, take_body, NULL);
            else
                return fail("the server goes on saying that an answer will come");
            break;
        case RESPONSE_DONE: return DONE;
        case RESPONSE_WRONG: return fail("what the server sends is no answer of HTTP");
        case RESPONSE_STOPPED:
            progress_end(&fetch.progress);
            out_failed(fetch.write_status, fetch.path);
            return FAILED;
        case RESPONSE_MORE: break;
        }
        bytes += taken;
        count -= taken;
    }
    return outcome;
}

/* Until the answer is whole, or there will be nothing more of it. */
static enum outcome receive(void)
{
    enum outcome outcome = MORE;
    mnos_status_t error, status;
    size_t count;

    while (outcome == MORE) {
        uint32_t state =
            socket_state(&fetch.socket, &error); /* older than the look into the ring */

        if (socket_receive(&fetch.socket, part, sizeof part, &count) != MNOS_OK)
            return broken("the connection broke");
        if (count != 0) {
            outcome = take(part, count);
            continue;
        }
        if ((state & SOCKET_PEER_CLOSED) != 0)
            return response_end(&fetch.response) ? DONE : broken("the server ended in the middle");
        if ((state & SOCKET_FAILED) != 0)
            return broken("the connection broke");
        status = socket_wait(&fetch.net, deadline_after_ns(SILENCE_NS));
        if (status != MNOS_OK)
            return broken(status == MNOS_ERR_DEADLINE ? "nothing came for 30 s"
                                                      : "the connection broke");
    }
    return outcome;
}

/* ---- The whole ---- */

static enum outcome try_once(void)
{
    enum outcome outcome;

    if (fetch.net.lost) { /* its next run may know the session still */
        socket_session_close(&fetch.net);
        if (socket_session_open(&fetch.net, bootstrap_find("net"), 1) != MNOS_OK)
            return fail("the service of the network was started again, and has forgotten this");
    }
    outcome = connect_any();
    if (outcome != MORE)
        return outcome;
    fetch.skip = fetch.interim = 0;
    response_begin(&fetch.response, take_body, NULL);
    outcome = ask();
    if (outcome == MORE)
        outcome = receive();
    (void)!socket_close(&fetch.socket);
    if (outcome == DONE && fetch.knows_total && fetch.offset != fetch.total)
        return fetch.offset < fetch.total ? broken("the server ended in the middle")
                                          : fail("the server sends more than it has said");
    return outcome;
}

static bool get(void)
{
    enum outcome outcome = BROKEN;

    for (uint32_t try = 0; outcome == BROKEN && try < TRIES; try++) {
        uint64_t before = fetch.offset;

        if (try != 0)
            sleep_until(deadline_after_ns(TRY_AGAIN_NS));
        outcome = try_once();
        if (fetch.offset > before)
            try = 0;
    }
    if (outcome == BROKEN)
        (void)fail(fetch.why);
    return outcome == DONE;
}

/* Words 2 to 4: whether the file goes on, the file as it was typed, and its name in the session "file". */
static bool begin_file(void)
{
    mnos_status_t status;

    fetch.path = bootstrap_argument(3);
    fetch.name = bootstrap_argument(4);
    fetch.to_file = bootstrap_find("file") != 0;
    fetch.goes_on = strcmp(bootstrap_argument(2), "-c") == 0 && fetch.to_file;
    if (!fetch.to_file)
        return true;
    status = file_mounts_open(&fetch.files, bootstrap_find("file"), WINDOW_BYTES);
    if (status != MNOS_OK) {
        out_failed(status, fetch.path);
        return false;
    }
    if (fetch.goes_on && !open_file())
        return false;
    fetch.offset = fetch.goes_on ? fetch.file.size : 0;
    return true;
}

/* fetch URL -c|- TEXT NAME ADDRESS..., "net" and, unless TEXT is empty, "file". */
bool network_fetch(void)
{
    fetch.text = bootstrap_argument(1);
    if (bootstrap_argument(4) == NULL || url_read(fetch.text, &fetch.url) != URL_OK)
        return false; /* nobody calls it so */
    if (!network_open(&fetch.net, 1) || !begin_file())
        return false;
    progress_begin(&fetch.progress, 0);
    if (!get())
        return false;
    progress_end(&fetch.progress);
    if (fetch.to_file)
        out_print("%s: %llu bytes\n", fetch.path, (ull)fetch.offset);
    return true;
}
