// SPDX-License-Identifier: MIT
/* probe - see probe.h. The requests, and the checks of their answers. */
#include "probe.h"

#define IN(section_name) __attribute__((used, section(section_name)))
#define ID(...)                                                                                    \
    {                                                                                              \
        0xc7b1dd30df4c8b88, 0x0a82e883a194f07b, __VA_ARGS__                                        \
    }
#define REQUEST(name, ...)                                                                         \
    IN(".requests") volatile struct request request_##name = {.id = ID(__VA_ARGS__)}
#define REQUEST_WITH(name, revision_, argument_0, argument_1, argument_2, ...)                     \
    IN(".requests")                                                                                \
    volatile struct request request_##name = {.id = ID(__VA_ARGS__),                               \
                                              .revision = revision_,                               \
                                              .argument = {argument_0, argument_1, argument_2}}

#define MEMORY_MAP_ID 0x67cf3d9d378a806f, 0xe304acdfc50c3c62

/* Outside the markers: must not be answered, and must not count as duplicates. */
IN(".requests_before") static volatile struct request decoy_before = {.id = ID(MEMORY_MAP_ID)};
IN(".requests_after") static volatile struct request decoy_after = {.id = ID(MEMORY_MAP_ID)};

IN(".requests_start")
static volatile uint64_t start_marker[4] = {0xf6b8f4b39de7d1ae, 0xfab91a6940fcb9cf,
                                            0x785c6ed015d3e316, 0x181e920a7852b9d9};
IN(".requests_end")
static volatile uint64_t end_marker[2] = {0xadc0e0531bb10d03, 0x9572709f31764c62};
IN(".requests")
static volatile uint64_t base_revision[3] = {0xf9562b2d5c95a6c8, 0x6a7b384944536bdc, 3};

static const struct {
    const char *path, *cmdline;
    uint64_t flags;
} internal = {"./internal.bin", "internal words", 0};
static const void *const internals[] = {&internal};

static REQUEST(bootloader_info, 0xf55038d8e2a1202f, 0x279426fcf5f59740);
static REQUEST(firmware_type, 0x8c2f75d90bef28a8, 0x7045a4688eac00c3);
static REQUEST_WITH(stack_size, 0, 0x20000, 0, 0, 0x224ef0460a8e8926, 0xe1cb0fc25f46ea3d);
REQUEST(hhdm, 0x48dcf1cb8ad2b852, 0x63984e959a98244b);
static REQUEST(framebuffer, 0x9d5827dcd881dd75, 0xa3148604f6fab11b);
static REQUEST_WITH(paging_mode, 1, 0, 1, 0, 0x95c1a0edab0944cb, 0xa4e5cb3842f7488a);
static REQUEST_WITH(mp, 0, 1, 0, 0, 0x95a67b819a1b857e, 0xa0b61b723b6a73e0);
REQUEST(memory_map, MEMORY_MAP_ID);
static REQUEST_WITH(entry_point, 0, (uint64_t)probe_entry, 0, 0, 0x13d86c035a1cd3e1,
                    0x2b0caa89d8f3026a);
static REQUEST(executable_file, 0xad97e90e83f1ed67, 0x31eb5d1c5ff23b69);
static REQUEST_WITH(module, 1, 1, (uint64_t)internals, 0, 0x3e7e279702be32af, 0xca1c4f3bd1280cee);
static REQUEST(rsdp, 0xc5e77b6b397e7b43, 0x27637845accdcf3c);
static REQUEST(smbios, 0x9e9046f11e095391, 0xaa4a520fefbde5ee);
static REQUEST(efi_system_table, 0x5ceba5163eaaf6d6, 0x0a6981610cf65fcc);
static REQUEST(efi_memory_map, 0x7df62a431d6872d5, 0xa4fcdfb3e57306c8);
static REQUEST(date_at_boot, 0x502746e184c088aa, 0xfbc5ec83e6327893);
static REQUEST(executable_address, 0x71ba76863cc55f63, 0xb2644a48c516a487);
static REQUEST(executable_cmdline, 0x4b161536e598651e, 0xb390ad4a2f1f303a);
static REQUEST(unknown, 0x1111111122222222, 0x3333333344444444);

struct file {
    uint64_t revision;
    const uint8_t *address;
    uint64_t size;
    const char *path, *cmdline;
};

static const char *cmdline = "";

uint64_t hhdm(void)
{
    return request_hhdm.response[1];
}

uint64_t range_count(void)
{
    return request_memory_map.response[1];
}

const struct range *range_at(uint64_t index)
{
    return ((const struct range *const *)request_memory_map.response[2])[index];
}

bool memory_has_type(uint64_t base, uint64_t length, unsigned types)
{
    for (uint64_t i = 0; i < range_count() && length > 0; i++) {
        const struct range *range = range_at(i);
        uint64_t end = range->base + range->length;

        if ((types >> range->type & 1) == 0 || base < range->base || base >= end)
            continue;
        if (length <= end - base)
            return true;
        length -= end - base;
        base = end;
    }
    return false;
}

