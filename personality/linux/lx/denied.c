// SPDX-License-Identifier: MIT
/* denied - see denied.h. */
#include "personality/linux/lx/denied.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/format/net/ipv4.h"
#include "personality/linux/lx/host.h"

/* What was told already is not told again: a program that looks for a file in ten folders does so at each start of another.
 * What has the place of something else is forgotten, so that this is bounded. */
#define TOLD_MAX 64u

static uint64_t told[TOLD_MAX];
static bool learns;

void denied_learn(void)
{
    learns = true;
}

bool denied_learns(void)
{
    return learns;
}

/* FNV-1a. */
static uint64_t hash_of(const struct lxhost_denied *denied)
{
    const uint8_t *bytes = (const void *)denied;
    uint64_t hash = 0xCBF29CE484222325;

    for (size_t i = 0; i < sizeof *denied; i++)
        hash = (hash ^ bytes[i]) * 0x100000001B3;
    return hash;
}

static void tell(struct lxhost_denied *denied, const char *call, const char *text, int64_t result)
{
    uint64_t hash;

    denied->error = (int32_t)-result;
    string_copy(denied->call, call, sizeof denied->call);
    denied->cut = string_copy(denied->text, text, sizeof denied->text) >= sizeof denied->text;
    hash = hash_of(denied);
    if (told[hash % TOLD_MAX] == hash)
        return;
    told[hash % TOLD_MAX] = hash;
    (void)!host_ask(LXHOST_DENIED, denied, sizeof *denied, NULL, 0); /* it is for people alone */
}

int64_t denied_path(const char *call, const char *path, uint32_t rights, int64_t result)
{
    struct lxhost_denied denied = {.kind = LXHOST_DENIED_PATH, .rights = rights};

    if (path[0] != 0 && (result == -LX_EACCES || result == -LX_EROFS ||
                         (result == -LX_ENOENT && !mounts_cover(path))))
        tell(&denied, call, path, result);
    return result;
}

int64_t denied_address(const char *call, enum lxhost_denied_kind kind,
                       const struct inet_socket *socket, const struct inet_address *address,
                       int64_t result)
{
    struct lxhost_denied denied = {.kind = kind};
    char host[IPV4_TEXT_BYTES], text[32];

    if (result != -LX_EACCES && result != -LX_EPERM)
        return result;
    mnos_snprintf(text, sizeof text, "%s:%u%s", ipv4_text(host, address->address), address->port,
                  socket->protocol == SOCKET_UDP ? "/udp" : "");
    tell(&denied, call, text, result);
    return result;
}

void denied_name(const char *name)
{
    struct lxhost_denied denied = {.kind = LXHOST_DENIED_RESOLVE};

    tell(&denied, "resolve", name, -LX_EACCES);
}

int64_t denied_socket(int64_t result)
{
    struct lxhost_denied denied = {.kind = LXHOST_DENIED_SOCKET};

    tell(&denied, "socket", "", result);
    return result;
}
