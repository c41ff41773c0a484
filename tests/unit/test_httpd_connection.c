// SPDX-License-Identifier: MIT
/* test_httpd_connection - one connection of the web server: peers that take little, or nothing, and where a directory
 * without its last `/` is. Sockets, files and the parser are stand-ins. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "services/httpd/connection.c"

#define SECOND 1000000000ull
#define FILE_BYTES 100000u

static struct connection connection;
static struct site site;
static uint8_t buffer[SITE_BUFFER_BYTES];
static size_t room;         /* of the send ring */
static const char *request; /* that comes; NULL: nothing */
static uint32_t peer_state = SOCKET_CONNECTED;
static uint64_t again;  /* how often it comes again, and that much room with it */
static char sent[1024]; /* the first of what went out */
static size_t sent_count;
static unsigned open_files, closed_sockets;
static const char *if_none_match, *range; /* of the request; NULL: none */
static uint32_t file_type;

/* ---- Stand-ins ---- */

void request_begin(struct request *at)
{
    *at = (struct request){0};
}

enum request_result request_take(struct request *at, const void *bytes, size_t count, size_t *taken,
                                 uint32_t *)
{
    memcpy(at->target, bytes, count);
    at->keep_alive = at->begun = true;
    if (if_none_match != NULL)
        at->fields[FIELD_IF_NONE_MATCH].bytes =
            (uint16_t)strlen(strcpy(at->fields[FIELD_IF_NONE_MATCH].text, if_none_match));
    if (range != NULL)
        at->fields[FIELD_RANGE].bytes =
            (uint16_t)strlen(strcpy(at->fields[FIELD_RANGE].text, range));
    *taken = count;
    return REQUEST_READY;
}

mnos_status_t socket_receive(struct socket *, void *bytes, size_t, size_t *received)
{
    *received = request == NULL ? 0 : strlen(request);
    memcpy(bytes, request == NULL ? "" : request, *received);
    if (again == 0 || request == NULL) {
        request = NULL;
    } else {
        again--;
        room += FILE_BYTES + PAGE_HEAD_BYTES;
    }
    return MNOS_OK;
}

mnos_status_t socket_send(struct socket *, const void *bytes, size_t count, size_t *part)
{
    *part = count < room ? count : room;
    room -= *part;
    if (sent_count + *part < sizeof sent)
        memcpy(sent + sent_count, bytes, *part);
    sent_count += *part;
    return MNOS_OK;
}

size_t socket_room(const struct socket *)
{
    return room;
}

uint32_t socket_state(const struct socket *, mnos_status_t *error)
{
    *error = MNOS_OK;
    return peer_state;
}

mnos_status_t socket_shutdown(struct socket *)
{
    return MNOS_OK;
}

mnos_status_t file_open(struct file_session *, const struct file *, const char *path, uint32_t,
                        uint32_t, struct file *file)
{
    if (strstr(path, INDEX) != NULL)
        return MNOS_ERR_NOT_FOUND;
    *file = (struct file){.size = FILE_BYTES, .type = file_type};
    open_files++;
    return MNOS_OK;
}

mnos_status_t file_attributes(const struct file *, struct file_attr *attr)
{
    *attr = (struct file_attr){
        .inode = 7, .modified_ns = 1700000001 * SECOND, .changed_ns = 1700000002 * SECOND};
    return MNOS_OK;
}

mnos_status_t socket_close(struct socket *)
{
    closed_sockets++;
    return MNOS_OK;
}

mnos_status_t file_close(struct file *)
{
    open_files--;
    return MNOS_OK;
}

mnos_status_t file_read(const struct file *, uint64_t offset, void *, uint64_t size,
                        uint64_t *count)
{
    CHECK(offset + size <= FILE_BYTES);
    *count = size;
    return MNOS_OK;
}

mnos_status_t file_next_name(const struct file *, struct file_listing *)
{
    return MNOS_ERR_END;
}

/* ---- Scenes ---- */

static void begin(const char *target, uint32_t type)
{
    site.buffer = buffer;
    request = target;
    file_type = type;
    room = sent_count = again = 0;
    memset(sent, 0, sizeof sent);
    open_files = closed_sockets = 0;
    if_none_match = range = NULL;
    site.boot_ns = site.run_ns = 1700000000 * SECOND;
    connection_begin(&connection, 0);
}

TEST(httpd_connection, who_takes_nothing_of_an_answer_is_not_waited_for)
{
    begin("/file", FILE_TYPE_FILE);
    CHECK(connection_work(&connection, &site, 0));
    CHECK(connection_work(&connection, &site, 29 * SECOND));
    CHECK_EQ(open_files, 1);
    CHECK(!connection_work(&connection, &site, 30 * SECOND));
    CHECK_EQ(open_files, 0);
}

TEST(httpd_connection, who_takes_a_little_at_a_time_gets_it_all)
{
    uint64_t now = 0;

    begin("/file", FILE_TYPE_FILE);
    while (sent_count < FILE_BYTES) {
        room = 4000;
        CHECK(connection_work(&connection, &site, now));
        now += 29 * SECOND;
    }
    room = 4000;
    CHECK(connection_work(&connection, &site, now));
    CHECK_EQ(connection.state, CONNECTION_READS);
    CHECK_EQ(open_files, 0);
}

