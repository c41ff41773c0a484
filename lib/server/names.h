// SPDX-License-Identifier: MIT
/*
 * names.h - answering NAMES of manager.def and launcher.def: the bootstrap table of a process that this program has made.
 */
#pragma once

#include "abi/bootstrap.h"
#include "lib/mnos/ipc.h"

/* `memory` begins with the table's page (abi/bootstrap.h), which its process can only read. Does not wait. Errors: those
 * of memory_map(); MNOS_ERR_FORMAT, the page holds no table. */
mnos_status_t names_answer(mnos_cap_t memory, struct message *reply);
/* The same of a table that is mapped. */
mnos_status_t names_answer_table(const struct mnos_bootstrap *table, struct message *reply);
