// SPDX-License-Identifier: MIT
/* connection - see connection.h. */
#include "services/httpd/connection.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"

#define INDEX "index.html"
#define SECOND_NS 1000000000ull
/* Of one call: a peer that asks, sends or takes without end leaves the others their turn. */
#define STEPS_MAX 8u
#define PIECES_MAX 8u

static void read_next(struct connection *connection, uint64_t now_ns)
{
    request_begin(&connection->request);
    connection->state = CONNECTION_READS;
    connection->deadline_ns = now_ns + CONNECTION_IDLE_NS;
}

void connection_begin(struct connection *connection, uint64_t now_ns)
{
    connection->in_start = connection->in_count = 0;
    connection->has_file = connection->served = connection->more = false;
    read_next(connection, now_ns);
}

uint64_t connection_idle_since(const struct connection *connection, uint64_t now_ns)
{
    bool idle = connection->state == CONNECTION_READS && !connection->request.begun &&
                connection->in_count == 0 && !connection->more;
    uint64_t since = connection->deadline_ns - CONNECTION_IDLE_NS +
                     (connection->served ? 0 : CONNECTION_FIRST_NS);

    return idle && since <= now_ns ? since : UINT64_MAX;
}

/* ---- Answers ---- */

static void begin_answer(struct connection *connection, struct page_head *says)
{
    says->keep_alive = connection->keep_alive;
    says->now_s = connection->now_s;
    connection->head_count = page_head(connection->head, says);
    connection->head_sent = connection->page_sent = 0;
    connection->state = CONNECTION_ANSWERS;
    connection->moves = true;
    if (connection->request.method == METHOD_HEAD) {
        connection->page.count = 0;
        connection->file_offset = connection->file_end;
    }
}

/* The page, which is of the connection. What is said of a file, `says` has already. */
static void answer_page(struct connection *connection, struct page_head *says)
{
    says->type = "text/html; charset=utf-8";
    says->length = connection->page.count;
    connection->file_offset = connection->file_end = 0;
    begin_answer(connection, says);
}

static void answer_error(struct connection *connection, uint32_t status)
{
    page_error(&connection->page, status);
    answer_page(connection, &(struct page_head){.status = status});
}

/* What the file system answered, for people elsewhere: what they may not see is not there. */
static uint32_t status_of(mnos_status_t status)
{
    switch (status) {
    case MNOS_ERR_NOT_FOUND:
    case MNOS_ERR_NOT_DIRECTORY:
    case MNOS_ERR_DENIED:
    case MNOS_ERR_REST:
    case MNOS_ERR_LINKS:
    case MNOS_ERR_ARGUMENT:
    case MNOS_ERR_SIZE: return 404;
    case MNOS_ERR_STOPPED:
    case MNOS_ERR_LOST:
    case MNOS_ERR_AGAIN:
    case MNOS_ERR_QUOTA: return 503;
    default: return 500;
    }
}

static void close_file(struct connection *connection)
{
    if (connection->has_file)
        (void)!file_close(&connection->file);
    connection->has_file = false;
}

/* What a client may know the file by; nothing, when its attributes cannot be had. */
static void make_validator(const struct connection *connection, struct validator *validator)
{
    struct file_attr attr = {0};
    struct validator_source source = {.now_s = connection->now_s, .dating_s = connection->dating_s};

    *validator = (struct validator){0};
    if (file_attributes(&connection->file, &attr) != MNOS_OK)
        return;
    source.inode = attr.inode;
    source.generation = attr.generation;
    source.size = connection->file.size;
    source.modified_ns = attr.modified_ns;
    source.changed_ns = attr.changed_ns;
    validator_make(validator, &source);
}

static void answer_file(struct connection *connection, const char *name)
{
    struct validator validator;
    struct page_head says = {.type = page_type(name), .validator = &validator};
    uint64_t first, count;

    make_validator(connection, &validator);
    says.size = connection->file.size;
    says.status = condition_status(&connection->request, &validator, says.size, &first, &count);
    connection->page.count = 0;
    if (says.status == 200 || says.status == 206) {
        says.first = first;
        says.length = count;
        connection->file_offset = first;
        connection->file_end = first + count;
        begin_answer(connection, &says);
        return;
    }
    close_file(connection);
    if (says.status != 304)
        page_error(&connection->page, says.status);
    answer_page(connection, &says);
}