static bool is_moved(const char *target, const char *want)
{
    begin(target, FILE_TYPE_DIRECTORY);
    room = 1000;
    CHECK(connection_work(&connection, &site, 0));
    CHECK_EQ(open_files, 0);
    return strncmp(sent, "HTTP/1.1 301 ", 13) == 0 && strstr(sent, want) != NULL;
}

TEST(httpd_connection, a_directory_without_its_end_has_it_in_its_place)
{
    CHECK(is_moved("/dir", "Location: /dir/\r\n"));
    CHECK(is_moved("/dir?a=/b#c", "Location: /dir/\r\n"));
    CHECK(is_moved("//dir", "Location: /dir/\r\n")); /* `//dir/` is another machine */
}

static bool answers(const char *status)
{
    room = sizeof sent + FILE_BYTES;
    CHECK(connection_work(&connection, &site, 0));
    CHECK_EQ(open_files, 0);
    return strncmp(sent + 9, status, strlen(status)) == 0;
}

/* Behind the head. */
static size_t body_bytes(void)
{
    return sent_count - connection.head_count;
}

TEST(httpd_connection, of_a_file_a_part_may_be_had)
{
    begin("/file", FILE_TYPE_FILE);
    range = "bytes=99990-";
    CHECK(answers("206 "));
    CHECK_EQ(body_bytes(), 10);
    CHECK(strstr(sent, "Content-Range: bytes 99990-99999/100000\r\n") != NULL);
    CHECK(strstr(sent, "Content-Length: 10\r\n") != NULL);
    begin("/file", FILE_TYPE_FILE);
    range = "bytes=100000-";
    CHECK(answers("416 "));
    CHECK(strstr(sent, "Content-Range: bytes */100000\r\n") != NULL);
}

TEST(httpd_connection, a_file_that_the_client_has_is_not_sent_again)
{
    char tag[VALIDATOR_TAG_BYTES] = "";

    begin("/file", FILE_TYPE_FILE);
    CHECK(answers("200 "));
    CHECK_EQ(body_bytes(), FILE_BYTES);
    CHECK_EQ(sscanf(strstr(connection.head, "ETag: "), "ETag: %71s", tag), 1);
    CHECK(strstr(connection.head, "Last-Modified: ") == NULL); /* it is still to come */
    begin("/file", FILE_TYPE_FILE);
    if_none_match = tag;
    CHECK(answers("304 "));
    CHECK_EQ(body_bytes(), 0);
    CHECK(strstr(sent, "Content-Length") == NULL && strstr(sent, tag) != NULL);
    CHECK_EQ(connection.state, CONNECTION_READS);
    begin("/dir/", FILE_TYPE_DIRECTORY); /* a listing is not known by anything */
    if_none_match = "*";
    CHECK(answers("200 "));
}

TEST(httpd_connection, who_has_nothing_to_do_gives_way_and_who_never_asks_a_second_after_it_came)
{
    begin(NULL, FILE_TYPE_FILE);
    CHECK(connection_work(&connection, &site, SECOND - 1));
    CHECK_EQ(connection_idle_since(&connection, SECOND - 1), UINT64_MAX);
    CHECK_EQ(connection_idle_since(&connection, SECOND), SECOND);
    CHECK_EQ(connection_idle_since(&connection, 50 * SECOND), SECOND);
    begin("/file", FILE_TYPE_FILE);
    CHECK(connection_work(&connection, &site, 0));
    CHECK_EQ(connection_idle_since(&connection, 50 * SECOND), UINT64_MAX); /* it answers */
    room = FILE_BYTES + PAGE_HEAD_BYTES;
    CHECK(connection_work(&connection, &site, 3 * SECOND));
    CHECK_EQ(connection_idle_since(&connection, 3 * SECOND), 3 * SECOND);
    connection_end(&connection);
    CHECK_EQ(closed_sockets, 1);
    CHECK_EQ(connection.state, CONNECTION_FREE);
}

TEST(httpd_connection, who_asks_without_end_leaves_the_others_their_turn)
{
    unsigned turns = 1;

    begin("/file", FILE_TYPE_FILE);
    again = 1000;
    peer_state = SOCKET_CONNECTED | SOCKET_PEER_CLOSED; /* what it has asked before is answered */
    CHECK(connection_work(&connection, &site, 0));
    CHECK(connection.more && again > 900);
    CHECK_EQ(connection_idle_since(&connection, 50 * SECOND), UINT64_MAX);
    while (connection.more && connection_work(&connection, &site, 0))
        turns++;
    CHECK(again == 0 && turns < 1000);
    CHECK(sent_count > 1000 * FILE_BYTES);
    peer_state = SOCKET_CONNECTED;
}

TEST(httpd_connection, who_sends_behind_the_end_without_end_is_late)
{
    begin("/file", FILE_TYPE_FILE);
    again = UINT64_MAX;
    connection.state = CONNECTION_ENDS;
    connection.deadline_ns = 2 * SECOND;
    CHECK(connection_work(&connection, &site, 0));
    CHECK(!connection_work(&connection, &site, 2 * SECOND));
    CHECK_EQ(closed_sockets, 1);
}
