// SPDX-License-Identifier: MIT
/* program_fault - see program_fault.h. */
#include "programs/monitor/program_fault.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/launcher.h"
#include "lib/format/elf_names.h"
#include "lib/format/symbols.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/status.h"
#include "lib/server/fault_report.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"

/* What is known of a program while its fault is told. */
struct known {
    struct file file;
    struct elf_names elf;            /* of its own file, */
    struct symbols_program by_build; /* and what the RAM disk has of the same build */
    struct symbols symbols;
    struct memory_block boot;  /* in which those of the RAM disk are */
    mnos_status_t boot_status; /* why they could not be read, or MNOS_OK */
    char build[ELF_BUILD_ID_TEXT];
    bool is_open, has_elf, has_build;
    char text[ELF_NAME_BYTES];
};

#define BOOT_SYMBOLS "/boot/symbols"
#define SYMBOLS_BYTES_MAX (256u << 10) /* of the quota of a monitor */

void program_file_note(struct program_file *file, const char *path, const struct file_attr *attr)
{
    *file = (struct program_file){.inode = attr->inode,
                                  .generation = attr->generation,
                                  .size = attr->size,
                                  .modified_ns = attr->modified_ns};
    if (strlen(path) < sizeof file->path)
        string_copy(file->path, path, sizeof file->path);
}

void program_file_note_own(struct program_file *file, const char *name)
{
    *file = (struct program_file){.is_fixed = true};
    mnos_snprintf(file->path, sizeof file->path, "/boot/%s", name);
}

/* ---- What is known ---- */

static bool read_file(void *context, uint64_t offset, void *out, uint64_t bytes)
{
    const struct known *known = context;
    uint64_t count;

    return file_read(&known->file, offset, out, bytes, &count) == MNOS_OK && count == bytes;
}

/* Reads the symbols of the initial RAM disk into memory of this process, which known_end() frees. */
static mnos_status_t read_boot_symbols(struct known *known, struct file_session *files)
{
    struct file file;
    uint64_t count = 0;
    mnos_status_t status = file_open(files, NULL, BOOT_SYMBOLS, 0, FILE_READ_RIGHT, &file);

    if (status != MNOS_OK)
        return status;
    status = MNOS_ERR_QUOTA;
    if (file.size <= SYMBOLS_BYTES_MAX)
        status = memory_allocate((file.size + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES, &known->boot);
    if (status == MNOS_OK)
        status = file_read(&file, 0, known->boot.address, file.size, &count);
    if (status == MNOS_OK && !symbols_open(&known->symbols, known->boot.address, count))
        status = MNOS_ERR_FORMAT;
    (void)!file_close(&file);
    return status;
}

static void find_build(struct known *known, struct file_session *files)
{
    static uint8_t head[ELF_NOTE_BYTES];
    uint8_t id[ELF_BUILD_ID_BYTES];
    uint64_t count;

    if (file_read(&known->file, 0, head, sizeof head, &count) != MNOS_OK ||
        !elf_build_id(head, count, id))
        return;
    elf_build_id_text(id, known->build);
    known->boot_status = read_boot_symbols(known, files);
    known->has_build =
        known->boot_status == MNOS_OK && symbols_program(&known->symbols, id, &known->by_build);
}

static bool is_same(const struct program_file *file, const struct file_attr *attr)
{
    return file->is_fixed || (attr->inode == file->inode && attr->generation == file->generation &&
                              attr->size == file->size && attr->modified_ns == file->modified_ns);
}

/* The file is opened; *why: its names are not known, and that is why, or NULL. */
static void look_at_file(struct known *known, const struct program_file *file, const char **why)
{
    struct elf_source source = {known, read_file};
    struct file_session *files = files_session("run");
    struct file_attr attr;
    mnos_status_t status = MNOS_ERR_NOT_FOUND;

    *why =
        file == NULL ? "there was no memory to keep its path" : "its path is too long to be kept";
    if (file == NULL || file->path[0] == 0)
        return;
    if (files != NULL)
        status = file_open(files, NULL, file->path, 0, FILE_READ_RIGHT, &known->file);
    known->is_open = status == MNOS_OK;
    if (status == MNOS_OK)
        status = file_attributes(&known->file, &attr);
    *why = status_text(status);
    if (status != MNOS_OK)
        return;
    *why = "the file has changed since it was started";
    if (!is_same(file, &attr))
        return;
    known->has_elf = elf_names_open(&known->elf, &source);
    find_build(known, files);
    *why = NULL;
    if (known->has_build || (known->has_elf && known->elf.symbol_count != 0))
        return;
    *why = "the file has none, and the RAM disk none of this build";
    if (known->boot_status != MNOS_OK)
        *why = "the file has none, and " BOOT_SYMBOLS " could not be read: ";
}

static void known_end(struct known *known)
{
    if (known->boot.address != NULL)
        memory_free(&known->boot);
    if (known->is_open)
        (void)!file_close(&known->file);
}

static const char *name_at(void *context, uint64_t address, uint64_t *offset)
{
    struct known *known = context;

    if (known->has_elf && elf_names_find(&known->elf, address, known->text, offset))
        return known->text;
    return known->has_build ? symbols_find(&known->by_build, address, offset) : NULL;
}

static bool code_at(void *context, uint64_t address, uint8_t *out, unsigned bytes)
{
    const struct known *known = context;

    return known->has_elf && elf_names_code(&known->elf, address, out, bytes);
}

/* ---- Telling ---- */

static void print_line(void *context, const char *text)
{
    console_print("%s: %s\n", (const char *)context, text);
}

void program_print_fault(uint64_t number, const char *name, const struct program_file *file)
{
    static struct launcher_fault fault;
    struct manager_service program;
    struct known known = {0};
    struct fault_scene scene = {.fault = &fault.what,
                                .program = {&known, name_at, code_at},
                                .words = (const uint8_t *)fault.words,
                                .launched = true};
    char program_name[FAULT_PROGRAM_BYTES];
    const char *why;
    uint64_t index;

    if (launcher_find(number, &program, &index) != MNOS_OK ||
        launcher_last_fault(index, &fault) != MNOS_OK)
        return;
    look_at_file(&known, file, &why);
    scene.word_count =
        fault.word_count < LAUNCHER_FAULT_WORDS ? fault.word_count : LAUNCHER_FAULT_WORDS;
    scene.stack_address = fault.stack_address;
    scene.stack_bytes = (uint64_t)fault.stack_pages * MNOS_PAGE_BYTES;
    if (known.has_build) {
        fault_program_text(file->path, known.build, program_name);
        scene.program_name = program_name;
    }
    fault_report(&scene, print_line, (void *)name);
    if (why != NULL)
        console_print("%s: names of functions are not known: %s%s\n", name, why,
                      known.boot_status == MNOS_OK ? "" : status_text(known.boot_status));
    known_end(&known);
}
