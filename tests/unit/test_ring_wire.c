/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring wire, both of whose sides this test plays: bytes arrive in order in buffers of the
 * lane's pool; a batch is published when it is complete or flushed; chains go out as one frame, and
 * their buffers stay with the wire until the far side reports, late and in batches; a full ring
 * takes a prefix; a pool that is empty stops the wire until buffers are back; whatever state it
 * ends in, no buffer is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "../../perf/e2e/ring_wire.h"
#include "eal.h"

#define BUFFERS 4095
#define BURST 8

static struct rte_mempool *pool;
static struct ring_wire *wire;
static struct ring_frame taken[PORT_BURST];

static int
start(void **state)
{
	const struct ring_wire_setup setup = {.name = "test", .pool = pool, .burst = BURST};

	(void)state;
	wire = ring_wire_create(&setup);
	assert_non_null(wire);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	ring_wire_destroy(wire);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	return 0;
}

static uint16_t
receive(struct rte_mbuf **frames)
{
	return wire->port.ops->rx(&wire->port, frames, PORT_BURST);
}

/* The far side writes frame number n: so many bytes of the value n. */
static void
far_writes(unsigned int n)
{
	uint8_t *slot = ring_far_slot(wire);

	assert_non_null(slot);
	memset(slot, (int)n, 60 + n % 100);
	ring_far_filled(wire, (uint16_t)(60 + n % 100));
}

static void
expect_frame(struct rte_mbuf *frame, unsigned int n)
{
	assert_ptr_equal(frame->pool, pool);
	assert_int_equal(frame->pkt_len, 60 + n % 100);
	assert_int_equal(frame->data_len, frame->pkt_len);
	assert_int_equal(rte_mbuf_refcnt_read(frame), 1);
	assert_int_equal(frame->ol_flags, 0);
	assert_int_equal(*rte_pktmbuf_mtod(frame, uint8_t *), (uint8_t)n);
	assert_int_equal(
		*rte_pktmbuf_mtod_offset(frame, uint8_t *, frame->pkt_len - 1), (uint8_t)n);
}

/* ---- towards the lane */

static void
test_frames_come_in_order_a_batch_at_a_time(void **state)
{
	struct rte_mbuf *frames[PORT_BURST];
	unsigned int next = 0;

	(void)state;
	for (unsigned int n = 0; n < 5000; n++) {
		uint16_t got;

		far_writes(n);
		got = receive(frames);
		assert_int_equal(got, (n + 1) % BURST == 0 ? BURST : 0);
		for (uint16_t i = 0; i < got; i++)
			expect_frame(frames[i], next++);
		rte_pktmbuf_free_bulk(frames, got);
	}
	assert_int_equal(next, 5000);
}

static void
test_flush_publishes_less_than_a_batch(void **state)
{
	struct rte_mbuf *frames[PORT_BURST];

	(void)state;
	ring_far_flush(wire);
	assert_int_equal(receive(frames), 0);
	far_writes(1);
	far_writes(2);
	assert_int_equal(receive(frames), 0);
	ring_far_flush(wire);
	assert_int_equal(receive(frames), 2);
	expect_frame(frames[0], 1);
	expect_frame(frames[1], 2);
	rte_pktmbuf_free_bulk(frames, 2);
}

static void
test_a_burst_is_never_larger_than_set_up(void **state)
{
	struct rte_mbuf *frames[PORT_BURST];

	(void)state;
	for (unsigned int n = 0; n < 3 * BURST; n++)
		far_writes(n);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(receive(frames), BURST);
		rte_pktmbuf_free_bulk(frames, BURST);
	}
	assert_int_equal(receive(frames), 0);
}

static void
test_no_more_frames_than_buffers_that_were_posted(void **state)
{
	struct rte_mbuf *frames[PORT_BURST];

	(void)state;
	for (unsigned int n = 0; n < RING_WIRE_DESC; n++)
		far_writes(n);
	assert_null(ring_far_slot(wire));
	for (unsigned int i = 0; i < RING_WIRE_FREE_BATCH / BURST; i++) {
		assert_int_equal(receive(frames), BURST);
		rte_pktmbuf_free_bulk(frames, BURST);
	}
	assert_non_null(ring_far_slot(wire));
}

static void
test_an_empty_pool_stops_it_until_buffers_are_back(void **state)
{
	struct rte_mbuf *frames[PORT_BURST], *hoard[BUFFERS];
	unsigned int n = 0;

	(void)state;
	while (rte_pktmbuf_alloc_bulk(pool, &hoard[n], 1) == 0)
		n++;
	for (unsigned int i = 0; i < RING_WIRE_DESC; i++)
		far_writes(i);
	for (unsigned int i = 0; i < RING_WIRE_DESC / BURST; i++) {
		assert_int_equal(receive(frames), BURST);
		memcpy(&hoard[n], frames, BURST * sizeof(frames[0]));
		n += BURST;
	}
	assert_true(wire->rx_no_buffer > 0);
	assert_null(ring_far_slot(wire));
	rte_pktmbuf_free_bulk(hoard, n);
	assert_int_equal(receive(frames), 0);
	assert_non_null(ring_far_slot(wire));
}

