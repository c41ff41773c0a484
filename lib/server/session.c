// SPDX-License-Identifier: MIT
/* session - see session.h. */
#include "lib/server/session.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

static uint32_t handle_number(const struct sessions *sessions, const struct server_handle *handle)
{
    return (uint32_t)(handle - handle_at(sessions, 1)) + 1;
}

uint64_t sessions_bytes(uint32_t session_count, uint32_t handle_count)
{
    return sizeof(struct sessions) + (uint64_t)session_count * sizeof(struct server_session) +
           (uint64_t)handle_count * sizeof(struct server_handle);
}

struct sessions *sessions_format(void *block, uint32_t session_count, uint32_t handle_count,
                                 mnos_badge_t first_badge)
{
    struct sessions *sessions = block;

    memset(block, 0, sessions_bytes(session_count, handle_count));
    sessions->session_count = session_count;
    sessions->handle_count = handle_count;
    sessions->next_badge = first_badge | SESSION_EXPORTED;
    sessions->handles_at =
        sizeof(struct sessions) + (uint64_t)session_count * sizeof(struct server_session);
    for (uint32_t i = session_count; i != 0; i--) {
        *session_at(sessions, i) =
            (struct server_session){.number = i, .next = sessions->free_session};
        sessions->free_session = i;
    }
    sessions_rebuild(sessions);
    return sessions;
}

/* ---- Sessions ---- */

static uint32_t *bucket_of(struct sessions *sessions, mnos_badge_t badge)
{
    return &sessions->buckets[session_bucket(badge)];
}

/* A client is charged under the number that the service manager puts into its badge, and what it
 * exported with it. */
static uint32_t account_for(mnos_badge_t badge, const struct server_session *parent)
{
    if (parent != NULL)
        return parent->account;
    return (badge & 0xFFFF) < SESSION_ACCOUNTS ? badge & 0xFFFF : 0;
}

static void link_to_parent(struct sessions *sessions, struct server_session *session,
                           uint32_t parent)
{
    uint32_t number = session->number;
    struct server_session *above = session_at(sessions, parent);

    session->parent = parent;
    session->next_sibling = above->first_child;
    if (above->first_child != 0)
        STATE_SET(session_at(sessions, above->first_child)->previous_sibling, number);
    STATE_SET(above->first_child, number);
}

static void unlink_from_parent(struct sessions *sessions, struct server_session *session)
{
    if (session->parent == 0)
        return;
    if (session->previous_sibling != 0)
        STATE_SET(session_at(sessions, session->previous_sibling)->next_sibling,
                  session->next_sibling);
    else
        STATE_SET(session_at(sessions, session->parent)->first_child, session->next_sibling);
    if (session->next_sibling != 0)
        STATE_SET(session_at(sessions, session->next_sibling)->previous_sibling,
                  session->previous_sibling);
}

struct server_session *session_make(struct sessions *sessions, mnos_badge_t badge,
                                    struct server_session *parent, uint32_t object, uint32_t rights)
{
    struct server_session *made =
        session_make_for(sessions, badge, parent, object, rights, account_for(badge, parent));

    if (made == NULL || parent == NULL)
        return made;
    if (session_program(parent->client) != 0)
        made->client = parent->client;
    else if (made->number < SESSION_PROGRAMS)
        made->client = session_client(made->account, made->number);
    return made;
}

struct server_session *session_make_for(struct sessions *sessions, mnos_badge_t badge,
                                        struct server_session *parent, uint32_t object,
                                        uint32_t rights, uint32_t account)
{
    uint32_t number = sessions->free_session;
    struct server_session *session;

    if (number == 0 || account >= SESSION_ACCOUNTS ||
        sessions->accounts[account].sessions >= sessions->session_count / SESSION_SHARE)
        return NULL;
    session = session_at(sessions, number);
    STATE_SET(sessions->free_session, session->next);
    /* Of one that is free nothing else means anything. */
    state_note(session, offsetof(struct server_session, parent));
    *session = (struct server_session){.badge = badge,
                                       .object = object,
                                       .rights = rights,
                                       .account = (uint16_t)account,
                                       .client = session_client(account, 0),
                                       .number = number};
    session->next = *bucket_of(sessions, badge);
    STATE_SET(*bucket_of(sessions, badge), number);
    if (parent != NULL)
        link_to_parent(sessions, session, parent->number);
    STATE_SET(sessions->accounts[account].sessions, sessions->accounts[account].sessions + 1);
    return session;
}

