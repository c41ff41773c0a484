// SPDX-License-Identifier: MIT
/*
 * start - the way from _start to main(), and the bootstrap table.
 */
#include "lib/mnos/bootstrap.h"
#include "lib/base/string.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"

int main(void);
_Noreturn void program_start(const struct mnos_bootstrap *table, struct mnos_ipc_buffer *buffer);
void memcpy_init(void); /* memcpy.S */

static const struct mnos_bootstrap *bootstrap;

_Noreturn void program_start(const struct mnos_bootstrap *table, struct mnos_ipc_buffer *buffer)
{
    int code;

    thread_block_init(buffer, NULL);
    memcpy_init();
    if (table != NULL && table->magic == MNOS_BOOTSTRAP_MAGIC &&
        table->entry_count <= MNOS_BOOTSTRAP_ENTRIES)
        bootstrap = table;
    code = main();
    for (;;) {
        /* Does not return; if a broken kernel lets it, the fault below ends the process. */
        (void)!sys_proc_destroy(MNOS_SELF, (uint64_t)(int64_t)code);
        __builtin_trap();
    }
}

const struct mnos_bootstrap *bootstrap_table(void)
{
    return bootstrap;
}

mnos_cap_t bootstrap_lookup(struct bootstrap_name name)
{
    if (bootstrap == NULL)
        return 0;
    for (uint32_t i = 0; i < bootstrap->entry_count; i++) {
        if (strncmp(bootstrap->entries[i].name, name.text, MNOS_NAME_BYTES) == 0)
            return bootstrap->entries[i].cap;
    }
    return 0;
}

mnos_cap_t bootstrap_require(struct bootstrap_name name)
{
    mnos_cap_t cap = bootstrap_lookup(name);

    if (cap == 0)
        log_at(MNOS_LOG_ERROR, "it was started without \"%s\", which it needs", name.text);
    return cap;
}

const char *bootstrap_program(void)
{
    return bootstrap != NULL ? bootstrap->program : "program";
}

const char *bootstrap_arguments(void)
{
    return bootstrap != NULL ? bootstrap->arguments : "";
}

const char *bootstrap_argument(uint32_t index)
{
    const char *word;

    if (bootstrap == NULL || index >= bootstrap->argument_count)
        return NULL;
    word = (const char *)bootstrap->arguments_address;
    while (index-- != 0)
        word += strlen(word) + 1;
    return word;
}

bool bootstrap_has_argument(const char *word)
{
    return string_has_word(bootstrap_arguments(), word);
}

bool bootstrap_argument_value(const char *key, char *out, size_t size)
{
    const char *word = bootstrap_arguments();
    size_t length = strlen(key), at = 0;

    while (*word != 0 && strncmp(word, key, length) != 0) {
        while (*word != 0 && *word != ' ')
            word++;
        while (*word == ' ')
            word++;
    }
    if (*word == 0)
        return false;
    for (word += length; word[at] != 0 && word[at] != ' ' && at + 1 < size; at++)
        out[at] = word[at];
    out[at] = 0;
    return true;
}
