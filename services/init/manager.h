// SPDX-License-Identifier: MIT
/*
 * manager.h - the service manager's side of protocols/manager.def: who may ask for what, and the
 * answers. Nothing in a request is trusted, and no request waits.
 */
#pragma once

#include "lib/mnos/ipc.h"
#include "services/init/supervisor.h"

/* Handles the request in `msg` and turns `msg` into the reply. */
void manager_handle(struct supervisor *supervisor, struct message *msg);