static void answer_listing(struct connection *connection, const char *path)
{
    static struct file_listing listing;
    char title[64];
    bool all = true;

    memset(&listing, 0, sizeof listing);
    (void)mnos_snprintf(title, sizeof title, "/%.60s", path);
    page_begin(&connection->page, title);
    while (all && file_next_name(&connection->file, &listing) == MNOS_OK)
        all = page_add_name(&connection->page, listing.name, listing.type == FILE_TYPE_DIRECTORY);
    page_end(&connection->page, all);
    close_file(connection);
    answer_page(connection, &(struct page_head){.status = 200});
}

static mnos_status_t open_path(struct connection *connection, struct site *site, const char *path)
{
    mnos_status_t status = file_open(&site->files, NULL, path, FILE_BENEATH,
                                     FILE_LOOKUP | FILE_READ_RIGHT, &connection->file);

    connection->has_file = status == MNOS_OK;
    return status;
}

/* The path of a target with a `/` behind it, and without what follows that. Two at its beginning would be a host. */
static void location_of(const char *target, char *location, size_t size)
{
    size_t bytes = 0;

    while (target[1] == '/')
        target++;
    while (target[bytes] != 0 && target[bytes] != '?' && target[bytes] != '#')
        bytes++;
    (void)mnos_snprintf(location, size, "%.*s/", (int)bytes, target);
}

/* A directory is its index, or the list of what is in it. */
static void answer_directory(struct connection *connection, struct site *site, char *path,
                             size_t size)
{
    size_t bytes = strlen(path);
    char moved[REQUEST_TARGET_BYTES + 2];

    if (bytes != 0 && path[bytes - 1] != '/') { /* links in it would lead elsewhere */
        close_file(connection);
        location_of(request_target_path(connection->request.target), moved, sizeof moved);
        page_error(&connection->page, 301);
        answer_page(connection, &(struct page_head){
                                    .status = 301,
                                    .location = strlen(moved) < PAGE_LOCATION_MAX ? moved : NULL});
        return;
    }
    if (bytes + sizeof INDEX <= size) {
        struct file directory = connection->file;

        memcpy(path + bytes, INDEX, sizeof INDEX);
        if (open_path(connection, site, path) == MNOS_OK) {
            (void)!file_close(&directory);
            answer_file(connection, path);
            return;
        }
        path[bytes] = 0;
        connection->file = directory;
        connection->has_file = true;
    }
    answer_listing(connection, path);
}

static void answer(struct connection *connection, struct site *site)
{
    char path[REQUEST_TARGET_BYTES];
    mnos_status_t status;

    connection->keep_alive = connection->request.keep_alive;
    if (connection->request.method == METHOD_OTHER) {
        answer_error(connection, 405);
        return;
    }
    if (!request_path(connection->request.target, path, sizeof path)) {
        answer_error(connection, 400);
        return;
    }
    status = open_path(connection, site, path[0] == 0 ? "." : path);
    if (status != MNOS_OK)
        answer_error(connection, status_of(status));
    else if (connection->file.type == FILE_TYPE_DIRECTORY)
        answer_directory(connection, site, path, sizeof path);
    else
        answer_file(connection, path);
}

/* ---- Bytes in ---- */

/* True: something has changed. */
static bool read_some(struct connection *connection, struct site *site, uint64_t now_ns)
{
    struct request *request = &connection->request;
    bool had_begun = request->begun;
    uint32_t wrong = 0;
    size_t count, taken = 0;

    if (connection->in_count == 0) {
        if (socket_receive(&connection->socket, connection->in, sizeof connection->in, &count) !=
                MNOS_OK ||
            count == 0)
            return false;
        connection->in_start = 0;
        connection->in_count = (uint32_t)count;
    }
    switch (request_take(request, connection->in + connection->in_start, connection->in_count,
                         &taken, &wrong)) {
    case REQUEST_MORE: break;
    case REQUEST_READY: answer(connection, site); break;
    case REQUEST_WRONG:
        connection->keep_alive = false;
        request->method = METHOD_OTHER;
        answer_error(connection, wrong);
        break;
    }
    if (!had_begun)
        connection->deadline_ns = now_ns + CONNECTION_HEAD_NS;
    connection->in_start += (uint32_t)taken;
    connection->in_count -= (uint32_t)taken;
    return true;
}

