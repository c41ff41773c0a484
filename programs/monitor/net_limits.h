// SPDX-License-Identifier: MIT
/*
 * net_limits.h - what a program may do on the network, as a person writes it, in the words of the manifest:
 *
 *   connect=10.0.0.0/8:443,connect=[2001:db8::]/32:443,connect=*:53/udp,listen=0.0.0.0:80,resolve=example.org,ping,sockets=4
 *
 * `*` and `loopback` are a range of each family.
 *
 * Plain data, and no call: host tests compile this as it is.
 */
#pragma once

#include <stdbool.h>

#include "protocols/socket.h"

struct net_limits {
    struct socket_limits limits;
    /* The words that ranges and names were made of, for messages. */
    const char *listen[SOCKET_RANGES], *connect[SOCKET_RANGES], *resolve[SOCKET_SUFFIXES];
};

/* Takes the text apart; the words of `limits` lie in it. False: *wrong is the word that says nothing that can be, or one
 * too many of its kind. */
bool net_limits_read(struct net_limits *limits, char *text, const char **wrong);
/* The word that a refusal of NARROW is about; NULL: none, but the number of sockets. */
const char *net_limits_word(const struct net_limits *limits, const struct socket_refusal *refusal);
