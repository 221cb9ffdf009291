/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the outbox to a port that takes only part of a burst and holds what it took: frames leave in
 * order, once each, over the ring's end too; what the port refuses stays and goes first the next
 * time; the tickets that left late, and when, are told exactly; credit shrinks to a burst while
 * something waits; a port that was full is asked cheaply; whoever frees the last frame is the port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_common.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "eal.h"
#include "outbox.h"
#include "port.h"

#define FRAMES 4095
#define FRAME_LEN(ticket) (60 + (ticket) % 7)

struct fake_port {
	struct port port;
	uint32_t appetite; /* frames that it takes before it refuses */
	uint32_t calls, offered; /* of the last flush: frames of all calls */
	uint32_t held_count;
	struct rte_mbuf *held[8192];
};

static struct fake_port fake;
static struct outbox outbox;
static struct counters counters;
static struct rte_mempool *pool;
static uint32_t next_expected; /* ticket of the next frame that may reach the port */

static uint16_t
fake_tx(struct port *port, struct rte_mbuf **frames, uint16_t n)
{
	uint16_t took = (uint16_t)RTE_MIN((uint32_t)n, fake.appetite);

	assert_ptr_equal(port, &fake.port);
	assert_in_range(n, 1, PORT_BURST);
	fake.calls++;
	fake.offered += n;
	for (uint16_t i = 0; i < took; i++) {
		assert_int_equal(*rte_pktmbuf_mtod(frames[i], uint32_t *), next_expected++);
		fake.held[fake.held_count++] = frames[i];
	}
	fake.appetite -= took;
	return took;
}

static const struct port_ops fake_ops = {.tx = fake_tx};

static void
release_held(void)
{
	rte_pktmbuf_free_bulk(fake.held, fake.held_count);
	fake.held_count = 0;
}

/* An outbox whose tickets begin at `first`. */
static void
begin(uint32_t first)
{
	memset(&fake, 0, sizeof(fake));
	memset(&counters, 0, sizeof(counters));
	memset(&outbox, 0, sizeof(outbox));
	fake.port.ops = &fake_ops;
	fake.port.tx_desc = 512;
	outbox.put = outbox.taken = outbox.seen = outbox.held = first;
	outbox.late_from = outbox.late_to = next_expected = first;
}

static void
put(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);

		assert_non_null(frame);
		frame->data_len = FRAME_LEN(outbox.put);
		frame->pkt_len = FRAME_LEN(outbox.put);
		*rte_pktmbuf_mtod(frame, uint32_t *) = outbox.put;
		outbox_put(&outbox, frame);
	}
}

static uint32_t
flush(uint32_t appetite, uint32_t now_us)
{
	fake.appetite = appetite;
	fake.calls = fake.offered = 0;
	return port_flush(&fake.port, &outbox, &counters, now_us);
}

static void
expect_late(uint32_t from, uint32_t to, uint32_t when)
{
	assert_int_equal(outbox.late_to - outbox.late_from, to - from);
	if (from != to) {
		assert_int_equal(outbox.late_from, from);
		assert_int_equal(outbox.late_us, when);
	}
}

