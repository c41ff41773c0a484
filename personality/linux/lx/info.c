// SPDX-License-Identifier: MIT
/* info - what the program can ask about the system and its limits. */
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/process.h"

int64_t lx_uname(uint64_t to)
{
    /* 6.1 is the Linux whose calls these are. */
    static const struct linux_utsname name = {
        .system = "Linux",
        .node = "minimalos",
        .release = "6.1.0-minimalos",
        .version = "#1 MinimalOS NextGen",
        .machine = "x86_64",
        .domain = "(none)",
    };

    return user_write(to, &name, sizeof name);
}

int64_t lx_sysinfo(uint64_t to)
{
    struct lxhost_container info;
    struct linux_sysinfo result;

    if (host_ask(LXHOST_CONTAINER, NULL, 0, &info, sizeof info) != MNOS_OK)
        return -LX_EIO;
    result = (struct linux_sysinfo){
        .uptime = (int64_t)(kinfo_time_ns() / 1000000000),
        .total_ram = info.frames_quota * LX_PAGE,
        .free_ram = (info.frames_quota - info.frames_used) * LX_PAGE,
        .processes = (uint16_t)info.processes,
        .unit = 1,
    };
    return user_write(to, &result, sizeof result);
}

/* ---- Limits: asm-generic/resource.h ---- */

#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_NPROC 6
#define RLIMIT_NOFILE 7
#define UNLIMITED UINT64_MAX

static struct linux_rlimit limits[LINUX_RLIMITS];
static bool limits_set[LINUX_RLIMITS];

static struct linux_rlimit at_first(uint32_t resource)
{
    switch (resource) {
    case RLIMIT_STACK: return (struct linux_rlimit){LX_PROGRAM_STACK, LX_PROGRAM_STACK};
    case RLIMIT_CORE: return (struct linux_rlimit){0, 0};
    case RLIMIT_NPROC: return (struct linux_rlimit){1, 1};
    case RLIMIT_NOFILE: return (struct linux_rlimit){DESCRIPTORS_MAX, DESCRIPTORS_MAX};
    default: return (struct linux_rlimit){UNLIMITED, UNLIMITED};
    }
}

int64_t lx_prlimit64(int32_t which, uint32_t resource, uint64_t wanted, uint64_t old)
{
    struct linux_rlimit limit;

    if (which != 0 && which != process_id())
        return -LX_ESRCH;
    if (resource >= LINUX_RLIMITS)
        return -LX_EINVAL;
    if (!limits_set[resource])
        limits[resource] = at_first(resource);
    limits_set[resource] = true;
    if (wanted != 0 && user_read(&limit, wanted, sizeof limit) != 0)
        return -LX_EFAULT;
    if (wanted != 0 && limit.current > limit.maximum)
        return -LX_EINVAL;
    if (wanted != 0 && limit.maximum > limits[resource].maximum)
        return -LX_EPERM;
    if (old != 0 && user_write(old, &limits[resource], sizeof limit) != 0)
        return -LX_EFAULT;
    if (wanted != 0)
        limits[resource] = limit;
    return 0;
}

int64_t lx_getrlimit(uint32_t resource, uint64_t to)
{
    return to == 0 ? -LX_EFAULT : lx_prlimit64(0, resource, 0, to);
}

int64_t lx_setrlimit(uint32_t resource, uint64_t from)
{
    return from == 0 ? -LX_EFAULT : lx_prlimit64(0, resource, from, 0);
}
