// SPDX-License-Identifier: MIT
/* export - see export.h. */
#include "lib/server/export.h"

#include "lib/mnos/syscall.h"

mnos_status_t server_export(mnos_cap_t endpoint, struct message *message, mnos_badge_t badge)
{
    return server_export_with(endpoint, message, badge, 0);
}

mnos_status_t server_export_with(mnos_cap_t endpoint, struct message *message, mnos_badge_t badge,
                                 uint64_t events)
{
    mnos_rights_t rights = MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT;
    mnos_cap_t minted;
    mnos_status_t status = sys_cap_create(MNOS_CREATE_MINT | MNOS_MINT_LASTING, endpoint, rights,
                                          badge, events, &minted);

    if (status != MNOS_OK)
        return status;
    message_put(message, MNOS_OK, NULL, 0);
    message_add_cap(message, minted, rights);
    status = ipc_reply(message);
    (void)!sys_cap_delete(minted);
    return status == MNOS_ERR_REPLY ? MNOS_OK : status;
}
