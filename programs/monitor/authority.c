// SPDX-License-Identifier: MIT
/*
 * authority - the commands about what a container of programs of Linux can reach: authority, revoke. What is printed is what
 * the file systems and the network service answer about the container's sessions now, and what the kernel has in the
 * table of its server; only where a session is, and where the programs see it, are words of the line that started it.
 */
#include "abi/inspect.h"
#include "abi/memory.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/format/net/ip.h"
#include "lib/mnos/size_text.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/container.h"
#include "programs/monitor/files.h"
#include "programs/monitor/path.h"
#include "programs/monitor/tasks.h"
#include "protocols/socket.h"

#define NETWORK "network"

static struct container_grants grants;

/* False: why not was told. */
static bool find(const char *command, const char *word, uint64_t *task, mnos_cap_t *control)
{
    struct manager_service found;
    mnos_status_t status = task_find(word, task, &found);

    if (status == MNOS_ERR_END) {
        task_print_unknown(command, word);
        return false;
    }
    if (status == MNOS_OK)
        status = task_open_control(*task, control);
    if (status == MNOS_ERR_STATE)
        console_print("%s: %s is no program of Linux that runs; caps shows what others have\n",
                      command, word);
    else if (status != MNOS_OK)
        console_error(status, command);
    return status == MNOS_OK;
}

/* ---- Files ---- */

static const char *state_text(uint32_t state)
{
    return state == CONTAINER_TAKEN ? "taken away" : "its file system does not know it any more";
}

static void print_rights(uint32_t rights)
{
    bool any = false;
    static const struct {
        uint32_t right;
        const char *text;
    } words[] = {{FILE_READ_RIGHT, "read"},
                 {FILE_WRITE_RIGHT, "write"},
                 {FILE_CREATE_RIGHT, "make and remove names"}};

    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((rights & words[i].right) == 0)
            continue;
        console_print("%s%s", any ? ", " : "", words[i].text);
        any = true;
    }
    if (!any)
        console_print("look up names");
}

static void print_grant(const struct container_grant *grant, const struct missing_place *place)
{
    bool is_program = place->inner[0] == 0;

    console_print("  %-14s ", is_program ? "its own file" : place->inner);
    console_write(place->outer, strlen(place->outer));
    if (grant->state != CONTAINER_HELD) {
        console_print(": %s\n", state_text(grant->state));
        return;
    }
    console_print(": ");
    print_rights(grant->rights);
    if (strcmp(place->outer, "/") == 0)
        console_print(", and of all that is mounted"); /* what the root of all leads to */
    if (grant->open != 0)
        console_print("; %u open", grant->open);
    console_print("\n");
}

/* ---- The network ---- */

static void print_ports(const struct socket_range *range)
{
    if (range->first_port == 1 && range->last_port == UINT16_MAX)
        console_print("all ports");
    else if (range->first_port == range->last_port)
        console_print("port %u", range->first_port);
    else
        console_print("ports %u to %u", range->first_port, range->last_port);
    console_print(" of %s\n", range->protocols == SOCKET_TCP   ? "TCP"
                              : range->protocols == SOCKET_UDP ? "UDP"
                                                               : "TCP and UDP");
}

static void print_range(const char *what, const struct socket_range *range)
{
    char first[IP_TEXT_BYTES], last[IP_TEXT_BYTES];

    console_print("  %-14s %s ", NETWORK, what);
    if ((range->flags & SOCKET_RANGE_OWN) != 0)
        console_print("this machine's own addresses");
    else if (ip_equal(range->first, range->last))
        console_print("%s", ip_text(first, range->first));
    else
        console_print("%s to %s", ip_text(first, range->first), ip_text(last, range->last));
    console_print(", ");
    print_ports(range);
}

static void print_limits(const struct socket_limits *limits)
{
    for (uint32_t i = 0; i < limits->listen_count && i < SOCKET_RANGES; i++)
        print_range("take connections and datagrams at", &limits->listen[i]);
    for (uint32_t i = 0; i < limits->connect_count && i < SOCKET_RANGES; i++)
        print_range("connect and send to", &limits->connect[i]);
    for (uint32_t i = 0; i < limits->resolve_count && i < SOCKET_SUFFIXES; i++)
        console_print("  %-14s ask for addresses of %.255s%s\n", NETWORK, limits->resolve[i],
                      strcmp(limits->resolve[i], "*") == 0 ? ", all names" : " and names below");
    console_print("  %-14s %u sockets at once\n", NETWORK, limits->sockets);
}

static void print_network(mnos_cap_t control, const struct container_info *info)
{
    static struct socket_limits limits;
    mnos_status_t status = MNOS_OK;

    if (info->network == CONTAINER_HELD)
        status = container_ask(control, CONTAINER_NETWORK, 0, &limits, sizeof limits);
    if (info->network != CONTAINER_HELD)
        console_print("  %-14s %s\n", NETWORK,
                      info->network == CONTAINER_TAKEN ? "taken away" : "none");
    else if (status != MNOS_OK)
        console_error(status, "authority: ask for what it may do on the network");
    else
        print_limits(&limits);
}

