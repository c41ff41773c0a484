// SPDX-License-Identifier: MIT
/*
 * quota.c - accounts: whatever they hold and whoever asks for how much, no charge passes a limit, and moving limits neither
 * makes nor loses anything (Q1).
 *
 * Shapes: one account; a parent and a child of which it pays the limits. Every number is free. One core: the orders of
 * several are those of the model quota.pml. Frames come from a stub that gives any frame, or none.
 */
#include "kernel/mm/quota.c"

#include "tests/proofs/kernel/proof.h"

struct core *proof_core;

/* ---- stubs: the frame allocator ---- */

static paddr_t given;
static unsigned frames_out;

paddr_t frame_alloc_zeroed(void)
{
    given = nondet_uint64();
    frames_out += given != PADDR_NONE;
    return given;
}

void frame_free_zeroing(paddr_t frame)
{
    assert(frame == given);
    frames_out--;
}

/* ---- shapes ---- */

static struct quota any_quota(void)
{
    struct quota quota;

    quota.frames.limit = nondet_uint64();
    quota.frames.left = nondet_uint64();
    quota.bytes.limit = nondet_uint64();
    quota.bytes.left = nondet_uint64();
    assume(quota.frames.left <= quota.frames.limit && quota.bytes.left <= quota.bytes.limit);
    return quota;
}

/* The limits of the child are a part of what the parent has charged. */
static bool pays_for(const struct account *parent, const struct account *child)
{
    return parent->left <= parent->limit && child->left <= child->limit &&
           child->limit <= parent->limit - parent->left;
}

/* ---- proofs ---- */

/* Unwind: 2. */
void prove_init(void)
{
    struct quota quota;
    uint64_t frames = nondet_uint64(), bytes = nondet_uint64();

    quota_init(&quota, frames, bytes);
    assert(quota.frames.limit == frames && quota.bytes.limit == bytes);
    assert(quota_used(&quota.frames) == 0 && quota_used(&quota.bytes) == 0);
}

/* Unwind: 2. */
void prove_charge(void)
{
    struct quota quota = any_quota(), before = quota;
    bool of_frames = nondet_bool();
    uint64_t amount = nondet_uint64();
    const struct account *account = of_frames ? &quota.frames : &quota.bytes;
    const struct account *was = of_frames ? &before.frames : &before.bytes;
    const struct account *other = of_frames ? &quota.bytes : &quota.frames;
    const struct account *other_was = of_frames ? &before.bytes : &before.frames;
    mnos_status_t status =
        of_frames ? quota_charge_frames(&quota, amount) : quota_charge_bytes(&quota, amount);

    assert((status == MNOS_OK) == (amount <= was->left));
    assert(status == MNOS_OK ||
           status == QUOTA_SPENT(of_frames ? MNOS_QUOTA_FRAMES : MNOS_QUOTA_BYTES));
    assert(account->limit == was->limit);
    assert(account->left == was->left - (status == MNOS_OK ? amount : 0));
    assert(other->limit == other_was->limit && other->left == other_was->left);
}

/* Unwind: 2. */
void prove_return(void)
{
    struct quota quota = any_quota(), before = quota;
    uint64_t frames = nondet_uint64(), bytes = nondet_uint64();

    assume(frames <= quota_used(&quota.frames) && bytes <= quota_used(&quota.bytes));
    quota_return_frames(&quota, frames);
    quota_return_bytes(&quota, bytes);
    assert(quota.frames.left == before.frames.left + frames);
    assert(quota.bytes.left == before.bytes.left + bytes);
    (void)quota_used(&quota.frames), (void)quota_used(&quota.bytes); /* the limits cover it */
    assert(quota.frames.limit == before.frames.limit && quota.bytes.limit == before.bytes.limit);
}

/* Unwind: 2. The account of the kernel is not limited. */
void prove_kernel(void)
{
    uint64_t amount = nondet_uint64();

    assert(quota_charge_frames(NULL, amount) == MNOS_OK &&
           quota_charge_bytes(NULL, amount) == MNOS_OK);
    quota_return_frames(NULL, amount);
    quota_return_bytes(NULL, amount);
}

