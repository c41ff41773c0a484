// SPDX-License-Identifier: MIT
/*
 * modules - collects the modules that the kernel itself names and those of the configuration, in
 * this order, and reads them.
 */
#include "console.h"
#include "context.h"

static char internal_paths[BOOT_CONFIG_MODULES][BOOT_CONFIG_TEXT];

static void append(char *path, unsigned *length, const char *text, unsigned count)
{
    for (unsigned i = 0; i < count && text[i] != 0 && *length < BOOT_CONFIG_TEXT - 1; i++)
        path[(*length)++] = text[i];
    path[*length] = 0;
}

/* Paths of internal modules are relative to the folder of the kernel file. */
static void resolve(char *path, const char *kernel_path, const char *name)
{
    unsigned folder = 0, length = 0;

    for (unsigned i = 0; kernel_path[i] != 0; i++) {
        if (kernel_path[i] == '/')
            folder = i + 1;
    }
    if (name[0] != '/')
        append(path, &length, kernel_path, folder);
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    append(path, &length, name, BOOT_CONFIG_TEXT);
}

static const struct limine_internal_module *internal_at(const struct boot_context *c,
                                                        uint64_t array, uint64_t index)
{
    const uint64_t *slot = boot_image_at(&c->image, array + 8 * index, sizeof *slot);

    if (slot == NULL)
        return NULL;
    return boot_image_at(&c->image, *slot, sizeof(struct limine_internal_module));
}

static void load_internal(struct boot_context *c, const struct limine_internal_module *wanted)
{
    struct boot_module *module = &c->modules[c->module_count];
    char *path = internal_paths[c->module_count];
    const char *name = boot_image_string(&c->image, wanted->path, BOOT_CONFIG_TEXT);
    const char *reason;

    module->cmdline = "";
    if (wanted->cmdline != 0)
        module->cmdline = boot_image_string(&c->image, wanted->cmdline, BOOT_CONFIG_TEXT);
    if (name == NULL || module->cmdline == NULL)
        boot_fatal("%s: name of an internal module lies outside the kernel",
                   c->config.kernel.path + 1);
    resolve(path, c->config.kernel.path, name);
    module->path = path;
    module->line = 0;
    reason = c->platform->read_file(path, true, &module->file);
    if (reason == NULL)
        c->module_count++;
    else if ((wanted->flags & LIMINE_INTERNAL_MODULE_REQUIRED) != 0)
        boot_fatal("%s: module %s (named by %s)", path + 1, reason, c->config.kernel.path + 1);
}

static void load_all_internal(struct boot_context *c)
{
    const struct limine_request *request = boot_asked(c, BOOT_REQUEST_MODULE);

    if (request == NULL || request->revision == 0)
        return;
    if (request->argument[0] > BOOT_CONFIG_MODULES)
        boot_fatal("%s: too many internal modules", c->config.kernel.path + 1);
    for (uint64_t i = 0; i < request->argument[0]; i++) {
        const struct limine_internal_module *wanted = internal_at(c, request->argument[1], i);

        if (wanted == NULL)
            boot_fatal("%s: internal module lies outside the kernel", c->config.kernel.path + 1);
        load_internal(c, wanted);
    }
}

void boot_modules_load(struct boot_context *c)
{
    load_all_internal(c);
    for (unsigned i = 0; i < c->config.module_count; i++) {
        const struct boot_config_file *wanted = &c->config.modules[i];
        struct boot_module *module = &c->modules[c->module_count++];
        const char *reason = c->platform->read_file(wanted->path, true, &module->file);

        if (reason != NULL)
            boot_fatal("%s: module %s (named in " BOOT_CONFIG_PATH " line %u)", wanted->path + 1,
                       reason, wanted->line);
        module->path = wanted->path;
        module->cmdline = wanted->cmdline;
        module->line = wanted->line;
    }
}
