// SPDX-License-Identifier: MIT
/* test_device.c - I/O ports that open and close, and interrupts of a real device: the first UART. */
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/child.h"
#include "tests/guest/claim.h"

#define UART_PORT 0x3F8
#define UART_PORTS 8
#define UART_LINE 4

/* Registers. */
#define IER (UART_PORT + 1)
#define IIR (UART_PORT + 2)
#define MCR (UART_PORT + 4)
#define SCRATCH (UART_PORT + 7)

#define IER_TRANSMITTER_EMPTY 2
#define MCR_INTERRUPTS 8

#define VECTOR_PROTECTION 13

/* ---- ports ---- */

static mnos_status_t open_ports(mnos_cap_t process, mnos_cap_t ports, uint64_t first,
                                uint64_t count)
{
    return sys_mem_map(process, ports, 0, first, count, MAP_RW);
}

TEST(ports, open_refuses_addresses_ranges_and_flags)
{
    mnos_cap_t ports = cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE,
                                 UART_PORT, UART_PORTS);

    CHECK_FAILS(sys_mem_map(MNOS_SELF, ports, ARENA, 0, 1, MAP_RW), MNOS_ERR_ADDRESS, 3, 0);
    CHECK_FAILS(open_ports(MNOS_SELF, ports, 0, UART_PORTS + 1), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(open_ports(MNOS_SELF, ports, UART_PORTS, 1), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(open_ports(MNOS_SELF, ports, 0, 0), MNOS_ERR_ARGUMENT, 5, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, ports, 0, 0, 1, MNOS_MAP_EXECUTE), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, ports, 0, 0, 1, MNOS_MAP_READ), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, ports, 0, 0, 1, MNOS_MAP_WRITE), MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, ports, 0, 0, 1, MAP_RW | MNOS_MAP_WRITE_COMBINING),
                MNOS_ERR_ARGUMENT, 6, 0);
    cap_drop(ports);
}

TEST(ports, open_needs_read_and_write)
{
    for (mnos_rights_t right = MNOS_RIGHT_READ; right <= MNOS_RIGHT_WRITE; right <<= 1) {
        mnos_cap_t ports = cap_range(bootstrap_cap("ports"), right, SCRATCH, 1);

        CHECK_FAILS(open_ports(MNOS_SELF, ports, 0, 1), MNOS_ERR_RIGHTS, 2,
                    (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE) & ~right);
        cap_drop(ports);
    }
}

static uint64_t read_port(uint64_t port, uint64_t, uint64_t, uint64_t)
{
    return port_read8((uint16_t)port);
}

/* How a child ends that reads `port` when ports [first, first + count) are open to it. */
static struct mnos_process_info read_with(uint64_t first, uint64_t count, uint64_t port)
{
    struct mnos_process_info info = {0};
    struct child child;

    if (child_create(&child) &&
        CHECK_OK(open_ports(child.process, bootstrap_cap("ports"), first, count)) &&
        child_start(&child, read_port, port, 0, 0, 0))
        info = child_wait(&child);
    child_drop(&child);
    return info;
}

TEST(ports, only_those_that_are_open)
{
    CHECK_EQ(read_with(SCRATCH, 1, SCRATCH).exit_reason, MNOS_EXIT_SELF);
    CHECK_EQ(VECTOR_OF(read_with(SCRATCH, 1, SCRATCH + 1).exit_code), VECTOR_PROTECTION);
    CHECK_EQ(VECTOR_OF(read_with(SCRATCH, 1, SCRATCH - 1).exit_code), VECTOR_PROTECTION);
    CHECK_EQ(read_with(0, 0x10000, SCRATCH).exit_reason, MNOS_EXIT_SELF);
    CHECK_EQ(read_with(0xFFFF, 1, 0xFFFF).exit_reason, MNOS_EXIT_SELF);
}

static uint64_t read_port_for_ever(uint64_t port, uint64_t ready, uint64_t, uint64_t)
{
    (void)!sys_ipc_notify(ready, 1);
    while (port_read8((uint16_t)port) != 1) /* the test leaves another value there */
        ;
    return 0;
}

/* The child opens the port through one capability, its neighbour through another: only with the first the port
 * is closed. */
