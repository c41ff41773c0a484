// SPDX-License-Identifier: MIT
/* test_boot_screen.c - which screens the loader believes in. */
#include "boot/core/platform.h"

#include "unit.h"

#define END (UINT64_C(1) << 40)

static bool valid_with(uint64_t physical, uint64_t width, uint64_t height, uint64_t pitch)
{
    const struct boot_framebuffer fb = {
        .physical = physical, .width = width, .height = height, .pitch = pitch, .bpp = 32};

    return boot_framebuffer_valid(&fb, END);
}

TEST(boot_screen, believes_what_can_be)
{
    CHECK(valid_with(0xE0000000, 1024, 768, 4096));
    CHECK(valid_with(0xE0000000, 1920, 1080, 8192));
    CHECK(valid_with(END - 768 * 4096, 1024, 768, 4096));
}

TEST(boot_screen, refuses_what_cannot)
{
    CHECK(!valid_with(0, 1024, 768, 4096));
    CHECK(!valid_with(END - 767 * 4096, 1024, 768, 4096));
    CHECK(!valid_with(UINT64_MAX, 1024, 768, 4096));
    CHECK(!valid_with(0xE0000000, 1024, 768, 4095));
    CHECK(!valid_with(0xE0000000, 0, 768, 4096));
    CHECK(!valid_with(0xE0000000, UINT64_C(1) << 62, 768, 4096)); /* its bytes overflow to 0 */
    CHECK(!valid_with(0xE0000000, 1024, UINT64_C(1) << 52, 4096));
    CHECK(!valid_with(0xE0000000, 1024, 768, UINT32_MAX));
    CHECK(!valid_with(0xE0000000, 1024, 768, UINT64_MAX));
}
