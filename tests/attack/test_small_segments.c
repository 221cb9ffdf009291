/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A peer with the least segment size, a large window and SACK: more segments in flight than 16 bits
 * count, then SACK blocks that grow together over all of them. No count overflows, and what is missing
 * is sent again, and nothing else.
 */
#include "app.h"
#include "fixtures.h"
#include "lane.h"
#include "peer.h"
#include "scoreboard.h"

#define MSS 48u
#define FLIGHT 4000000u /* bytes: 83,333 segments */
#define QUEUE 6000000u
#define CHUNK 1400u /* a buffer: what rill_write copies takes one for each segment */
#define BURSTS_MAX 4000u
#define ISLANDS 100u

static void
peer_of_tiny_segments(void)
{
	struct peer_setup setup = {.options = default_options(), .mss = MSS, .sack = true, .ws = true,
		.wscale = 10, .limits = {.records = 200000, .max_conns = 16, .buffers = 16384}};

	setup.options.mss_floor = MSS;
	setup.options.sndbuf = 4 * QUEUE;
	setup.options.nodelay = 1;
	setup.options.congestion_control = RILL_CC_NEWRENO;
	peer_restart(&setup);
	in_established();
}

static struct tcp *
engine(void)
{
	return &peer.lane->tcp;
}

/* Takes what the lane says; returns the end of all of its data, relative, which was at end. */
static uint32_t
data_end(uint32_t end)
{
	while (hears()) {
		check(peer.got.len <= MSS);
		if (peer.got.seq + peer.got.len > end)
			end = peer.got.seq + peer.got.len;
	}
	return end;
}

/* Acknowledges every second segment until FLIGHT bytes are out; returns what was acknowledged last. */
static uint32_t
opens_the_window(uint32_t *end)
{
	uint32_t una = 1;

	*end = data_end(1);
	for (unsigned int i = 0; i < BURSTS_MAX && *end - una < FLIGHT; i++) {
		while (info().snd_queued < QUEUE)
			sends(CHUNK);
		advance(1);
		burst_begin();
		for (unsigned int n = 0; n < RILL_BURST_MAX && una + 2 * MSS <= *end; n++) {
			una += 2 * MSS;
			peer_sends(ACK, 1, una);
		}
		burst_end();
		*end = data_end(*end);
	}
	return una;
}

/* Takes what the lane says: new data, which moves *new_end, or segments below end, which it counts. */
static uint32_t
sent_again(uint32_t end, uint32_t *new_end)
{
	uint32_t count = 0;

	while (hears()) {
		check(peer.got.len <= MSS);
		if (peer.got.seq < end)
			count++;
		else
			*new_end = peer.got.seq + peer.got.len;
	}
	return count;
}

/* The scoreboard after its own check: how many segments are SACKed. */
static uint32_t
sacked_segments(void)
{
	const struct scoreboard *score = score_of(engine(), app->conn);

	check(score != NULL);
	conn_check(engine(), app->conn);
	return score->sacked_segments;
}

/* [ATK-3] */
static void
test_more_segments_than_16_bits(void **state)
{
	uint32_t una, end, new_end, segments, again;

	peer_of_tiny_segments();
	una = opens_the_window(&end);
	new_end = end;
	segments = (end - una) / MSS;
	check(segments > UINT16_MAX + ISLANDS);
	check_equal(info().flight, end - una);
	check(stats().records > UINT16_MAX);

	/* Every second segment of the first is an island: what lies between them is lost. Then they grow
	 * together under one block, step by step, over all but the first segment. */
	for (uint32_t i = 1; i <= ISLANDS; i++) {
		uint32_t at = una + 2 * i * MSS;

		peer_sends(ACK, 1, una, .sack_count = 1, .sack = {{at, at + MSS}});
		check_equal(sacked_segments(), i);
	}
	again = sent_again(end, &new_end);
	check(again > 0 && again <= ISLANDS);
	for (uint32_t sacked = ISLANDS, before; sacked < segments - 1;) {
		before = sacked;
		peer_sends(ACK, 1, una, .sack_count = 1, .sack = {{una + MSS, end}});
		sacked = sacked_segments();
		check(sacked > before);
		again += sent_again(end, &new_end);
	}
	/* The first may be sent twice: what was sent again after it has arrived. */
	check(again <= ISLANDS + 1);
	check_equal(info().flight, MSS + new_end - end);
	check_equal(stats().retransmits, again);
	check_equal(stats().sack_bad_blocks, 0);
	check_equal(stats().fast_recoveries, 1);

	/* At last all of it is acknowledged. */
	peer_sends(ACK, 1, end);
	check_equal(app->acked, end - 1);
	conn_check(engine(), app->conn);
	hears_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		dialogue(test_more_segments_than_16_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
