// SPDX-License-Identifier: MIT
/*
 * registers.h - an NVMe controller: numbers of "NVM Express Base Specification", revision 1.4,
 * sections 3.1 (registers), 4.2 and 4.6 (queue entries), 5 (admin commands) and 6 (commands of the
 * NVM set).
 */
#pragma once

#include <stdint.h>

enum nvme_register {
    NVME_CAP = 0x00, /* 64 bits */
    NVME_CC = 0x14,
    NVME_CSTS = 0x1C,
    NVME_AQA = 0x24,
    NVME_ASQ = 0x28, /* 64 bits */
    NVME_ACQ = 0x30, /* 64 bits */
    NVME_DOORBELLS = 0x1000,
};

/* CAP. */
#define NVME_CAP_ENTRIES(cap) (((cap)&0xFFFF) + 1)
#define NVME_CAP_TIMEOUT(cap) ((cap) >> 24 & 0xFF) /* by 500 ms */
#define NVME_CAP_STRIDE(cap) (4u << ((cap) >> 32 & 0xF))
#define NVME_CAP_NVM_SET(cap) ((cap) >> 37 & 1)
#define NVME_CAP_PAGE_MIN(cap) ((cap) >> 48 & 0xF) /* 4 KiB << this */
#define NVME_TIMEOUT_UNIT_NS 500000000ull

#define NVME_CC_ENABLE 1u
/* Entries of 64 and 16 bytes, pages of 4 KiB, round robin, the NVM command set. */
#define NVME_CC_SIZES (6u << 16 | 4u << 20)
#define NVME_CSTS_READY 1u
#define NVME_CSTS_FATAL 2u

enum nvme_admin_opcode {
    NVME_ADMIN_CREATE_SQ = 0x01,
    NVME_ADMIN_CREATE_CQ = 0x05,
    NVME_ADMIN_IDENTIFY = 0x06,
};

enum nvme_opcode {
    NVME_FLUSH = 0x00,
    NVME_WRITE = 0x01,
    NVME_READ = 0x02,
    NVME_WRITE_ZEROES = 0x08,
    NVME_DATASET = 0x09,
};

#define NVME_QUEUE_CONTIGUOUS 1u
#define NVME_QUEUE_INTERRUPTS 2u
#define NVME_DATASET_DEALLOCATE 4u
#define NVME_BLOCKS_MAX 65536u /* of one command: 16 bits, 0 stands for 1 */

struct nvme_command {
    uint32_t opcode; /* and bits 16 to 31: the command's identifier */
    uint32_t nsid;
    uint64_t reserved;
    uint64_t metadata;
    uint64_t prp[2];
    uint32_t words[6]; /* 10 to 15 */
};
_Static_assert(sizeof(struct nvme_command) == 64, "the device reads it");

struct nvme_completion {
    uint32_t result;
    uint32_t reserved;
    uint32_t queue;  /* head and identifier of the submission queue */
    uint32_t status; /* bits 0 to 15: the command's identifier; 16: phase; 17 to 31: status */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "the device writes it");

/* What DATASET reads. */
struct nvme_range {
    uint32_t attributes;
    uint32_t blocks;
    uint64_t first;
};
_Static_assert(sizeof(struct nvme_range) == 16, "the device reads it");

/* IDENTIFY answers 4,096 bytes. */
#define NVME_IDENTIFY_BYTES 4096u
enum nvme_identify {
    NVME_IDENTIFY_NAMESPACE = 0,
    NVME_IDENTIFY_CONTROLLER = 1,
    NVME_IDENTIFY_LIST = 2,

    NVME_CTRL_MODEL = 24,
    NVME_CTRL_MODEL_BYTES = 40,
    NVME_CTRL_TRANSFER = 77, /* log2 of pages; 0: no limit */
    NVME_CTRL_NAMESPACES = 516,
    NVME_CTRL_COMMANDS = 520,
    NVME_CTRL_HAS_DATASET = 1 << 2,
    NVME_CTRL_HAS_ZEROES = 1 << 3,
    NVME_CTRL_CACHE = 525,

    NVME_NS_BLOCKS = 0, /* 64 bits */
    NVME_NS_FORMAT = 26,
    NVME_NS_ATTRIBUTES = 99,
    NVME_NS_READ_ONLY = 1 << 0,
    NVME_NS_FORMATS = 128, /* 4 bytes each */
};
