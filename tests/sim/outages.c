/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outages
 *
 * What one flow reaches through a link of 20 Mbit/s that goes down again and again, as somebody
 * makes it who sends bursts of traffic at the pace of the retransmission timeout (Kuzmanovic and
 * Knightly 2003). Prints, for each congestion control, goodput as a percentage of what the link
 * carries while it is up, during the outages and after them, and fails where that is below its
 * bound. Time is virtual and nothing is left to chance, so a number changes only if code does.
 */
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "flows.h"

#define RATE 2500000u /* bytes per second: 20 Mbit/s of IP packets */
#define MTU 1500
#define MSS 1448 /* with timestamps */
#define RTT_MS 20
#define WARM_S 2
#define MEASURE_S 20
#define AFTER_S 10

struct attack {
	unsigned int every_ms, down_ms, rto_min_ms;
	unsigned int calm_s;               /* how long the flow has to come back afterwards */
	unsigned int least[RILL_CC_COUNT]; /* percent */
};

#define LEAST(cubic_, newreno_, none_, dctcp_, bbr_)                                               \
	{                                                                                          \
		[RILL_CC_CUBIC] = (cubic_), [RILL_CC_NEWRENO] = (newreno_),                        \
		[RILL_CC_NONE] = (none_), [RILL_CC_DCTCP] = (dctcp_), [RILL_CC_BBR] = (bbr_)       \
	}

/*
 * Whoever knows rto_min_us, and makes every outage longer than a round trip, can bring a flow to
 * nothing while he goes on: by RFC 6298 all timeouts are then multiples of it, and all their
 * retransmissions meet an outage. There the bound is 0, and the flow has the time to come back in
 * which a timeout passes that was doubled all the while.
 */
static const struct attack attacks[] = {
	{1000, 100, 200, 1, LEAST(65, 65, 20, 55, 80)},
	{1000, 30, 1000, 1, LEAST(85, 85, 24, 80, 80)},
	{1000, 100, 1000, 50, LEAST(0, 0, 0, 0, 0)},
	{200, 50, 200, 50, LEAST(0, 0, 0, 0, 0)},
};

/* none sends its 10 segments a round trip, whatever the link carries. */
static const unsigned int least_after[] = LEAST(90, 90, 20, 90, 80);

struct result {
	unsigned int during, after; /* percent */
};

static struct world world;
static bool failed;

static unsigned int
percent(uint64_t bytes, uint64_t carries)
{
	return (unsigned int)(bytes * 100 / carries);
}

static void
begin(unsigned int cc, const struct attack *attack)
{
	struct flows_setup setup = {.seed = 1, .count = 1};
	struct link_setup *link = &setup.there;

	rill_options_default(&setup.options);
	setup.options.congestion_control = (int32_t)cc;
	setup.options.rto_min_us = (int32_t)(attack->rto_min_ms * MS);
	setup.options.ecn = cc == RILL_CC_DCTCP; /* it lives on marks */
	link->rate = RATE;
	link->queue_bytes = RATE / 1000 * RTT_MS;
	link->mark_bytes = cc == RILL_CC_DCTCP ? link->queue_bytes / 2 : 0;
	link->delay_us = setup.back.delay_us = RTT_MS * MS / 2;
	link->down_at = SIM_START_US + SECOND;
	link->down_us = attack->down_ms * MS;
	link->down_every_us = attack->every_ms * MS;
	flows_begin(&world, &setup);
}

static struct result
measure(unsigned int cc, const struct attack *attack)
{
	const uint64_t payload = (uint64_t)RATE * MSS / MTU;
	uint64_t before, until = SIM_START_US + WARM_S * SECOND;
	struct result result;

	begin(cc, attack);
	flows_run_until(&world, until);
	before = flows_received(0);
	flows_run_until(&world, until += MEASURE_S * SECOND);
	result.during = percent(flows_received(0) - before,
		payload * MEASURE_S * (attack->every_ms - attack->down_ms) / attack->every_ms);
	world.hosts[0].up.setup.down_us = 0;
	flows_run_until(&world, until += attack->calm_s * SECOND);
	before = flows_received(0);
	flows_run_until(&world, until + AFTER_S * SECOND);
	result.after = percent(flows_received(0) - before, payload * AFTER_S);
	world_down(&world);
	return result;
}

static void
judge(unsigned int cc, const struct attack *attack)
{
	struct result result = measure(cc, attack);
	bool bad = result.during < attack->least[cc] || result.after < least_after[cc];

	printf("%ums of %ums, rto_min %ums, %s: %u%% (at least %u), after it %u%% (at least %u)%s\n",
		attack->down_ms, attack->every_ms, attack->rto_min_ms, rill_cc_name(cc),
		result.during, attack->least[cc], result.after, least_after[cc],
		bad ? ": too little" : "");
	failed |= bad;
}

/* [ATK-29] */
int
main(void)
{
	flows_start_eal("outages");
	for (unsigned int i = 0; i < RTE_DIM(attacks); i++)
		for (unsigned int cc = 0; cc < RILL_CC_COUNT; cc++)
			judge(cc, &attacks[i]);
	return failed || world.failed;
}
