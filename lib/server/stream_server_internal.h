// SPDX-License-Identifier: MIT
/* stream_server_internal.h - what the files of stream_server.h share. */
#pragma once

#include "lib/server/stream_server.h"

/* ---- stream_session.c: who asks, and who is in front ---- */

/* FRONT_HOLDER, the badge of a session, or STREAM_VISITOR. */
mnos_badge_t stream_server_who(const struct stream_server *server, mnos_badge_t badge);
bool stream_server_in_front(const struct stream_server *server, mnos_badge_t badge);
/* The client in front, if it listens. */
struct stream_client *stream_server_front_client(struct stream_server *server);
/* Another may be in front than `before`: reads of those that are not are answered, both are told, and what was typed is
 * looked at for the keys that are not for who is in front now. */
void stream_server_front_changed(struct stream_server *server, mnos_badge_t before);
/* Tells all clients of a session, or of the holder, of one kind of events; false: there is none. */
enum stream_server_news { NEWS_FRONT, NEWS_INTERRUPT };
bool stream_server_tell(struct stream_server *server, mnos_badge_t who,
                        enum stream_server_news news);
/* GIVE_FRONT and TAKE_FRONT. `msg` gets reply_id 0 when it has been answered. */
mnos_status_t stream_server_give_front(struct stream_server *server, struct message *msg);
mnos_status_t stream_server_take_front(struct stream_server *server, const struct message *msg);
/* LISTEN and ATTACH. */
mnos_status_t stream_server_listen(struct stream_server *server, const struct message *msg);
/* For each request: the holder's run may be another one. */
void stream_server_holder_asks(struct stream_server *server, mnos_badge_t badge);
/* MNOS_KIND_CLIENT_GONE: sessions, listeners and rings. */
void stream_server_forget_sessions(struct stream_server *server, mnos_badge_t gone);

/* ---- stream_input.c: what has been received ---- */

/* READ, POLL and HOLD; MNOS_OK: answered, or set aside. */
mnos_status_t stream_server_read(struct stream_server *server, const struct message *msg);
/* Of those that wait and are not in front any more, or whose session has ended. */
void stream_server_end_reads(struct stream_server *server);
void stream_server_forget_reads(struct stream_server *server, mnos_badge_t gone);
/* What nobody has taken is for another from now on. */
void stream_server_look_again(struct stream_server *server);
void stream_server_input(struct stream_server *server);

/* ---- stream_output.c: what is to be sent ---- */

/* MNOS_OK: set aside. */
mnos_status_t stream_server_write(struct stream_server *server, const struct message *msg);
void stream_server_forget_writes(struct stream_server *server, mnos_badge_t gone);
void stream_server_output(struct stream_server *server);

/* ---- stream_size.c: how large the terminal is ---- */

/* WINSIZE; MNOS_OK: answered, or set aside. */
mnos_status_t stream_server_size(struct stream_server *server, const struct message *msg);
void stream_server_forget_asks(struct stream_server *server, mnos_badge_t gone);
void stream_server_answered(struct stream_server *server, enum scan_found found,
                            struct scan_answer answer);
void stream_server_check_patience(struct stream_server *server);
