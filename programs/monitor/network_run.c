// SPDX-License-Identifier: MIT
/*
 * network_run - the commands about the network that are runs of programs/network: each gets a session of the network that
 * may do what its line names, and nothing else.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/clock.h"
#include "lib/format/net/dns.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/ipv4.h"
#include "lib/format/net/url.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/network.h"
#include "programs/monitor/target.h"

#define PROGRAM "network"
#define CAPTURE_COUNT_MAX 100000000u

/* What the program that is put together may do. */
static struct net_limits wanted;
static struct target file;

static bool begin(const struct words *words)
{
    wanted = (struct net_limits){0};
    return argument_begin(words->word[0]);
}

/* `target` may be NULL. */
static void run(const struct words *words, const struct target *target, enum launch_place place)
{
    if (argument_launch(PROGRAM) && network_give(words->word[0], &wanted, MNOS_RIGHT_WRITE) &&
        (target == NULL || target_give(target)))
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
        run(words, NULL, LAUNCH_BEHIND);
}

void command_netstat(const struct words *words)
{
    if (!begin(words))
        return;
    wanted.limits.rights = SOCKET_RIGHT_OBSERVE;
    run(words, NULL, LAUNCH_BEHIND);
}

/* ---- Peers ---- */

/* This machine, by which way ever. */
static bool is_here(struct ip_address address)
{
    return network_is_loopback(address) || network_is_own(address);
}

static void may_connect(const char *word, struct ip_address address, uint16_t port,
                        uint8_t protocols)
{
    struct socket_limits *limits = &wanted.limits;

    wanted.connect[limits->connect_count] = word;
    limits->connect[limits->connect_count++] =
        (struct socket_range){.first = address,
                              .last = address,
                              .first_port = port,
                              .last_port = port,
                              .protocols = protocols,
                              .flags = network_is_own(address) ? SOCKET_RANGE_OWN : 0};
}

/* The program may connect to the addresses of the host, which are its next words, at that port. `word` is what was typed.
 * Who answers for a name says nothing about this machine: that is reached by its address. False: there are none, which was
 * told. */
static bool add_peers(const char *command, const char *word, const char *host, uint16_t port)
{
    struct socket_resolved resolved = {.count = 1};
    char text[IP_TEXT_BYTES];
    const char *end = host;
    bool is_name = !ip_read(&end, &resolved.addresses[0]) || *end != 0;

    if (is_name && !network_resolve(command, host, &resolved))
        return false;
    for (uint32_t i = 0; i < resolved.count && i < SOCKET_RANGES; i++) {
        if (is_name && is_here(resolved.addresses[i]))
            continue;
        may_connect(word, resolved.addresses[i], port, SOCKET_TCP);
        if (!argument_add(ip_text(text, resolved.addresses[i])))
            return false;
    }
    if (wanted.limits.connect_count == 0)
        console_print(
            "%s: %s: the name leads to this machine, which is reached by its address alone\n",
            command, host);
    return wanted.limits.connect_count != 0;
}

/* ---- nc ---- */

/* At all addresses of one family that leave the machine. */
static void may_listen(const char *word, bool v6, uint16_t port)
{
    wanted.listen[0] = word;
    wanted.limits.listen_count = 1;
    wanted.limits.listen[0] = (struct socket_range){
        .first = v6 ? IP_NONE : IP_V4(0),
        .last = v6 ? (struct ip_address){UINT64_MAX, UINT64_MAX} : IP_V4(UINT32_MAX),
        .first_port = port,
        .last_port = port,
        .protocols = SOCKET_TCP};
}

void command_nc(const struct words *words)
{
    const char *host = words->word[1], *number = words->word[2];
    bool listens6 = strcmp(host, "-l6") == 0, listens = listens6 || strcmp(host, "-l") == 0;
    uint32_t port;

    if (!ipv4_read_number(&number, UINT16_MAX, &port) || *number != 0 || port == 0) {
        console_print("nc: PORT is a number from 1 to %u\n", UINT16_MAX);
        return;
    }
    if (!begin(words) || !argument_add(host) || !argument_add(words->word[2]))
        return;
    if (listens)
        may_listen(words->word[2], listens6, (uint16_t)port);
    else if (!add_peers("nc", host, host, (uint16_t)port))
        return;
    wanted.limits.sockets = 2;
    run(words, NULL, LAUNCH_FRONT);
}