bool text_equal(const char *a, const char *b)
{
    for (; *a != 0 && *a == *b; a++, b++)
        ;
    return *a == *b;
}

static const char *find_word(const char *word)
{
    for (const char *at = cmdline; *at != 0; at++) {
        const char *a = at, *b = word;

        for (; *b != 0 && *a == *b; a++, b++)
            ;
        if (*b == 0 && (at == cmdline || at[-1] == ' '))
            return a;
    }
    return NULL;
}

bool expect(const char *word)
{
    return find_word(word) != NULL;
}

uint64_t expected_number(const char *name)
{
    const char *at = find_word(name);
    uint64_t value = 0;

    for (at = at != NULL ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

static bool map_is_sorted(void)
{
    uint64_t end = 0;

    for (uint64_t i = 0; i < range_count(); i++) {
        const struct range *range = range_at(i);

        if (range->base < end || range->length == 0 || range->type > FRAMEBUFFER)
            return false;
        end = range->base + range->length;
    }
    return true;
}

static bool map_is_aligned(void)
{
    for (uint64_t i = 0; i < range_count(); i++) {
        const struct range *range = range_at(i);

        if ((range->type == USABLE || range->type == RECLAIMABLE) &&
            ((range->base | range->length) & 4095) != 0)
            return false;
    }
    return true;
}

static uint64_t usable_mib(void)
{
    uint64_t total = 0;

    for (uint64_t i = 0; i < range_count(); i++) {
        if (range_at(i)->type == USABLE || range_at(i)->type == RECLAIMABLE)
            total += range_at(i)->length;
    }
    return total >> 20;
}

static void check_requests(void)
{
    check(base_revision[1] == 3 && base_revision[2] == 0, "base revision", "not answered");
    check(request_unknown.response == NULL, "unknown request is left alone", "it is not");
    check(decoy_before.response == NULL && decoy_after.response == NULL,
          "requests outside the markers are left alone", "one was answered");
    check(start_marker[0] != 0 && end_marker[0] != 0, "markers", "changed");
    check(request_stack_size.response != NULL, "stack size is answered", "no response");
    check(request_entry_point.response != NULL, "entry point is answered", "no response");
    check(request_paging_mode.response != NULL && request_paging_mode.response[1] == 0,
          "paging mode has 4 levels", "no response, or another mode");
    check(request_bootloader_info.response != NULL &&
              *(const char *)request_bootloader_info.response[1] != 0 &&
              *(const char *)request_bootloader_info.response[2] != 0,
          "bootloader has a name and a version", "it has not");
    check(request_date_at_boot.response != NULL &&
              request_date_at_boot.response[1] > UINT64_C(1700000000) &&
              request_date_at_boot.response[1] < UINT64_C(4102444800),
          "date at boot", "out of range");
    check(request_firmware_type.response != NULL &&
              request_firmware_type.response[1] == (expect("uefi") ? 2 : 0),
          "firmware type", "not what was expected");
}

static void check_memory_map(void)
{
    check(map_is_sorted(), "memory map is sorted without overlaps", "it is not");
    check(map_is_aligned(), "memory map is page aligned", "it is not");
    check(usable_mib() + 24 >= expected_number("mib") && usable_mib() <= expected_number("mib"),
          "memory map has the memory of the machine", "wrong amount");
}

static bool file_is_sound(const struct file *file)
{
    return ((uint64_t)file->address & 4095) == 0 && file->size != 0 &&
           memory_has_type((uint64_t)file->address - hhdm(), file->size, 1u << KERNEL);
}

static bool has_pattern(const struct file *file)
{
    for (uint64_t i = 0; i < file->size; i++) {
        if (file->address[i] != (uint8_t)(i * 7 + (i >> 8)))
            return false;
    }
    return true;
}

static void check_executable(void)
{
    const struct file *file = (const struct file *)request_executable_file.response[1];
    uint64_t physical = request_executable_address.response[1], found, entry;
    bool contiguous = true;

    check(file_is_sound(file) && file->address[1] == 'E' && file->size > 4096, "executable file",
          "wrong contents or place");
    check(text_equal(file->path, "/boot/kernel.elf"), "path of the executable", file->path);
    check(request_executable_cmdline.response != NULL &&
              text_equal((const char *)request_executable_cmdline.response[1], cmdline),
          "command line response", "not that of the file");
    check(request_executable_address.response[2] == (uint64_t)image_start,
          "virtual address of the executable", "wrong");
    for (const uint8_t *at = image_start; at < image_end; at += 4096)
        contiguous &= translate((uint64_t)at, &found, &entry) &&
                      found == physical + (uint64_t)(at - image_start);
    check(contiguous, "executable is contiguous at its physical address", "it is not");
    check(memory_has_type(physical, (uint64_t)(image_end - image_start), 1u << KERNEL),
          "executable has its memory type", "it has another");
}

static void check_modules(void)
{
    uint64_t internal_count = expect("internal") ? 1 : 0;
    const struct file *const *files;
    const struct file *file;

    check(request_module.response != NULL && request_module.response[1] == 1 + internal_count,
          "number of modules", "not what was expected");
    if (request_module.response == NULL)
        return;
    files = (const struct file *const *)request_module.response[2];
    if (internal_count == 1) {
        check(file_is_sound(files[0]) && has_pattern(files[0]) && files[0]->size == 5000,
              "internal module", "wrong contents");
        check(text_equal(files[0]->cmdline, "internal words"), "its command line", "wrong");
    }
    file = files[internal_count];
    check(file_is_sound(file) && has_pattern(file) && file->size == expected_number("module"),
          "module", "wrong contents, place or size");
    check(text_equal(file->path, "/boot/initrd.tar"), "path of the module", file->path);
    check(text_equal(file->cmdline, "module words"), "command line of the module", file->cmdline);
}

static bool starts_with(uint64_t physical, const char *signature)
{
    const volatile uint8_t *bytes = look_at(physical);

    for (; *signature != 0; signature++, bytes++) {
        if (*bytes != (uint8_t)*signature)
            return false;
    }
    return true;
}

static void check_firmware_tables(void)
{
    const volatile uint64_t *smbios = request_smbios.response;
    const volatile uint64_t *map = request_efi_memory_map.response;
    bool uefi = expect("uefi");

    check(request_rsdp.response != NULL && starts_with(request_rsdp.response[1], "RSD PTR "),
          "RSDP", "missing, or not a physical address");
    check(smbios != NULL && (smbios[1] == 0 || starts_with(smbios[1], "_SM_")) &&
              (smbios[2] == 0 || starts_with(smbios[2], "_SM3_")),
          "SMBIOS", "missing, or not a physical address");
    check((request_efi_system_table.response != NULL) == uefi && (map != NULL) == uefi,
          "EFI tables are given exactly under UEFI", "they are not");
    if (!uefi || map == NULL)
        return;
    check(starts_with(request_efi_system_table.response[1], "IBI SYST"), "EFI system table",
          "not a physical address");
    check(map[2] > 0 && map[3] >= 40 && map[2] % map[3] == 0 && map[4] == 1 &&
              memory_has_type(map[1] - hhdm(), map[2], 1u << RECLAIMABLE),
          "EFI memory map", "wrong size or place");
}

static void check_framebuffer(void)
{
    const volatile uint64_t *response = request_framebuffer.response;
    volatile uint64_t *fb;
    volatile uint32_t *pixel;
    /* UEFI offers the best mode that the loader takes; without it the loader or GRUB sets this one. */
    uint64_t width = expect("uefi") ? 1920 : 1024, height = expect("uefi") ? 1080 : 768;

    check((response != NULL) == expect("screen"), "framebuffer is there if a screen is",
          "it is not");
    if (response == NULL)
        return;
    fb = *(volatile uint64_t **)response[2];
    check(response[1] == 1 && fb[1] == width && fb[2] == height && fb[3] >= 4 * width &&
              (fb[4] & 0xffff) == 32,
          "framebuffer has the best mode, with 32 bits", "another mode");
    check((fb[4] >> 16 & 0xff) == 1, "framebuffer is RGB", "another memory model");
    check(memory_has_type(fb[0] - hhdm(), fb[3] * fb[2], 1u << FRAMEBUFFER),
          "framebuffer has its memory type", "it has another");
    check(response[0] >= 1 && fb[8] == 1, "framebuffer lists its mode", "it does not");
    pixel = (volatile uint32_t *)(fb[0] + fb[3] * (height - 1)) + width - 1;
    *pixel = 0x00a5a5a5;
    check((*pixel & 0xffffff) == 0xa5a5a5, "framebuffer can be written", "it cannot");
}

void probe_wrong_entry(const struct saved *saved);
void probe_wrong_entry(const struct saved *saved)
{
    (void)saved;
    output_init();
    check(false, "entry point request", "the ELF entry point was used");
    finish();
}

void probe_main(const struct saved *saved);
void probe_main(const struct saved *saved)
{
    output_init();
    if (request_executable_file.response == NULL || request_memory_map.response == NULL ||
        request_hhdm.response == NULL || request_executable_address.response == NULL ||
        request_mp.response == NULL) {
        check(false, "required responses", "one is missing");
        finish();
    }
    cmdline = ((const struct file *)request_executable_file.response[1])->cmdline;
    print("probe: ");
    print(cmdline);
    print("\n");
    check_entry_state(saved);
    check_requests();
    check_memory_map();
    check_tables();
    check_executable();
    check_modules();
    check_framebuffer();
    check_firmware_tables();
    check_interrupt_controllers();
    check_processors(request_mp.response);
    finish();
}
