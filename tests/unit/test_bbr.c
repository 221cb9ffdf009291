/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR over a model of a link: a rate, a round trip, a buffer, random loss. It finds the bandwidth,
 * empties the queue that this made, keeps it small, and follows changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rill/options.h>

#include "bbr.h"
#include "rng.h"

#define MSS 1448u
#define RING 65536u
#define SECOND 1000000ull
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct packet {
	struct rate_stamp stamp;
	uint32_t sent_us;
	ustime ack_at;
	bool lost;
};

struct path {
	struct cc cc;
	struct bbr bbr;
	struct rng rng;
	ustime now, link_free_ns;
	uint64_t rate; /* bytes a second */
	uint32_t rtt_us, buffer;
	uint32_t loss_permille;
	uint32_t head, tail; /* of what is out, counted in packets */
	uint32_t flight;     /* bytes */
	uint32_t recover;
	bool in_recovery;
	uint64_t delivered, dropped, rtt_sum, acks;
	uint32_t srtt_us;
	unsigned int visits[BBR_PROBE_RTT + 1];
	struct packet ring[RING];
};

static struct path path;

static void
path_start(uint64_t rate, uint32_t rtt_us, uint32_t buffer)
{
	memset(&path, 0, sizeof(path));
	rng_init(&path.rng, (struct siphash_key){.k0 = 3});
	path.rate = rate;
	path.rtt_us = rtt_us;
	path.buffer = buffer;
	path.now = 10 * SECOND;
	cc_init(&path.cc, RILL_CC_BBR, MSS, 10 * MSS);
	bbr_start(&path.cc, &path.bbr, MSS, 0, 1, path.now);
}

static void
path_send(void)
{
	struct packet *packet = &path.ring[path.tail++ % RING];
	ustime now_ns = path.now * 1000;
	uint64_t queued = path.link_free_ns > now_ns
				  ? (path.link_free_ns - now_ns) * path.rate / 1000000000
				  : 0;

	assert_true(path.tail - path.head < RING);
	rate_sent(&path.bbr.rate, &packet->stamp, path.flight, MSS, path.now);
	pacer_sent(&path.bbr.pacer, MSS, path.now);
	packet->sent_us = us32(path.now);
	packet->lost = queued + MSS > path.buffer ||
		       rng_below(&path.rng, 1000) < path.loss_permille;
	path.dropped += packet->lost;
	if (queued + MSS <= path.buffer) {
		if (path.link_free_ns < now_ns)
			path.link_free_ns = now_ns;
		path.link_free_ns += MSS * 1000000000ull / path.rate;
	}
	packet->ack_at = (path.link_free_ns + 999) / 1000 + path.rtt_us;
	path.flight += MSS;
}

static struct cc_event
event_now(void)
{
	return (struct cc_event){
		.now = path.now, .flight = path.flight, .mss = MSS, .first = true};
}

/* The `count` packets before the head are held for lost. */
static void
path_lose(uint32_t count)
{
	for (uint32_t i = count; i > 0; i--) {
		struct bbr_loss loss = {.now = path.now, .len = MSS, .begins = i == count,
			.stamp = &path.ring[(path.head - i) % RING].stamp};

		bbr_lost(&path.cc, &loss);
	}
}

