// SPDX-License-Identifier: MIT
/* netstat - the command that lists the sockets of all programs. */
#include "lib/base/printf.h"
#include "lib/client/out.h"
#include "lib/format/net/ip.h"
#include "programs/network/network.h"

#define END_BYTES (IP_TEXT_BYTES + 8u)

static const char *state_text(uint32_t state)
{
    static const char *const texts[] = {
        [SOCKET_SHOWN_OPEN] = "open",           [SOCKET_SHOWN_BOUND] = "bound",
        [SOCKET_SHOWN_LISTENING] = "listens",   [SOCKET_SHOWN_CONNECTING] = "connecting",
        [SOCKET_SHOWN_CONNECTED] = "connected", [SOCKET_SHOWN_HALF] = "half closed",
        [SOCKET_SHOWN_FAILED] = "broken",       [SOCKET_SHOWN_ENDING] = "ending",
    };

    return state < sizeof texts / sizeof texts[0] ? texts[state] : "?";
}

/* ADDRESS:PORT; "*" for what is none, and for all addresses of IPv4. */
static const char *end_text(char text[END_BYTES], struct ip_address address, uint32_t port)
{
    bool bracketed = !ip_is_v4(address) && port != 0;
    char shown[IP_TEXT_BYTES] = "*", number[8] = "*";

    if (bracketed || !ip_is_any(address))
        (void)ip_text(shown, address);
    if (port != 0)
        mnos_snprintf(number, sizeof number, "%u", port);
    mnos_snprintf(text, END_BYTES, bracketed ? "[%s]:%s" : "%s:%s", shown, number);
    return text;
}

/* netstat */
bool network_netstat(void)
{
    char local[END_BYTES], peer[END_BYTES];
    struct socket_session session = {0};
    struct socket_shown_entry entry;
    mnos_status_t status = MNOS_OK;

    if (!network_open(&session, 0))
        return false;
    out_print("%-4s %-21s %-21s %-11s %8s %8s %s\n", "KIND", "LOCAL", "PEER", "STATE", "SENDING",
              "RECEIVED", "SERVICE");
    for (uint64_t i = 0; (status = socket_entry(&session, i, &entry)) == MNOS_OK; i++)
        out_print("%-4s %-21s %-21s %-11s %8llu %8llu %s\n",
                  entry.protocol == SOCKET_UDP ? "udp" : "tcp",
                  end_text(local, entry.names.local_address, entry.names.local_port),
                  end_text(peer, entry.names.address, entry.names.port), state_text(entry.state),
                  (unsigned long long)entry.sending, (unsigned long long)entry.received,
                  entry.owner[0] != 0 ? entry.owner : "-");
    if (status != MNOS_ERR_END)
        network_failed(&session, status, "sockets");
    return status == MNOS_ERR_END;
}
