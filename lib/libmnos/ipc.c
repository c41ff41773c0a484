// SPDX-License-Identifier: MIT
/* ipc - see ipc.h. The only place that knows which register carries what. */
#include "lib/libmnos/ipc.h"

#include "abi/inspect.h"
#include "lib/string.h"
#include "lib/libmnos/syscall.h"

/* What the kernel takes and gives; the names are those of abi/message.h. */
struct ipc_registers {
    uint64_t rdi, rsi, rdx, r10, r8, r9, r12, r13;
};

/* Returns RAX. The vector registers are lost too, which concerns no code built like this library
 * (general registers only); programs that use them see a call, which may change them anyway. */
static uint64_t ipc_raw(uint64_t number, struct ipc_registers *regs)
{
    register uint64_t rdi __asm__("rdi") = regs->rdi;
    register uint64_t rsi __asm__("rsi") = regs->rsi;
    register uint64_t rdx __asm__("rdx") = regs->rdx;
    register uint64_t r10 __asm__("r10") = regs->r10;
    register uint64_t r8 __asm__("r8") = regs->r8;
    register uint64_t r9 __asm__("r9") = regs->r9;
    register uint64_t r12 __asm__("r12") = regs->r12;
    register uint64_t r13 __asm__("r13") = regs->r13;
    uint64_t rax = number;

    __asm__ volatile("syscall"
                     : "+a"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9),
                       "+r"(r12), "+r"(r13)
                     :
                     : "rcx", "r11", "memory");
    *regs = (struct ipc_registers){rdi, rsi, rdx, r10, r8, r9, r12, r13};
    return rax;
}

static uint64_t info_to_send(const struct message *msg)
{
    return MNOS_INFO(msg->label, msg->length) | MNOS_INFO_CAPS(msg->cap_count) |
           MNOS_INFO_ACCEPT(msg->accept);
}

static struct ipc_registers registers_to_send(uint64_t rdi, const struct message *msg,
                                              uint64_t deadline_ns, mnos_cap_t receive_from)
{
    return (struct ipc_registers){rdi,           info_to_send(msg), msg->words[0], msg->words[1],
                                  msg->words[2], msg->words[3],     deadline_ns,   receive_from};
}

static void message_fill(struct message *msg, const struct ipc_registers *regs)
{
    msg->words[0] = regs->rdx;
    msg->words[1] = regs->r10;
    msg->words[2] = regs->r8;
    msg->words[3] = regs->r9;
    msg->label = MNOS_INFO_GET_LABEL(regs->rsi);
    msg->length = MNOS_INFO_GET_LENGTH(regs->rsi);
    msg->cap_count = MNOS_INFO_GET_CAPS(regs->rsi);
    msg->kind = MNOS_INFO_GET_KIND(regs->rsi);
    msg->badge = regs->rdi;
    msg->reply_id = regs->r12;
}

void message_put(struct message *msg, uint32_t label, const void *bytes, size_t length)
{
    size_t in_registers = length < sizeof msg->words ? length : sizeof msg->words;

    msg->label = label;
    msg->length = (uint32_t)length;
    msg->cap_count = 0;
    msg->words[0] = msg->words[1] = msg->words[2] = msg->words[3] = 0;
    if (length != 0)
        memcpy(msg->words, bytes, in_registers);
    if (length > in_registers)
        memcpy(ipc_buffer()->data, (const uint8_t *)bytes + in_registers, length - in_registers);
}

size_t message_get(const struct message *msg, void *out, size_t size)
{
    size_t length = msg->length < size ? msg->length : size;
    size_t in_registers = length < sizeof msg->words ? length : sizeof msg->words;

    memcpy(out, msg->words, in_registers);
    if (length > in_registers)
        memcpy((uint8_t *)out + in_registers, ipc_buffer()->data, length - in_registers);
    if (length < size)
        memset((uint8_t *)out + length, 0, size - length);
    return length;
}

void message_add_cap(struct message *msg, mnos_cap_t cap, mnos_rights_t rights)
{
    struct mnos_ipc_buffer *buffer = ipc_buffer();

    buffer->send_caps[msg->cap_count] = cap;
    buffer->send_rights[msg->cap_count] = (uint8_t)rights;
    msg->cap_count++;
}

