// SPDX-License-Identifier: MIT
/*
 * session_check - whether what a run finds is a table of sessions at all, and then whether its invariants hold. What follows
 * sessions_numbers() uses numbers of the table as places and goes along its chains, so each number has to be one of the
 * table, and each chain has to end.
 */
#include "lib/server/session.h"

/* ---- Numbers ---- */

static bool ends(const struct sessions *sessions, uint32_t at)
{
    for (uint32_t steps = 0; steps <= sessions->session_count; steps++) {
        if (at == 0)
            return true;
        if (at > sessions->session_count)
            return false;
        at = session_at(sessions, at)->next;
    }
    return false;
}

static bool ends_upwards(const struct sessions *sessions, uint32_t at)
{
    for (uint32_t steps = 0; steps <= sessions->session_count; steps++) {
        if (at == 0)
            return true;
        if (at > sessions->session_count)
            return false;
        at = session_at(sessions, at)->parent;
    }
    return false;
}

/* Whoever is referred to refers back; so there is no way round in the tree that does not lead upwards. */
static bool is_in_tree(const struct sessions *sessions, uint32_t number)
{
    const struct server_session *session = session_at(sessions, number);
    uint32_t count = sessions->session_count;

    if (session->parent > count || session->first_child > count || session->next_sibling > count ||
        session->previous_sibling > count || !ends_upwards(sessions, session->parent))
        return false;
    if (session->first_child != 0 &&
        (session_at(sessions, session->first_child)->parent != number ||
         session_at(sessions, session->first_child)->previous_sibling != 0))
        return false;
    if (session->next_sibling != 0 &&
        (session_at(sessions, session->next_sibling)->previous_sibling != number ||
         session_at(sessions, session->next_sibling)->parent != session->parent))
        return false;
    if (session->previous_sibling != 0)
        return session_at(sessions, session->previous_sibling)->next_sibling == number;
    return session->parent == 0 || session_at(sessions, session->parent)->first_child == number;
}

const char *sessions_numbers(const struct sessions *sessions, uint32_t session_count,
                             uint32_t handle_count)
{
    if (sessions->session_count != session_count || sessions->handle_count != handle_count ||
        sessions->handles_at !=
            sizeof(struct sessions) + (uint64_t)session_count * sizeof(struct server_session))
        return "S1: the tables of sessions have another size";
    for (uint32_t i = 0; i < SESSION_BUCKETS; i++)
        if (!ends(sessions, sessions->buckets[i]))
            return "S1: a chain of sessions does not end";
    if (!ends(sessions, sessions->free_session))
        return "S1: the chain of free sessions does not end";
    for (uint32_t i = 1; i <= session_count; i++) {
        const struct server_session *session = session_at(sessions, i);

        if (session->account >= SESSION_ACCOUNTS)
            return "S4: a session is charged to no account";
        if (session->badge != 0 && (session->client % SESSION_ACCOUNTS != session->account ||
                                    session_program(session->client) >= SESSION_PROGRAMS))
            return "S4: a session is of no client";
        if (session->badge != 0 && !is_in_tree(sessions, i))
            return "S2: a session is not in the tree";
    }
    return NULL;
}

/* ---- Invariants ---- */

static const char *check_session(const struct sessions *sessions,
                                 const struct server_session *session)
{
    uint32_t number = session->number, handles = 0;

    if (session->gone)
        return session->first_child == 0 || session->handle_count != 0
                   ? "S2: a session is kept for nothing"
                   : NULL;
    if (session_of((struct sessions *)sessions, session->badge) != session)
        return "S1: a session is not found by its badge";
    for (uint32_t at = session->first_handle; at != 0; at = handle_at(sessions, at)->next) {
        if (handle_at(sessions, at)->session != number || ++handles > session->handle_count)
            return "S3: a handle in the list of another session";
    }
    return handles == session->handle_count ? NULL : "S3: the handles of a session do not add up";
}

const char *sessions_check(const struct sessions *sessions)
{
    uint32_t handles[SESSION_ACCOUNTS] = {0}, count[SESSION_ACCOUNTS] = {0};

    for (uint32_t i = 1; i <= sessions->handle_count; i++) {
        uint32_t session = handle_at(sessions, i)->session;

        if (session != 0 && !session_is_open(sessions, session))
            return "S3: a handle of a session that is none";
    }

    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        const struct server_session *session = session_at(sessions, i);
        const char *wrong = session->number != i  ? "S1: a session has another number"
                            : session->badge == 0 ? NULL
                                                  : check_session(sessions, session);

        if (wrong != NULL)
            return wrong;
        handles[session->account] += session->handle_count;
        count[session->account] += session->badge != 0;
    }
    for (uint32_t i = 0; i < SESSION_ACCOUNTS; i++) {
        if (handles[i] != sessions->accounts[i].handles ||
            count[i] != sessions->accounts[i].sessions)
            return "S4: an account is charged what it does not have";
    }
    return NULL;
}

const char *sessions_take_over(struct sessions *sessions, uint32_t session_count,
                               uint32_t handle_count)
{
    const char *wrong = sessions_numbers(sessions, session_count, handle_count);

    if (wrong != NULL)
        return wrong;
    sessions_rebuild(sessions);
    return sessions_check(sessions);
}