/* The ACK of the packet at the head: those before it that are missing count as lost now. */
static void
path_ack(uint32_t lost)
{
	struct packet *packet = &path.ring[path.head++ % RING];
	struct rate_sample sample = {0};
	struct cc_ack ack = {.now = path.now, .acked = MSS, .delivered = MSS, .lost = lost * MSS,
		.flight = path.flight, .mss = MSS, .rate = &sample};
	struct cc_event event = event_now();

	path.head--;
	path_lose(lost);
	path.head++;
	ack.rtt_us = us32(path.now) - packet->sent_us;
	path.srtt_us = path.srtt_us == 0 ? ack.rtt_us : (7 * path.srtt_us + ack.rtt_us) / 8;
	ack.srtt_us = path.srtt_us;
	ack.cwnd_limited = path.flight + MSS > path.cc.cwnd;
	rate_delivered(&path.bbr.rate, &sample, &packet->stamp, packet->sent_us, MSS, path.now);
	rate_finish(&path.bbr.rate, &sample,
		path.bbr.min_rtt_us == BBR_NONE ? 0 : path.bbr.min_rtt_us);
	if (lost > 0 && !path.in_recovery) {
		path.in_recovery = true;
		path.recover = path.tail;
		cc_bbr_ops.on_loss(&path.cc, &event);
	}
	ack.in_recovery = path.in_recovery;
	cc_bbr_ops.on_ack(&path.cc, &ack);
	path.flight -= MSS + ack.lost;
	if (path.in_recovery && (int32_t)(path.head - path.recover) >= 0) {
		path.in_recovery = false;
		cc_bbr_ops.on_recovered(&path.cc, &event);
	}
	path.delivered += MSS;
	path.rtt_sum += ack.rtt_us;
	path.acks++;
}

/* Always with data, for so long; statistics are of this time. */
static void
path_run(ustime duration)
{
	ustime end = path.now + duration;

	path.delivered = path.dropped = path.rtt_sum = path.acks = 0;
	while (path.now < end) {
		ustime next = end;
		uint32_t lost = 0;

		while (path.flight + MSS <= path.cc.cwnd &&
			pacer_allows(&path.bbr.pacer, path.now))
			path_send();
		while (path.head + lost != path.tail &&
			path.ring[(path.head + lost) % RING].lost)
			lost++;
		if (path.head + lost != path.tail)
			next = path.ring[(path.head + lost) % RING].ack_at;
		else if (lost > 0) { /* nobody left to tell: a timeout, told at once */
			struct cc_event event = event_now();

			path.head = path.tail;
			path_lose(lost);
			cc_bbr_ops.on_rto(&path.cc, &event);
			path.flight = 0;
			path.now += 200000;
			continue;
		}
		if (path.flight + MSS <= path.cc.cwnd && pacer_wake(&path.bbr.pacer) < next) {
			path.now = pacer_wake(&path.bbr.pacer);
			continue;
		}
		if (next >= end)
			break;
		path.now = next;
		path.head += lost;
		path_ack(lost);
		path.visits[path.bbr.state]++;
		assert_true(path.cc.cwnd >= BBR_MIN_PIPE * MSS);
	}
	path.now = end;
}

static double
goodput(ustime duration)
{
	return path.delivered * 1e6 / duration / path.rate;
}

static double
mean_rtt(void)
{
	return (double)path.rtt_sum / path.acks / path.rtt_us;
}

static void
assert_between(double value, double least, double most)
{
	if (value >= least && value <= most)
		return;
	print_error("%f, expected from %f to %f\n", value, least, most);
	fail();
}

static const struct {
	uint64_t rate;
	uint32_t rtt_us;
} paths[] = {
	{125000, 100000},    /* 1 Mbit/s, 100 ms */
	{1250000, 40000},    /* 10 Mbit/s */
	{12500000, 20000},   /* 100 Mbit/s */
	{125000000, 1000},   /* 1 Gbit/s */
	{1250000000, 100},   /* 10 Gbit/s */
	{12500000, 200000},
};

static uint32_t
bdp(unsigned int i)
{
	return (uint32_t)(paths[i].rate * paths[i].rtt_us / SECOND);
}

/* Startup finds the bandwidth and ends; drain empties the queue; from then on the link is used
 * [BBR-1, BBR-4, BBR-5]. */