/* ---- fetch ---- */

/* FILE, or a file of the page's name in the directory that it is; empty: onto the terminal. */
static bool take_file(const struct words *words, const char *typed, const struct url *url)
{
    const char *command = words->word[0];
    char name[FILE_NAME_BYTES_MAX + 1];

    if (typed[0] == 0)
        return argument_add("") && argument_add("");
    url_name(url, name, sizeof name);
    if (files_session(command) == NULL || !files_path(command, typed, file.path) ||
        (name[0] != 0 && !target_enter(command, &file, name)))
        return false;
    target_to_write(&file, "file");
    return argument_add_path(typed, &file);
}

void command_fetch(const struct words *words)
{
    bool goes_on = strcmp(words->word[1], "-c") == 0;
    const char *text = words->word[goes_on ? 2 : 1], *typed = words->word[goes_on ? 3 : 2];
    static struct url url;
    char address[IP_TEXT_BYTES];
    enum url_error error;

    if (words->count > (goes_on ? 4u : 3u) || (goes_on && words->count < 4)) {
        console_print("usage: fetch URL [FILE], or fetch -c URL FILE\n");
        return;
    }
    error = url_read(text, &url);
    if (error != URL_OK) {
        console_print("fetch %s: %s\n", text, url_error_text(error));
        return;
    }
    if (!begin(words) || !argument_add(text) || !argument_add(goes_on ? "-c" : "-") ||
        !take_file(words, typed, &url) ||
        !add_peers("fetch", text, url.is_address ? ip_text(address, url.address) : url.host,
                   url.port))
        return;
    wanted.limits.sockets = 1;
    run(words, typed[0] != 0 ? &file : NULL, LAUNCH_BEHIND);
}

/* ---- capture ---- */

/* What is behind `key` in a word, or "-". False: it is another word. */
static bool take_value(const char *word, const char *key, const char **value)
{
    size_t bytes = strlen(key);

    if (strncmp(word, key, bytes) != 0)
        return false;
    *value = word + bytes;
    return true;
}

static bool is_number(const char *text, uint32_t max)
{
    uint32_t number;

    return ipv4_read_number(&text, max, &number) && *text == 0 && number != 0;
}

/* Its filters and where it ends, as words of the program. False: they are none, which was told. */
static bool read_capture(const struct words *words, const char **host, const char **port,
                         const char **count)
{
    for (unsigned i = 2; i < words->count; i++) {
        const char *word = words->word[i], *value = word;
        struct ip_address address;
        bool good;

        if (take_value(word, "host=", host))
            value = *host, good = ip_read(&value, &address) && *value == 0;
        else if (take_value(word, "port=", port))
            good = is_number(*port, UINT16_MAX);
        else
            good = take_value(word, "count=", count) && is_number(*count, CAPTURE_COUNT_MAX);
        if (good)
            continue;
        console_print("capture: %s is not host=ADDRESS, port=PORT or count=NUMBER\n", word);
        return false;
    }
    return true;
}

void command_capture(const struct words *words)
{
    const char *typed = words->word[1], *host = "-", *port = "0", *count = "0";
    bool to_file = strcmp(typed, "-") != 0;
    char boot_ns[24];

    if (!read_capture(words, &host, &port, &count))
        return;
    /* So that the frames have the time that `date` shows, which the program may not read. */
    mnos_snprintf(boot_ns, sizeof boot_ns, "%llu", (unsigned long long)clock_boot_ns());
    if (!begin(words) || !argument_add(host) || !argument_add(port) || !argument_add(count) ||
        !argument_add(boot_ns))
        return;
    if (to_file) {
        if (files_session("capture") == NULL || !files_path("capture", typed, file.path))
            return;
        target_to_write(&file, "file");
        if (!argument_add_path(typed, &file))
            return;
    } else if (!argument_add("") || !argument_add("")) {
        return;
    }
    wanted.limits.rights = SOCKET_RIGHT_CAPTURE;
    run(words, to_file ? &file : NULL, LAUNCH_BEHIND);
}