static void check_close(mnos_cap_t ports, mnos_cap_t ready)
{
    mnos_cap_t copies[2] = {cap_copy(ports, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE),
                            cap_copy(ports, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE)};
    struct message msg = {0};
    struct child child;

    if (child_create(&child) && CHECK_OK(open_ports(child.process, copies[0], 0, 1)) &&
        CHECK_OK(open_ports(child.process, copies[1], 1, 1)) &&
        child_start(&child, read_port_for_ever, SCRATCH,
                    child_give(&child, ready, MNOS_RIGHT_WRITE), 0, 0) &&
        CHECK_OK(ipc_receive(ready, &msg, soon()))) {
        cap_drop(copies[0]);
        sleep_ns(2 * MILLISECOND_NS);
        CHECK_EQ(process_info(child.process).state, MNOS_PROCESS_ALIVE);
        CHECK_OK(sys_cap_revoke(ports));
        CHECK_EQ(VECTOR_OF(child_wait(&child).exit_code), VECTOR_PROTECTION);
    }
    child_drop(&child);
}

TEST(ports, revoking_closes_them_in_a_running_process)
{
    mnos_cap_t ports =
        cap_range(bootstrap_cap("ports"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, SCRATCH - 1, 2);
    mnos_cap_t ready = endpoint_new();

    check_close(ports, ready);
    cap_drop(ports);
    cap_drop(ready);
}

/* Where it stands among the mappings of its process is no address that a program can name. */
TEST(ports, an_opening_is_not_undone_by_unmapping)
{
    mnos_cap_t ports =
        cap_range(bootstrap_cap("ports"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, SCRATCH, 1);

    CHECK_OK(open_ports(MNOS_SELF, ports, 0, 1));
    for (unsigned bit = 47; bit < 64; bit++)
        CHECK_FAILS(sys_mem_unmap(MNOS_SELF, 1ull << bit | SCRATCH * PAGE, 1), MNOS_ERR_ADDRESS, 2,
                    0);
    CHECK_ERROR(mem_map, ERR_OVERLAP, 4, 0, open_ports(MNOS_SELF, ports, 0, 1)); /* still open */
    cap_drop(ports);
}

TEST(ports, an_opening_overlaps_no_other_of_its_process)
{
    mnos_cap_t ports = cap_range(bootstrap_cap("ports"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE,
                                 UART_PORT, UART_PORTS);
    mnos_cap_t copy = cap_copy(ports, MNOS_RIGHT_READ | MNOS_RIGHT_WRITE), process = process_new();

    CHECK_OK(open_ports(MNOS_SELF, ports, 2, 3));
    CHECK_ERROR(mem_map, ERR_OVERLAP, 4, 0, open_ports(MNOS_SELF, ports, 2, 3));
    CHECK_ERROR(mem_map, ERR_OVERLAP, 4, 0, open_ports(MNOS_SELF, copy, 0, 3));
    CHECK_ERROR(mem_map, ERR_OVERLAP, 4, 0, open_ports(MNOS_SELF, copy, 4, 1));
    CHECK_OK(open_ports(MNOS_SELF, copy, 0, 2));
    CHECK_OK(open_ports(MNOS_SELF, copy, 5, 3));
    CHECK_OK(open_ports(process, copy, 0, UART_PORTS));
    CHECK_OK(sys_cap_revoke(ports));
    (void)port_read8(UART_PORT + 3); /* still open, through `ports` itself */
    cap_drop(ports);
    process_end(process);
}

/* ---- interrupts ---- */

struct uart {
    mnos_cap_t ports;
    mnos_cap_t irq;
    mnos_cap_t endpoint;
    uint8_t ier, mcr;
};

static void uart_begin(struct uart *uart)
{
    uart->ports = cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, UART_PORT,
                            UART_PORTS);
    uart->irq =
        cap_range(bootstrap_cap("interrupts"), MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, UART_LINE, 1);
    uart->endpoint = endpoint_new();
    CHECK_OK(open_ports(MNOS_SELF, uart->ports, 0, UART_PORTS));
    uart->ier = port_read8(IER);
    uart->mcr = port_read8(MCR);
    port_write8(IER, 0);
    port_write8(MCR, uart->mcr | MCR_INTERRUPTS);
}

static void uart_finish(struct uart *uart)
{
    port_write8(IER, uart->ier);
    port_write8(MCR, uart->mcr);
    cap_drop(uart->irq);
    cap_drop(uart->ports);
    cap_drop(uart->endpoint);
}

/* Makes the UART ask for an interrupt: its transmitter is empty, and it is to say so. */
static void uart_raise(void)
{
    (void)port_read8(IIR);
    port_write8(IER, 0);
    port_write8(IER, IER_TRANSMITTER_EMPTY);
}

TEST(interrupt, bind_refuses_ranges_and_events)
{
    mnos_cap_t two = cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_WRITE, UART_LINE, 2);
    mnos_cap_t one = cap_range(two, MNOS_RIGHT_WRITE, 0, 1);
    mnos_cap_t endpoint = endpoint_new(), minted = cap_mint(endpoint, 1, 2);

    CHECK_FAILS(sys_irq_bind(two, endpoint, 1), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_irq_ack(two), MNOS_ERR_STATE, 1, 0);
    CHECK_FAILS(sys_irq_bind(one, endpoint, 0), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_FAILS(sys_irq_bind(one, minted, 1), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_STATUS(sys_irq_ack(one), MNOS_ERR_STATE); /* not bound */
    CHECK_OK(sys_irq_bind(one, minted, 2));
    CHECK_OK(sys_irq_ack(one));
    cap_drop(one);
    cap_drop(two);
    CHECK_OK(sys_cap_revoke(endpoint));
    cap_drop(endpoint);
}

TEST(interrupt, it_arrives_as_an_event_again_and_again)
{
    struct uart uart;

    uart_begin(&uart);
    CHECK_OK(sys_irq_bind(uart.irq, uart.endpoint, 0x40));
    for (unsigned i = 0; i < 20 && !check_failed(); i++) {
        uart_raise();
        event_comes(uart.endpoint, 0x40);
        CHECK_OK(sys_irq_ack(uart.irq));
    }
    port_write8(IER, 0);
    uart_finish(&uart);
}

TEST(interrupt, binding_again_moves_it)
{
    mnos_cap_t other = endpoint_new(), copy;
    struct uart uart;

    uart_begin(&uart);
    copy = cap_copy(uart.irq, MNOS_RIGHT_WRITE);
    CHECK_OK(sys_irq_bind(uart.irq, uart.endpoint, 1));
    CHECK_OK(sys_irq_bind(uart.irq, other, 2));
    uart_raise();
    event_comes(other, 2);
    CHECK(no_event_comes(uart.endpoint));
    CHECK_OK(sys_irq_bind(copy, uart.endpoint, 4)); /* through another capability */
    CHECK_STATUS(sys_irq_ack(uart.irq), MNOS_ERR_STATE);
    uart_raise();
    event_comes(uart.endpoint, 4);
    CHECK(no_event_comes(other));
    cap_drop(copy); /* unbinds */
    uart_raise();
    CHECK(no_event_comes(uart.endpoint));
    uart_finish(&uart);
    cap_drop(other);
}

TEST(interrupt, revoking_unbinds_it)
{
    struct uart uart;
    mnos_cap_t copy;

    uart_begin(&uart);
    copy = cap_copy(uart.irq, MNOS_RIGHT_WRITE);
    CHECK_OK(sys_irq_bind(copy, uart.endpoint, 1));
    CHECK_OK(sys_cap_revoke(uart.irq));
    CHECK_FAILS(sys_irq_ack(copy), MNOS_ERR_HANDLE, 1, 0);
    uart_raise();
    CHECK(no_event_comes(uart.endpoint));
    CHECK_OK(sys_irq_bind(uart.irq, uart.endpoint, 8));
    uart_raise();
    event_comes(uart.endpoint, 8);
    uart_finish(&uart);
}

TEST(interrupt, a_revoked_listener_gets_nothing)
{
    struct uart uart;
    mnos_cap_t listener;

    uart_begin(&uart);
    listener = cap_mint(uart.endpoint, 5, 1);
    CHECK_OK(sys_irq_bind(uart.irq, listener, 1));
    CHECK_OK(sys_cap_revoke(uart.endpoint));
    uart_raise();
    {
        struct message msg = {0};

        CHECK_OK(receive_now(uart.endpoint, &msg));
        CHECK_EQ(msg.kind, MNOS_KIND_CLIENT_GONE);
    }
    CHECK(no_event_comes(uart.endpoint));
    uart_finish(&uart);
}