mnos_cap_t message_cap(const struct message *msg, unsigned index)
{
    struct mnos_ipc_buffer *buffer = ipc_buffer();

    if (index >= msg->cap_count || buffer->recv_kinds[index] != MNOS_RECEIVED_HANDLE)
        return 0;
    return buffer->recv_caps[index];
}

mnos_badge_t message_cap_badge(const struct message *msg, unsigned index)
{
    struct mnos_ipc_buffer *buffer = ipc_buffer();

    if (index >= msg->cap_count || buffer->recv_kinds[index] != MNOS_RECEIVED_BADGE)
        return 0;
    return buffer->recv_caps[index];
}

void message_refuse_caps(const struct message *msg)
{
    for (unsigned i = 0; i < msg->cap_count; i++) {
        mnos_cap_t cap = message_cap(msg, i);

        if (cap != 0)
            (void)!sys_cap_delete(cap);
    }
}

mnos_status_t ipc_call(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = registers_to_send(endpoint, msg, deadline_ns, 0);
    uint64_t rax = ipc_raw(MNOS_SYS_ipc_call, &regs);

    if ((uint32_t)rax != MNOS_OK)
        return error_record(MNOS_SYS_ipc_call, rax);
    message_fill(msg, &regs);
    return MNOS_OK;
}

mnos_status_t ipc_request(mnos_cap_t endpoint, struct message *msg)
{
    mnos_status_t status = ipc_call(endpoint, msg, MNOS_DEADLINE_NEVER);

    if (status != MNOS_OK)
        return status;
    /* The server's status must not be explained with the details of an earlier system call's. */
    if (msg->label != MNOS_OK)
        error_forget();
    return (mnos_status_t)msg->label;
}

mnos_status_t ipc_send(mnos_cap_t endpoint, const struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = registers_to_send(endpoint, msg, deadline_ns, 0);
    uint64_t rax = ipc_raw(MNOS_SYS_ipc_send, &regs);

    return (uint32_t)rax == MNOS_OK ? MNOS_OK : error_record(MNOS_SYS_ipc_send, rax);
}

mnos_status_t ipc_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = {
        .rdi = endpoint, .rsi = MNOS_INFO_ACCEPT(msg->accept), .r12 = deadline_ns};
    uint64_t rax = ipc_raw(MNOS_SYS_ipc_recv, &regs);

    if ((uint32_t)rax != MNOS_OK)
        return error_record(MNOS_SYS_ipc_recv, rax);
    message_fill(msg, &regs);
    return MNOS_OK;
}

mnos_status_t ipc_reply(const struct message *msg)
{
    struct ipc_registers regs = registers_to_send(msg->reply_id, msg, 0, 0);
    uint64_t rax = ipc_raw(MNOS_SYS_ipc_reply, &regs);

    return (uint32_t)rax == MNOS_OK ? MNOS_OK : error_record(MNOS_SYS_ipc_reply, rax);
}

mnos_status_t ipc_reply_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = registers_to_send(msg->reply_id, msg, deadline_ns, endpoint);
    uint64_t rax = ipc_raw(MNOS_SYS_ipc_reply, &regs);

    /* The client died while it was served: nothing to do for it. */
    if ((uint32_t)rax == MNOS_ERR_REPLY)
        return ipc_receive(endpoint, msg, deadline_ns);
    if ((uint32_t)rax != MNOS_OK)
        return error_record(MNOS_SYS_ipc_reply, rax);
    message_fill(msg, &regs);
    return MNOS_OK;
}

bool ipc_client_is_gone(mnos_cap_t endpoint, mnos_badge_t gone, mnos_badge_t client)
{
    uint64_t lives;

    if (gone != 0 || client == 0) /* who came without a badge cannot be told from others */
        return gone != 0 && gone == client;
    return sys_cap_inspect(endpoint, MNOS_VIEW_BADGE, client, &lives) == MNOS_OK && lives == 0;
}

void ipc_reply_status(uint64_t reply_id, mnos_status_t status)
{
    struct message reply = {.label = status, .reply_id = reply_id};

    if (reply_id != 0)
        (void)!ipc_reply(&reply);
}
