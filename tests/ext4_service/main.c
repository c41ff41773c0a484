// SPDX-License-Identifier: MIT
/*
 * main - the service of a file system on an image file: carries out the commands on its input, one a line, then unmounts and writes
 * the image back. tests/ext4/test_ext4_service.py and tests/fat/test_fat_service.py use it, and a person may.
 *
 *   service [-s SEED] [-c CUT] [-d DEATHS] [-p PAGES] [-g MORE_PAGES] [-r FAIL_READS] [-w FAIL_WRITES] [-R] [-k] IMAGE
 *
 * With -g it may ask for so many pages more. With -d the process of the service dies at one of so many moments, and its next run goes on.
 * Ends with 0; 1: something is wrong with the service; 2: the image was refused; 3: a command failed; 42: the power was
 * cut after CUT requests of the disk.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ext4_service/commands.h"
#include "tests/ext4_service/host.h"

static void parse(int argc, char **argv, struct host_options *options)
{
    int option;

    while ((option = getopt(argc, argv, "s:c:d:p:g:r:w:Rk")) != -1) {
        switch (option) {
        case 's': options->seed = strtoull(optarg, NULL, 0); break;
        case 'c': options->cut = strtoull(optarg, NULL, 0); break;
        case 'd': options->deaths = (uint32_t)strtoul(optarg, NULL, 0); break;
        case 'p': options->pages = (uint32_t)strtoul(optarg, NULL, 0); break;
        case 'g': options->more_pages = (uint32_t)strtoul(optarg, NULL, 0); break;
        case 'r': options->fail_reads = (uint32_t)strtoul(optarg, NULL, 0); break;
        case 'w': options->fail_writes = (uint32_t)strtoul(optarg, NULL, 0); break;
        case 'R': options->read_only = true; break;
        case 'k': options->keep = true; break;
        default: exit(1);
        }
    }
    if (optind + 1 != argc)
        host_fail("usage: service [OPTION...] IMAGE");
    options->image = argv[optind];
}

int main(int argc, char **argv)
{
    struct host_options options = {.seed = 1, .pages = 1024};
    mnos_status_t status;
    char line[8192];
    int failed = 0;

    parse(argc, argv, &options);
    status = host_begin(&options);
    if (status != MNOS_OK) {
        fprintf(stderr, "service: refused with status %u: %s\n", status, host_reason());
        return 2;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        failed += !command_run(line);
        fflush(stdout);
        host_check();
    }
    status = host_end();
    if (options.deaths != 0) {
        uint64_t during, deaths = host_deaths(&during);

        printf("%llu deaths, %llu of them in a request\n", (unsigned long long)deaths,
               (unsigned long long)during);
    }
    if (status != MNOS_OK)
        fprintf(stderr, "service: unmounting failed with status %u\n", status);
    return failed != 0 || status != MNOS_OK ? 3 : 0;
}