void session_reset(struct sessions *sessions, struct server_session *session,
                   const struct session_owner *owner)
{
    /* Each by itself: there may be more of them than an operation can take back. Whoever asked for it asks
     * again, and of a client that is gone the next run finds out (sessions_recover()). */
    while (session->first_handle != 0) {
        handle_close(sessions, handle_at(sessions, session->first_handle), owner);
        state_step();
    }
    state_note(session->lanes, sizeof session->lanes);
    memset(session->lanes, 0, sizeof session->lanes);
}

void session_begin_anew(struct sessions *sessions, struct server_session *session,
                        const struct session_owner *owner)
{
    session_reset(sessions, session, owner);
    if (session->lost)
        STATE_SET(session->lost, 0);
}

void session_lose(struct sessions *sessions, struct server_session *session,
                  const struct session_owner *owner)
{
    session_reset(sessions, session, owner);
    STATE_SET(session->lost, 1);
    state_step();
}

/* Takes it out of the table of badges: from now on it is only a place in the tree. */
static void shut(struct sessions *sessions, struct server_session *session,
                 const struct session_owner *owner)
{
    uint32_t number = session->number, *link = bucket_of(sessions, session->badge);

    if (session->gone)
        return;
    session_reset(sessions, session, owner);
    while (*link != number)
        link = &session_at(sessions, *link)->next;
    STATE_SET(*link, session->next);
    owner->drop(owner->context, session->object);
    owner->ended(owner->context, number);
    STATE_SET(session->gone, 1);
}

/* One that is shut and has nothing below it. */
static void discard(struct sessions *sessions, struct server_session *session)
{
    uint32_t number = session->number;

    unlink_from_parent(sessions, session);
    STATE_SET(sessions->accounts[session->account].sessions,
              sessions->accounts[session->account].sessions - 1);
    state_note(session, sizeof *session);
    *session = (struct server_session){.number = number, .next = sessions->free_session};
    STATE_SET(sessions->free_session, number);
}

/* Discards it and those above it that were only kept for it. */
static void discard_upwards(struct sessions *sessions, struct server_session *session)
{
    while (session->gone && session->first_child == 0) {
        uint32_t parent = session->parent;

        discard(sessions, session);
        state_step();
        if (parent == 0)
            return;
        session = session_at(sessions, parent);
    }
}

void session_gone(struct sessions *sessions, struct server_session *session,
                  const struct session_owner *owner)
{
    shut(sessions, session, owner);
    discard_upwards(sessions, session);
}

void session_close_tree(struct sessions *sessions, struct server_session *session,
                        const struct session_owner *owner)
{
    struct server_session *at = session;

    for (;;) {
        struct server_session *above;

        while (at->first_child != 0)
            at = session_at(sessions, at->first_child);
        shut(sessions, at, owner);
        if (at == session)
            break;
        above = session_at(sessions, at->parent);
        discard(sessions, at);
        state_step();
        at = above;
    }
    discard_upwards(sessions, session);
}

bool session_is_below(const struct sessions *sessions, const struct server_session *session,
                      const struct server_session *above)
{
    for (uint32_t at = session->parent; at != 0; at = session_at(sessions, at)->parent) {
        if (at == above->number)
            return true;
    }
    return false;
}

uint32_t session_count_below(const struct sessions *sessions, const struct server_session *session)
{
    uint32_t count = 0, root = session->number, at = root;

    for (;;) {
        if (session_at(sessions, at)->first_child != 0) {
            at = session_at(sessions, at)->first_child;
        } else {
            while (at != root && session_at(sessions, at)->next_sibling == 0)
                at = session_at(sessions, at)->parent;
            if (at == root)
                return count;
            at = session_at(sessions, at)->next_sibling;
        }
        count++;
    }
}

/* ---- Handles ---- */

mnos_status_t handle_make(struct sessions *sessions, struct server_session *session,
                          uint32_t object, uint32_t rights, uint32_t type, uint64_t *handle)
{
    if (!handle_room(sessions, session))
        return MNOS_ERR_QUOTA;
    (void)handle_take(sessions, session, object, rights, type, handle);
    return MNOS_OK;
}

