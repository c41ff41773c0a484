// SPDX-License-Identifier: MIT
/* interface - cards (lib/client/frame.h) as interfaces of lwIP; which driver is whose is in cards.c. */
#include "lib/base/printf.h"
#include "lib/format/net/ip.h"
#include "lib/format/net/ipv4.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/net/capture.h"
#include "services/net/join.h"
#include "services/net/loopback.h"
#include "services/net/net.h"

/* Frames of one card that are taken in one pass. */
#define BATCH 64u
#define FRAME_BYTES_SHORT 60u /* what Ethernet sends at least, without the sum at its end */
/* With more than these in its hands lwIP gets copies, so that there is always room for frames to come. */
#define HELD_MAX (FRAME_RECEIVE_BUFFERS / 2)
#define HOST_NAME "minimalos"

/* ---- Frames to lwIP and back ---- */

static struct interface *interface_of(struct netif *netif)
{
    return netif->state;
}

static void give(struct interface *interface, uint32_t buffer)
{
    if (interface->card.attached)
        (void)frame_give(&interface->card.buffers, buffer);
}

static void free_buffer(struct pbuf *pbuf)
{
    struct pbuf_custom *custom = (struct pbuf_custom *)pbuf;
    uint32_t buffer;
    struct interface *interface = NULL;

    for (uint32_t i = 0; i < NET_INTERFACES && interface == NULL; i++) {
        struct interface *at = &the_net.interfaces[i];

        if ((void *)custom >= (void *)at->buffers &&
            (void *)custom < (void *)(at->buffers + FRAME_RECEIVE_BUFFERS))
            interface = at;
    }
    if (interface == NULL)
        return;
    buffer = (uint32_t)(((uint8_t *)custom - (uint8_t *)interface->buffers) /
                        sizeof interface->buffers[0]);
    interface->buffers[buffer].held = false;
    interface->held--;
    give(interface, buffer);
}

/* Frames are parsed where they lie, and lwIP turns fields of their headers round. */
static struct pbuf *lend(struct interface *interface, const struct frame_part *part)
{
    struct pbuf_custom *custom = &interface->buffers[part->buffer].pbuf;

    custom->custom_free_function = free_buffer;
    interface->buffers[part->buffer].held = true;
    interface->held++;
    return pbuf_alloced_custom(PBUF_RAW, (u16_t)part->count, PBUF_REF, custom, part->bytes,
                               (u16_t)part->count);
}

static struct pbuf *copy(struct interface *interface, const struct frame_part *part)
{
    struct pbuf *pbuf = pbuf_alloc(PBUF_RAW, (u16_t)part->count, PBUF_POOL);

    if (pbuf == NULL)
        return NULL;
    (void)pbuf_take(pbuf, part->bytes, (u16_t)part->count);
    give(interface, part->buffer);
    return pbuf;
}

/* A frame that came finds room: what is held without being of use to anybody yet is given up. NULL: there is no such. */
static struct pbuf *hold(struct interface *interface, const struct frame_part *part)
{
    struct pbuf *pbuf;

    do
        pbuf = interface->held < HELD_MAX ? lend(interface, part) : copy(interface, part);
    while (pbuf == NULL && tcp_forget_out_of_order());
    return pbuf;
}

/* While nobody captures, this costs a comparison (capture.c, C2). */
static void show(const struct interface *interface, bool sent, const uint8_t *bytes, uint32_t count)
{
    if (__builtin_expect(capture_count != 0, 0))
        capture_frame((uint32_t)(interface - the_net.interfaces), sent, bytes, count);
}

static void receive(struct interface *interface, struct join *join, const struct frame_part *part)
{
    struct pbuf *pbuf;
    bool several = interface->skipping || (part->flags & FRAME_MORE) != 0;

    timers_need(TIMERS_FRAMES);
    the_net.own_stale = true;
    interface->skipping = (part->flags & FRAME_MORE) != 0;
    if (!several)
        show(interface, false, part->bytes, part->count);
    pbuf = several || (part->flags & FRAME_FAILED) != 0 || part->count < FRAME_BYTES_MIN
               ? NULL
               : hold(interface, part);
    if (pbuf == NULL) {
        interface->dropped++;
        give(interface, part->buffer);
        return;
    }
    interface->received++;
    join_frame(join, &interface->netif, pbuf, (part->flags & FRAME_CHECKSUM_GOOD) != 0);
}

/* The driver makes the word 0 that says what the stack waits for, and sets the event, when it has put something. */
static bool is_quiet(struct interface *interface)
{
    interface->quiet = interface->quiet && frame_buffers_wait(&interface->card.buffers);
    return interface->quiet;
}

