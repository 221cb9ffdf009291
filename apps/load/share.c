/* SPDX-License-Identifier: BSD-3-Clause */
#include "share.h"

#include <stdbool.h>

uint32_t
share_part(uint32_t whole, unsigned int lane, unsigned int lanes)
{
	return whole / lanes + (lane < whole % lanes);
}

void
share_by_weight(uint32_t whole, const uint32_t weights[LOAD_KINDS], uint32_t parts[LOAD_KINDS])
{
	uint64_t sum = 0, rest[LOAD_KINDS];
	uint32_t left = whole;

	for (int i = 0; i < LOAD_KINDS; i++)
		sum += weights[i];
	for (int i = 0; i < LOAD_KINDS; i++) {
		parts[i] = (uint32_t)((uint64_t)whole * weights[i] / sum);
		rest[i] = (uint64_t)whole * weights[i] % sum;
		left -= parts[i];
	}
	for (; left > 0; left--) {
		int best = 0;

		for (int i = 1; i < LOAD_KINDS; i++)
			if (rest[i] > rest[best])
				best = i;
		rest[best] = 0;
		parts[best]++;
	}
}

/* A rate goes where the connections are that it is for. */
static uint32_t
share_rate(uint32_t rate, uint32_t connections, unsigned int lane, unsigned int lanes)
{
	uint64_t before = 0, after;

	if (connections == 0)
		return 0;
	for (unsigned int i = 0; i < lane; i++)
		before += share_part(connections, i, lanes);
	after = before + share_part(connections, lane, lanes);
	return (uint32_t)(rate * after / connections - rate * before / connections);
}

void
share_of_lane(struct load_share *share, const struct load_settings *settings, unsigned int lane,
	unsigned int lanes)
{
	uint32_t all[LOAD_KINDS];

	share_by_weight(settings->connections, settings->mix, all);
	for (int i = 0; i < LOAD_KINDS; i++)
		share->wanted[i] = share_part(all[i], lane, lanes);
	share->rate = share_rate(settings->rate, all[LOAD_ECHO], lane, lanes);
	share->connect_rate = share_rate(settings->connect_rate, all[LOAD_CONNECT], lane, lanes);
}

unsigned int
share_port(unsigned int lane, unsigned int lanes, unsigned int ports)
{
	return lane / (lanes / ports);
}

uint32_t
share_connections(const struct load_share *share)
{
	uint32_t sum = 0;

	for (int i = 0; i < LOAD_KINDS; i++)
		sum += share->wanted[i];
	return sum;
}
