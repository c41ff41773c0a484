// SPDX-License-Identifier: MIT
/*
 * connection.h - one connection: requests in, answers out, one after the other.
 *
 *   READS --a request is there, or is wrong--> ANSWERS --all is in the send ring--> READS, or ENDS
 *   READS --nothing came for IDLE_NS--> over;  --half a request for HEAD_NS--> ANSWERS with 408
 *   ANSWERS --the peer takes nothing for SEND_NS--> over
 *   READS --nothing of a request is there, and another connection waits for its place (connection_idle_since())--> over
 *   ENDS  --the peer has ended too, or for END_NS--> over
 */
#pragma once

#include "lib/client/file.h"
#include "lib/client/socket.h"
#include "services/httpd/page.h"
#include "services/httpd/request.h"

#define CONNECTION_IN_BYTES 2048u
#define CONNECTION_IDLE_NS 60000000000ull
#define CONNECTION_FIRST_NS 1000000000ull
#define CONNECTION_HEAD_NS 10000000000ull
#define CONNECTION_SEND_NS 30000000000ull
#define CONNECTION_END_NS 2000000000ull

enum connection_state { CONNECTION_FREE, CONNECTION_READS, CONNECTION_ANSWERS, CONNECTION_ENDS };

struct connection {
    uint8_t state; /* enum connection_state */
    struct socket socket;
    struct request request;
    uint64_t deadline_ns;
    uint64_t now_s;    /* since 1970, at this call; 0: it is not known */
    uint64_t dating_s; /* the same by the clock by which file systems date; 0: they have none */
    uint32_t in_start, in_count;
    uint8_t in[CONNECTION_IN_BYTES]; /* came, and not taken by the request */
    /* The answer: head, then the page or the file. */
    bool keep_alive, has_file;
    bool served; /* a request before this one */
    bool more;   /* it had not gone as far as it goes when its turn was over */
    bool moves; /* it has begun, or some of it has gone into the ring, since the deadline was set */
    char head[PAGE_HEAD_BYTES];
    size_t head_count, head_sent;
    struct page page;
    size_t page_sent;
    struct file file;
    uint64_t file_offset, file_end;
};

/* What all connections share. */
struct site {
    struct file_session files;
    void *buffer;     /* of the files' window */
    uint32_t run;     /* of `files`, that it is of */
    uint64_t boot_ns; /* when that was by the clock as it is now, since 1970; 0: it is not known */
    uint64_t run_ns;  /* by that by which file systems date, as the loader has read it; 0 as well */
};
#define SITE_BUFFER_BYTES 28672u /* what the smallest window has for buffers */

/* Since when it has nothing to do, and may give way to another: one that is kept alive at once, one that has not asked yet
 * FIRST_NS after it came. UINT64_MAX: it may not. */
uint64_t connection_idle_since(const struct connection *connection, uint64_t now_ns);
/* Its end, in any state; `file` is closed. */
void connection_end(struct connection *connection);
void connection_begin(struct connection *connection, uint64_t now_ns);
/* As far as it goes now, in so many steps at most: `more`. False: it is over, and was ended. */
bool connection_work(struct connection *connection, struct site *site, uint64_t now_ns);
