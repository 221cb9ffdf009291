/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_SHARE_H
#define LOAD_SHARE_H

/* What one of several lanes does of what is to be done. */

#include <stdint.h>

#include "settings.h"

struct load_share {
	uint32_t wanted[LOAD_KINDS]; /* connections */
	uint32_t rate, connect_rate; /* a second, in proportion to the connections that they are for */
};

/* The part of lane `lane` of `lanes`: all parts add up to the whole, and differ by one at most. */
uint32_t share_part(uint32_t whole, unsigned int lane, unsigned int lanes);

/* Divides whole by the weights; what rounding leaves goes to the largest remainders. */
void share_by_weight(uint32_t whole, const uint32_t weights[LOAD_KINDS], uint32_t parts[LOAD_KINDS]);

void share_of_lane(struct load_share *share, const struct load_settings *settings, unsigned int lane,
	unsigned int lanes);

/* The port of a lane: lanes are a multiple of ports, and the first ones serve port 0. */
unsigned int share_port(unsigned int lane, unsigned int lanes, unsigned int ports);

uint32_t share_connections(const struct load_share *share);

#endif