bool interfaces_receive(struct interface *interfaces)
{
    bool more = false;

    for (uint32_t i = 0; i < NET_INTERFACES; i++) {
        struct interface *interface = &interfaces[i];
        struct frame_part part;
        struct join join = {0};
        uint32_t count = 0;

        if (!interface->card.attached || is_quiet(interface))
            continue;
        while (count < BATCH && frame_take(&interface->card.buffers, &part)) {
            receive(interface, &join, &part);
            count++;
        }
        join_end(&join);
        more |= count == BATCH;
        if (frame_buffers_broken(&interface->card.buffers)) {
            log_line("en%u: its driver broke the rings; its next run is begun with", i);
            interface->card.attached = false;
        }
        if (frame_link(&interface->card))
            netif_set_link_up(&interface->netif);
        else
            netif_set_link_down(&interface->netif);
    }
    return more;
}

static err_t send(struct netif *netif, struct pbuf *pbuf)
{
    struct interface *interface = interface_of(netif);
    uint32_t buffer, bytes = pbuf->tot_len;
    uint8_t *to;

    timers_need(TIMERS_FRAMES);
    if (!interface->card.attached)
        return ERR_IF;
    if (bytes > FRAME_BYTES_MAX)
        return ERR_BUF;
    to = frame_send_buffer(&interface->card.buffers, &buffer);
    if (to == NULL) {
        interface->dropped++;
        return ERR_MEM;
    }
    (void)pbuf_copy_partial(pbuf, to, (u16_t)bytes, 0);
    if (bytes < FRAME_BYTES_SHORT) { /* nothing of an earlier frame leaves with it */
        memset(to + bytes, 0, FRAME_BYTES_SHORT - bytes);
        bytes = FRAME_BYTES_SHORT;
    }
    show(interface, true, to, bytes);
    frame_send(&interface->card.buffers, buffer, bytes, 0);
    interface->sent++;
    return ERR_OK;
}

/* What is for this machine comes in again, and is not put on the wire. */
static err_t output(struct netif *netif, struct pbuf *pbuf, const ip4_addr_t *address)
{
    if (limits_is_own(&the_net.own, IP_V4(lwip_htonl(ip4_addr_get_u32(address)))))
        return loopback_put(netif, pbuf);
    if (!loopback_may_leave(pbuf))
        return ERR_RTE;
    return etharp_output(netif, pbuf, address);
}

static err_t output6(struct netif *netif, struct pbuf *pbuf, const ip6_addr_t *address)
{
    if (limits_is_own(&the_net.own, port_address6(address)))
        return loopback_put(netif, pbuf);
    if (!loopback_may_leave6(pbuf))
        return ERR_RTE;
    timers_need(TIMERS_IP6);
    return ethip6_output(netif, pbuf, address);
}

void interfaces_bell(struct interface *interfaces)
{
    for (uint32_t i = 0; i < NET_INTERFACES; i++)
        frame_bell(&interfaces[i].card);
}

bool interfaces_sleep(struct interface *interfaces)
{
    bool nothing = true;

    for (uint32_t i = 0; i < NET_INTERFACES; i++) {
        struct interface *interface = &interfaces[i];

        if (!interface->card.attached || is_quiet(interface))
            continue;
        interface->quiet = frame_buffers_sleep(&interface->card.buffers, false);
        nothing &= interface->quiet;
    }
    return nothing;
}

/* ---- Coming and going ---- */

static err_t begin_netif(struct netif *netif)
{
    const struct interface *interface = interface_of(netif);

    netif->num = PORT_CARD_NUMBER(interface - the_net.interfaces);
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hostname = HOST_NAME;
    netif->output = output;
    netif->output_ip6 = output6;
    netif->linkoutput = send;
    netif->mtu = interface->card.info.mtu;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, interface->card.info.mac, ETH_HWADDR_LEN);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
    return ERR_OK;
}

/* Each address once, as it begins to be used. */
static void say_address(struct interface *interface, uint32_t number, struct ip_address address)
{
    char text[IP_TEXT_BYTES];

    if (ip_equal(interface->said[number], address))
        return;
    interface->said[number] = address;
    if (!ip_is_any(address))
        log_line("en%u: %s", (unsigned)(interface - the_net.interfaces), ip_text(text, address));
}

static void on_status(struct netif *netif)
{
    struct interface *interface = interface_of(netif);

    numbers_add(&the_net.changes.addresses, (uint32_t)(interface - the_net.interfaces));
    the_net.own_stale = the_net.own_changed = true;
    if (!netif_is_up(netif))
        return;
    say_address(interface, 0, port_address(netif_ip_addr4(netif)));
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        say_address(interface, 1 + (uint32_t)i, interface_address6(interface, i));
}

