// SPDX-License-Identifier: MIT
/* test_frame_fuzz - the scene of the fuzzer `frame` with random bytes. */
#include "tests/unit/frame_fuzz.h"
#include "tests/unit/unit.h"

TEST(virtio_net, random_bytes_in_all_that_is_shared_do_no_harm)
{
    uint8_t bytes[2048];
    uint64_t state = 88172645463325252ull;

    for (unsigned run = 0; run < 60; run++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (uint8_t)(state >> 32);
        }
        frame_fuzz(bytes, sizeof bytes);
    }
}
