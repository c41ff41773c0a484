// SPDX-License-Identifier: MIT
/* fault_report - see fault_report.h. Vectors, error codes and opcodes: Intel SDM vol 2 and 3A. */
#include "lib/server/fault_report.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/format/bytes.h"
#include "lib/format/x86_code.h"
#include "lib/mnos/process_end.h"

#define VECTOR_PROTECTION 13u
#define VECTOR_PAGE_FAULT 14u
/* Of a page fault. */
#define ERROR_PRESENT (1u << 0)
#define ERROR_WRITE (1u << 1)
#define ERROR_FETCH (1u << 4)

#define WORD_BYTES 8u
#define PREFIXES_MAX 4u
#define PLACE_BYTES 64u
#define ADDRESS_CHARS 20u      /* ",0x" and 16 digits, and the end */
#define PROGRAM_NAME_CHARS 31u /* in front of "@" and 12 digits of a build */
/* How far beyond its stack a function can reach that does not know that the stack has ended: large arrays. */
#define OVERFLOW_REACH_BYTES (256u * 1024)
/* Of another thread only the stack pointer is known: what faults this close to it was the stack. */
#define NEAR_STACK_BYTES MNOS_PAGE_BYTES

typedef unsigned long long ull;

/* ---- Programs in memory ---- */

static const char *image_name(void *context, uint64_t address, uint64_t *offset)
{
    const struct fault_image *image = context;

    return image->symbols == NULL ? NULL : symbols_find(image->symbols, address, offset);
}

static bool image_code(void *context, uint64_t address, uint8_t *out, unsigned bytes)
{
    const struct fault_image *image = context;
    uint64_t at = address - image->code_address;

    if (address < image->code_address || at > image->code_bytes || image->code_bytes - at < bytes)
        return false;
    memcpy(out, image->code + at, bytes);
    return true;
}

struct fault_program fault_image_program(struct fault_image *image)
{
    return (struct fault_program){image, image_name, image_code};
}

/* Whether the function is known. */
static bool put_place(const struct fault_program *program, uint64_t address, char *out, size_t size)
{
    uint64_t offset;
    const char *name = program->name(program->context, address, &offset);

    if (name != NULL)
        mnos_snprintf(out, size, "%s+0x%llx", name, (ull)offset);
    else
        mnos_snprintf(out, size, "0x%llx", (ull)address);
    return name != NULL;
}

void fault_place(const struct fault_program *program, uint64_t address, char *out, size_t size)
{
    (void)put_place(program, address, out, size);
}

/* ---- causes ---- */

/* Puts the cause into `out` when the fault is of this kind; `place` is where it was. */
typedef bool cause(const struct fault_scene *scene, const char *place, char *out, size_t size);

static bool is_unmapped(const struct mnos_fault *fault)
{
    return fault->vector == VECTOR_PAGE_FAULT && (fault->error & ERROR_PRESENT) == 0;
}

/* A jump or call to where no code is. Its stack pointer may still be anywhere. */
static bool no_code(const struct fault_scene *scene, const char *, char *out, size_t size)
{
    const struct mnos_fault *fault = scene->fault;

    if (fault->vector != VECTOR_PAGE_FAULT || (fault->error & ERROR_FETCH) == 0)
        return false;
    mnos_snprintf(out, size, "calls or jumps to 0x%llx, where it has no code", (ull)fault->address);
    return true;
}

static bool stack_overflow(const struct fault_scene *scene, const char *place, char *out,
                           size_t size)
{
    const struct mnos_fault *fault = scene->fault;
    uint64_t below = scene->stack_address - fault->address;
    uint64_t rsp = fault->registers.rsp;
    uint64_t from_rsp = fault->address > rsp ? fault->address - rsp : rsp - fault->address;

    if (!is_unmapped(fault) || (fault->error & ERROR_FETCH) != 0)
        return false;
    if (scene->stack_bytes != 0 && fault->address < scene->stack_address &&
        below <= OVERFLOW_REACH_BYTES) {
        mnos_snprintf(out, size, "stack overflow in %s: its %llu pages are used up; use less%s",
                      place, (ull)(scene->stack_bytes / MNOS_PAGE_BYTES),
                      scene->launched ? "" : ", or give it more by stack_pages in the manifest");
        return true;
    }
    if (from_rsp >= NEAR_STACK_BYTES)
        return false;
    mnos_snprintf(out, size,
                  "stack overflow of a thread in %s: use less stack, or give it more pages in "
                  "thread_create()",
                  place);
    return true;
}

