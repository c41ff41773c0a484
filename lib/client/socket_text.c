// SPDX-License-Identifier: MIT
/* socket_text - what went wrong with the network, for people: see socket.h. */
#include "lib/client/socket.h"

const char *socket_refusal_text(const struct socket_refusal *refusal)
{
    static const char *const fields[] = {
        [SOCKET_FIELD_NONE] = "no range at all",
        [SOCKET_FIELD_ADDRESS] = "not to this address",
        [SOCKET_FIELD_PROTOCOL] = "not by this protocol",
        [SOCKET_FIELD_PORT] = "not at this port",
        [SOCKET_FIELD_NAME] = "not this name",
    };

    switch (refusal->limit) {
    case SOCKET_LIMIT_RIGHTS:
        return refusal->field == SOCKET_FIELD_ADDRESS ? fields[SOCKET_FIELD_ADDRESS]
                                                      : "the right is not given";
    case SOCKET_LIMIT_SOCKETS: return "no more sockets";
    case SOCKET_LIMIT_RESOLVE:
        return refusal->field == SOCKET_FIELD_NAME ? fields[SOCKET_FIELD_NAME] : "no name at all";
    case SOCKET_LIMIT_LISTEN:
    case SOCKET_LIMIT_CONNECT:
        return refusal->field < sizeof fields / sizeof fields[0] ? fields[refusal->field]
                                                                 : "a limit";
    default: return "nothing is given to this program";
    }
}

const char *socket_resolve_text(mnos_status_t status)
{
    switch (status) {
    case MNOS_ERR_ARGUMENT: return "this is no name of a host";
    case MNOS_ERR_NOT_FOUND: return "there is no such name, or it has no address";
    case MNOS_ERR_STATE: return "no server of names is known";
    case MNOS_ERR_PEER: return "no server of names says";
    case MNOS_ERR_DEADLINE: return "no server of names answers";
    case MNOS_ERR_AGAIN: return "too many names are being asked for";
    default: return NULL;
    }
}
