// SPDX-License-Identifier: MIT
/*
 * session_numbers - whether what a run finds is a table of sessions at all. What follows (sessions_rebuild(),
 * sessions_check()) uses numbers of the table as places and goes along its chains, so each number has to be one of the
 * table, and each chain has to end.
 */
#include "lib/server/session.h"

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
        if (session_at(sessions, i)->account >= SESSION_ACCOUNTS)
            return "S4: a session is charged to no account";
        if (session_at(sessions, i)->badge != 0 && !is_in_tree(sessions, i))
            return "S2: a session is not in the tree";
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