static void
test_finds_the_bandwidth(void **state)
{
	for (unsigned int i = 0; i < COUNT(paths); i++) {
		path_start(paths[i].rate, paths[i].rtt_us, 4 * bdp(i) + 50 * MSS);
		path_run(SECOND);
		if (paths[i].rtt_us <= 100000)
			path_run(2 * SECOND);
		else
			path_run(4 * SECOND);
		assert_true(path.bbr.full_bw_reached);
		assert_true(path.visits[BBR_STARTUP] > 0 && path.visits[BBR_DRAIN] > 0);
		assert_true(path.bbr.state != BBR_STARTUP && path.bbr.state != BBR_DRAIN);
		assert_between((double)bbr_max_bw(&path.bbr) / paths[i].rate, 0.95, 1.06);
		path_run(4 * SECOND);
		assert_between(goodput(4 * SECOND), 0.9, 1.001);
	}
}

/* Startup's rate doubles each round [BBR-4]: a window of 1000 segments takes 7 of them and some. */
static void
test_startup_doubles_each_round(void **state)
{
	path_start(1448000000 / 100, 100000, 100000000); /* 1000 segments per round trip */
	path_run(700000);
	assert_false(path.bbr.full_bw_reached);
	path_run(800000);
	assert_true(path.bbr.full_bw_reached);
	assert_between((double)bbr_max_bw(&path.bbr) / path.rate, 0.95, 1.06);
}

/* A deep buffer is not filled: the mean round trip stays near the least one [BBR-10]. */
static void
test_keeps_the_queue_small(void **state)
{
	for (unsigned int i = 0; i < COUNT(paths); i++) {
		path_start(paths[i].rate, paths[i].rtt_us, 50 * bdp(i) + 200 * MSS);
		path_run(4 * SECOND);
		path_run(10 * SECOND);
		assert_int_equal(path.dropped, 0);
		assert_between(goodput(10 * SECOND), 0.9, 1.001);
		if (paths[i].rtt_us >= 10000 && bdp(i) > 30 * MSS) /* else a quantum is a queue */
			assert_between(mean_rtt(), 1, 1.25);
	}
}

/* The gains cycle above and below 1 [BBR-6]; the flight shrinks for 200 ms when the least round
 * trip was not seen for 5 s [BBR-7]. */
static void
test_probes_go_round(void **state)
{
	path_start(12500000, 20000, 1000000);
	path_run(2 * SECOND);
	memset(path.visits, 0, sizeof(path.visits));
	path_run(20 * SECOND);
	for (unsigned int s = BBR_DOWN; s <= BBR_UP; s++)
		assert_true(path.visits[s] > 0);
	assert_int_equal(path.visits[BBR_STARTUP], 0);
	path.rtt_us = 30000; /* the old least round trip is never seen again */
	memset(path.visits, 0, sizeof(path.visits));
	path_run(12 * SECOND);
	assert_true(path.visits[BBR_PROBE_RTT] > 0);
	assert_between(path.bbr.min_rtt_us, 30000, 31000);
	path_run(5 * SECOND);
	assert_between(goodput(5 * SECOND), 0.85, 1.001);
}

/* One per cent of random loss leaves most of the rate; where Reno would have less than a tenth of it
 * [BBR-9]. */
static void
test_bears_random_loss(void **state)
{
	for (unsigned int i = 0; i < COUNT(paths); i++) {
		path_start(paths[i].rate, paths[i].rtt_us, 2 * bdp(i) + 50 * MSS);
		path.loss_permille = 10;
		path_run(5 * SECOND);
		path_run(10 * SECOND);
		assert_between(goodput(10 * SECOND), 0.7, 1.001);
	}
}

/* Half the rate: the queue that this makes is gone within seconds. Twice the rate: found. */
static void
test_follows_a_change_of_rate(void **state)
{
	path_start(5000000, 40000, 1000000);
	path_run(4 * SECOND);
	path.rate = 2500000;
	path_run(10 * SECOND);
	path_run(5 * SECOND);
	assert_between((double)bbr_max_bw(&path.bbr) / path.rate, 0.95, 1.1);
	assert_between(goodput(5 * SECOND), 0.88, 1.001);
	assert_between(mean_rtt(), 1, 1.4);
	path.rate = 5000000;
	path_run(15 * SECOND);
	path_run(5 * SECOND);
	assert_between(goodput(5 * SECOND), 0.88, 1.001);
}

