// SPDX-License-Identifier: MIT
/*
 * host.h - what the files of lxhost share: the processes of one container, what they hold together, and what each of them
 * is made of.
 *
 *   FREE --process_new--> NEW --START--> RUN <-STOP / SIGCONT-> STOPPED
 *   RUN, STOPPED --its native process is dead--> ZOMBIE --WAIT, or its parent forgets its children--> FREE
 *
 * X1  A process in RUN or STOPPED has a native process, of which lxhost is the parent; one in ZOMBIE has none.
 * X2  Pids of processes that are not FREE are different, and none is the group or session of others than its own.
 * X3  What lxhost has of a process (sessions, window, memory, capabilities) goes when it becomes a ZOMBIE.
 * X4  An object is there as long as a process that is not a ZOMBIE holds it.
 *
 * No byte of a process is trusted: numbers are checked, and what is shared is copied before it is looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "protocols/container.h"
#include "protocols/lxhost.h"
#include "protocols/socket.h"

#define PROCESSES_MAX 32u
#define OBJECTS_MAX 256u
#define OBJECT_WORDS (OBJECTS_MAX / 64)

/* At lxhost's endpoint. */
#define EVENT_ENDED (1ull << 0)    /* of some process */
#define EVENT_TERMINAL (1ull << 1) /* something was typed, or it has another size */
#define BADGE_TERMINAL (1ull << 40)

enum process_state { PROCESS_FREE, PROCESS_NEW, PROCESS_RUN, PROCESS_STOPPED, PROCESS_ZOMBIE };

/* What the kernel and the file systems know of a process; 0: nothing. */
struct native {
    mnos_cap_t process, thread;
    mnos_cap_t memory; /* of its first pages */
    mnos_cap_t image;  /* as a copy: what it is a copy of lies there */
    mnos_cap_t sessions[LXHOST_MOUNTS_MAX];
    struct memory_block window;
};

struct process {
    enum process_state state;
    int32_t pid, parent, group, session;
    uint64_t generation; /* of the badge */
    struct native native;
    mnos_cap_t listener;    /* where it waits; 0: it has not said so yet */
    mnos_cap_t fork_memory; /* of FORK_MEMORY */
    uint64_t fork_pages;
    uint64_t holds[OBJECT_WORDS]; /* bit: the object */
    uint64_t waits[OBJECT_WORDS]; /* to be told when it changes */
    bool waits_for_terminal;
    uint64_t pending; /* signals: bit N - 1 is signal N */
    int32_t senders[2];
    bool forgets_children;             /* those that end are not kept for WAIT */
    bool told_stopped, told_continued; /* there is something of that for WAIT */
    uint32_t status;                   /* of wait4(2) */
    uint64_t cpu_time_ns, started_ns;
    struct lxhost_timer timer;
    struct lxhost_title title;
};

struct host {
    mnos_cap_t endpoint;
    uint32_t priority;
    struct process processes[PROCESSES_MAX];
    uint64_t generation;
    int32_t last_pid;
};

extern struct host host;

/* Also those that are FREE. */
#define EACH_PROCESS(at)                                                                           \
    for (struct process *at = host.processes; at < host.processes + PROCESSES_MAX; at++)

/* ---- table.c ---- */

/* A new one, with a pid of its own, in NEW; NULL: there are as many as may be. */
struct process *process_new(void);
/* NULL: there is none of that pid, but for one that is FREE or NEW. */
struct process *process_of(int32_t pid);
/* By the badge of a message; NULL: it has ended. */
struct process *process_by_badge(mnos_badge_t badge);
mnos_badge_t process_badge(const struct process *process);
static inline bool process_lives(const struct process *process)
{
    return process->state == PROCESS_RUN || process->state == PROCESS_STOPPED;
}
/* It is to look again. */
void process_tell(const struct process *process, uint64_t events);
/* In the window of one that lives. */
struct lxhost_notice *process_notice(const struct process *process);
/* Writes what it has in view: struct lxhost_notice. */
void process_note(const struct process *process);
/* It has ended with that status: what it had is given back, its parent is told. */
void process_ended(struct process *process, uint32_t status);
/* Sends a signal, as from the process `sender`, 0: from nobody. */
void process_signal(struct process *process, uint32_t signal, int32_t sender);
/* All of a group of a session. Returns how many. */
unsigned group_signal(int32_t group, uint32_t signal);

