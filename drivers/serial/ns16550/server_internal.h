// SPDX-License-Identifier: MIT
/* server_internal.h - what the files of the server share. */
#pragma once

#include "drivers/serial/ns16550/server.h"

/* ---- session.c: who asks, and who is in front ---- */

/* FRONT_HOLDER, the badge of a session, or SERVER_VISITOR. */
mnos_badge_t server_who(const struct server *server, mnos_badge_t badge);
bool server_in_front(const struct server *server, mnos_badge_t badge);
/* The client in front, if it listens. */
struct stream_client *server_front_client(struct server *server);
/* Another may be in front than `before`: reads of those that are not are answered, and both are told. */
void server_front_changed(struct server *server, mnos_badge_t before);
/* Tells all clients of a session, or of the holder, of one kind of events; false: there is none. */
enum server_news { NEWS_FRONT, NEWS_INTERRUPT };
bool server_tell(struct server *server, mnos_badge_t who, enum server_news news);
/* GIVE_FRONT and TAKE_FRONT. `msg` gets reply_id 0 when it has been answered. */
mnos_status_t server_give_front(struct server *server, struct message *msg);
mnos_status_t server_take_front(struct server *server, const struct message *msg);
/* LISTEN and ATTACH. */
mnos_status_t server_listen(struct server *server, const struct message *msg);
/* For each request: the holder's run may be another one. */
void server_holder_asks(struct server *server, mnos_badge_t badge);
/* MNOS_KIND_CLIENT_GONE: sessions, listeners and rings. */
void server_forget_sessions(struct server *server, mnos_badge_t gone);

/* ---- input.c: what has been received ---- */

/* READ, POLL and HOLD; MNOS_OK: answered, or set aside. */
mnos_status_t server_read(struct server *server, const struct message *msg);
/* Of those that wait and are not in front any more, or whose session has ended. */
void server_end_reads(struct server *server);
void server_forget_reads(struct server *server, mnos_badge_t gone);
void server_input(struct server *server);

/* ---- output.c: what is to be sent ---- */

/* MNOS_OK: set aside. */
mnos_status_t server_write(struct server *server, const struct message *msg);
void server_forget_writes(struct server *server, mnos_badge_t gone);
void server_output(struct server *server);

/* ---- size.c: how large the terminal is ---- */

/* WINSIZE; MNOS_OK: answered, or set aside. */
mnos_status_t server_size(struct server *server, const struct message *msg);
void server_forget_asks(struct server *server, mnos_badge_t gone);
void server_answered(struct server *server, enum scan_found found, struct scan_answer answer);
void server_check_patience(struct server *server);