/* ---- The rest ---- */

static bool is_device(const struct mnos_cap_info *info)
{
    return info->type == MNOS_TYPE_INTERRUPT ||
           (info->type == MNOS_TYPE_MEMORY && info->flavour != MNOS_MEMORY_RAM);
}

/* From the kernel: memory, and whether there is a device in the table of the container's server, from which all that its
 * processes get is derived, but what services hand them. */
static void print_process(uint64_t task, const struct container_info *info)
{
    char quota[SIZE_TEXT_BYTES], used[SIZE_TEXT_BYTES];
    struct mnos_process_info process_info;
    struct mnos_cap_info cap;
    unsigned devices = 0;
    mnos_cap_t process;
    uint64_t size;

    if (task_open_process(task, &process) != MNOS_OK)
        return; /* it has ended meanwhile */
    for (uint64_t at = 0; sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, at, &size) == MNOS_OK;
         at = MNOS_HANDLE_INDEX(cap.handle) + 1) {
        memcpy(&cap, ipc_buffer()->data, sizeof cap);
        devices += is_device(&cap);
    }
    if (process_inspect(process, &process_info) == MNOS_OK)
        console_print("  %-14s %s, of which %s are used; %u of %u processes\n", "memory",
                      size_text(quota, process_info.frames_quota * MNOS_PAGE_BYTES),
                      size_text(used, process_info.frames_used * MNOS_PAGE_BYTES), info->processes,
                      info->processes_max);
    (void)!sys_cap_delete(process);
    if (devices == 0)
        console_print("  %-14s none\n", "devices");
    else
        console_print("  %-14s %u capabilities, which caps shows\n", "devices", devices);
}

void command_authority(const struct words *words)
{
    struct container_info info;
    mnos_cap_t control;
    mnos_status_t status;
    uint64_t task;

    if (!find("authority", words->word[1], &task, &control))
        return;
    status = container_ask(control, CONTAINER_INFO, 0, &info, sizeof info);
    if (status == MNOS_OK)
        status = container_grants(control, &grants);
    if (status != MNOS_OK) {
        console_error(status, "authority: ask the container");
    } else {
        console_print("%s can reach this, and nothing else:\n", words->word[1]);
        for (unsigned i = 0; i < grants.count; i++)
            print_grant(&grants.grants[i], &grants.places[i]);
        print_network(control, &info);
        console_print("  %-14s %s\n", "terminal", info.terminal != 0 ? "read, write" : "none");
        console_print("  %-14s %s\n", "random numbers",
                      info.entropy != 0 ? "of a service" : "its processor's");
        console_print("  %-14s %s\n", "clock", info.clock != 0 ? "read" : "none");
        print_process(task, &info);
    }
    (void)!sys_cap_delete(control);
}

/* ---- revoke ---- */

/* Which grant a person means: by where the programs see it, or else where it is. */
static bool number_of(const char *word, uint64_t *number)
{
    char path[FILES_PATH_BYTES];

    for (unsigned i = 0; i < grants.count; i++) {
        if (grants.places[i].inner[0] != 0 && strcmp(grants.places[i].inner, word) == 0) {
            *number = grants.numbers[i];
            return true;
        }
    }
    if (!files_path("revoke", word, path))
        return false;
    path_make_plain(path);
    for (unsigned i = 0; i < grants.count; i++) {
        if (strcmp(grants.places[i].outer, path) == 0) {
            *number = grants.numbers[i];
            return true;
        }
    }
    return false;
}

void command_revoke(const struct words *words)
{
    const char *name = words->word[1], *what = words->word[2];
    uint64_t task, number = CONTAINER_OF_NETWORK;
    mnos_status_t status;
    mnos_cap_t control;

    if (!find("revoke", name, &task, &control))
        return;
    status = container_grants(control, &grants);
    if (status == MNOS_OK && strcmp(what, NETWORK) != 0 && !number_of(what, &number))
        status = MNOS_ERR_NOT_FOUND;
    if (status == MNOS_OK)
        status = container_ask(control, CONTAINER_REVOKE, number, NULL, 0);
    if (status == MNOS_OK)
        console_print("%s: %s is taken away\n", name, what);
    else if (status == MNOS_ERR_NOT_FOUND)
        console_print("revoke: %s has no %s; authority %s shows what it has\n", name, what, name);
    else if (status == MNOS_ERR_DENIED)
        console_print(
            "revoke: %s stays: file systems below it have given out sessions of their own; kill %s "
            "ends the program\n",
            what, name);
    else
        console_error(status, "revoke");
    (void)!sys_cap_delete(control);
}
