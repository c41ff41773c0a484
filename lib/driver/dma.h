// SPDX-License-Identifier: MIT
/*
 * dma.h - memory that a device reaches by itself, and the order in which it sees what is written
 * there.
 *
 * The memory is a piece of a region of kind `dma` (docs/devices.md). A driver never computes an
 * address that a device uses: it looks it up here, in the table that `devices` answered to DMA_USE.
 * With an IOMMU the same table holds other numbers.
 *
 * What a device wrote deserves no trust: it is read once, into a variable, and that is checked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

#define DMA_BLOCKS_MAX 64u

struct dma_memory {
    mnos_cap_t memory; /* the piece */
    uint8_t *address;  /* where it is mapped */
    uint64_t bytes;
    uint64_t taken; /* by dma_take() */
    uint64_t block_bytes;
    uint32_t block_count;
    uint64_t table[DMA_BLOCKS_MAX]; /* bus address of each block */
};

/* The bus address of [offset, offset + bytes), which lies inside; `bytes` of it follow each other
 * there. False: it is outside, or goes from one block to another that is elsewhere. */
bool dma_bus_range(const struct dma_memory *memory, uint64_t offset, uint64_t bytes, uint64_t *bus);

/* As above of a place that dma_take() gave. */
uint64_t dma_bus(const struct dma_memory *memory, const void *place);

/* A piece of memory for good, aligned to `alignment`, a power of two, with consecutive bus
 * addresses. NULL: no room. */
void *dma_take(struct dma_memory *memory, uint64_t bytes, uint64_t alignment);

/* ---- window.c: of a device that is claimed ---- */

/* Maps a piece and tells `devices` that the device will reach it. */
mnos_status_t dma_open(struct dma_memory *memory, mnos_cap_t devices, mnos_cap_t piece);

/* Tells `devices` that the device will reach a piece of somebody else's memory, and answers its
 * bus address; 0: it may not, or the piece is not one run for the device. */
uint64_t dma_reach(mnos_cap_t devices, mnos_cap_t piece);

/* ---- barriers ----
 * x86 keeps stores in order among themselves and loads among themselves, and a device's writes to
 * memory become visible in order (Intel SDM volume 3, "Memory Ordering"; PCI Express base
 * specification, "Transaction Ordering"), so two of the three only hold the compiler back. */

/* What was stored before is seen before what is stored after, a register included. */
static inline void dma_write_barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

/* What is loaded after is no older than what was loaded before. */
static inline void dma_read_barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

/* What was stored before is seen before anything is loaded after. */
static inline void dma_full_barrier(void)
{
    __asm__ volatile("lock; orq $0, (%%rsp)" ::: "memory", "cc");
}
