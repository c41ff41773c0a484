// SPDX-License-Identifier: MIT
/* pcapng - see pcapng.h. Numbers are in this machine's order, which the section says. */
#include "lib/format/net/pcapng.h"

#include "lib/base/string.h"

#define BLOCK_SECTION 0x0A0D0D0Au
#define BLOCK_INTERFACE 1u
#define BLOCK_FRAME 6u
#define ORDER 0x1A2B3C4Du
#define LENGTH_UNKNOWN UINT64_MAX
#define LINK_ETHERNET 1u
#define NANOSECONDS 9u /* a time is so many tenths of tenths of a second */
#define CAME 1u
#define LEFT 2u

enum option {
    OPTION_END = 0,
    OPTION_NAME = 2,        /* of an interface */
    OPTION_FLAGS = 2,       /* of a frame */
    OPTION_APPLICATION = 4, /* of a section */
    OPTION_LOST = 4,        /* of a frame */
    OPTION_RESOLUTION = 9,  /* of an interface */
};

struct block {
    uint8_t *begin;
    size_t bytes;
};

static void put(struct block *block, const void *bytes, size_t count)
{
    memcpy(block->begin + block->bytes, bytes, count);
    block->bytes += count;
    while (block->bytes % 4 != 0)
        block->begin[block->bytes++] = 0;
}

static void put32(struct block *block, uint32_t value)
{
    put(block, &value, sizeof value);
}

static void put64(struct block *block, uint64_t value)
{
    put(block, &value, sizeof value);
}

static void put_option(struct block *block, enum option option, const void *bytes, size_t count)
{
    put32(block, (uint32_t)option | (uint32_t)count << 16);
    put(block, bytes, count);
}

static struct block begin(uint8_t *out, uint32_t type)
{
    struct block block = {out, 0};

    put32(&block, type);
    put32(&block, 0); /* its length: end() */
    return block;
}

/* Its length stands at both ends. */
static size_t end(struct block *block)
{
    uint32_t bytes = (uint32_t)block->bytes + 4;

    memcpy(block->begin + 4, &bytes, sizeof bytes);
    put32(block, bytes);
    return block->bytes;
}

static size_t section(uint8_t *out)
{
    static const char application[] = "MinimalOS capture";
    struct block block = begin(out, BLOCK_SECTION);

    put32(&block, ORDER);
    put32(&block, 1); /* version 1.0 */
    put64(&block, LENGTH_UNKNOWN);
    put_option(&block, OPTION_APPLICATION, application, sizeof application - 1);
    put32(&block, OPTION_END);
    return end(&block);
}

static size_t interface(uint8_t *out, uint32_t number)
{
    const char name[] = {'e', 'n', (char)('0' + number)};
    uint8_t resolution = NANOSECONDS;
    struct block block = begin(out, BLOCK_INTERFACE);

    put32(&block, LINK_ETHERNET);
    put32(&block, 0); /* frames are never cut */
    put_option(&block, OPTION_NAME, name, sizeof name);
    put_option(&block, OPTION_RESOLUTION, &resolution, sizeof resolution);
    put32(&block, OPTION_END);
    return end(&block);
}

size_t pcapng_begin(uint8_t out[PCAPNG_BEGIN_BYTES], uint32_t interfaces)
{
    size_t bytes = section(out);

    for (uint32_t i = 0; i < interfaces && i < PCAPNG_INTERFACES_MAX; i++)
        bytes += interface(out + bytes, i);
    return bytes;
}

size_t pcapng_frame(uint8_t *out, const struct pcapng_frame *frame, const uint8_t *bytes)
{
    struct block block = begin(out, BLOCK_FRAME);
    uint32_t flags = frame->sent ? LEFT : CAME;

    put32(&block, frame->interface);
    put32(&block, (uint32_t)(frame->unix_ns >> 32));
    put32(&block, (uint32_t)frame->unix_ns);
    put32(&block, frame->bytes); /* that are here; and that it had */
    put32(&block, frame->bytes);
    put(&block, bytes, frame->bytes);
    put_option(&block, OPTION_FLAGS, &flags, sizeof flags);
    put_option(&block, OPTION_LOST, &frame->lost, sizeof frame->lost);
    put32(&block, OPTION_END);
    return end(&block);
}
