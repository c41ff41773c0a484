// SPDX-License-Identifier: MIT
/* capability.c - making, deleting and revoking capabilities. */
#include "bench/bench.h"

/* One sys_cap_create, undone; or one sys_cap_delete, prepared. */
struct creation {
    struct timed create;
    bool measure_delete;
};

static uint64_t create_and_delete(void *context)
{
    const struct creation *creation = context;
    struct timed create = creation->create;
    struct timed delete = {.rax = MNOS_SYS_cap_delete};
    uint64_t created = timed_syscall(&create), deleted;

    CHECK_EQ(create.rax, MNOS_OK);
    delete.rdi = create.rdx;
    deleted = timed_syscall(&delete);
    CHECK_EQ(delete.rax, MNOS_OK);
    return creation->measure_delete ? deleted : created;
}

static struct timed copy_of(mnos_cap_t cap)
{
    return (struct timed){
        .rax = MNOS_SYS_cap_create, .rdi = MNOS_CREATE_COPY, .rsi = cap, .rdx = MNOS_RIGHTS_ALL};
}

static struct timed mint_of(mnos_cap_t endpoint)
{
    return (struct timed){.rax = MNOS_SYS_cap_create,
                          .rdi = MNOS_CREATE_MINT,
                          .rsi = endpoint,
                          .rdx = MNOS_RIGHTS_ALL,
                          .r10 = 7,
                          .r8 = 1};
}

BENCH(capability, "cap-copy cap-mint cap-delete")
{
    mnos_cap_t endpoint = endpoint_new();
    struct creation copy = {copy_of(endpoint), false}, mint = {mint_of(endpoint), false},
                    deletion = {copy_of(endpoint), true};

    measure("cap-copy", create_and_delete, &copy);
    measure("cap-mint", create_and_delete, &mint);
    measure("cap-delete", create_and_delete, &deletion);
    cap_drop(endpoint);
}

/* ---- revocation ---- */

struct family {
    struct timed create; /* of one child */
    mnos_cap_t parent;
    unsigned children;
};

static uint64_t revoke_children(void *context)
{
    const struct family *family = context;
    struct timed revoke = {.rax = MNOS_SYS_cap_revoke, .rdi = family->parent};
    uint64_t count;

    for (unsigned i = 0; i < family->children && !check_failed(); i++) {
        struct timed create = family->create;

        timed_syscall(&create);
        CHECK_EQ(create.rax, MNOS_OK);
    }
    count = timed_syscall(&revoke);
    CHECK_EQ(revoke.rax, MNOS_OK);
    return count / family->children;
}

static void measure_revoke(const char *name, unsigned children, unsigned rounds)
{
    mnos_cap_t endpoint = endpoint_new();
    struct family family = {copy_of(endpoint), endpoint, children};

    measure_rounds(name, rounds, revoke_children, &family);
    cap_drop(endpoint);
}

BENCH(revoke, "cap-revoke-1000 cap-revoke-10000 cap-revoke-100000")
{
    measure_revoke("cap-revoke-1000", 1000, ROUNDS_FEW);
    measure_revoke("cap-revoke-10000", 10000, 11);
    measure_revoke("cap-revoke-100000", 100000, 3);
}

BENCH(revoke_minted, "cap-revoke-minted-1000")
{
    mnos_cap_t endpoint = endpoint_new();
    struct family family = {mint_of(endpoint), endpoint, 1000};

    measure_rounds("cap-revoke-minted-1000", 11, revoke_children, &family);
    cap_drop(endpoint);
}
