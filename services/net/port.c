// SPDX-License-Identifier: MIT
/* port - see port.h. */
#include "services/net/port.h"

#include "lib/base/string.h"
#include "lib/mnos/chacha20.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/net/hooks.h"

#define NS_OF_MS 1000000ull
/* The clock of RFC 6528: a step each 4 microseconds. */
#define SEQUENCE_STEP_NS 4000ull
#define SEQUENCE_GAP 65536u /* more than a window */
#define PORT_FIRST 49152u

static struct random generator;
static uint8_t sequence_key[CHACHA20_KEY_BYTES];

void port_open(const uint8_t key[32])
{
    memcpy(generator.key, key, sizeof generator.key);
    random_draw(&generator, sequence_key, sizeof sequence_key);
    lwip_init();
}

uint32_t sys_now(void)
{
    return (uint32_t)(kinfo_time_ns() / NS_OF_MS);
}

uint32_t port_random(void)
{
    uint32_t value;

    random_draw(&generator, &value, sizeof value);
    return value;
}

uint16_t port_of_own(void)
{
    return (uint16_t)(PORT_FIRST + port_random() % PORTS_OF_OWN);
}

uint16_t port_behind(uint16_t port)
{
    return (uint16_t)(PORT_FIRST + (port - PORT_FIRST + 1) % PORTS_OF_OWN);
}

/* What a connection that has ended, of the same ports, has sent is behind the first number of the next one (RFC 1122,
 * 4.2.2.13), however fast it was: the clock is behind what more than 250 KB/s have sent. */
static uint32_t behind_the_old(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                               uint16_t remote_port, uint32_t sequence)
{
    for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb != NULL; pcb = pcb->next)
        if (pcb->local_port == local_port && pcb->remote_port == remote_port &&
            ip_addr_eq(&pcb->local_ip, local) && ip_addr_eq(&pcb->remote_ip, remote) &&
            TCP_SEQ_LEQ(sequence, pcb->snd_nxt))
            sequence = pcb->snd_nxt + SEQUENCE_GAP;
    return sequence;
}

uint32_t port_sequence(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                       uint16_t remote_port)
{
    uint32_t nonce[3] = {ip4_addr_get_u32(ip_2_ip4(local)), ip4_addr_get_u32(ip_2_ip4(remote)),
                         (uint32_t)local_port << 16 | remote_port};
    uint8_t block[CHACHA20_BLOCK_BYTES];
    uint32_t hash;

    chacha20_block(sequence_key, 0, (const uint8_t *)nonce, block);
    memcpy(&hash, block, sizeof hash);
    return behind_the_old(local, local_port, remote, remote_port,
                          hash + (uint32_t)(kinfo_time_ns() / SEQUENCE_STEP_NS));
}

void port_assert(const char *text, const char *file, int line)
{
    log_line("lwIP: %s (%s:%d)", text, file, line);
    __builtin_trap(); /* a fault, which init reports and answers by a new run */
}

uint64_t port_deadline_ns(void)
{
    uint32_t ms = sys_timeouts_sleeptime();

    return ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? MNOS_DEADLINE_NEVER
                                                 : deadline_after_ns(ms * NS_OF_MS + 1);
}

mnos_status_t port_status(err_t error)
{
    switch (error) {
    case ERR_OK: return MNOS_OK;
    case ERR_MEM:
    case ERR_BUF: return MNOS_ERR_QUOTA;
    case ERR_RTE: return MNOS_ERR_NOT_FOUND;
    case ERR_USE: return MNOS_ERR_EXISTS;
    case ERR_TIMEOUT: return MNOS_ERR_DEADLINE;
    case ERR_ABRT:
    case ERR_RST:
    case ERR_CLSD:
    case ERR_CONN: return MNOS_ERR_PEER;
    case ERR_ALREADY:
    case ERR_ISCONN:
    case ERR_INPROGRESS: return MNOS_ERR_STATE;
    default: return MNOS_ERR_ARGUMENT;
    }
}
