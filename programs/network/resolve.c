// SPDX-License-Identifier: MIT
/* resolve - the command that says which addresses a name has. */
#include "lib/client/out.h"
#include "lib/format/net/ipv4.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "programs/network/network.h"

/* How long a server is waited for: at the first prompt DHCP may not have told one yet. */
#define SERVER_PATIENCE_NS 5000000000ull
#define SERVER_LOOK_NS 100000000ull

static mnos_status_t ask(struct socket_session *session, const char *name,
                         struct socket_resolved *resolved)
{
    uint64_t until = kinfo_time_ns() + SERVER_PATIENCE_NS;
    mnos_status_t status = socket_resolve(session, name, 0, resolved);

    while (status == MNOS_ERR_STATE && kinfo_time_ns() < until) {
        sleep_until(deadline_after_ns(SERVER_LOOK_NS));
        status = socket_resolve(session, name, 0, resolved);
    }
    return status;
}

/* resolve NAME */
bool network_resolve(void)
{
    const char *name = bootstrap_argument(1), *why;
    struct socket_session session = {0};
    struct socket_resolved resolved;
    char address[IPV4_TEXT_BYTES];
    mnos_status_t status;

    if (name == NULL || !network_open(&session, 0))
        return false;
    status = ask(&session, name, &resolved);
    why = socket_resolve_text(status);
    if (status == MNOS_OK)
        for (uint32_t i = 0; i < resolved.count; i++)
            out_print("%s\n", ipv4_text(address, resolved.addresses[i]));
    else if (why != NULL)
        out_print("resolve %s: %s\n", name, why);
    else
        network_failed(&session, status, name);
    return status == MNOS_OK;
}