mnos_status_t table_ids(const struct process *asker, const struct lxhost_process *which,
                        struct lxhost_ids *ids);
mnos_status_t table_wait(struct process *asker, const struct lxhost_wait *wanted,
                         struct lxhost_waited *waited);
mnos_status_t table_kill(struct process *asker, const struct lxhost_kill *wanted);
void table_signals(struct process *asker, struct lxhost_signals *signals);
mnos_status_t table_setpgid(struct process *asker, const struct lxhost_setpgid *wanted);
mnos_status_t table_setsid(struct process *asker, struct lxhost_process *session);
mnos_status_t table_stop(struct process *asker, uint32_t signal);

/* ---- about.c ---- */

mnos_status_t about_title(struct process *asker, const struct lxhost_title *title);
mnos_status_t about_process(int32_t pid, struct lxhost_about *about);
mnos_status_t about_container(struct lxhost_container *container);

/* ---- image.c: lx itself ---- */

/* Maps and checks its file; what is wrong is in the log. */
mnos_status_t image_open(mnos_cap_t file);
uint64_t image_entry(void);
uint64_t image_data_pages(void);
/* Code and constants, of which all processes share the pages. */
mnos_status_t image_map_shared(mnos_cap_t process);
/* What it writes to: in pages of `memory` from `first` on, which are mapped here at `filling`. */
mnos_status_t image_map_data(mnos_cap_t process, mnos_cap_t memory, void *filling, uint64_t first);

/* ---- native.c ---- */

/* What a process is given, besides its sessions. */
struct birth {
    struct process *process;
    struct mnos_bootstrap *table; /* mapped here, while it is made */
    uint64_t table_pages;         /* with the words */
};

/* Makes the native process with its first `pages` pages, which are mapped here from birth->table on. */
mnos_status_t native_make(struct birth *birth, uint64_t pages);
mnos_status_t native_give(struct birth *birth, const char *name, mnos_cap_t cap,
                          mnos_rights_t rights);
/* Its endpoint to lxhost, its window, its sessions, and what all have: names as lx looks them up. */
mnos_status_t native_give_all(struct birth *birth);
mnos_status_t native_map(const struct birth *birth, uint64_t address, uint64_t first,
                         uint64_t count, uint64_t flags);
/* Its first thread begins; the pages are not mapped here any more. */
mnos_status_t native_start(struct birth *birth, uint64_t rip, uint64_t rsp);
/* Gives all back, also of one that was not finished, and ends the native process. */
void native_drop(struct process *process);
/* Each with its NUL. */
struct words {
    const char *text;
    size_t bytes;
    uint32_t count;
};
/* The first process of the container, with the words that lx is started with. */
mnos_status_t native_first(const struct words *words);
/* Looks which have ended. */
void native_collect(void);
mnos_status_t native_grow(struct process *process, const struct lxhost_grow *wanted);

/* ---- interrupt.c ---- */

/* There is a signal for a process: if it does not look by itself in a while, it is made to. */
void interrupt_soon(void);
/* When interrupt_look() has something to do; MNOS_DEADLINE_NEVER: nothing. */
uint64_t interrupt_deadline(void);
void interrupt_look(void);

/* ---- timers.c ---- */

mnos_status_t timer_set(struct process *asker, const struct lxhost_timer *timer);
/* When timers_look() has something to do; MNOS_DEADLINE_NEVER: nothing. */
uint64_t timers_deadline(void);
void timers_look(void);

/* ---- sessions.c ---- */

