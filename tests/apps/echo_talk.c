/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include "proto.h"
#include "session.h"

#define POOL_MBUFS 16383
#define SEG_MAX 1500
/* Talks up to this length are split at every byte; longer ones at as many random places. */
#define SPLITS_MAX 3000
#define BYTEWISE_MAX 8192
#define RANDOM_RUNS 60
#define SETTLE_STEPS_MAX 1000000

struct echo_settings talk_settings;
struct echo_lane *talk_lane;
static struct rte_mempool *pool;

int
talk_setup(void **state)
{
	char *argv[] = {"test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m", "128", "-l", "0", "--log-level=*:error"};

	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])), argv) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("talk", POOL_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
		SOCKET_ID_ANY);
	talk_lane = malloc(sizeof(*talk_lane));
	return pool != NULL && talk_lane != NULL ? 0 : -1;
}

int
talk_teardown(void **state)
{
	free(talk_lane);
	free(fake.sent);
	rte_mempool_free(pool);
	return rte_eal_cleanup();
}

void
talk_begin(const char *protocol)
{
	settings_default(&talk_settings);
	talk_settings.proto = proto_by_name(protocol);
	talk_settings.max_conns = 4;
	talk_settings.hold_bytes = 8u << 20;
	assert_non_null(talk_settings.proto);
	assert_int_equal(echo_lane_init(talk_lane, &talk_settings), 0);
}

void
talk_end(void)
{
	echo_lane_fini(talk_lane);
}

struct rte_mbuf *
talk_chain(const void *data, uint32_t len, uint32_t seg_max)
{
	struct rte_mbuf *head = NULL;
	const uint8_t *p = data;

	while (len > 0) {
		uint32_t part = len < seg_max ? len : seg_max;
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)part), p, part);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
		p += part;
		len -= part;
	}
	return head;
}

void
talk_open(uint64_t seed, unsigned int refuse_percent)
{
	fake_open(&session_handler, talk_lane, NULL, seed, refuse_percent);
	fake.short_of_buffers = seed % 2 == 1;
}

void
talk_settle(void)
{
	unsigned int quiet = 0;

	for (unsigned int i = 0; quiet < 40; i++) {
		assert_true(i < SETTLE_STEPS_MAX);
		quiet = fake_step() ? 0 : quiet + 1;
		fake_advance(SESSION_RETRY_US);
	}
}

void
talk_close(void)
{
	if (!fake.close_told)
		fake_lose(RILL_CLOSE_RESET);
	assert_null(fake.conn_user);
	assert_int_equal(fake_timers(), 0);
	assert_int_equal(talk_lane->sessions.used, 0);
	assert_int_equal(talk_lane->blocks.used, 0);
	assert_int_equal(talk_lane->heads.used, 0);
	assert_int_equal(rte_mempool_avail_count(pool), POOL_MBUFS);
}

static void
check(const struct talk *talk, const char *how, uint64_t number)
{
	uint32_t same = 0;

	while (same < fake.sent_len && same < talk->out_len &&
		fake.sent[same] == (uint8_t)talk->out[same])
		same++;
	if (same != talk->out_len || fake.sent_len != talk->out_len)
		fail_msg("%s, %s %lu: %u bytes came back, %u were expected; the first difference is at "
			"%u: \"%.60s\"", talk->name, how, (unsigned long)number, fake.sent_len,
			talk->out_len, same, (const char *)fake.sent + same);
	if ((talk->end == TALK_OPEN && (fake.fin || fake.end != FAKE_OPEN)) ||
		(talk->end == TALK_FIN && (!fake.fin || fake.end == FAKE_ABORTED)) ||
		(talk->end == TALK_RST && fake.end != FAKE_ABORTED))
		fail_msg("%s, %s %lu: ended in another way: fin %d, end %d", talk->name, how,
			(unsigned long)number, fake.fin, fake.end);
	if (talk_settings.proto != &proto_raw)
		assert_int_equal(talk_lane->count.messages, talk->messages);
}

/* Ends a run and compares. */
static void
finish(const struct talk *talk, const char *how, uint64_t number)
{
	fake.sent[fake.sent_len] = '\0';
	if (talk->eof)
		fake_eof();
	talk_settle();
	fake.sent[fake.sent_len] = '\0';
	check(talk, how, number);
	talk_close();
	memset(&talk_lane->count, 0, sizeof(talk_lane->count));
}

static void
deliver(const struct talk *talk, uint32_t from, uint32_t to, uint32_t seg_max)
{
	if (to > from)
		fake_deliver(talk_chain(talk->in + from, to - from, seg_max));
}

static void
in_two(const struct talk *talk, uint32_t at)
{
	talk_open(0, 0);
	deliver(talk, 0, at, SEG_MAX);
	deliver(talk, at, talk->in_len, SEG_MAX);
	finish(talk, "split at", at);
}

static void
bytewise(const struct talk *talk)
{
	talk_open(0, 0);
	for (uint32_t i = 0; i < talk->in_len; i++)
		deliver(talk, i, i + 1, SEG_MAX);
	finish(talk, "byte by byte", 0);
}

/* Pieces and mbufs of random sizes, most of them small, with time passing in between or not. */
static void
at_random(const struct talk *talk, uint64_t seed)
{
	static const unsigned int percents[] = {0, 25, 70};
	uint32_t largest, seg_max, i = 0;

	talk_open(seed, percents[seed % 3]);
	largest = 2u << fake_random(16);
	while (i < talk->in_len) {
		uint32_t n = 1 + fake_random(largest);

		if (n > talk->in_len - i)
			n = talk->in_len - i;
		/* No more mbufs than the pool has. */
		seg_max = 1 + fake_random(SEG_MAX);
		deliver(talk, i, i + n, seg_max > n / 1000 ? seg_max : n / 1000);
		i += n;
		/* While paused, the window is closed but for a little. */
		while (fake_random(3) == 0 || (fake.paused && fake_random(20) != 0)) {
			fake_step();
			fake_advance(fake_random(2) * SESSION_RETRY_US);
		}
	}
	finish(talk, "seed", seed);
}

void
talk_all_ways(const struct talk *talk)
{
	in_two(talk, 0);
	if (talk->in_len <= SPLITS_MAX)
		for (uint32_t at = 1; at < talk->in_len; at++)
			in_two(talk, at);
	else
		for (uint32_t i = 0; i < 50; i++)
			in_two(talk, (uint32_t)((uint64_t)i * talk->in_len / 50));
	if (talk->in_len <= BYTEWISE_MAX)
		bytewise(talk);
	for (uint64_t seed = 1; seed <= RANDOM_RUNS; seed++)
		at_random(talk, seed);
}
