/* SPDX-License-Identifier: BSD-3-Clause */
#include "schedule.h"

#include <math.h>

#define NS_PER_SECOND 1000000000u

/* Uniform in (0, 1]: xorshift, of which the upper 53 bits make a double. */
static double
uniform(struct schedule *s)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return (double)((s->seed >> 11) + 1) * 0x1p-53;
}

static void
advance(struct schedule *s)
{
	if (s->random) {
		s->next_ns += (uint64_t)(-log(uniform(s)) * (double)NS_PER_SECOND / s->rate + 0.5);
		return;
	}
	s->next_ns += s->step_ns;
	s->rest += s->step_rest;
	if (s->rest >= s->rate) {
		s->rest -= s->rate;
		s->next_ns++;
	}
}

void
schedule_begin(struct schedule *s, uint32_t rate, bool random, uint64_t seed, uint64_t start_us)
{
	*s = (struct schedule){.rate = rate, .random = random, .next_ns = start_us * 1000,
		.seed = seed * 0x9e3779b97f4a7c15ull + 1};
	if (rate == 0)
		return;
	s->step_ns = NS_PER_SECOND / rate;
	s->step_rest = NS_PER_SECOND % rate;
	if (random)
		advance(s);
}

uint64_t
schedule_take(struct schedule *s)
{
	uint64_t due_us = schedule_next_us(s);

	advance(s);
	return due_us;
}