struct port_access {
    bool writes;
    uint64_t port;
};

/* Whether the instruction at `code` is one that uses an I/O port: IN, OUT, INS, OUTS. */
static bool port_instruction(const uint8_t *code, uint64_t bytes, uint64_t rdx,
                             struct port_access *access)
{
    uint64_t at = 0;

    /* Operand size, REP and REX. */
    while (at < bytes && at < PREFIXES_MAX &&
           (code[at] == 0x66 || code[at] == 0xF2 || code[at] == 0xF3 || (code[at] & 0xF0) == 0x40))
        at++;
    if (at == bytes)
        return false;
    switch (code[at]) {
    case 0xE4:
    case 0xE5:
    case 0xE6:
    case 0xE7: /* the port is in the instruction */
        if (at + 1 == bytes)
            return false;
        *access = (struct port_access){(code[at] & 2) != 0, code[at + 1]};
        return true;
    case 0xEC:
    case 0xED:
    case 0xEE:
    case 0xEF:
    case 0x6C:
    case 0x6D:
    case 0x6E:
    case 0x6F: /* it is in DX */
        *access = (struct port_access){(code[at] & 2) != 0, rdx & 0xFFFF};
        return true;
    default: return false;
    }
}

static bool port_not_granted(const struct fault_scene *scene, const char *place, char *out,
                             size_t size)
{
    const struct mnos_registers *registers = &scene->fault->registers;
    uint8_t code[PREFIXES_MAX + 2];
    struct port_access access;
    unsigned bytes = 0;

    if (scene->fault->vector != VECTOR_PROTECTION)
        return false;
    /* One by one: the code may end behind the instruction. */
    while (bytes < sizeof code &&
           scene->program.code(scene->program.context, registers->rip + bytes, &code[bytes], 1))
        bytes++;
    if (!port_instruction(code, bytes, registers->rdx, &access))
        return false;
    mnos_snprintf(
        out, size, "%s %s port 0x%llx, which it has not opened: it must map a port capability, %s",
        place, access.writes ? "writes to" : "reads", (ull)access.port,
        scene->launched ? "which it has not been given" : "which `ports` in the manifest gives");
    return true;
}

static bool foreign_call(const struct fault_scene *scene, const char *place, char *out, size_t size)
{
    if (scene->fault->vector != MNOS_FAULT_SYSCALL)
        return false;
    mnos_snprintf(out, size, "%s makes system call %llu, which is not of this system", place,
                  (ull)scene->fault->registers.rax);
    return true;
}

static bool wild_access(const struct fault_scene *scene, const char *place, char *out, size_t size)
{
    const struct mnos_fault *fault = scene->fault;

    if (fault->vector != VECTOR_PAGE_FAULT)
        return false;
    mnos_snprintf(out, size, "%s %s 0x%llx, %s", place,
                  (fault->error & ERROR_WRITE) != 0 ? "writes to" : "reads", (ull)fault->address,
                  (fault->error & ERROR_PRESENT) != 0 ? "whose mapping does not allow it"
                                                      : "where nothing is mapped");
    return true;
}

static bool any_other(const struct fault_scene *scene, const char *place, char *out, size_t size)
{
    const struct mnos_fault *fault = scene->fault;

    mnos_snprintf(out, size, "%s in %s, error 0x%llx", process_fault_text((uint32_t)fault->vector),
                  place, (ull)fault->error);
    return true;
}

static void tell_cause(const struct fault_scene *scene, fault_line *line, void *context)
{
    static cause *const causes[] = {no_code,      stack_overflow, port_not_granted,
                                    foreign_call, wild_access,    any_other};
    char place[PLACE_BYTES], text[FAULT_LINE_BYTES];
    unsigned i = 0;

    fault_place(&scene->program, scene->fault->registers.rip, place, sizeof place);
    while (!causes[i](scene, place, text, sizeof text))
        i++;
    line(context, text);
}