static void
end(void)
{
	release_held();
	assert_int_equal(outbox_count(&outbox), 0);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

static void
test_all_leave_at_once(void **state)
{
	uint64_t bytes = 0;

	begin(0);
	put(200);
	for (uint32_t i = 0; i < 200; i++)
		bytes += FRAME_LEN(i);
	assert_int_equal(flush(UINT32_MAX, 10), 200);
	expect_late(0, 0, 0);
	assert_int_equal(outbox.credit, 512);
	assert_int_equal(counters.tx_packets, 200);
	assert_int_equal(counters.tx_bytes, bytes);
	assert_int_equal(counters.tx_backlogged, 0);
	assert_int_equal(flush(UINT32_MAX, 11), 0);
	end();
}

static void
test_credit_never_exceeds_the_ring(void **state)
{
	/* A NIC with more descriptors than the outbox has room: what is kept for control frames stays. */
	begin(0);
	fake.port.tx_desc = 2 * OUTBOX_SIZE;
	put(1);
	flush(UINT32_MAX, 10);
	assert_int_equal(outbox_room(&outbox), OUTBOX_SIZE - OUTBOX_CONTROL_ROOM);
	put(OUTBOX_SIZE - 10); /* control frames have taken their room, and more */
	flush(0, 20);
	assert_int_equal(outbox_room(&outbox), 0);
	assert_true(outbox_has_control_room(&outbox));
	flush(UINT32_MAX, 30);
	end();
}

static void
test_what_is_refused_stays_and_leaves_late(void **state)
{
	begin(0);
	put(10);
	assert_int_equal(flush(4, 100), 4);
	expect_late(0, 0, 0);
	assert_int_equal(outbox.credit, OUTBOX_CREDIT_BACKLOG);
	assert_int_equal(counters.tx_backlogged, 6);
	assert_false(outbox_waiting(&outbox, 3));
	assert_true(outbox_waiting(&outbox, 4));

	put(3); /* tickets 10, 11, 12: behind the six */
	assert_int_equal(flush(2, 200), 2);
	expect_late(4, 6, 200);
	assert_int_equal(counters.tx_backlogged, 9);

	assert_int_equal(flush(0, 300), 0);
	expect_late(4, 6, 200); /* none left: the last ones that did are still known */
	assert_int_equal(counters.tx_backlogged, 9);

	put(2); /* 13, 14: these leave in their own turn */
	assert_int_equal(flush(UINT32_MAX, 400), 9);
	expect_late(6, 13, 400);
	assert_int_equal(outbox.credit, 512);
	assert_int_equal(counters.tx_backlogged, 9);

	put(1);
	assert_int_equal(flush(UINT32_MAX, 500), 1);
	expect_late(6, 13, 400);
	end();
}

static void
test_turns_of_one_microsecond_are_one_turn(void **state)
{
	begin(0);
	put(4);
	flush(1, 100);
	assert_int_equal(flush(1, 100), 1); /* as if put now: the time is the same */
	expect_late(0, 0, 0);
	flush(UINT32_MAX, 101);
	expect_late(2, 4, 101);
	end();
}

/* A port that was full is asked with a few frames, once in each turn; then as before. */
static void
test_a_full_port_is_asked_cheaply(void **state)
{
	begin(0);
	put(200);
	assert_int_equal(flush(PORT_BURST + 10, 100), PORT_BURST + 10);
	assert_int_equal(fake.offered, 2 * PORT_BURST);
	assert_int_equal(flush(0, 101), 0);
	assert_int_equal(fake.calls, 1);
	assert_int_equal(fake.offered, PORT_PROBE);
	assert_int_equal(flush(PORT_PROBE, 102), PORT_PROBE);
	assert_int_equal(fake.calls, 2);
	assert_int_equal(flush(UINT32_MAX, 103), 200 - PORT_BURST - 10 - PORT_PROBE);
	assert_int_equal(fake.calls, 3);
	put(PORT_BURST);
	assert_int_equal(flush(UINT32_MAX, 104), PORT_BURST);
	assert_int_equal(fake.calls, 1);
	end();
}

/* The embedder's way: one turn's frames are taken in several bites. */
static void
test_bites_of_one_turn_add_up(void **state)
{
	begin(0);
	put(6);
	outbox_turn_over(&outbox, 100);
	for (uint32_t i = 0; i < 6; i++)
		fake.held[fake.held_count++] = outbox.ring[i];
	outbox_took(&outbox, 1);
	expect_late(0, 0, 0);
	for (int i = 0; i < 3; i++) {
		outbox_turn_over(&outbox, 200);
		outbox_took(&outbox, 1);
	}
	expect_late(1, 4, 200);
	outbox_turn_over(&outbox, 300);
	outbox_took(&outbox, 2);
	expect_late(4, 6, 300);
	end();
}

/* A long run with a whimsical port, across the ring's end and that of 32 bits. */
static void
test_order_holds_whatever_the_port_takes(void **state)
{
	uint32_t first = UINT32_MAX - 3000, now = UINT32_MAX - 500, late = 0, backlogged = 0;

	begin(first);
	srandom(7);
	for (int turn = 0; turn < 2000; turn++) {
		uint32_t waiting = outbox_count(&outbox), fresh = (uint32_t)random() % 40;
		uint32_t sent, taken = outbox.taken;

		fresh = RTE_MIN(fresh, FRAMES / 2 - waiting);
		put(fresh);
		sent = flush((uint32_t)random() % 50, ++now);
		assert_int_equal(outbox.taken - taken, sent);
		if (sent > 0 && waiting > 0)
			expect_late(taken, taken + RTE_MIN(sent, waiting), now);
		late += RTE_MIN(sent, waiting);
		backlogged += RTE_MIN(outbox_count(&outbox), fresh);
		release_held();
	}
	late += outbox_count(&outbox);
	flush(UINT32_MAX, ++now);
	assert_int_equal(next_expected, outbox.put);
	assert_true(outbox.put - first > 3 * OUTBOX_SIZE && outbox.put < first);
	assert_int_equal(counters.tx_backlogged, backlogged);
	assert_int_equal(late, backlogged); /* what was not taken at once left late, and nothing else */
	end();
}

/* A link that is down: nothing is taken for a second, and what waits is dropped; then it goes on. */
static void
test_a_stalled_port_pins_nothing(void **state)
{
	uint32_t start = UINT32_MAX - PORT_STALL_US / 2; /* across the end of 32 bits */

	begin(0);
	put(100);
	flush(40, start);
	flush(0, start + 10);
	assert_int_equal(flush(1, start + PORT_STALL_US / 2), 1); /* it moved: the second begins anew */
	flush(0, start + PORT_STALL_US / 2 + 10);
	put(5);
	flush(0, start + PORT_STALL_US + 10);
	assert_int_equal(outbox_count(&outbox), 64);
	flush(0, start + PORT_STALL_US / 2 + PORT_STALL_US + 9);
	assert_int_equal(counters.drops[RILL_DROP_tx_stalled], 0);
	flush(0, start + PORT_STALL_US / 2 + PORT_STALL_US + 10);
	assert_int_equal(counters.drops[RILL_DROP_tx_stalled], 64);
	assert_int_equal(outbox_count(&outbox), 0);
	assert_false(outbox_waiting(&outbox, 104));
	assert_int_equal(counters.tx_packets, 41);

	/* The next one waits its own second. */
	next_expected = outbox.put;
	put(2);
	flush(0, start + 10 * PORT_STALL_US);
	assert_int_equal(flush(UINT32_MAX, start + 10 * PORT_STALL_US + 5), 2);
	assert_int_equal(counters.drops[RILL_DROP_tx_stalled], 64);
	end();
}

int
main(void)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
		"--iova-mode=va", "-m128", "--log-level=*:warning"};
	const struct eal_setup setup = {.args = args, .args_count = sizeof(args) / sizeof(args[0])};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_leave_at_once),
		cmocka_unit_test(test_credit_never_exceeds_the_ring),
		cmocka_unit_test(test_what_is_refused_stays_and_leaves_late),
		cmocka_unit_test(test_turns_of_one_microsecond_are_one_turn),
		cmocka_unit_test(test_a_full_port_is_asked_cheaply),
		cmocka_unit_test(test_bites_of_one_turn_add_up),
		cmocka_unit_test(test_order_holds_whatever_the_port_takes),
		cmocka_unit_test(test_a_stalled_port_pins_nothing),
	};

	if (eal_start(&setup) != 0)
		return 1;
	pool = rte_pktmbuf_pool_create("frames", FRAMES, 0, 0, RTE_PKTMBUF_HEADROOM + 128, -1);
	return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
