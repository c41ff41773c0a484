// SPDX-License-Identifier: MIT
/* Tests of boot/core/config: limine.conf as people write it, and as nobody should. */
#include <stdio.h>
#include <string.h>

#include "boot/core/config.h"
#include "unit.h"

static struct boot_config config;
static unsigned line, reports, reported_line;
static char reported[64];

static void report(unsigned at, const char *reason, const char *text, size_t length)
{
    (void)reason;
    reports++;
    reported_line = at;
    snprintf(reported, sizeof reported, "%.*s", (int)length, text);
}

static const char *parse(const char *text)
{
    reports = 0;
    return boot_config_parse(&config, text, strlen(text), report, &line);
}

#define ENTRY "/Name\nprotocol: limine\npath: boot():/boot/kernel.elf\n"

TEST(boot_config, reads_an_entry)
{
    const char *reason = parse("# comment\r\n"
                               "timeout: 0\n"
                               "\n"
                               "/MinimalOS NextGen\n"
                               "    protocol: limine\n"
                               "    path: boot():/boot/kernel.elf\n"
                               "\tMODULE_PATH : boot():/boot/initrd.tar\n"
                               "    module_cmdline:  a: b # c \n"
                               "    cmdline: log=serial  x\r\n");

    CHECK_PTR_EQ(reason, NULL);
    CHECK_EQ(reports, 0);
    CHECK_STR_EQ(config.kernel.path, "/boot/kernel.elf");
    CHECK_STR_EQ(config.kernel.cmdline, "log=serial  x");
    CHECK_EQ(config.kernel.line, 6);
    CHECK_EQ(config.module_count, 1);
    CHECK_STR_EQ(config.modules[0].path, "/boot/initrd.tar");
    CHECK_STR_EQ(config.modules[0].cmdline, "a: b # c");
    CHECK_EQ(config.modules[0].line, 7);
}

TEST(boot_config, accepts_other_names_of_keys)
{
    CHECK_PTR_EQ(parse("/x\nprotocol: limine\nkernel_path: boot():/k\nkernel_cmdline: c"), NULL);
    CHECK_STR_EQ(config.kernel.path, "/k");
    CHECK_STR_EQ(config.kernel.cmdline, "c");
}

TEST(boot_config, starts_the_first_entry_and_says_so)
{
    CHECK_PTR_EQ(parse(ENTRY "/Other\nprotocol: linux\npath: nonsense\n/Third\n"), NULL);
    CHECK_EQ(reports, 1);
    CHECK_EQ(reported_line, 4);
    CHECK_STR_EQ(reported, "/Other");
}

TEST(boot_config, reports_unknown_keys_with_their_line)
{
    CHECK_PTR_EQ(parse(ENTRY "colour: blue\n"), NULL);
    CHECK_EQ(reports, 1);
    CHECK_EQ(reported_line, 4);
    CHECK_STR_EQ(reported, "colour");
    CHECK_PTR_EQ(parse(ENTRY "nonsense\n"), NULL);
    CHECK_EQ(reports, 1);
    CHECK_PTR_EQ(parse("path: boot():/k\n" ENTRY), NULL); /* an option of no entry */
    CHECK_EQ(reports, 1);
    CHECK_PTR_EQ(parse("term_font_scale: 2x2\ninterface_branding: x\nquiet: yes\n" ENTRY), NULL);
    CHECK_EQ(reports, 0);
}

TEST(boot_config, refuses_incomplete_files)
{
    CHECK_STR_EQ(parse(""), "no boot entry");
    CHECK_STR_EQ(parse("timeout: 0\n"), "no boot entry");
    CHECK_STR_EQ(parse("/x\npath: boot():/k\n"), "boot entry has no protocol");
    CHECK_STR_EQ(parse("/x\nprotocol: limine\n"), "boot entry has no kernel path");
    CHECK_EQ(line, 0);
}

TEST(boot_config, refuses_bad_values_with_their_line)
{
    static const char *const bad[] = {
        "protocol: linux",          "path: boot():/second",    "module_path: /boot/x",
        "module_path: boot():",     "module_path: boot():/",   "module_path: hdd(1:1):/x",
        "module_path: boot():/x#a", "module_cmdline: early",   "paging_mode: 5-level",
        "min_paging_mode: 5-level", "module_path: boot(2):/x",
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[256];

        snprintf(text, sizeof text, ENTRY "%s\n", bad[i]);
        CHECK(parse(text) != NULL);
        CHECK_EQ(line, 4);
    }
    CHECK_PTR_EQ(parse(ENTRY "max_paging_mode: 5-level\n"), NULL);
}

TEST(boot_config, bounds_paths_command_lines_and_modules)
{
    static char text[BOOT_CONFIG_TEXT * 4];
    size_t length;

    length = (size_t)sprintf(text, ENTRY "cmdline: ");
    memset(text + length, 'x', BOOT_CONFIG_TEXT - 1);
    text[length + BOOT_CONFIG_TEXT - 1] = 0;
    CHECK_PTR_EQ(parse(text), NULL);
    CHECK_EQ(strlen(config.kernel.cmdline), BOOT_CONFIG_TEXT - 1);
    text[length + BOOT_CONFIG_TEXT - 1] = 'x';
    text[length + BOOT_CONFIG_TEXT] = 0;
    CHECK_STR_EQ(parse(text), "value is too long");

    length = (size_t)sprintf(text, ENTRY);
    for (unsigned i = 0; i <= BOOT_CONFIG_MODULES; i++)
        length += (size_t)sprintf(text + length, "module_path: boot():/m\n");
    CHECK_STR_EQ(parse(text), "too many modules");
}

static uint64_t random_state = 0x123456789abcdef1;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

TEST(boot_config, survives_100000_mutated_files)
{
    static const char sound[] = "timeout: 0\n" ENTRY "module_path: boot():/m\nmodule_cmdline: z\n"
                                "cmdline: abc\n/b\n";

    for (unsigned round = 0; round < 100000; round++) {
        char text[sizeof sound];
        size_t length = random_number() % sizeof sound;

        memcpy(text, sound, sizeof text);
        for (unsigned i = 0; i < 4; i++)
            text[random_number() % sizeof text] = "\n:/#() \0\xffz"[random_number() % 10];
        if (boot_config_parse(&config, text, length, report, &line) == NULL)
            CHECK(config.kernel.path[0] == '/' && config.module_count <= BOOT_CONFIG_MODULES);
    }
}