/* ---- places ---- */

/* Whether a CALL of the program ends at `address`. */
static bool follows_call(const struct fault_scene *scene, uint64_t address)
{
    uint8_t code[CODE_CALL_BYTES_MAX];

    return address >= sizeof code &&
           scene->program.code(scene->program.context, address - sizeof code, code, sizeof code) &&
           code_follows_call(code + sizeof code);
}

static void tell_place(const struct fault_scene *scene, unsigned number, uint64_t address,
                       fault_line *line, void *context)
{
    char place[PLACE_BYTES], text[FAULT_LINE_BYTES];

    if (put_place(&scene->program, address, place, sizeof place))
        mnos_snprintf(text, sizeof text, "  #%u 0x%llx %s", number, (ull)address, place);
    else
        mnos_snprintf(text, sizeof text, "  #%u %s", number, place);
    line(context, text);
}

uint64_t fault_stack_part(uint64_t stack_pointer, uint64_t stack_address, uint64_t stack_bytes,
                          uint64_t *offset)
{
    uint64_t at = 0;

    /* Just below its stack it has overflowed, and all of that is looked at; elsewhere is the stack of another thread, which has not
     * called from here. */
    if (stack_pointer < stack_address && stack_address - stack_pointer > OVERFLOW_REACH_BYTES)
        return 0;
    if (stack_pointer > stack_address)
        at = (stack_pointer - stack_address + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
    if (at >= stack_bytes)
        return 0;
    *offset = at;
    stack_bytes = (stack_bytes - at) / WORD_BYTES * WORD_BYTES;
    return stack_bytes > FAULT_STACK_BYTES_MAX ? FAULT_STACK_BYTES_MAX : stack_bytes;
}

/* Where it was and who had called, each told; how many these are. */
static unsigned tell_places(const struct fault_scene *scene, uint64_t places[FAULT_PLACES_MAX],
                            fault_line *line, void *context)
{
    unsigned found = 0;

    places[found++] = scene->fault->registers.rip;
    for (uint64_t i = 0; i < scene->word_count && found < FAULT_PLACES_MAX; i++) {
        uint64_t word = bytes_get(scene->words + i * WORD_BYTES, WORD_BYTES);

        /* A call is shown by its last byte, since the next function may begin behind one that never returns. */
        if (follows_call(scene, word))
            places[found++] = word - 1;
    }
    for (unsigned i = 0; i < found; i++)
        tell_place(scene, i, places[i], line, context);
    return found;
}

/* As many places as the line has room for; the innermost are first. */
static void tell_command(const char *program_name, const uint64_t *places, unsigned count,
                         fault_line *line, void *context)
{
    char text[FAULT_LINE_BYTES];
    size_t length;

    mnos_snprintf(text, sizeof text, "  file and line: make where PROGRAM=%s ADDRESS=0x%llx",
                  program_name, (ull)places[0]);
    length = strlen(text);
    for (unsigned i = 1; i < count && length + ADDRESS_CHARS < sizeof text; i++) {
        mnos_snprintf(text + length, sizeof text - length, ",0x%llx", (ull)places[i]);
        length += strlen(text + length);
    }
    line(context, text);
}

void fault_report(const struct fault_scene *scene, fault_line *line, void *context)
{
    uint64_t places[FAULT_PLACES_MAX];
    unsigned count;

    tell_cause(scene, line, context);
    count = tell_places(scene, places, line, context);
    if (scene->program_name != NULL)
        tell_command(scene->program_name, places, count, line, context);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

void fault_program_text(const char *path, const char *build, char out[FAULT_PROGRAM_BYTES])
{
    const char *name = path;
    size_t length = 0;

    for (const char *at = path; *at != 0; at++)
        if (*at == '/')
            name = at + 1;
    while (length < PROGRAM_NAME_CHARS && is_plain(name[length]))
        length++;
    memcpy(out, name, length);
    mnos_snprintf(out + length, FAULT_PROGRAM_BYTES - length, "@%.12s", build);
}