static uint64_t size_moved(int64_t amount)
{
    return amount < 0 ? -(uint64_t)amount : (uint64_t)amount;
}

/* What a move of one kind has to have done: the giver has so much less left, the other so much more. */
static void assert_moved(const struct account *parent, const struct account *parent_was,
                         const struct account *child, const struct account *child_was,
                         int64_t amount)
{
    uint64_t size = size_moved(amount);

    assert(parent->limit == parent_was->limit);
    assert(parent->left == (amount < 0 ? parent_was->left + size : parent_was->left - size));
    assert(child->left == (amount < 0 ? child_was->left - size : child_was->left + size));
    assert(child->limit == child_was->limit + (uint64_t)amount);
}

static bool is_same(const struct account *account, const struct account *was)
{
    return account->left == was->left && account->limit == was->limit;
}

/* Why a move of one kind is refused; MNOS_OK: it is not. */
static mnos_status_t refusal(const struct account *parent, const struct account *child,
                             enum mnos_quota_kind kind, int64_t amount)
{
    const struct account *giver = amount < 0 ? child : parent;
    uint64_t size = size_moved(amount);

    if (size > giver->limit)
        return MNOS_ERR_ARGUMENT;
    return size > giver->left ? QUOTA_SPENT(kind) : MNOS_OK;
}

/* Unwind: 2. */
void prove_move(void)
{
    struct quota parent = any_quota(), child = any_quota();
    struct quota parent_was = parent, child_was = child;
    int64_t frames = nondet_int64(), bytes = nondet_int64();
    enum mnos_quota_kind failed;
    mnos_status_t status, of_frames, of_bytes;

    of_frames = refusal(&parent.frames, &child.frames, MNOS_QUOTA_FRAMES, frames);
    of_bytes = refusal(&parent.bytes, &child.bytes, MNOS_QUOTA_BYTES, bytes);
    status = quota_move(&parent, &child, frames, bytes, &failed);
    assert(status == (of_frames != MNOS_OK ? of_frames : of_bytes));
    assert(status == MNOS_OK ||
           failed == (of_frames != MNOS_OK ? MNOS_QUOTA_FRAMES : MNOS_QUOTA_BYTES));
    if (status == MNOS_OK) {
        assert_moved(&parent.frames, &parent_was.frames, &child.frames, &child_was.frames, frames);
        assert_moved(&parent.bytes, &parent_was.bytes, &child.bytes, &child_was.bytes, bytes);
    } else {
        assert(is_same(&parent.frames, &parent_was.frames) &&
               is_same(&child.frames, &child_was.frames));
        assert(is_same(&parent.bytes, &parent_was.bytes) &&
               is_same(&child.bytes, &child_was.bytes));
    }
}

/* Unwind: 2. What is left stays within the limits. Limits are below 2^16 here. */
void prove_move_within(void)
{
    struct quota parent = any_quota(), child = any_quota();
    int64_t frames = nondet_int64();
    enum mnos_quota_kind failed;

    assume(parent.frames.limit < 1u << 16 && pays_for(&parent.frames, &child.frames));
    (void)quota_move(&parent, &child, frames, 0, &failed);
    assert(pays_for(&parent.frames, &child.frames));
}

/* Unwind: 2. */
void prove_frame_alloc(void)
{
    struct quota quota = any_quota(), before = quota;
    paddr_t frame = PADDR_NONE;
    mnos_status_t status = quota_frame_alloc(&quota, &frame);

    assert(quota.frames.left == before.frames.left - frames_out);
    assert(quota.frames.limit == before.frames.limit);
    assert(frames_out == (status == MNOS_OK));
    assert(status == MNOS_OK ? frame == given && frame != PADDR_NONE : frame == PADDR_NONE);
    assert(status == MNOS_OK || status == MNOS_ERR_MEMORY || before.frames.left == 0);
    if (status == MNOS_OK) {
        quota_frame_free(&quota, frame);
        assert(frames_out == 0 && quota.frames.left == before.frames.left);
    }
}
