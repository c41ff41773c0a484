// SPDX-License-Identifier: MIT
/* control - requests of protocols/container.def, from who has started the container. See host.h. */
#include "personality/linux/lxhost/host.h"

#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "protocols/socket.h"

/* How long denials of one that has ended can be read. */
#define LINGER_NS 5000000000ull
#define TEXTS_BYTES 3900u /* of the words that the container is started with, in which they are */

/* Where the grants are for who has given them; NULL: not told. */
static const char *outer[CONTAINER_GRANTS], *inner[CONTAINER_GRANTS];
static uint64_t lingers_until; /* 0: it has not ended */
static bool may_end;

/* ---- Words ---- */

/* What follows NAME= in a word that begins so, of one of the sessions. */
static const char **place_of(const char *word, const char *texts[], const char **text)
{
    for (unsigned i = 0; i < CONTAINER_GRANTS; i++) {
        char name[MNOS_NAME_BYTES];
        size_t bytes;

        sessions_name(i, name);
        bytes = strlen(name);
        *text = word + bytes + 1;
        if (strncmp(word, name, bytes) == 0 && word[bytes] == '=')
            return &texts[i];
    }
    return NULL;
}

/* Of the words of lx, those that say where a session is seen: "m" and NAME=PATH, up to "-". */
static void look_at_mounts(const char *word, uint32_t count)
{
    for (uint32_t i = 0; i < count && strcmp(word, "-") != 0; i++, word += strlen(word) + 1) {
        const char *text, **place = word[0] == 'm' ? place_of(word + 1, inner, &text) : NULL;

        if (place != NULL)
            *place = text;
    }
}

void control_take_words(struct words *words)
{
    const char *at = words->text;
    uint32_t left = words->count;

    while (left > 0 && strcmp(at, "--") != 0) {
        const char *text, **place = place_of(at, outer, &text);

        if (place != NULL)
            *place = text;
        at += strlen(at) + 1;
        left--;
    }
    if (left == 0)
        return; /* none are for lxhost */
    at += strlen(at) + 1;
    *words = (struct words){at, words->bytes - (size_t)(at - words->text), left - 1};
    look_at_mounts(at, words->count);
}

/* ---- The end ---- */

bool control_lingers(void)
{
    mnos_cap_t learner = bootstrap_lookup(BOOTSTRAP_OPTIONAL("learner"));

    if (learner == 0 || may_end)
        return false;
    if (lingers_until == 0) {
        lingers_until = deadline_after_ns(LINGER_NS);
        (void)!sys_ipc_notify(learner, CONTAINER_EVENT_ENDED); /* fails when nobody is there */
    }
    return kinfo_time_ns() < lingers_until;
}

uint64_t control_deadline(void)
{
    return lingers_until == 0 ? MNOS_DEADLINE_NEVER : lingers_until;
}

/* ---- Requests ---- */

static mnos_status_t give_info(struct message *reply)
{
    struct container_info info = {
        .processes_max = PROCESSES_MAX,
        .network = network_state(),
        .terminal = bootstrap_lookup(BOOTSTRAP_OPTIONAL("terminal")) != 0,
        .entropy = bootstrap_lookup(BOOTSTRAP_OPTIONAL("entropy")) != 0,
        .clock = bootstrap_lookup(BOOTSTRAP_OPTIONAL("clock")) != 0,
        .ended = lingers_until != 0,
    };

    info.denials = denials_count(&info.denials_lost);
    EACH_PROCESS(at)
    {
        info.processes += process_lives(at);
    }
    message_put(reply, MNOS_OK, &info, sizeof info);
    return MNOS_OK;
}

static mnos_status_t give_grant(uint64_t index, struct message *reply)
{
    static uint8_t bytes[sizeof(struct container_grant) + TEXTS_BYTES];
    struct container_grant grant;
    char *text = (char *)bytes + sizeof grant;
    size_t room = TEXTS_BYTES, used;

    if (index >= CONTAINER_GRANTS)
        return MNOS_ERR_END;
    sessions_describe((unsigned)index, &grant);
    memcpy(bytes, &grant, sizeof grant);
    /* Both are of words that fit together. */
    used = string_copy(text, outer[index] != NULL ? outer[index] : "", room) + 1;
    text += used;
    room -= used;
    text += string_copy(text, inner[index] != NULL ? inner[index] : "", room) + 1;
    message_put(reply, MNOS_OK, bytes, (size_t)(text - (char *)bytes));
    return MNOS_OK;
}

static mnos_status_t give_network(struct message *reply)
{
    struct socket_limits limits;
    mnos_status_t status = network_limits(&limits);

    if (status == MNOS_OK)
        message_put(reply, MNOS_OK, &limits, sizeof limits);
    return status;
}

static mnos_status_t give_denial(uint64_t index, struct message *reply)
{
    const struct container_denial *denial = denials_at(index);

    if (denial == NULL)
        return MNOS_ERR_END;
    message_put(reply, MNOS_OK, denial, sizeof *denial);
    return MNOS_OK;
}

static mnos_status_t take(uint64_t index)
{
    return index == CONTAINER_OF_NETWORK ? network_take()
           : index < CONTAINER_GRANTS    ? sessions_take((unsigned)index)
                                         : MNOS_ERR_NOT_FOUND;
}

mnos_status_t control_handle(const struct message *message, struct message *reply)
{
    struct container_index record = {0};
    bool has_index = message->label == CONTAINER_GRANT || message->label == CONTAINER_DENIAL ||
                     message->label == CONTAINER_REVOKE;

    if (message->length != (has_index ? sizeof record : 0))
        return MNOS_ERR_SIZE;
    if (has_index)
        (void)message_get(message, &record, sizeof record);
    switch (message->label) {
    case CONTAINER_INFO: return give_info(reply);
    case CONTAINER_GRANT: return give_grant(record.index, reply);
    case CONTAINER_NETWORK: return give_network(reply);
    case CONTAINER_DENIAL: return give_denial(record.index, reply);
    case CONTAINER_REVOKE: return take(record.index);
    case CONTAINER_END: may_end = true; return MNOS_OK;
    default: return MNOS_ERR_LABEL;
    }
}
