// SPDX-License-Identifier: MIT
/*
 * bootstrap.h - the names this program starts with: see abi/bootstrap.h.
 *
 * A program says what it needs by looking it up. Every name is written where it is looked up, and leaves a line in the
 * section `.bootstrap_names` of the program, which the build holds against system/manifest.toml (docs/manifest.md)
 * and no image contains: what is looked up and not granted, and what is granted and looked up nowhere, are errors.
 * Whatever is linked counts, the libraries too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/bootstrap.h"

/* A name that the build knows of. Only the macros below make one, each of them in a function. */
struct bootstrap_name {
    const char *text;
};

/* The line: "required NAME FILE:LINE". `name` is a string literal, nothing else can be joined with it. */
#define BOOTSTRAP_LINE_TEXT(line) #line
#define BOOTSTRAP_LINE(line) BOOTSTRAP_LINE_TEXT(line)
#define BOOTSTRAP_RECORD(how, name)                                                                \
    ".pushsection .bootstrap_names,\"\",@progbits\n"                                               \
    "\t.ascii \"" how " " name " " __FILE__ ":" BOOTSTRAP_LINE(__LINE__) "\\n\"\n"                 \
                                                                         "\t.popsection"

/* The name of what the manifest must grant to every service that is made of this program. */
#define BOOTSTRAP_REQUIRED(name)                                                                   \
    __extension__({                                                                                \
        __asm__ volatile(BOOTSTRAP_RECORD("required", name));                                      \
        (struct bootstrap_name){"" name};                                                          \
    })
/* The name of what it may grant, and grants to one service at least, unless a library asks. */
#define BOOTSTRAP_OPTIONAL(name)                                                                   \
    __extension__({                                                                                \
        __asm__ volatile(BOOTSTRAP_RECORD("optional", name));                                      \
        (struct bootstrap_name){"" name};                                                          \
    })

/* Outside functions: what is looked up by a library, which can do without, and is needed all the same. */
#define BOOTSTRAP_NEEDS(name) __asm__(BOOTSTRAP_RECORD("required", name))
/* Outside functions, beside a table of names that are looked up with bootstrap_listed(): one for each, and for what
 * the manifest grants with a number behind it (NAME.0, NAME.1) one without. */
#define BOOTSTRAP_LIST(name) __asm__(BOOTSTRAP_RECORD("listed", name))
static inline struct bootstrap_name bootstrap_listed(const char *text)
{
    return (struct bootstrap_name){text};
}

/* Outside functions: no service need be made of this program, since `launcher` starts it. */
#define BOOTSTRAP_LAUNCHED __asm__(BOOTSTRAP_RECORD("launched", "-"))

/* The capability of this name, or 0 when the program was not given one. Neither waits. */
mnos_cap_t bootstrap_lookup(struct bootstrap_name name);
/* The same, and a line in the log that names what is missing. */
mnos_cap_t bootstrap_require(struct bootstrap_name name);

#define bootstrap_cap(name) bootstrap_require(BOOTSTRAP_REQUIRED(name))
#define bootstrap_find(name) bootstrap_lookup(BOOTSTRAP_OPTIONAL(name))

const char *bootstrap_program(void);
const char *bootstrap_arguments(void);
bool bootstrap_has_argument(const char *word);
/* What stands behind `key`, which is "NAME=", in the first word of the arguments that begins so; what is longer than `size` - 1
 * bytes is cut. False, and `out` as it was: there is no such word. */
bool bootstrap_argument_value(const char *key, char *out, size_t size);

/* What a program that was launched was called with: word `index`, from 0, or NULL past the last. A service has none:
 * its manifest's text is bootstrap_arguments(). */
const char *bootstrap_argument(uint32_t index);

/* The whole table, or NULL when it is malformed. */
const struct mnos_bootstrap *bootstrap_table(void);