void handle_close(struct sessions *sessions, struct server_handle *handle,
                  const struct session_owner *owner)
{
    uint32_t number = handle_number(sessions, handle), next, previous;
    struct server_session *session = session_at(sessions, handle->session);

    state_note(&handle->session, sizeof handle->session);
    handle->session = 0;
    next = handle->next;
    previous = handle->previous;
    if (previous != 0)
        handle_at(sessions, previous)->next = next;
    else
        session->first_handle = next;
    if (next != 0)
        handle_at(sessions, next)->previous = previous;
    session->handle_count--;
    sessions->accounts[session->account].handles--;
    handle->next = sessions->free_handle;
    sessions->free_handle = number;
    owner->drop(owner->context, handle->object);
}

void sessions_rebuild(struct sessions *sessions)
{
    sessions->free_handle = 0;
    for (uint32_t i = 0; i < SESSION_ACCOUNTS; i++)
        sessions->accounts[i].handles = 0;
    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        session_at(sessions, i)->number = i;
        session_at(sessions, i)->first_handle = 0;
        session_at(sessions, i)->handle_count = 0;
    }
    for (uint32_t i = sessions->handle_count; i != 0; i--) {
        struct server_handle *entry = handle_at(sessions, i);

        if (entry->generation > sessions->generation)
            sessions->generation = entry->generation;
        if (session_is_open(sessions, entry->session)) {
            handle_link(sessions, session_at(sessions, entry->session), entry, i);
        } else if (entry->session == 0) {
            entry->next = sessions->free_handle;
            sessions->free_handle = i;
        } /* of nobody: sessions_check() says so */
    }
}

/* ---- After a death ---- */

static void lose_lane(struct server_lane *lane)
{
    lane->status = MNOS_ERR_LOST;
    lane->length = 0;
    lane->begun = 0;
    lane->state = LANE_DONE;
}

/* What was running when the run died did not happen; the second time that it is found so it may be what the
 * service dies of, and is not carried out again. */
static unsigned recover_lanes(struct server_session *session, bool ordered)
{
    unsigned running = 0;

    for (uint32_t i = 0; i < LABEL_LANES; i++) {
        struct server_lane *lane = &session->lanes[i];

        if (lane->state != LANE_RUNNING)
            continue;
        running++;
        state_note(lane, sizeof *lane);
        lane->reply_id = 0;
        lane->deaths += !ordered;
        if (lane->deaths < SESSION_DEATHS_MAX) {
            lane->state = LANE_AGAIN;
            continue;
        }
        lose_lane(lane);
        running += SESSION_RUNNING_LOST;
    }
    return running;
}

void sessions_lose_parts(struct sessions *sessions)
{
    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        struct server_session *session = session_at(sessions, i);

        for (uint32_t j = 0; session->badge != 0 && j < LABEL_LANES; j++) {
            struct server_lane *lane = &session->lanes[j];

            if (lane->state != LANE_AGAIN || lane->begun == 0)
                continue;
            state_note(lane, sizeof *lane);
            lose_lane(lane);
            state_step();
        }
    }
}

unsigned sessions_recover(struct sessions *sessions, const struct session_owner *owner,
                          bool (*is_gone)(void *context, mnos_badge_t badge), bool ordered)
{
    unsigned running = 0;

    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        struct server_session *session = session_at(sessions, i);

        if (session->badge == 0)
            continue;
        if (session->gone) {
            discard_upwards(sessions, session);
        } else if (is_gone(owner->context, session->badge)) {
            session_gone(sessions, session, owner);
        } else {
            running += recover_lanes(session, ordered);
        }
        state_step();
    }
    return running;
}

void sessions_hold_all(const struct sessions *sessions,
                       void (*hold)(void *context, uint32_t object), void *context)
{
    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        const struct server_session *session = session_at(sessions, i);

        if (session->badge != 0 && !session->gone)
            hold(context, session->object);
    }
    for (uint32_t i = 1; i <= sessions->handle_count; i++) {
        if (handle_at(sessions, i)->session != 0)
            hold(context, handle_at(sessions, i)->object);
    }
}
