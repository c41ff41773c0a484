// SPDX-License-Identifier: MIT
/* port - see port.h. */
#include "services/net/port.h"

#include "lib/base/string.h"
#include "lib/mnos/chacha20.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "services/net/hooks.h"
#include "services/net/net.h"

#define NS_OF_MS 1000000ull
/* The clock of RFC 6528: a step each 4 microseconds. */
#define SEQUENCE_STEP_NS 4000ull
#define SEQUENCE_GAP 65536u /* more than a window */
#define PORT_FIRST 49152u

static struct random generator;
static uint8_t sequence_key[CHACHA20_KEY_BYTES], proof_key[CHACHA20_KEY_BYTES];

void port_open(const uint8_t key[32])
{
    memcpy(generator.key, key, sizeof generator.key);
    random_draw(&generator, sequence_key, sizeof sequence_key);
    random_draw(&generator, proof_key, sizeof proof_key);
    lookup_open();
    lwip_init();
    timers_open(kinfo_time_ns());
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
    const struct tcp_pcb *pcb = lookup_find(local, local_port, remote, remote_port);

    if (pcb != NULL && pcb->state == TIME_WAIT && TCP_SEQ_LEQ(sequence, pcb->snd_nxt))
        sequence = pcb->snd_nxt + SEQUENCE_GAP;
    return sequence;
}

/* A block that only the owner of the key can make of both ends: each part of their names is hashed by the key that the part
 * before has made. */
static void hash_ends(const uint8_t key[CHACHA20_KEY_BYTES], const ip_addr_t *local,
                      uint16_t local_port, const ip_addr_t *remote, uint16_t remote_port,
                      uint8_t block[CHACHA20_BLOCK_BYTES])
{
    uint32_t names[9] = {0}, parts = 1;

    if (IP_IS_V4(local)) {
        names[0] = ip4_addr_get_u32(ip_2_ip4(local));
        names[1] = ip4_addr_get_u32(ip_2_ip4(remote));
        names[2] = (uint32_t)local_port << 16 | remote_port;
    } else {
        memcpy(names, ip_2_ip6(local)->addr, 16);
        memcpy(names + 4, ip_2_ip6(remote)->addr, 16);
        names[8] = (uint32_t)local_port << 16 | remote_port;
        parts = 3;
    }
    for (uint32_t i = 0; i < parts; i++)
        chacha20_block(i == 0 ? key : block, i + (parts != 1), (const uint8_t *)(names + 3 * i),
                       block);
}

uint32_t port_sequence(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                       uint16_t remote_port)
{
    uint8_t block[CHACHA20_BLOCK_BYTES];
    uint32_t hash;

    hash_ends(sequence_key, local, local_port, remote, remote_port, block);
    memcpy(&hash, block, sizeof hash);
    return behind_the_old(local, local_port, remote, remote_port,
                          hash + (uint32_t)(kinfo_time_ns() / SEQUENCE_STEP_NS));
}

/* The block of the ends is a key of their own. */
uint32_t port_proof(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                    uint16_t remote_port, uint32_t more)
{
    const uint32_t nonce[3] = {more};
    uint8_t block[CHACHA20_BLOCK_BYTES];
    uint32_t proof;

    hash_ends(proof_key, local, local_port, remote, remote_port, block);
    chacha20_block(block, 0, (const uint8_t *)nonce, block);
    memcpy(&proof, block, sizeof proof);
    return proof;
}

void port_assert(const char *text, const char *file, int line)
{
    log_line("lwIP: %s (%s:%d)", text, file, line);
    __builtin_trap(); /* a fault, which init reports and answers by a new run */
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
