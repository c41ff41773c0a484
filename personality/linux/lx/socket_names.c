// SPDX-License-Identifier: MIT
/*
 * socket_names - names of hosts for a program that has a resolver of its own, as those of Linux have: it sends questions
 * by UDP to a server of names. Without an /etc/resolv.conf that server is 127.0.0.1, and that is lx: it asks the network
 * service, which answers for the names that the session may resolve (RESOLVE of protocols/socket.def), and writes the
 * answer as a server would. No datagram leaves the process.
 *
 * RFC 1035, sections 4.1.1 to 4.1.4.
 */
#include "lib/base/string.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/socket.h"

#define LOOPBACK 0x7F000001u
#define NAMES_PORT 53u
#define HEAD_BYTES 12u
#define LABEL_BYTES_MAX 63u
#define QUESTION_BYTES_MAX (HEAD_BYTES + SOCKET_NAME_BYTES + 1 + 4)
#define RECORD_BYTES 16u /* of an IPv4 address whose name is a pointer */
#define ANSWERS_MAX 4u   /* that nobody has taken yet; what is beyond is lost, as datagrams are */

#define TYPE_A 1u
#define CLASS_IN 1u
#define FLAG_RESPONSE 0x8000u
#define FLAG_RECURSION_WANTED 0x0100u
#define FLAG_RECURSION_THERE 0x0080u
#define OPCODE_MASK 0x7800u
enum {
    CODE_OK = 0,
    CODE_FORMAT = 1,
    CODE_FAILED = 2,
    CODE_NO_NAME = 3,
    CODE_NOT_DONE = 4,
    CODE_REFUSED = 5
};

struct name_answers {
    uint32_t first, count;
    struct {
        uint32_t bytes;
        uint8_t data[QUESTION_BYTES_MAX + SOCKET_ADDRESSES * RECORD_BYTES];
    } answers[ANSWERS_MAX];
};

bool names_are_asked_at(const struct inet_address *address)
{
    return address->address == LOOPBACK && address->port == NAMES_PORT &&
           (inet_limits()->resolve_count != 0 || denied_learns());
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The name of a question as text; the length of the question with its type and class, or 0: it is none. */
static size_t read_question(const uint8_t *bytes, size_t count, char name[SOCKET_NAME_BYTES])
{
    size_t at = HEAD_BYTES, length = 0;

    while (at < count && bytes[at] != 0) {
        size_t label = bytes[at++];

        if (label > LABEL_BYTES_MAX || label > count - at ||
            length + label + 1 >= SOCKET_NAME_BYTES)
            return 0;
        if (length != 0)
            name[length++] = '.';
        for (size_t i = 0; i < label; i++) {
            if (bytes[at + i] == 0 || bytes[at + i] == '.')
                return 0; /* no text has them within a label */
            name[length++] = (char)bytes[at + i];
        }
        at += label;
    }
    name[length] = 0;
    return length != 0 && count - at >= 5 ? at + 5 : 0;
}

static uint32_t code_of(mnos_status_t status)
{
    switch ((int)status) {
    case MNOS_OK: return CODE_OK;
    case MNOS_ERR_NOT_FOUND:
    case MNOS_ERR_ARGUMENT: return CODE_NO_NAME;
    case MNOS_ERR_DENIED: return CODE_REFUSED;
    default: return CODE_FAILED;
    }
}

static mnos_status_t resolve(const char *name, struct socket_resolved *resolved)
{
    mnos_status_t status = inet_session() == NULL
                               ? MNOS_ERR_DENIED
                               : socket_resolve(inet_session(), name, 0, resolved);

    if (status == MNOS_ERR_DENIED)
        denied_name(name);
    return status;
}

/* The addresses behind the question, whose name each of them points to. */
static size_t put_addresses(uint8_t *out, const struct socket_resolved *resolved)
{
    for (uint32_t i = 0; i < resolved->count; i++, out += RECORD_BYTES) {
        put16(out, 0xC000 | HEAD_BYTES);
        put16(out + 2, TYPE_A);
        put16(out + 4, CLASS_IN);
        put16(out + 6, resolved->ttl_s >> 16);
        put16(out + 8, resolved->ttl_s & 0xFFFF);
        put16(out + 10, 4);
        put16(out + 12, ip_v4_of(resolved->addresses[i]) >> 16);
        put16(out + 14, ip_v4_of(resolved->addresses[i]) & 0xFFFF);
    }
    return (size_t)resolved->count * RECORD_BYTES;
}

/* The answer to what is `count` bytes at `out`, a question whose head at least is there; its length. */
static size_t answer(uint8_t *out, const uint8_t *question, size_t count)
{
    uint32_t flags = get16(question + 2), code = CODE_FORMAT, found = 0;
    struct socket_resolved resolved = {0};
    char name[SOCKET_NAME_BYTES];
    size_t bytes = get16(question + 4) == 1 ? read_question(question, count, name) : 0;

    if ((flags & OPCODE_MASK) != 0)
        code = CODE_NOT_DONE;
    else if (bytes != 0)
        code = code_of(resolve(name, &resolved));
    if (bytes == 0)
        bytes = HEAD_BYTES;
    memcpy(out, question, bytes);
    /* The service knows addresses of IPv4: of other types the name has none. */
    if (code == CODE_OK && get16(question + bytes - 4) == TYPE_A)
        found = resolved.count;
    put16(out + 2, FLAG_RESPONSE | (flags & (OPCODE_MASK | FLAG_RECURSION_WANTED)) |
                       FLAG_RECURSION_THERE | code);
    put16(out + 4, bytes != HEAD_BYTES);
    put16(out + 6, found);
    put16(out + 8, 0);
    put16(out + 10, 0);
    return bytes + (found != 0 ? put_addresses(out + bytes, &resolved) : 0);
}

int64_t names_ask(struct inet_socket *socket, const uint8_t *bytes, size_t count)
{
    struct name_answers *answers = socket->answers;
    uint32_t slot;

    if (answers == NULL) {
        answers = piece_allocate(sizeof *answers);
        if (answers == NULL)
            return -LX_ENOBUFS;
        answers->first = answers->count = 0;
        socket->answers = answers;
    }
    /* No server answers what has no head, or is no question. */
    if (count < HEAD_BYTES || (get16(bytes + 2) & FLAG_RESPONSE) != 0 ||
        answers->count == ANSWERS_MAX)
        return (int64_t)count;
    slot = (answers->first + answers->count) % ANSWERS_MAX;
    answers->answers[slot].bytes = (uint32_t)answer(answers->answers[slot].data, bytes, count);
    answers->count++;
    return (int64_t)count;
}

bool names_have_answer(const struct inet_socket *socket)
{
    return socket->answers != NULL && socket->answers->count != 0;
}

int64_t names_answer(struct inet_socket *socket, void *to, size_t size, bool peek)
{
    struct name_answers *answers = socket->answers;
    uint32_t slot, bytes;

    if (!names_have_answer(socket))
        return -LX_EAGAIN;
    slot = answers->first;
    bytes = answers->answers[slot].bytes;
    memcpy(to, answers->answers[slot].data, bytes < size ? bytes : size);
    if (!peek) {
        answers->first = (answers->first + 1) % ANSWERS_MAX;
        answers->count--;
    }
    return bytes;
}

void names_drop(struct inet_socket *socket)
{
    piece_free(socket->answers);
}
