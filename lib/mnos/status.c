// SPDX-License-Identifier: MIT
/* status - see status.h. All texts come from the tables in abi/. Host tests compile this file. */
#include "lib/mnos/status.h"

#include "abi/expand.h"
#include <stdarg.h>

#include "lib/base/printf.h"

struct call_text {
    uint32_t number;
    const char *name;
    const char *arguments[6];
};

#define QUOTE(text) #text
#define QUOTED(text) QUOTE(text)
#define ARGUMENT_TEXT(register, pair) QUOTED(ARGUMENT_NAME pair),
#define SYSCALL(number, name, result, way, ...)                                                    \
    {number, #name, {EACH_ARGUMENT(ARGUMENT_TEXT, __VA_ARGS__)}},
static const struct call_text calls[] = {
#include "abi/syscalls.def"
};
#undef SYSCALL

const char *status_text(mnos_status_t status)
{
    switch (status) {
#define STATUS(code, name, text)                                                                   \
    case MNOS_##name:                                                                              \
        return text;
#include "abi/status.def"
#undef STATUS
    }
    return "a status code this program does not know";
}

char *rights_text(mnos_rights_t rights, char *out)
{
#define RIGHT(bit, name, letter, memory, endpoint, interrupt, process, thread)                     \
    out[bit] = (rights & (1u << (bit))) ? (letter) : '-';
#include "abi/rights.def"
#undef RIGHT
    out[5] = 0;
    return out;
}

const char *cap_type_text(uint32_t type)
{
    static const char *const names[] = {"none",      "memory",  "endpoint",
                                        "interrupt", "process", "thread"};

    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

/* Adds to the text in `out`, whose length is *length, as far as it fits. */
__attribute__((format(printf, 4, 5))) static void add(char *out, size_t size, size_t *length,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (*length < size)
        *length += (size_t)mnos_vsnprintf(out + *length, size - *length, format, arguments);
    va_end(arguments);
}

static void add_rights(char *out, size_t size, size_t *length, mnos_rights_t rights)
{
    const char *separator = ": missing ";

#define RIGHT(bit, name, letter, memory, endpoint, interrupt, process, thread)                     \
    if (rights & (1u << (bit))) {                                                                  \
        add(out, size, length, "%s%s", separator, #name);                                          \
        separator = ", ";                                                                          \
    }
#include "abi/rights.def"
#undef RIGHT
}

static const struct call_text *find_call(uint32_t number)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].number == number)
            return &calls[i];
    }
    return NULL;
}

const char *quota_text(unsigned kind)
{
    switch (kind) {
    case MNOS_QUOTA_FRAMES: return "frames";
    case MNOS_QUOTA_BYTES: return "bytes";
    default: return NULL;
    }
}

char *error_describe(char *out, size_t size, const char *what, uint32_t number, uint64_t rax)
{
    mnos_status_t status = (mnos_status_t)(uint32_t)rax;
    const struct call_text *call = find_call(number);
    unsigned argument = MNOS_DETAIL_ARGUMENT(rax);
    size_t length = 0;

    add(out, size, &length, "%s: %s", what, status_text(status));
    if (call == NULL)
        return out;
    add(out, size, &length, " (%s", call->name);
    if (argument >= 1 && argument <= 6 && call->arguments[argument - 1] != NULL)
        add(out, size, &length, ", argument %s", call->arguments[argument - 1]);
    if (status == MNOS_ERR_RIGHTS)
        add_rights(out, size, &length, MNOS_DETAIL_RIGHTS(rax));
    if (status == MNOS_ERR_TYPE)
        add(out, size, &length, ": found type %s", cap_type_text(MNOS_DETAIL_TYPE(rax)));
    if (status == MNOS_ERR_QUOTA && quota_text(MNOS_DETAIL_QUOTA(rax)) != NULL)
        add(out, size, &length, ": of %s", quota_text(MNOS_DETAIL_QUOTA(rax)));
    add(out, size, &length, ")");
    return out;
}