static void set_address(ip4_addr_t *address, uint32_t value)
{
    ip4_addr_set_u32(address, lwip_htonl(value));
}

/* "en0=10.0.2.15/24,10.0.2.2" of the arguments, or "en0=dhcp", which is what happens without. */
static bool read_static(const char *text, struct netif *netif)
{
    uint32_t own, prefix, router = 0;
    ip4_addr_t address, mask, gateway;

    if (!ipv4_read(&text, &own) || *text++ != '/' || !ipv4_read_number(&text, 32, &prefix) ||
        (*text == ',' && (text++, !ipv4_read(&text, &router))))
        return false;
    set_address(&address, own);
    set_address(&mask, prefix == 0 ? 0 : UINT32_MAX << (32 - prefix));
    set_address(&gateway, router);
    netif_set_addr(netif, &address, &mask, &gateway);
    return true;
}

const char *argument_of(const char *arguments, const char *name)
{
    size_t bytes = strlen(name);

    for (const char *at = arguments; *at != 0; at++)
        if ((at == arguments || at[-1] == ' ') && strncmp(at, name, bytes) == 0)
            return at + bytes;
    return NULL;
}

void interface_address(const struct interface *interface, struct kept_address *image)
{
    const struct netif *netif = &interface->netif;

    *image = (struct kept_address){0};
    if (!interface->dhcp)
        return;
    image->address = ip4_addr_get_u32(netif_ip4_addr(netif));
    image->mask = ip4_addr_get_u32(netif_ip4_netmask(netif));
    image->gateway = ip4_addr_get_u32(netif_ip4_gw(netif));
    memcpy(image->mac, netif->hwaddr, sizeof image->mac);
}

/* The address of the last run is used at once, and asked for again as after a change of the cable (RFC 2131, 4.4.2): the
 * server says whether it is still ours. Before the link is up. */
static void use_kept(struct interface *interface, uint32_t number)
{
    const struct kept_address kept = the_net.kept->addresses[number];
    struct netif *netif = &interface->netif;
    struct dhcp *dhcp = netif_dhcp_data(netif);

    if (kept.address == 0 || kept.sum != KEPT_SUM(&kept) || dhcp == NULL ||
        memcmp(kept.mac, netif->hwaddr, sizeof kept.mac) != 0)
        return;
    ip4_addr_set_u32(&dhcp->offered_ip_addr, kept.address);
    dhcp->state = DHCP_STATE_BOUND;
    netif_set_addr(netif, &(ip4_addr_t){kept.address}, &(ip4_addr_t){kept.mask},
                   &(ip4_addr_t){kept.gateway});
}

static void begin_address(struct interface *interface, uint32_t number)
{
    char name[8];
    const char *text;

    mnos_snprintf(name, sizeof name, "en%u=", number);
    text = argument_of(bootstrap_arguments(), name);
    interface->dhcp = text == NULL || strncmp(text, "dhcp", 4) == 0;
    if (!interface->dhcp && !read_static(text, &interface->netif)) {
        log_line("en%u: its argument is not ADDRESS/PREFIX[,GATEWAY]: it asks for an address",
                 number);
        interface->dhcp = true;
    }
    if (interface->dhcp && dhcp_start(&interface->netif) != ERR_OK)
        log_at(MNOS_LOG_ERROR, "en%u: no memory to ask for an address", number);
    else if (interface->dhcp)
        use_kept(interface, number);
}

void interface_begin(struct interface *interface, uint32_t number)
{
    interface->skipping = interface->quiet = false;
    for (uint32_t i = 0; i < FRAME_RECEIVE_BUFFERS; i++)
        if (!interface->buffers[i].held)
            give(interface, i);
    frame_bell(&interface->card);
    if (!interface->added) {
        if (netif_add_noaddr(&interface->netif, interface, begin_netif, ethernet_input) == NULL)
            return;
        interface->added = true;
        netif_set_status_callback(&interface->netif, on_status);
        netif_create_ip6_linklocal_address(&interface->netif, 1);
        netif_set_ip6_autoconfig_enabled(&interface->netif, 1);
        netif_set_up(&interface->netif);
        if (netif_default == NULL)
            netif_set_default(&interface->netif);
    } else {
        memcpy(interface->netif.hwaddr, interface->card.info.mac, ETH_HWADDR_LEN);
        interface->netif.mtu = interface->card.info.mtu;
    }
    if (interface->card.attaches == 1)
        begin_address(interface, number);
    timers_need(TIMERS_IP6);
    if (frame_link(&interface->card))
        netif_set_link_up(
            &interface->netif); /* who has its address says so, and who asks begins or goes on */
}
