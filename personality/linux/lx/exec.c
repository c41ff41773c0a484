// SPDX-License-Identifier: MIT
/*
 * exec - execve(2): another program in this process. What the process may do stays as it is, so nothing of it is asked of
 * anybody: what was the old program's is taken out of the address space, and the new one is loaded as the first was.
 */
#include "lib/base/string.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/files.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/load.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"

#define WORDS_PAGES_FIRST 4u
#define WORDS_PAGES_MAX 96u

static struct load load LX_SCRATCH;

/* ---- Arguments and environment, before the memory that they lie in goes ---- */

struct words {
    char *at;
    size_t left;
};

/* One text; -E2BIG: there is no room for it here. */
static int64_t take_word(struct words *words, uint64_t address, const char **word)
{
    int64_t length = user_text(words->at, address, words->left);

    if (length < 0)
        return length == -LX_ENAMETOOLONG ? -LX_E2BIG : length;
    *word = words->at;
    words->at += length + 1;
    words->left -= (size_t)length + 1;
    return 0;
}

/* A list of addresses that ends with 0; no list is an empty one. */
static int64_t take_list(struct words *words, uint64_t list, const char **to, uint32_t *count)
{
    uint64_t address;
    int64_t result = 0;

    for (*count = 0; list != 0 && result == 0; ++*count) {
        if (user_read(&address, list + *count * sizeof address, sizeof address) != 0)
            return -LX_EFAULT;
        if (address == 0)
            break;
        if (*count == START_WORDS_MAX)
            return -LX_E2BIG;
        result = take_word(words, address, &to[*count]);
    }
    return result;
}

static int64_t take_all(const char *path, uint64_t arguments, uint64_t environment)
{
    struct words words = {load.words.address, load.words.page_count * LX_PAGE};
    int64_t result = take_list(&words, arguments, load.arguments, &load.argument_count);

    if (result == 0)
        result = take_list(&words, environment, load.environment, &load.environment_count);
    if (result == 0 && strlen(path) >= words.left)
        result = -LX_E2BIG;
    if (result == 0) {
        string_copy(words.at, path, words.left);
        load.path = words.at;
    }
    return result;
}

/* In as many pages as they need. */
static int64_t take_words(const char *path, uint64_t arguments, uint64_t environment)
{
    int64_t result = -LX_E2BIG;

    for (uint64_t pages = WORDS_PAGES_FIRST; result == -LX_E2BIG && pages <= WORDS_PAGES_MAX;
         pages *= 2) {
        if (host_block(pages, &load.words) != MNOS_OK)
            return -LX_ENOMEM;
        result = take_all(path, arguments, environment);
        if (result != 0)
            memory_free(&load.words);
    }
    return result;
}

/* ---- The new program ---- */

static int64_t open_program(const char *path, struct place *place)
{
    int64_t result = place_find_text(PLACE_AT_WORKING_DIRECTORY, path, true, place);

    if (result == 0 && place->made_up != NULL)
        return -LX_EACCES;
    return result != 0 ? result : files_open(place, LINUX_O_RDONLY, &load.file);
}

/* From here on there is no way back. The file was called by that name. */
static _Noreturn void enter(const char *called)
{
    threads_end_others();
    descriptors_executed();
    signals_executed();
    memory_clear();
    process_set_name(path_last(called));
    (void)!load_enter(&load);
    lx_killed(LINUX_SIGKILL, NULL, 0); /* as Linux: there is nothing left that could be told */
}

int64_t lx_execve(uint64_t path, uint64_t arguments, uint64_t environment)
{
    static struct place place LX_SCRATCH;
    static char text[LX_PATH_BYTES] LX_SCRATCH;
    int64_t result = user_path(text, path);

    if (result < 0)
        return result;
    result = take_words(text, arguments, environment);
    if (result != 0)
        return result;
    result = open_program(text, &place);
    if (result == 0)
        result = load_check(&load);
    if (result == 0)
        enter(text);
    memory_free(&load.words);
    return result;
}