/* A buffer of a fifth of the product: little is dropped, most of the link is used. */
static void
test_bears_a_shallow_buffer(void **state)
{
	path_start(12500000, 20000, 50000);
	path_run(5 * SECOND);
	path_run(10 * SECOND);
	assert_between(goodput(10 * SECOND), 0.75, 1.001);
	assert_between((double)path.dropped * MSS / path.delivered, 0, 0.03);
}

/* Samples of little use do not lower the bandwidth that is believed [BBR-3]. */
static void
test_an_idle_application_is_no_slow_path(void **state)
{
	uint64_t before;

	path_start(12500000, 20000, 1000000);
	path_run(3 * SECOND);
	while (path.head != path.tail) { /* what is out comes back */
		path.now = path.ring[path.head % RING].ack_at;
		path_ack(0);
	}
	before = path.bbr.bw;
	for (unsigned int i = 0; i < 30; i++) {
		path.now += 20000;
		cc_after_idle(&path.cc, path.now, 20000, 10 * MSS);
		path_send();
		rate_limited(&path.bbr.rate, path.flight);
		path.now = path.ring[path.head % RING].ack_at;
		path_ack(0);
	}
	assert_true(path.bbr.bw >= before * 99 / 100);
	assert_true(path.cc.cwnd > 10 * MSS); /* no restart window either */
}

/* A timeout leaves a segment; the window comes back with what is delivered. */
static void
test_a_timeout_is_survived(void **state)
{
	struct cc_event event;

	path_start(12500000, 20000, 1000000);
	path_run(3 * SECOND);
	event = event_now();
	cc_bbr_ops.on_rto(&path.cc, &event);
	assert_int_equal(path.cc.cwnd, MSS);
	path.head = path.tail;
	path.flight = 0;
	path.cc.cwnd = BBR_MIN_PIPE * MSS;
	path_run(SECOND);
	path_run(3 * SECOND);
	assert_between(goodput(3 * SECOND), 0.85, 1.001);
}

/* Of what was sent while probing, more than 1/50 is lost: the probe is over, and what was in flight
 * before that is the most, without an ACK having to tell. */
static void
test_losses_end_a_probe(void **state)
{
	struct rate_stamp stamp;
	struct bbr_loss loss = {.stamp = &stamp};

	path_start(12500000, 40000, 1000000);
	for (unsigned int i = 0; i < 20000 && path.bbr.state != BBR_UP; i++)
		path_run(1000);
	assert_int_equal(path.bbr.state, BBR_UP);
	stamp = path.ring[(path.tail - 1) % RING].stamp;
	assert_false(stamp.limited);
	loss.now = path.now;
	loss.len = stamp.in_flight / 50;
	bbr_lost(&path.cc, &loss);
	assert_int_equal(path.bbr.state, BBR_UP);
	assert_true(path.bbr.loss_in_round);
	loss.len = MSS;
	bbr_lost(&path.cc, &loss);
	assert_int_equal(path.bbr.state, BBR_DOWN);
	assert_in_range(path.bbr.inflight_hi, stamp.in_flight - MSS, stamp.in_flight);
	/* Once in a probe is enough. */
	bbr_lost(&path.cc, &loss);
	assert_in_range(path.bbr.inflight_hi, stamp.in_flight - MSS, stamp.in_flight);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_bandwidth),
		cmocka_unit_test(test_startup_doubles_each_round),
		cmocka_unit_test(test_keeps_the_queue_small),
		cmocka_unit_test(test_probes_go_round),
		cmocka_unit_test(test_bears_random_loss),
		cmocka_unit_test(test_follows_a_change_of_rate),
		cmocka_unit_test(test_bears_a_shallow_buffer),
		cmocka_unit_test(test_an_idle_application_is_no_slow_path),
		cmocka_unit_test(test_a_timeout_is_survived),
		cmocka_unit_test(test_losses_end_a_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