/* ---- Bytes out ---- */

/* True: all of it is in the ring. */
static bool send_text(struct connection *connection, const char *text, size_t count, size_t *sent)
{
    size_t part = 0;

    if (*sent < count &&
        socket_send(&connection->socket, text + *sent, count - *sent, &part) == MNOS_OK)
        *sent += part, connection->moves |= part != 0;
    return *sent == count;
}

/* A file that has become shorter, or cannot be read, ends the connection before its length is reached. */
static bool send_file(struct connection *connection, struct site *site, bool *broken)
{
    for (unsigned i = 0; connection->file_offset < connection->file_end; i++) {
        uint64_t left = connection->file_end - connection->file_offset, count = 0;
        size_t sent = 0;

        if (left > SITE_BUFFER_BYTES)
            left = SITE_BUFFER_BYTES;
        connection->more = i == PIECES_MAX;
        if (connection->more || socket_room(&connection->socket) == 0)
            return false;
        if (left > socket_room(&connection->socket))
            left = socket_room(&connection->socket);
        if (file_read(&connection->file, connection->file_offset, site->buffer, left, &count) !=
                MNOS_OK ||
            count == 0 || socket_send(&connection->socket, site->buffer, count, &sent) != MNOS_OK) {
            *broken = true;
            return false;
        }
        connection->file_offset += sent;
        connection->moves |= sent != 0;
    }
    return true;
}

static bool send_some(struct connection *connection, struct site *site, uint64_t now_ns,
                      bool *broken)
{
    if (!send_text(connection, connection->head, connection->head_count, &connection->head_sent) ||
        !send_text(connection, connection->page.text, connection->page.count,
                   &connection->page_sent) ||
        !send_file(connection, site, broken))
        return false;
    close_file(connection);
    connection->served = true;
    if (connection->keep_alive) {
        read_next(connection, now_ns);
    } else {
        /* What the peer still sends is read for a while, or its answer would be lost with a reset. */
        (void)!socket_shutdown(&connection->socket);
        connection->state = CONNECTION_ENDS;
        connection->deadline_ns = now_ns + CONNECTION_END_NS;
    }
    return true;
}

/* ---- All of it ---- */

void connection_end(struct connection *connection)
{
    close_file(connection);
    (void)!socket_close(&connection->socket);
    connection->state = CONNECTION_FREE;
}

static bool drain(struct connection *connection)
{
    size_t count = 0;

    return socket_receive(&connection->socket, connection->in, sizeof connection->in, &count) ==
               MNOS_OK &&
           count != 0;
}

static bool is_late(struct connection *connection, uint64_t now_ns)
{
    if (now_ns < connection->deadline_ns)
        return false;
    if (connection->state != CONNECTION_READS || !connection->request.begun)
        return true;
    connection->keep_alive = false;
    connection->request.method = METHOD_OTHER;
    answer_error(connection, 408);
    return false;
}

bool connection_work(struct connection *connection, struct site *site, uint64_t now_ns)
{
    bool moved = true, broken = false;
    mnos_status_t error;
    uint32_t state = socket_state(&connection->socket, &error); /* older than what is read now */

    connection->now_s = site->boot_ns == 0 ? 0 : (site->boot_ns + now_ns) / SECOND_NS;
    connection->dating_s = site->run_ns == 0 ? 0 : (site->run_ns + now_ns) / SECOND_NS;
    connection->more = false;
    for (unsigned i = 0; moved && !broken; i++) {
        if (i == STEPS_MAX) {
            connection->more = true;
            break;
        }
        switch (connection->state) {
        case CONNECTION_READS: moved = read_some(connection, site, now_ns); break;
        case CONNECTION_ANSWERS: moved = send_some(connection, site, now_ns, &broken); break;
        default: moved = drain(connection); break;
        }
    }
    if (connection->state == CONNECTION_ANSWERS && connection->moves) {
        connection->deadline_ns = now_ns + CONNECTION_SEND_NS;
        connection->moves = false;
    }
    if (broken || (state & SOCKET_FAILED) != 0 || is_late(connection, now_ns) ||
        ((state & SOCKET_PEER_CLOSED) != 0 && connection->state != CONNECTION_ANSWERS &&
         !connection->more)) {
        connection_end(connection);
        return false;
    }
    return true;
}
