// SPDX-License-Identifier: MIT
/* message.c - see message.h. */
#include "ipc/message.h"

#include <stddef.h>

#include "cap/captable.h"
#include "cap/derive.h"
#include "lib/base/string.h"
#include "object/denial.h"
#include "object/endpoint.h"
#include "object/fault.h"
#include "object/process.h"

#define RIGHTS_OF_MINE 0xFF /* send_rights: whatever the sender's capability has */

/* Takes back the first `count` capabilities of a message that failed. */
static void caps_undo(struct thread *to, const uint64_t *values, const uint8_t *kinds,
                      unsigned count)
{
    struct cap_view view;

    for (unsigned i = 0; i < count; i++)
        if (kinds[i] == MNOS_RECEIVED_HANDLE &&
            cap_lookup(&to->process->captable, values[i], MNOS_TYPE_NONE, 0, &view) == RESULT_OK)
            cap_undo(&view);
}

static result_t cap_move(struct thread *from, struct thread *to, const struct endpoint *endpoint,
                         unsigned i, uint64_t *value, uint8_t *kind)
{
    mnos_rights_t wanted = from->buffer->send_rights[i];
    mnos_cap_t handle = from->buffer->send_caps[i];
    const struct cap_wish wish = {.needs = MNOS_RIGHT_GRANT,
                                  .rights = wanted,
                                  .all_rights = wanted == RIGHTS_OF_MINE,
                                  .depth_max = CAP_DEPTH_GIVEN_MAX,
                                  .not_to = (const struct kobject *)endpoint};
    const struct captable *table = &from->process->captable;
    struct cap_view view;
    result_t status;

    *kind = MNOS_RECEIVED_HANDLE;
    if (cap_derive_fast(table, handle, &wish, &to->process->captable, value))
        return RESULT_OK;
    status = cap_lookup(table, handle, MNOS_TYPE_NONE, MNOS_RIGHT_GRANT, &view);
    if (status != RESULT_OK)
        return status;
    if (endpoint != NULL && view.object == &endpoint->obj) {
        *value = view.badge;
        *kind = MNOS_RECEIVED_BADGE;
        return RESULT_OK;
    }
    if (wanted != RIGHTS_OF_MINE) {
        if ((wanted & ~view.rights) != 0)
            return error_rights(0, wanted, view.rights);
        view.rights = wanted;
    }
    return result_told(result_of(cap_give(to->process, &view, value)));
}

static result_t caps_move(struct thread *from, struct thread *to, const struct endpoint *endpoint,
                          unsigned count)
{
    uint64_t values[MNOS_MESSAGE_MAX_CAPS];
    uint8_t kinds[MNOS_MESSAGE_MAX_CAPS];
    result_t status;

    if (count > MNOS_INFO_GET_ACCEPT(to->frame.rsi))
        return result_of(MNOS_ERR_ACCEPT);
    for (unsigned i = 0; i < count; i++) {
        status = cap_move(from, to, endpoint, i, &values[i], &kinds[i]);
        if (status != RESULT_OK) {
            caps_undo(to, values, kinds, i);
            denial_note_cap(from, from->buffer->send_caps[i], status);
            return status;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        to->buffer->recv_caps[i] = values[i];
        to->buffer->recv_kinds[i] = kinds[i];
    }
    return RESULT_OK;
}

result_t message_move(struct thread *from, struct thread *to, const struct endpoint *endpoint)
{
    uint64_t info = from->frame.rsi;
    unsigned length = MNOS_INFO_GET_LENGTH(info);
    unsigned caps = MNOS_INFO_GET_CAPS(info);
    result_t status;

    if ((from->slow & SLOW_FAULTED) != 0) {
        fault_tell(from, to);
        return RESULT_OK;
    }
    if (caps != 0) {
        status = caps_move(from, to, endpoint, caps);
        if (status != RESULT_OK)
            return status;
    }
    if (length > MNOS_MESSAGE_REGISTER_BYTES)
        memcpy(to->buffer->data, from->buffer->data, length - MNOS_MESSAGE_REGISTER_BYTES);
    to->frame.rsi = MNOS_INFO(MNOS_INFO_GET_LABEL(info), length) | MNOS_INFO_CAPS(caps);
    to->frame.rdx = from->frame.rdx;
    to->frame.r10 = from->frame.r10;
    to->frame.r8 = from->frame.r8;
    to->frame.r9 = from->frame.r9;
    return RESULT_OK;
}
