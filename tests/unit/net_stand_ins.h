// SPDX-License-Identifier: MIT
/* net_stand_ins.h - what test_net_recover.c has instead of lwIP, windows and sockets' rings; that file alone includes it, and
 * test_net_names.c is linked with it. */
#pragma once

/* ---- Stand-ins: lwIP ---- */

struct tcp_pcb *tcp_active_pcbs, *tcp_tw_pcbs;
struct udp_pcb *udp_pcbs;
u8_t tcp_active_pcbs_changed;
uint32_t timers_touched;

struct tcp_pcb *tcp_new_ip_type(u8_t)
{
    return &pcbs[pcb_count++ % 4];
}

void tcp_timer_needed(void)
{
}

void lookup_add(uint32_t)
{
}

void lookup_remove(uint32_t)
{
}

void tcp_abort(struct tcp_pcb *)
{
    aborted++;
}

void tcp_ext_arg_set_callbacks(struct tcp_pcb *, uint8_t, const struct tcp_ext_arg_callbacks *)
{
}

void tcp_ext_arg_set(struct tcp_pcb *pcb, uint8_t id, void *argument)
{
    pcb->ext_args[id].data = argument;
}

void *tcp_ext_arg_get(const struct tcp_pcb *pcb, uint8_t id)
{
    return pcb->ext_args[id].data;
}

err_t tcp_output(struct tcp_pcb *)
{
    return ERR_OK;
}

err_t tcp_send_fin(struct tcp_pcb *)
{
    return ERR_OK;
}

struct udp_pcb *udp_new_ip_type(u8_t)
{
    return open_comes_to == MNOS_OK ? &udp_pcb : NULL;
}

void udp_recv(struct udp_pcb *, udp_recv_fn, void *)
{
}

err_t udp_bind(struct udp_pcb *, const ip_addr_t *, u16_t)
{
    return bind_comes_to == MNOS_OK ? ERR_OK : ERR_USE;
}

err_t udp_connect(struct udp_pcb *, const ip_addr_t *, u16_t)
{
    return ERR_OK;
}

void udp_remove(struct udp_pcb *pcb)
{
    removed += pcb == &udp_pcb;
}

err_t udp_send(struct udp_pcb *, struct pbuf *)
{
    return ERR_OK;
}

err_t udp_sendto(struct udp_pcb *, struct pbuf *, const ip_addr_t *, u16_t)
{
    return ERR_OK;
}

struct pbuf *pbuf_alloc(pbuf_layer, u16_t, pbuf_type)
{
    return NULL;
}

u8_t pbuf_free(struct pbuf *)
{
    return 0;
}

u16_t pbuf_copy_partial(const struct pbuf *, void *, u16_t, u16_t)
{
    return 0;
}

/* ---- Stand-ins: what recover.c asks of others in net, and of the libraries ---- */

mnos_status_t tcp_socket_open(struct socket *socket)
{
    if (open_comes_to == MNOS_OK)
        socket->tcp = tcp_new_ip_type(0);
    return open_comes_to;
}

mnos_status_t tcp_socket_bind(struct socket *, struct ip_address, uint16_t)
{
    return bind_comes_to;
}

mnos_status_t tcp_socket_listen(struct socket *socket, uint32_t)
{
    socket->kind = KIND_LISTENER;
    return MNOS_OK;
}

void tcp_socket_abort(struct socket *socket)
{
    aborted += socket->tcp != NULL;
    socket->tcp = NULL;
}

bool tcp_socket_recover(struct socket *socket, struct tcp_pcb *pcb, const struct kept_connection *)
{
    socket->tcp = pcb;
    return true;
}

void tcp_pending_recover(struct pending *pending, struct socket *, struct tcp_pcb *pcb)
{
    pending->pcb = pcb;
}

bool tcp_half_open_recover(struct socket *, struct tcp_pcb *)
{
    return true;
}

void tcp_owner(const struct tcp_pcb *, struct kept_connection *)
{
}

void tcp_freed(const struct tcp_pcb *)
{
}

void direct_forget(uint32_t)
{
}

void tcp_socket_pump(struct socket *)
{
}

void socket_fail(struct net *, struct socket *socket, mnos_status_t error)
{
    socket->error = error;
    socket->state = SOCKET_FAILED;
}

void socket_tell(struct net *, struct socket *)
{
}

mnos_status_t socket_written(const struct socket *socket, uint64_t *written)
{
    *written = socket->send.own;
    return MNOS_OK;
}

mnos_status_t socket_room(const struct socket *, uint64_t *room)
{
    *room = 0;
    return MNOS_OK;
}

mnos_status_t socket_put(struct socket *, const void *, size_t)
{
    return MNOS_ERR_FORMAT;
}

mnos_status_t port_status(err_t error)
{
    return error == ERR_OK ? MNOS_OK : MNOS_ERR_EXISTS;
}

uint16_t port_of_own(void)
{
    return 50000;
}

bool loopback_is_input(void)
{
    return false;
}

void socket_free(struct net *, struct socket *socket)
{
    socket->kind = KIND_FREE;
}

void socket_close(struct net *, uint32_t)
{
}

void socket_place(struct socket *)
{
}

void share_leave(struct net *, uint32_t)
{
}

bool share_recover(struct net *, uint32_t number)
{
    return number != lost_share;
}

void interface_address(const struct interface *, struct kept_address *image)
{
    *image = (struct kept_address){0};
}

bool ipc_client_is_gone(mnos_cap_t, mnos_badge_t, mnos_badge_t)
{
    return false;
}

void log_line(const char *, ...)
{
}

void log_at(enum mnos_log_level, const char *, ...)
{
}

uint64_t kinfo_time_ns(void)
{
    return 1;
}

uint64_t deadline_after_ns(uint64_t duration_ns)
{
    return duration_ns;
}
