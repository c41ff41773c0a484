// SPDX-License-Identifier: MIT
/*
 * network_run - the commands about the network that are runs of programs/network: each gets a session of the network that
 * may do what its line names, and nothing else.
 */
#include "lib/base/string.h"
#include "lib/format/net/dns.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/network.h"
#include "programs/monitor/target.h"

#define PROGRAM "network" /* the launcher has it, so that no file system is needed to start it */
#define FRAMES 512u

/* What the program that is put together may do. */
static struct net_limits wanted;

static bool begin(const struct words *words)
{
    wanted = (struct net_limits){0};
    return argument_begin(words->word[0]);
}

static bool give_net(const char *command)
{
    mnos_cap_t below;
    bool given;

    if (!network_narrow(command, &wanted, &below)) {
        launch_drop();
        return false;
    }
    given = launch_give("net", below, MNOS_RIGHT_WRITE);
    (void)!sys_cap_delete(below);
    return given;
}

static void run(const struct words *words, enum launch_place place)
{
    struct launch_plan plan = {
        .command = words->word[0],
        .file = PROGRAM,
        .name = words->word[0],
        .frames = FRAMES,
        .quiet = true,
    };

    argument_plan(&plan);
    if (launch_begin(&plan) && give_net(words->word[0]))
        launch_go(words->background ? LAUNCH_BACKGROUND : place);
}

/* False: it is no name of a host, which was told. */
static bool may_resolve(const char *command, const char *word)
{
    char *name = wanted.limits.resolve[wanted.limits.resolve_count];

    if (!dns_name_clean(word, name)) {
        console_print("%s: %s is no name of a host\n", command, word);
        return false;
    }
    wanted.resolve[wanted.limits.resolve_count++] = word;
    return true;
}

void command_resolve(const struct words *words)
{
    if (begin(words) && may_resolve(words->word[0], words->word[1]) && argument_add(words->word[1]))
        run(words, LAUNCH_BEHIND);
}