/* Of "grant0" and so on, and "program": what the container was given. */
mnos_status_t sessions_open(void);
/* Own sessions for a process, as many as the container has. */
mnos_status_t sessions_give(struct birth *birth);
/* The same for a copy: begun, with what its parent has open under the image's handles. */
mnos_status_t sessions_copy(struct birth *birth, const struct process *parent,
                            struct lxhost_image *image);
void sessions_drop(struct process *process);
/* The name of one: "grant0" and so on, the last "program". */
void sessions_name(unsigned number, char name[MNOS_NAME_BYTES]);
/* What its file system says of it. */
void sessions_describe(unsigned number, struct container_grant *grant);
/* Closes it in all processes, and for those to come. MNOS_ERR_NOT_FOUND: there is none. MNOS_ERR_DENIED: it is of the root of
 * all, which closes none; all have it still. */
mnos_status_t sessions_take(unsigned number);

/* ---- network.c ---- */

/* To the first process, if the container has the network. */
mnos_status_t network_give(struct birth *birth);
enum container_state network_state(void);
/* What its session may do, as the network service says. MNOS_ERR_NOT_FOUND: there is none. */
mnos_status_t network_limits(struct socket_limits *limits);
/* Closes it, with all sockets. MNOS_ERR_NOT_FOUND: there is none. */
mnos_status_t network_take(void);

/* ---- denials.c ---- */

mnos_status_t denials_add(const struct process *process, const struct lxhost_denied *told);
/* The oldest first; NULL past the last. */
const struct container_denial *denials_at(uint64_t index);
/* How many are kept; *forgotten: how many are not any more. */
uint32_t denials_count(uint64_t *forgotten);

/* ---- control.c: who has started the container ---- */

/* Takes the words that are lxhost's own off the beginning: NAME=PATH, where the session NAME is for who has given it; "--"
 * ends them. Without that all are for lx. */
void control_take_words(struct words *words);
/* The first process has ended: whether somebody is still to read what it was refused, and until when. */
bool control_lingers(void);
uint64_t control_deadline(void);
mnos_status_t control_handle(const struct message *message, struct message *reply);

/* ---- copy.c ---- */

mnos_status_t copy_memory(struct process *asker, const struct lxhost_pages *wanted,
                          struct message *reply);
mnos_status_t copy_make(struct process *asker, const struct lxhost_fork *wanted,
                        struct lxhost_process *made);

/* ---- objects.c, pipe.c ---- */

static inline bool object_held(const struct process *process, uint64_t object)
{
    return object < OBJECTS_MAX && (process->holds[object / 64] >> object % 64 & 1) != 0;
}
void objects_inherit(struct process *process, const struct process *parent);
void objects_drop_all(struct process *process);
mnos_status_t object_drop(struct process *process, uint64_t object);
mnos_status_t object_offset(struct process *process, const struct lxhost_offset *first,
                            struct lxhost_object *made);
mnos_status_t object_seek(struct process *process, const struct lxhost_seek *wanted,
                          struct lxhost_offset *before);
mnos_status_t object_pipe(struct process *process, struct lxhost_pipe *made);
mnos_status_t pipe_read(struct process *process, const struct lxhost_io *wanted,
                        struct lxhost_count *done);
mnos_status_t pipe_write(struct process *process, const struct lxhost_io *wanted,
                         struct lxhost_count *done);
mnos_status_t pipe_state(struct process *process, uint64_t object, struct lxhost_state *state);

/* ---- terminal.c ---- */

void terminal_open(void);
/* Something was typed; `gone`: the driver has ended, and has to be asked again. */
void terminal_look(bool gone);
mnos_status_t terminal_read(struct process *process, const struct lxhost_tty_io *wanted,
                            struct lxhost_count *done);
mnos_status_t terminal_write(struct process *process, const struct lxhost_tty_io *wanted,
                             struct lxhost_count *done);
mnos_status_t terminal_state(struct process *process, struct lxhost_tty *state);
mnos_status_t terminal_set(struct process *process, const struct lxhost_tty_set *wanted);
mnos_status_t terminal_group(struct process *process, int32_t group);

/* ---- requests.c ---- */

void requests_handle(struct message *message);