/* ---- from the lane */

/* A frame of `pieces` mbufs of 100 bytes, each of the value n. */
static struct rte_mbuf *
frame_of(unsigned int pieces, unsigned int n)
{
	struct rte_mbuf *head = NULL;

	for (unsigned int i = 0; i < pieces; i++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

		assert_non_null(mbuf);
		memset(rte_pktmbuf_append(mbuf, 100), (int)n, 100);
		if (head == NULL)
			head = mbuf;
		else
			rte_pktmbuf_chain(head, mbuf);
	}
	return head;
}

static uint16_t
give(struct rte_mbuf **frames, uint16_t n)
{
	return wire->port.ops->tx(&wire->port, frames, n);
}

static void
expect_taken(unsigned int i, unsigned int pieces, unsigned int n)
{
	assert_int_equal(taken[i].len, pieces * 100);
	for (unsigned int at = 0; at < taken[i].len; at++)
		assert_int_equal(taken[i].data[at], (uint8_t)n);
}

/* Chains of 1 to 5 pieces; the far side takes 7 pieces at a time, so that it often gets half a
 * frame. */
static void
test_chains_go_out_as_one_frame(void **state)
{
	unsigned int given = 0, next = 0;

	(void)state;
	while (next < 3000) {
		struct rte_mbuf *frames[3];
		unsigned int got;

		for (unsigned int i = 0; i < 3; i++, given++)
			frames[i] = frame_of(1 + given % 5, given);
		assert_int_equal(give(frames, 3), 3);
		do {
			got = ring_far_take(wire, taken, 7);
			for (unsigned int i = 0; i < got; i++, next++)
				expect_taken(i, 1 + next % 5, next);
		} while (next < given);
	}
	assert_int_equal(next, given);
}

static void
test_what_is_sent_comes_back_late_and_in_batches(void **state)
{
	unsigned int before = rte_mempool_in_use_count(pool);
	struct rte_mbuf *frame;

	(void)state;
	for (unsigned int n = 0; n < RING_WIRE_LATE + RING_WIRE_FREE_BATCH; n++) {
		frame = frame_of(1, n);
		assert_int_equal(give(&frame, 1), 1);
		assert_int_equal(ring_far_take(wire, taken, 1), 1);
		give(NULL, 0);
		assert_int_equal(rte_mempool_in_use_count(pool) - before,
			n + 1 < RING_WIRE_LATE + RING_WIRE_FREE_BATCH ? n + 1 : RING_WIRE_LATE);
	}
	ring_far_report(wire);
	give(NULL, 0);
	assert_int_equal(rte_mempool_in_use_count(pool), before);
}

static void
test_a_buffer_that_somebody_holds_stays(void **state)
{
	struct rte_mbuf *frame = frame_of(2, 1), *second = frame->next;

	(void)state;
	rte_mbuf_refcnt_update(second, 1);
	assert_int_equal(give(&frame, 1), 1);
	assert_int_equal(ring_far_take(wire, taken, 2), 1);
	ring_far_report(wire);
	give(NULL, 0);
	assert_int_equal(rte_mbuf_refcnt_read(second), 1);
	assert_int_equal(*rte_pktmbuf_mtod(second, uint8_t *), 1);
	rte_pktmbuf_free(second);
}

static void
test_a_full_ring_takes_a_prefix(void **state)
{
	struct rte_mbuf *frames[3];
	unsigned int given = 0;

	(void)state;
	for (; given < RING_WIRE_DESC / 2 - 1; given++) {
		frames[0] = frame_of(2, given);
		assert_int_equal(give(frames, 1), 1);
	}
	for (unsigned int i = 0; i < 3; i++)
		frames[i] = frame_of(2, i);
	assert_int_equal(give(frames, 3), 1);
	assert_int_equal(ring_far_take(wire, taken, 4), 2);
	ring_far_report(wire);
	assert_int_equal(give(&frames[1], 2), 2);
}

static int
set_up(void **state)
{
	const struct eal_setup eal = {.bytes = 64u << 20};

	(void)state;
	if (eal_start(&eal) != 0)
		return -1;
	pool = rte_pktmbuf_pool_create(
		"test_ring_wire", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return pool == NULL ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_frames_come_in_order_a_batch_at_a_time),
		TEST(test_flush_publishes_less_than_a_batch),
		TEST(test_a_burst_is_never_larger_than_set_up),
		TEST(test_no_more_frames_than_buffers_that_were_posted),
		TEST(test_an_empty_pool_stops_it_until_buffers_are_back),
		TEST(test_chains_go_out_as_one_frame),
		TEST(test_what_is_sent_comes_back_late_and_in_batches),
		TEST(test_a_buffer_that_somebody_holds_stays),
		TEST(test_a_full_ring_takes_a_prefix),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
