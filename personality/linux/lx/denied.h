// SPDX-License-Identifier: MIT
/*
 * denied.h - what the program was refused for want of a capability is told to lxhost, where who has started the container may
 * read it (DENIED of protocols/lxhost.def). It changes nothing of what the program gets: each function returns `result`.
 */
#pragma once

#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/socket.h"

/* From now on sockets are made that have no session of the network, so that what they are for is told: the program gets on to
 * what is refused then. */
void denied_learn(void);
bool denied_learns(void);

/* A call about a path, absolute and as the program has it, or empty when it is not known, that would have needed these rights
 * of a file: told are EACCES and EROFS, and ENOENT where no mount but that of / covers the path, so that nobody can say
 * whether something is there. */
int64_t denied_path(const char *call, const char *path, uint32_t rights, int64_t result);

/* `kind`: LXHOST_DENIED_CONNECT or _LISTEN. Told are EACCES and EPERM. */
int64_t denied_address(const char *call, enum lxhost_denied_kind kind,
                       const struct inet_socket *socket, const struct inet_address *address,
                       int64_t result);
void denied_name(const char *name);
int64_t denied_socket(int64_t result);
