// SPDX-License-Identifier: MIT
/* about - what the processes of the container are told of each other and of it. See host.h. */
#include "personality/linux/lxhost/host.h"

#include "abi/inspect.h"
#include "lib/mnos/syscall.h"

mnos_status_t about_title(struct process *asker, const struct lxhost_title *title)
{
    asker->title = *title;
    if (asker->title.words_bytes > LXHOST_WORDS_BYTES)
        asker->title.words_bytes = LXHOST_WORDS_BYTES;
    asker->title.name[LXHOST_NAME_BYTES - 1] = 0;
    return MNOS_OK;
}

/* Of its first thread: whether it runs, or would. */
static bool is_running(const struct process *process)
{
    const struct mnos_thread_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    return sys_cap_inspect(process->native.thread, MNOS_VIEW_THREAD, 0, &size) == MNOS_OK &&
           (info->state == MNOS_STATE_READY || info->state == MNOS_STATE_RUNNING);
}

static uint32_t state_of(const struct process *process)
{
    switch (process->state) {
    case PROCESS_ZOMBIE: return 'Z';
    case PROCESS_STOPPED: return 'T';
    default: return is_running(process) ? 'R' : 'S';
    }
}

static struct lxhost_about describe(const struct process *process)
{
    struct lxhost_about about = {.pid = process->pid,
                                 .parent = process->parent,
                                 .group = process->group,
                                 .session = process->session,
                                 .state = state_of(process),
                                 .cpu_time_ns = process->cpu_time_ns,
                                 .started_ns = process->started_ns,
                                 .title = process->title};
    const struct mnos_process_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    if (process_lives(process) &&
        sys_cap_inspect(process->native.process, MNOS_VIEW_PROCESS, 0, &size) == MNOS_OK) {
        about.threads = (uint32_t)info->thread_count;
        about.cpu_time_ns = info->cpu_time_ns;
        about.frames = info->frames_used;
    }
    return about;
}

mnos_status_t about_process(int32_t pid, struct lxhost_about *about)
{
    const struct process *found = NULL;

    EACH_PROCESS(at)
    {
        if (at->state != PROCESS_FREE && at->state != PROCESS_NEW && at->pid >= pid &&
            (found == NULL || at->pid < found->pid))
            found = at;
    }
    if (found == NULL)
        return MNOS_ERR_NOT_FOUND;
    *about = describe(found);
    return MNOS_OK;
}

/* What was given to processes counts as used until they have ended: it is theirs alone. */
mnos_status_t about_container(struct lxhost_container *container)
{
    const struct mnos_process_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS, 0, &size);

    if (status != MNOS_OK)
        return status;
    *container = (struct lxhost_container){info->frames_quota, info->frames_used, 0};
    EACH_PROCESS(at)
    container->processes += process_lives(at);
    return MNOS_OK;
}
