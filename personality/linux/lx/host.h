// SPDX-License-Identifier: MIT
/*
 * host.h - lxhost, the server of the container that the process is in (protocols/lxhost.def).
 *
 * None of its requests waits. Who gets MNOS_ERR_AGAIN calls wait_until() and asks again.
 */
#pragma once

#include "lib/mnos/memory.h"
#include "personality/linux/lx/lx.h"
#include "protocols/lxhost.h"

/* Before anything else is asked, from the bootstrap table; false: there is no container. */
bool host_start(void);
/* In a copy of the process, in which all capabilities are others. */
bool host_forked(void);

/* A request of which both records fit a message. MNOS_ERR_LOST and the like: the container ends. */
mnos_status_t host_ask(enum lxhost_request label, const void *record, size_t bytes, void *reply,
                       size_t reply_bytes);
/* As the same; *capability comes with the reply. */
mnos_status_t host_ask_capability(enum lxhost_request label, const void *record, size_t bytes,
                                  mnos_cap_t *capability);
/* LXHOST_WINDOW_BYTES that lxhost sees. */
void *host_window(void);
/* The pid of the parent, 0: none of the container's. */
int32_t host_parent(void);
bool host_is_stopped(void);
/* Whether the session of the network was taken from the container. */
bool host_network_is_taken(void);
/* Where the program was when it was interrupted for a signal, which is told once; 0: it was not. */
uint64_t host_interrupted_at(void);

/* Memory of this process, for which the container gives it more if it has no more: as sys_mem_alloc(). */
mnos_status_t host_memory(uint64_t pages, mnos_cap_t *memory);
/* As sys_mem_map() into this process. */
mnos_status_t host_map(mnos_cap_t memory, uint64_t address, uint64_t first, uint64_t pages,
                       uint64_t flags);
/* As memory_map(), at an address of lx's own. */
mnos_status_t host_map_somewhere(mnos_cap_t memory, uint64_t first, uint64_t pages, uint64_t flags,
                                 void **address);
/* Puts an empty page where a service has taken one back that lx shared with it. */
bool host_blank_page(uint64_t address);
/* Mapped at an address of lx's own, to be given back by memory_free(): as memory_allocate(). */
mnos_status_t host_block(uint64_t pages, struct memory_block *block);
/* The process may use more, some dozen pages and mappings; false: the container has no more. */
bool host_grow(void);
/* As sys_cap_create(): what it takes of the quota lxhost adds when that is spent. */
mnos_status_t host_create(uint64_t kind, mnos_cap_t source, uint64_t rights, uint64_t first,
                          uint64_t second, mnos_cap_t *made);

/* Lets lxhost tell this process by events: called before each wait. False: it cannot, as there is no memory for it. */
bool host_listen(void);
/* Signals that others have sent are taken, if there are any. */
void host_take_signals(void);
