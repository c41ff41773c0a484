// SPDX-License-Identifier: MIT
/* config - see config.h. */
#include "config.h"

#include <stdint.h>

struct span {
    const char *text;
    size_t length;
};

struct parser {
    struct boot_config *config;
    boot_config_report *report;
    unsigned line;
    unsigned entries;
    bool have_kernel, have_cmdline, have_protocol;
};

/* Keys of Limine 8.x that have no meaning for us. A trailing '*' stands for any ending. */
static const char *const ignored_keys[] = {
    "timeout",
    "quiet",
    "serial",
    "serial_baudrate",
    "default_entry",
    "remember_last_entry",
    "graphics",
    "verbose",
    "randomise_memory",
    "randomize_memory",
    "hash_mismatch_panic",
    "interface_*",
    "editor_enabled",
    "term_*",
    "wallpaper",
    "wallpaper_style",
    "backdrop",
    "comment",
    "resolution",
    "kaslr",
    "randomise_hhdm_base",
    "randomize_hhdm_base",
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span s)
{
    while (s.length > 0 && is_blank(s.text[0])) {
        s.text++;
        s.length--;
    }
    while (s.length > 0 && is_blank(s.text[s.length - 1]))
        s.length--;
    return s;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Compares without regard to case, as keys are; '*' ends the comparison. */
static bool matches(struct span s, const char *pattern)
{
    size_t i = 0;

    for (; i < s.length && pattern[i] != 0 && pattern[i] != '*'; i++) {
        if (lower(s.text[i]) != pattern[i])
            return false;
    }
    return pattern[i] == '*' || (i == s.length && pattern[i] == 0);
}

static const char *copy(char *to, struct span s)
{
    if (s.length >= BOOT_CONFIG_TEXT)
        return "value is too long";
    for (size_t i = 0; i < s.length; i++) {
        if (s.text[i] == 0)
            return "value contains a zero byte";
        to[i] = s.text[i];
    }
    to[s.length] = 0;
    return NULL;
}

/* "boot():/boot/kernel.elf": only the boot volume can be read. */
static const char *copy_path(char *to, struct span s)
{
    static const char volume[] = "boot():";
    size_t skip = sizeof volume - 1;

    if (s.length <= skip)
        return "path does not start with boot():/";
    for (size_t i = 0; i < skip; i++) {
        if (lower(s.text[i]) != volume[i])
            return "path does not start with boot():/";
    }
    s.text += skip;
    s.length -= skip;
    if (s.text[0] != '/' || s.length < 2)
        return "path does not start with boot():/";
    for (size_t i = 0; i < s.length; i++) {
        if (s.text[i] == '#')
            return "path with a hash cannot be checked";
    }
    return copy(to, s);
}

static const char *set_kernel(struct parser *p, struct span value)
{
    if (p->have_kernel)
        return "second kernel path in one entry";
    p->have_kernel = true;
    p->config->kernel.line = p->line;
    return copy_path(p->config->kernel.path, value);
}

static const char *add_module(struct parser *p, struct span value)
{
    struct boot_config_file *file;

    if (p->config->module_count == BOOT_CONFIG_MODULES)
        return "too many modules";
    file = &p->config->modules[p->config->module_count++];
    file->line = p->line;
    file->cmdline[0] = 0;
    return copy_path(file->path, value);
}

static const char *set_module_cmdline(struct parser *p, struct span value)
{
    if (p->config->module_count == 0)
        return "module command line before its module";
    return copy(p->config->modules[p->config->module_count - 1].cmdline, value);
}

static const char *set_cmdline(struct parser *p, struct span value)
{
    if (p->have_cmdline)
        return "second command line in one entry";
    p->have_cmdline = true;
    return copy(p->config->kernel.cmdline, value);
}

static const char *set_protocol(struct parser *p, struct span value)
{
    p->have_protocol = true;
    return matches(value, "limine") ? NULL : "boot protocol is not limine";
}

/* We offer four levels only: a larger maximum changes nothing, a larger minimum cannot be met. */
static const char *check_paging(struct span key, struct span value)
{
    if (matches(value, "5-level") && !matches(key, "max_paging_mode"))
        return "5-level paging is not supported";
    return NULL;
}

static bool is_ignored(struct span key)
{
    for (size_t i = 0; i < sizeof ignored_keys / sizeof ignored_keys[0]; i++) {
        if (matches(key, ignored_keys[i]))
            return true;
    }
    return false;
}

static const char *set_option(struct parser *p, struct span key, struct span value)
{
    if (is_ignored(key))
        return NULL;
    if (p->entries == 1) {
        if (matches(key, "protocol"))
            return set_protocol(p, value);
        if (matches(key, "path") || matches(key, "kernel_path"))
            return set_kernel(p, value);
        if (matches(key, "cmdline") || matches(key, "kernel_cmdline"))
            return set_cmdline(p, value);
        if (matches(key, "module_path"))
            return add_module(p, value);
        if (matches(key, "module_cmdline") || matches(key, "module_string"))
            return set_module_cmdline(p, value);
        if (matches(key, "paging_mode") || matches(key, "min_paging_mode") ||
            matches(key, "max_paging_mode"))
            return check_paging(key, value);
    }
    p->report(p->line, "unknown key", key.text, key.length);
    return NULL;
}

static const char *parse_line(struct parser *p, struct span line)
{
    struct span key, value;
    size_t colon = 0;

    line = trim(line);
    if (line.length == 0 || line.text[0] == '#')
        return NULL;
    if (line.text[0] == '/') {
        if (p->entries++ == 1)
            p->report(p->line, "entry ignored, the first one is started", line.text, line.length);
        return NULL;
    }
    if (p->entries > 1)
        return NULL;
    while (colon < line.length && line.text[colon] != ':')
        colon++;
    if (colon == line.length) {
        p->report(p->line, "line without a colon", line.text, line.length);
        return NULL;
    }
    key = trim((struct span){line.text, colon});
    value = trim((struct span){line.text + colon + 1, line.length - colon - 1});
    return set_option(p, key, value);
}

static const char *check_complete(const struct parser *p)
{
    if (p->entries == 0)
        return "no boot entry";
    if (!p->have_protocol)
        return "boot entry has no protocol";
    if (!p->have_kernel)
        return "boot entry has no kernel path";
    return NULL;
}

const char *boot_config_parse(struct boot_config *config, const char *text, size_t length,
                              boot_config_report *report, unsigned *line)
{
    struct parser p = {.config = config, .report = report};
    size_t start = 0;

    config->module_count = 0;
    config->kernel.path[0] = config->kernel.cmdline[0] = 0;
    config->kernel.line = 0;
    while (start < length) {
        size_t end = start;
        const char *reason;

        while (end < length && text[end] != '\n')
            end++;
        p.line++;
        reason = parse_line(&p, (struct span){text + start, end - start});
        if (reason != NULL) {
            *line = p.line;
            return reason;
        }
        start = end + 1;
    }
    *line = 0;
    return check_complete(&p);
}
