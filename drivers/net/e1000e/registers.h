// SPDX-License-Identifier: MIT
/*
 * registers.h - an Intel 82574 network controller: numbers of "Intel 82574 GbE Controller Family Datasheet". Which of its
 * titles says what stands beside each group.
 */
#pragma once

#include <stdint.h>

/* "Register Summary Table"; what the registers mean: "Detailed Register Descriptions". */
enum {
    E1000E_CTRL = 0x00000,   /* "Device Control Register" */
    E1000E_STATUS = 0x00008, /* "Device Status Register" */
    E1000E_EECD = 0x00010,   /* "EEPROM/FLASH Control Register" */
    E1000E_ICR = 0x000C0,    /* "Interrupt Cause Read Register": what is written as 1 is cleared */
    E1000E_IMS = 0x000D0,    /* "Interrupt Mask Set/Read Register" */
    E1000E_IMC = 0x000D8,    /* "Interrupt Mask Clear Register" */
    E1000E_EIAC = 0x000DC,   /* "Interrupt Auto Clear Register" */
    E1000E_IVAR = 0x000E4,   /* "Interrupt Vector Allocation Register" */
    E1000E_EITR0 = 0x000E8,  /* "Extended Interrupt Throttle Register": of vector 0, in 256 ns */
    E1000E_RCTL = 0x00100,   /* "Receive Control Register" */
    E1000E_TCTL = 0x00400,   /* "Transmit Control Register" */
    E1000E_TIPG = 0x00410,   /* "Transmit IPG Register" */
    E1000E_RDBAL = 0x02800,  /* "Receive Descriptor Base Address Low", and so on for the queue 0 */
    E1000E_RDBAH = 0x02804,
    E1000E_RDLEN = 0x02808,
    E1000E_RDH = 0x02810,
    E1000E_RDT = 0x02818,
    E1000E_TDBAL = 0x03800, /* "Transmit Descriptor Base Address Low", and so on for the queue 0 */
    E1000E_TDBAH = 0x03804,
    E1000E_TDLEN = 0x03808,
    E1000E_TDH = 0x03810,
    E1000E_TDT = 0x03818,
    E1000E_TXDCTL = 0x03828, /* "Transmit Descriptor Control" */
    E1000E_RXCSUM = 0x05000, /* "Receive Checksum Control" */
    E1000E_MTA = 0x05200,    /* "Multicast Table Array": 128 words */
    E1000E_RAL0 =
        0x05400, /* "Receive Address Low": of 16 pairs the first, which the EEPROM fills */
    E1000E_RAH0 = 0x05404,         /* "Receive Address High" */
    E1000E_WINDOW_BYTES = 0x20000, /* "Memory BAR": 128 KiB of registers */
};
#define E1000E_MTA_WORDS 128u

#define E1000E_CTRL_MASTER_DISABLE (1u << 2) /* no more accesses to memory are begun */
#define E1000E_CTRL_SET_LINK_UP (1u << 6)
#define E1000E_CTRL_FORCE_SPEED (1u << 11)
#define E1000E_CTRL_FORCE_DUPLEX (1u << 12)
#define E1000E_CTRL_RESET (1u << 26) /* clears itself */

#define E1000E_STATUS_LINK_UP (1u << 1)
#define E1000E_STATUS_MASTER_ENABLED (1u << 19) /* some access to memory is still on its way */

#define E1000E_EECD_AUTO_READ_DONE (1u << 9) /* what the EEPROM fills is filled */

/* Causes, in ICR and in the masks. */
#define E1000E_CAUSE_LINK (1u << 2)
#define E1000E_CAUSE_RECEIVE (1u << 20) /* queue 0 */
#define E1000E_CAUSE_SEND (1u << 22)    /* queue 0 */
#define E1000E_CAUSE_OTHER (1u << 24)

/* Which vector a cause has, four bits each, of which the highest is that it has one. */
#define E1000E_IVAR_VALID 8u
#define E1000E_IVAR_RECEIVE_SHIFT 0
#define E1000E_IVAR_SEND_SHIFT 8
#define E1000E_IVAR_OTHER_SHIFT 16
#define E1000E_IVAR_EVERY_WRITE_BACK (1u << 31)

#define E1000E_RCTL_ENABLE (1u << 1)
#define E1000E_RCTL_ALL_MULTICAST (1u << 4)
#define E1000E_RCTL_BROADCAST (1u << 15)
#define E1000E_RCTL_STRIP_SUM (1u << 26) /* the four bytes at the end of a frame */

#define E1000E_TCTL_ENABLE (1u << 1)
#define E1000E_TCTL_PAD (1u << 3)                     /* short frames */
#define E1000E_TCTL_COLLISIONS (15u << 4 | 63u << 12) /* "Transmit Control Register": CT, COLD */

#define E1000E_TIPG_VALUE                                                                          \
    (8u | 8u << 10 | 6u << 20) /* "Transmit IPG Register": IPGT, IPGR1, IPGR2 */

/* "Transmit Descriptor Control": descriptors are written back one by one; bit 22 has to be set. */
#define E1000E_TXDCTL_VALUE (1u << 24 | 1u << 22 | 1u << 16)

#define E1000E_RXCSUM_IP (1u << 8)
#define E1000E_RXCSUM_TCP_UDP (1u << 9)

#define E1000E_RAH_VALID (1u << 31)

/* "Legacy Receive Descriptor Format". */
struct e1000e_receive {
    uint64_t address;
    uint64_t
        answer; /* by the device: length in bits 0 to 15, status from 32 on, errors from 40 on */
};
_Static_assert(sizeof(struct e1000e_receive) == 16, "the device reads and writes it");
#define E1000E_RECEIVED_LENGTH(answer) ((uint32_t)(answer)&0xFFFF)
#define E1000E_RECEIVED_DONE (1ull << 32)
#define E1000E_RECEIVED_END (1ull << 33) /* of the frame */
#define E1000E_RECEIVED_NOT_CHECKED (1ull << 34)
#define E1000E_RECEIVED_TCP_UDP (1ull << 37)   /* its checksum was checked, */
#define E1000E_RECEIVED_IP (1ull << 38)        /* and that of IPv4's header */
#define E1000E_RECEIVED_WRONG_SUM (3ull << 45) /* one of these was wrong */
#define E1000E_RECEIVED_WRONG (0x97ull << 40)  /* the frame came damaged: CE, SE, SEQ, CXE, RXE */

/* "Legacy Transmit Descriptor Format". */
struct e1000e_send {
    uint64_t address;
    uint64_t command; /* length in bits 0 to 15, command from 24 on, status from 32 on */
};
_Static_assert(sizeof(struct e1000e_send) == 16, "the device reads and writes it");
#define E1000E_SEND_END (1ull << 24)        /* of the frame */
#define E1000E_SEND_INSERT_SUM (1ull << 25) /* the four bytes at its end */
#define E1000E_SEND_REPORT (1ull << 27)     /* says when it is done */
#define E1000E_SEND_DONE (1ull << 32)
