// SPDX-License-Identifier: MIT
/* error - keeps the last error of each thread, for error_explain() in status.h, and asks the kernel what it was about. */
#include "abi/inspect.h"
#include "abi/syscalls.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"

/* RAX uses 48 bits; the number of the call above the common base fits into the rest. */
#define NUMBER_SHIFT 48
#define RAX_MASK ((1ull << NUMBER_SHIFT) - 1)

mnos_status_t error_record(uint32_t number, uint64_t rax)
{
    ipc_buffer()->reserved[2] = (rax & RAX_MASK) | (uint64_t)(number - MNOS_SYSCALL_BASE)
                                                       << NUMBER_SHIFT;
    return (mnos_status_t)(uint32_t)rax;
}

void error_forget(void)
{
    ipc_buffer()->reserved[2] = 0;
}

/* ---- What it was about ---- */

/* A record of sys_cap_inspect; the IPC buffer and the last error stay what they were. */
static mnos_status_t ask(mnos_cap_t cap, enum mnos_view view, uint64_t index, void *record,
                         size_t record_bytes)
{
    struct mnos_ipc_buffer *buffer = ipc_buffer();
    uint64_t last_error = buffer->reserved[2], size;
    uint8_t kept[sizeof(struct mnos_process_info)];
    mnos_status_t status;

    memcpy(kept, buffer->data, sizeof kept);
    status = sys_cap_inspect(cap, view, index, &size);
    if (status == MNOS_OK)
        memcpy(record, buffer->data, record_bytes);
    memcpy(buffer->data, kept, sizeof kept);
    buffer->reserved[2] = last_error;
    return status;
}
_Static_assert(sizeof(struct mnos_denial) <= sizeof(struct mnos_process_info),
               "what is kept of the buffer is as large as any record that is asked for");

/* The latest that says the same: other threads of this process are refused things, too. */
static bool find_denial(uint32_t call, uint64_t rax, struct mnos_denial *denial)
{
    for (uint64_t i = 0; i < MNOS_DENIALS_KEPT; i++) {
        if (ask(MNOS_SELF, MNOS_VIEW_PROCESS_DENIAL, i, denial, sizeof *denial) != MNOS_OK)
            return false;
        if (denial->call == call && denial->rax == rax)
            return true;
    }
    return false;
}

static const char *name_of(mnos_cap_t handle)
{
    const struct mnos_bootstrap *table = bootstrap_table();

    for (uint32_t i = 0; table != NULL && i < table->entry_count; i++) {
        if (table->entries[i].cap == handle)
            return table->entries[i].name;
    }
    return NULL;
}

/* "; memory 0x1000001 "ports"" */
static size_t put_handle(char *out, size_t size, const struct mnos_denial *denial)
{
    const char *name = name_of(denial->handle);

    if (denial->handle == 0)
        return 0;
    return (size_t)mnos_snprintf(out, size, "; %s 0x%llx%s%s%s",
                                 denial->type == MNOS_TYPE_NONE ? "handle"
                                                                : cap_type_text(denial->type),
                                 (unsigned long long)denial->handle, name != NULL ? " \"" : "",
                                 name != NULL ? name : "", name != NULL ? "\"" : "");
}

/* Where the limit is set: a launched program has the file that it was loaded from in its table. */
static size_t put_remedy(char *out, size_t size, const char *name, const char *kind)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    size_t base = 0;

    if (table != NULL && table->image != 0)
        return (size_t)mnos_snprintf(out, size,
                                     "; who started it sets the limit, as \"memory:\" of run");
    while (name[base] != 0 && name[base] != '.')
        base++;
    return (size_t)mnos_snprintf(out, size, "; raise %s = of [service.%.*s] in the manifest", kind,
                                 (int)base, name);
}

/* The account that pays is the caller's, or that of the process that the call is about. */
static size_t put_quota(char *out, size_t size, const struct mnos_denial *denial)
{
    bool other = denial->type == MNOS_TYPE_PROCESS && denial->call != MNOS_SYS_proc_quota;
    unsigned kind = MNOS_DETAIL_QUOTA(denial->rax);
    struct mnos_process_info info;
    bool frames = kind == MNOS_QUOTA_FRAMES;
    size_t length;

    if (quota_text(kind) == NULL)
        return 0;
    if (ask(other ? denial->handle : MNOS_SELF, MNOS_VIEW_PROCESS, 0, &info, sizeof info) !=
        MNOS_OK)
        return (size_t)mnos_snprintf(out, size,
                                     "; of another process, whose use this one may not ask");
    length =
        (size_t)mnos_snprintf(out, size, "; %s has %llu of %llu now", info.name,
                              (unsigned long long)(frames ? info.frames_used : info.bytes_used),
                              (unsigned long long)(frames ? info.frames_quota : info.bytes_quota));
    /* Services are started by init, whose manifest has their limits. */
    if ((!other || strcmp(bootstrap_program(), "init") == 0) && length < size)
        length += put_remedy(out + length, size - length, info.name, quota_text(kind));
    return length;
}

char *error_explain(char *out, size_t size, mnos_status_t status, const char *what)
{
    uint64_t last = ipc_buffer()->reserved[2];
    uint32_t call = MNOS_SYSCALL_BASE + (uint32_t)(last >> NUMBER_SHIFT);
    struct mnos_denial denial;
    size_t length;

    /* The status may be a server's, or older than the last error: then there are no details. */
    if ((uint32_t)last != (uint32_t)status || status == MNOS_OK)
        return error_describe(out, size, what, 0, status);
    error_describe(out, size, what, call, last & RAX_MASK);
    length = strlen(out);
    if (length == 0 || out[length - 1] != ')' || !find_denial(call, last & RAX_MASK, &denial))
        return out;
    length--; /* the details go into the brackets */
    if (status == MNOS_ERR_QUOTA)
        length += put_quota(out + length, size - length, &denial);
    else
        length += put_handle(out + length, size - length, &denial);
    if (length < size)
        mnos_snprintf(out + length, size - length, ")");
    return out;
}
