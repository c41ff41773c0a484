// SPDX-License-Identifier: MIT
/*
 * asker.h - asks the file system of one entry of the table. What a request to it waits for is the file system's business: a
 * run that has not begun to receive, a disk, a fault. So each entry has a thread that waits, and the thread of the loop,
 * which alone changes the table, waits for no file system.
 *
 *   IDLE --asker_ask()--> ASKED --the file system has answered: VFS_EVENT_ANSWERED--> ANSWERED --asker_take()--> IDLE
 */
#pragma once

#include <stdatomic.h>

#include "lib/client/file.h"
#include "lib/mnos/thread.h"
#include "services/vfs/table.h"

struct vfs;

enum asker_state { ASKER_IDLE, ASKER_ASKED, ASKER_ANSWERED };

enum asker_question {
    ASK_BEGIN, /* the volume is the service's, the service runs, and has begun to mount */
    ASK_LOOK,
    ASK_END,
    ASK_EXPORT, /* the root of what is mounted, as a session that is charged to a client */
};

struct asker_answer {
    enum asker_question question;
    uint32_t state; /* of the entry when it was asked */
    mnos_status_t status;
    struct mount_status said;
    mnos_cap_t session; /* ASK_EXPORT */
};

struct asker {
    /* Never change once the thread is there. */
    struct vfs *vfs;
    unsigned number;
    mnos_cap_t endpoint; /* of the thread */
    struct thread thread;

    /* The thread's alone. */
    mnos_cap_t service; /* the capability that was given for it; 0: not looked for yet */
    struct file_session session;
    struct file root;
    bool open;
    /* For which order of which entry the volume was assigned and the service asked to start; 0: for none. Another
     * entry may have used the service since. */
    uint64_t started_inode;
    uint32_t started_orders;

    /* Says whose the next three are: the thread's while it is ASKED, else the loop's. Stored last (release). */
    _Atomic(enum asker_state) state;
    struct vfs_entry entry; /* as it was when it was asked */
    mnos_badge_t client;    /* ASK_EXPORT: for whom */
    struct asker_answer answer;

    /* Of the capability by which the file system tells; 0: it has none. The thread sets it, the loop clears it. */
    _Atomic mnos_badge_t listens;
};

/* MNOS_ERR_AGAIN: it is at another question. */
mnos_status_t asker_ask(struct asker *asker, enum asker_question question,
                        const struct vfs_entry *entry, mnos_badge_t client);
bool asker_is_idle(struct asker *asker);
/* The answer that has come; false: none has. */
bool asker_take(struct asker *asker, struct asker_answer *answer);
/* Whether the file system told by a capability with the badge, which is no more; it is asked to listen again with the
 * next question. */
bool asker_is_deaf(struct asker *asker, mnos_badge_t gone);
