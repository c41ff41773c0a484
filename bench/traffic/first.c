// SPDX-License-Identifier: MIT
/* first - from reset to the first byte that the web server answers, asked over loopback as soon as it listens. The terminal
 * says when the figure is in the log: who typed to ask for it before would be counted. */
#include "bench/traffic/traffic.h"

#include "lib/base/string.h"
#include "lib/client/stream.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

#define PORT 80u
#define AGAIN_NS 100000ull

int first_run(void)
{
    static const char text[] = "GET / HTTP/1.0\r\n\r\n", told[] = "the first answer is there\r\n";
    struct socket_session session = {0};
    struct socket socket;
    mnos_status_t status;
    char byte = 0;

    if (!busy_begin() || !worked(socket_session_open(&session, bootstrap_cap("net"), 2), "begin"))
        return 1;
    for (;;) { /* the server is starting */
        if (!worked(socket_open(&session, SOCKET_TCP, &socket), "open a socket"))
            return 1;
        status = socket_connect(&socket, LOOPBACK, PORT);
        if (status != MNOS_ERR_PEER)
            break;
        (void)!socket_close(&socket);
        sleep_until(deadline_after_ns(AGAIN_NS));
    }
    if (!worked(status, "connect") || !send_all(&socket, text, strlen(text)) ||
        receive_some(&socket, &byte, 1) != 1 || byte != 'H')
        return 1;
    log_line("bench reset-to-first-http-answer %llu instructions",
             (unsigned long long)(tsc_read() - (kinfo_time_ns() - busy_now())));
    if (!worked(stream_write(bootstrap_find("serial"), told, sizeof told - 1), "tell of it"))
        return 1;
    sleep_until(MNOS_DEADLINE_NEVER);
    return 0;
}
