// SPDX-License-Identifier: MIT
/* resolve - the command that says which addresses a name has. */
#include "lib/client/out.h"
#include "lib/format/net/ip.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "programs/network/network.h"

/* How long a server is waited for: at the first prompt DHCP may not have told one yet. */
#define SERVER_PATIENCE_NS 5000000000ull
#define SERVER_LOOK_NS 100000000ull

static mnos_status_t ask(struct socket_session *session, const char *name, uint64_t flags,
                         struct socket_resolved *resolved)
{
    uint64_t until = kinfo_time_ns() + SERVER_PATIENCE_NS;
    mnos_status_t status = socket_resolve(session, name, flags, resolved);

    while (status == MNOS_ERR_STATE && kinfo_time_ns() < until) {
        sleep_until(deadline_after_ns(SERVER_LOOK_NS));
        status = socket_resolve(session, name, flags, resolved);
    }
    return status;
}

/* Those of one family. */
static mnos_status_t show(struct socket_session *session, const char *name, uint64_t flags)
{
    struct socket_resolved resolved;
    char address[IP_TEXT_BYTES];
    mnos_status_t status = ask(session, name, flags, &resolved);

    for (uint32_t i = 0; status == MNOS_OK && i < resolved.count; i++)
        out_print("%s\n", ip_text(address, resolved.addresses[i]));
    return status;
}

/* resolve NAME: one address is enough. */
bool network_resolve(void)
{
    const char *name = bootstrap_argument(1), *why;
    struct socket_session session = {0};
    mnos_status_t status, status6 = MNOS_ERR_NOT_FOUND;

    if (name == NULL || !network_open(&session, 0))
        return false;
    status = show(&session, name, 0);
    if (status == MNOS_OK ||
        status == MNOS_ERR_NOT_FOUND) /* who does not say is not asked for others */
        status6 = show(&session, name, SOCKET_RESOLVE_V6);
    why = socket_resolve_text(status);
    if (status == MNOS_OK || status6 == MNOS_OK)
        return true;
    if (why != NULL)
        out_print("resolve %s: %s\n", name, why);
    else
        network_failed(&session, status, name);
    return false;
}
