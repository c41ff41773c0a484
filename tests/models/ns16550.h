// SPDX-License-Identifier: MIT
/*
 * ns16550.h - a model of the serial device, in the place of the driver's ports.c, and of its clients and the kernel;
 * what is declared here is in tests/unit/ns16550_device.c and ns16550_model.c.
 *
 * The device has what the driver relies on: FIFOs (when it has any), overruns, error bits that reading the
 * line status clears, the order of interrupt causes, an interrupt line of which only rising edges
 * count, and a scratch register that outlives the driver. PC16550D data sheet.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "drivers/serial/ns16550/line.h"
#include "drivers/serial/ns16550/registers.h"
#include "protocols/serial.h"
#include "tests/unit/unit.h"

/* ---- The device ---- */

extern struct model_device {
    bool absent, has_fifo;
    bool instant; /* what is written has left at once, as in a virtual machine */
    uint8_t ier, lcr, mcr, scratch, fcr, lsr_errors;
    uint16_t divisor;
    unsigned divisor_writes;
    uint8_t rx[16], rx_errors[16];
    unsigned rx_count;
    uint8_t tx[16];
    unsigned tx_count;
    bool tx_cause; /* the transmit-empty interrupt is pending */
    bool line;     /* level of the interrupt output */
    unsigned edges;
    char sent[40000];
    size_t sent_count;
} device;

unsigned fifo_depth(void);
/* What is in the transmitter leaves over the wire. */
void wire_send(void);
/* Bytes come in over the wire. */
void wire_receive(const char *bytes, size_t count, uint8_t errors);

/* Another model has these. */
#define message_bytes serial_message_bytes
#define sent_badge serial_sent_badge
#define exported serial_exported

/* ---- Clients, by small numbers: each is a run of the holder's; a badge of another kind stands for itself ---- */

#define ENDPOINT 55u
#define HOLDER 9u        /* its service number */
#define VISITOR 0x10008u /* of another service of the manifest */
#define RING_PAGES 1u
enum { INPUT_CAP = 1, OUTPUT_CAP = 2, ENDPOINT_CAP = 3 };

/* The events of a listener. */
enum { INPUT_EVENT = 4, FRONT_EVENT = 8, SIZE_EVENT = 16, INTERRUPT_EVENT = 32, OUTPUT_EVENT = 64 };

mnos_badge_t badge_of(mnos_badge_t client);

extern struct model_reply {
    uint64_t reply_id;
    uint32_t label;
    char bytes[MNOS_MESSAGE_MAX_BYTES + 1];
    size_t length;
} replies[64];
extern unsigned reply_count;
extern uint8_t
    message_bytes[MNOS_MESSAGE_MAX_BYTES]; /* of the reply that a request left in its message */
extern uint64_t dead_client_reply;         /* an ipc_reply() to it fails */
extern mnos_badge_t gone_clients[2];       /* what the kernel knows when it is asked */
extern unsigned told;                      /* how often listeners got INPUT_EVENT */
extern uint64_t events_told[8];            /* all that each got, by the number of its endpoint */
extern int caps_held;                      /* capabilities of clients that the driver has */
extern mnos_badge_t
    sent_badge; /* the next request carries the capability of this session; 0: it does not */
extern mnos_badge_t exported; /* of the session that was made last */
extern bool export_fails;
extern uint64_t event_mask;     /* of the endpoints that clients send */
extern uint8_t *ring_memory[2]; /* of a client that attaches */

/* ---- The driver ---- */

extern struct line serial_line;
extern struct stream_server driver;
extern struct stream_server_state server_state;

extern unsigned edges_seen; /* of the device's, by the driver */

/* Everything anew, for a process that runs several scenes. */
void model_begin(void);
void scene(bool has_fifo);
/* The driver's loop: runs once for each edge. A lost edge shows as bytes that never move. */
void interrupts(void);
struct message request(mnos_badge_t client, uint64_t reply_id, uint32_t label, const void *bytes,
                       size_t length);
/* The same with capabilities: `caps` of a client's, numbered as above, for the endpoint `number`. */
struct message request_caps(mnos_badge_t client, uint32_t label, const void *bytes, size_t length,
                            unsigned caps, unsigned number);
struct message request_read(mnos_badge_t client, uint64_t reply_id, uint64_t max_bytes);
mnos_status_t request_listen(mnos_badge_t client, unsigned number);
void client_gone(mnos_badge_t client);
/* What the next read, poll or hold of client 1 gets: the bytes, or "LOST". */
const char *got(uint32_t label, uint64_t max_bytes);
void type_keys(const char *text);
void send_everything(void);
/* The driver's memory is gone, the device and the region are as they were. */
void new_driver(void);
void pass_time(uint64_t ns);
