// SPDX-License-Identifier: MIT
/*
 * host.h - the service of a file system on this machine: its files as they are, lib/server, and a client that sends
 * requests of protocols/file.def, over the disk of disk.h. What the kernel does for the service is done by host.c, of
 * which ext4 and FAT (tests/fat_service) have one each.
 */
#pragma once

#include <stddef.h>

#include "abi/message.h"
#include "protocols/file.h"
#include "tests/ext4_service/disk.h"

#define HOST_CLIENTS 8u

struct host_options {
    const char *image;
    uint64_t seed;
    uint64_t cut;        /* the power is cut when so many requests are done; 0: never */
    uint32_t pages;      /* of memory that the disk reaches */
    uint32_t more_pages; /* that the service may ask for, beside those */
    uint32_t fail_reads; /* one of so many; 0: none */
    uint32_t fail_writes;
    uint32_t deaths; /* the process dies at one of so many moments; 0: never */
    bool read_only;
    bool keep; /* the image is not written back */
};

struct host_reply {
    bool arrived;
    uint32_t status;
    uint32_t length;
    uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
};

extern struct disk host_disk;
extern struct host_reply host_replies[HOST_CLIENTS];

/* Mounts the image; a status that is not MNOS_OK was said. */
mnos_status_t host_begin(const struct host_options *options);
/* Writes everything, lets go of the volume, and saves the image. */
mnos_status_t host_end(void);
/* Begins a request of a client, in lane 0 if it is of class N; the reply comes while host_step() runs. */
void host_send(unsigned client, uint32_t operation, const void *record, size_t bytes,
               const void *text, size_t text_bytes);
/* One answer of the disk, and what it leads to; without any outstanding the clock goes on. */
void host_step(void);
/* A request from beginning to end. */
mnos_status_t host_do(unsigned client, uint32_t operation, const void *record, size_t bytes,
                      const void *text, size_t text_bytes);
/* So many seconds go by. */
void host_wait(uint64_t seconds);
/* Why the volume was refused. */
const char *host_reason(void);
/* Where the client's window is. */
uint8_t *host_window(unsigned client);
/* What the next run finds is damaged, in one of three ways: it is to see that, and to begin anew from the disk. */
void host_break(unsigned what);
/* The next run cannot have the windows of its clients at first. */
void host_lose_windows(void);
/* So many runs in a row find that the memory of the core is not to be trusted, and mount anew: the last of them goes on. */
void host_return(unsigned runs);
/* How often the process died, and how often in the middle of a request. */
uint64_t host_deaths(uint64_t *during);
void host_check(void);
_Noreturn void host_fail(const char *what);
