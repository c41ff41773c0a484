// SPDX-License-Identifier: MIT
/*
 * denials - what processes of the container say that they were refused, the last CONTAINER_DENIALS different ones. See host.h.
 *
 * Nothing here changes what a process may do. Texts are printed to a person later: of what is no printable character of
 * ASCII only that it was there is kept.
 */
#include "personality/linux/lxhost/host.h"

#include "lib/base/string.h"
#include "lib/mnos/time.h"

static struct container_denial denials[CONTAINER_DENIALS]; /* the oldest first */
static uint32_t count;
static uint64_t lost;

static void clean(char *text, size_t size)
{
    size_t bytes = strnlen(text, size - 1);

    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
    }
    memset(text + bytes, 0, size - bytes);
}

static bool is_same(const struct lxhost_denied *one, const struct lxhost_denied *other)
{
    return one->kind == other->kind && one->rights == other->rights && one->cut == other->cut &&
           memcmp(one->call, other->call, sizeof one->call) == 0 &&
           memcmp(one->text, other->text, sizeof one->text) == 0;
}

static struct container_denial *find(const struct lxhost_denied *denied)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_same(&denials[i].denied, denied))
            return &denials[i];
    }
    return NULL;
}

static struct container_denial *add(const struct lxhost_denied *denied)
{
    if (count == CONTAINER_DENIALS) {
        memmove(&denials[0], &denials[1], (CONTAINER_DENIALS - 1) * sizeof denials[0]);
        count--;
        lost++;
    }
    denials[count] = (struct container_denial){.denied = *denied};
    return &denials[count++];
}

mnos_status_t denials_add(const struct process *process, const struct lxhost_denied *told)
{
    struct lxhost_denied denied = *told;
    struct container_denial *denial;

    if (denied.kind < LXHOST_DENIED_PATH || denied.kind > LXHOST_DENIED_SOCKET)
        return MNOS_ERR_ARGUMENT;
    denied.cut = denied.cut != 0;
    clean(denied.call, sizeof denied.call);
    clean(denied.text, sizeof denied.text);
    denial = find(&denied);
    if (denial == NULL)
        denial = add(&denied);
    denial->denied.error = denied.error;
    denial->time_ns = kinfo_time_ns();
    denial->pid = process->pid;
    denial->count++;
    return MNOS_OK;
}

const struct container_denial *denials_at(uint64_t index)
{
    return index < count ? &denials[index] : NULL;
}

uint32_t denials_count(uint64_t *forgotten)
{
    *forgotten = lost;
    return count;
}
