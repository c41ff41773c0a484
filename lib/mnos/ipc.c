// SPDX-License-Identifier: MIT
/* ipc - what of ipc.h is not worth a copy in each caller. */
#include "lib/mnos/ipc.h"

#include "abi/inspect.h"
#include "lib/base/string.h"

size_t message_get_part(const struct message *msg, void *out, size_t size)
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

mnos_status_t ipc_send(mnos_cap_t endpoint, const struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = message_registers(msg, endpoint, deadline_ns);
    uint64_t rax = ipc_stub_send(&regs);

    return (uint32_t)rax == MNOS_OK ? MNOS_OK : error_record(MNOS_SYS_ipc_send, rax);
}

mnos_status_t ipc_receive(mnos_cap_t endpoint, struct message *msg, uint64_t deadline_ns)
{
    struct ipc_registers regs = {
        .rdi = endpoint, .rsi = msg->info & MESSAGE_ACCEPT_MASK, .r12 = deadline_ns};
    uint64_t rax = ipc_stub_receive(&regs);

    if ((uint32_t)rax != MNOS_OK)
        return error_record(MNOS_SYS_ipc_recv, rax);
    message_fill(msg, &regs);
    return MNOS_OK;
}

mnos_status_t ipc_reply(const struct message *msg)
{
    struct ipc_registers regs = message_registers(msg, msg->reply_id, 0);
    uint64_t rax = ipc_stub_reply(&regs);

    return (uint32_t)rax == MNOS_OK ? MNOS_OK : error_record(MNOS_SYS_ipc_reply, rax);
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
