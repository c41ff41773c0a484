// SPDX-License-Identifier: MIT
/* vectors - see vectors.h. */
#include "personality/linux/lx/vectors.h"

#include "lib/base/string.h"
#include "personality/linux/lx/cpuid.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/threads.h"

#define XSAVE_ALIGNMENT 64ull /* Intel SDM vol 2A, "XSAVE" */
#define XSAVE_MXCSR 24        /* Intel SDM vol 1, "Legacy Region of an XSAVE Area" */
#define MXCSR_INITIAL 0x1F80u

uint64_t vectors_bytes(void)
{
    uint32_t out[4];

    cpuid(0xD, out);
    return out[1]; /* of what XCR0 enables: SDM vol 2A, "CPUID", leaf 0DH */
}

uint64_t vectors_features(void)
{
    uint32_t out[4];

    cpuid(1, out);
    return out[3];
}

uint64_t vectors_room(void)
{
    return vectors_bytes() + XSAVE_ALIGNMENT - 1;
}

void *vectors_in(void *room)
{
    void *area = (void *)(((uint64_t)room + XSAVE_ALIGNMENT - 1) & ~(XSAVE_ALIGNMENT - 1));

    memset(area, 0, vectors_bytes());
    return area;
}

bool vectors_start(void)
{
    void *room = piece_allocate(vectors_room());

    if (room != NULL)
        thread_self()->vectors = vectors_in(room);
    return room != NULL;
}

/* Where the calling thread's are saved around messages, too. */
static uint8_t *own_area(void)
{
    return thread_self()->vectors;
}

static void save(void)
{
    vectors_save(own_area());
}

void vectors_save(void *area)
{
    __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
}

static void restore(void)
{
    __asm__ volatile("xrstor64 (%0)" ::"r"(own_area()), "a"(-1), "d"(-1) : "memory");
}

/* An area of zeros is that of initial registers, but for MXCSR, which is loaded from it all the same. */
static void restore_initial(void)
{
    static const uint32_t mxcsr = MXCSR_INITIAL;

    memset(own_area(), 0, vectors_bytes());
    memcpy(own_area() + XSAVE_MXCSR, &mxcsr, sizeof mxcsr);
    restore();
}

/* ---- In the record of a handler: asm/sigcontext.h of Linux ---- */

#define XSAVE_SOFTWARE 464 /* bytes that the processor leaves alone */
#define XSAVE_HEAD 512     /* which components there are; 56 bytes of zeros behind it */
#define XSAVE_HEAD_BYTES 64
#define XSAVE_LEGACY 3ull /* x87 and SSE */
#define MXCSR_BITS 0xFFFFu
#define MAGIC_FIRST 0x46505853u
#define MAGIC_LAST 0x46505845u

struct software_bytes {
    uint32_t magic, extended_bytes;
    uint64_t components;
    uint32_t xsave_bytes, padding[7];
};
_Static_assert(sizeof(struct software_bytes) == 48, "struct _fpx_sw_bytes");

static uint64_t components(void)
{
    uint32_t low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

uint64_t vectors_signal_bytes(void)
{
    return vectors_bytes() + sizeof(uint32_t);
}

bool vectors_to_program(uint64_t to)
{
    static const uint32_t last = MAGIC_LAST;
    struct software_bytes software = {
        .magic = MAGIC_FIRST,
        .extended_bytes = (uint32_t)vectors_signal_bytes(),
        .components = components(),
        .xsave_bytes = (uint32_t)vectors_bytes(),
    };

    memset(own_area() + XSAVE_HEAD, 0, XSAVE_HEAD_BYTES); /* XSAVE leaves most of it */
    save();
    memcpy(own_area() + XSAVE_SOFTWARE, &software, sizeof software);
    return user_write(to, own_area(), vectors_bytes()) == 0 &&
           user_write(to + vectors_bytes(), &last, sizeof last) == 0;
}

/* Whether more than the first 512 bytes are there. */
static bool is_extended(uint64_t from, const struct software_bytes *software)
{
    uint32_t last = 0;

    return software->magic == MAGIC_FIRST &&
           software->xsave_bytes >= XSAVE_HEAD + XSAVE_HEAD_BYTES &&
           software->xsave_bytes <= vectors_bytes() &&
           software->extended_bytes >= software->xsave_bytes + sizeof last &&
           user_read(&last, from + software->xsave_bytes, sizeof last) == 0 && last == MAGIC_LAST;
}

/* What XRSTOR would not take. */
static void make_sound(bool extended)
{
    uint64_t head[XSAVE_HEAD_BYTES / 8] = {XSAVE_LEGACY};
    uint32_t mxcsr;

    if (extended)
        memcpy(head, own_area() + XSAVE_HEAD, sizeof head[0]);
    head[0] &= components();
    memcpy(own_area() + XSAVE_HEAD, head, sizeof head);
    memcpy(&mxcsr, own_area() + XSAVE_MXCSR, sizeof mxcsr);
    mxcsr &= MXCSR_BITS;
    memcpy(own_area() + XSAVE_MXCSR, &mxcsr, sizeof mxcsr);
}

/* A page of the program's that is not there yet may come by messages, around which own_area() keeps the registers: so all are
 * there before anything is copied to it. */
static bool reach(uint64_t from, uint64_t bytes)
{
    uint8_t byte;

    for (uint64_t at = 0; at < bytes; at += LX_PAGE) {
        if (user_read(&byte, from + at, sizeof byte) != 0)
            return false;
    }
    return user_read(&byte, from + bytes - 1, sizeof byte) == 0;
}

bool vectors_from_program(uint64_t from)
{
    struct software_bytes software;
    uint64_t bytes;
    bool extended;

    if (from == 0) {
        restore_initial();
        return true;
    }
    if (user_read(&software, from + XSAVE_SOFTWARE, sizeof software) != 0)
        return false;
    extended = is_extended(from, &software);
    bytes = extended ? software.xsave_bytes : XSAVE_HEAD;
    if (!reach(from, bytes) || user_read(own_area(), from, bytes) != 0)
        return false;
    make_sound(extended);
    restore();
    return true;
}

_Noreturn void vectors_enter(const struct lx_frame *frame)
{
    restore_initial();
    __asm__ volatile("wrfsbase %0" ::"r"(0ull));
    threads_leave();
    lx_resume(frame);
}
