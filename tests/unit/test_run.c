/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of lanes that share a port with one queue (DPDK's ring device, which receives what it
 * sends), turn by turn: what the carrier does for the others counts as work, it does not sleep while
 * their frames wait, unless the NIC takes none for long, and does not end before these have left.
 * What it lends is not taken for what it keeps. It announces their addresses, which are its own, once
 * for all. And how a lane starts: the application hears of nothing before it is told of the lane.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <string.h>

#include <rill/rill.h>

#include "arp.h"
#include "runner.h"

#define LANES 2

static struct rill_stack *stack;
static struct runner *carrier, *other;
static ustime now;

static int
make_stack(const struct rill_config *settings)
{
	static const char *const args[] = {"--no-huge", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "-m256", "--log-level=*:critical"};
	struct rill_config config = *settings;

	config.ports_count = 1;
	config.ports[0].name = "net_ring0";
	assert_int_equal(rill_prefix_parse("192.0.2.1/24", &config.ports[0].addrs[0]), 0);
	config.ports[0].addrs_count++;
	config.limits.max_conns = 256;
	config.limits.buffers = 4096;
	config.idle_sleep_us = 1000;
	config.eal_args = args;
	config.eal_args_count = sizeof(args) / sizeof(args[0]);
	if (rill_stack_create(&config, &stack) != 0) {
		print_error("%s\n", rill_error());
		return -1;
	}
	carrier = &stack->runners[0];
	other = &stack->runners[config.lanes - 1];
	now = clock_now_us();
	return 0;
}

static int
begin(void **state)
{
	struct rill_config config;

	rill_config_default(&config);
	config.lanes = LANES;
	return make_stack(&config);
}

/* The addresses have been announced. */
static void
pass_some_seconds(void)
{
	for (int i = 0; i < 10; i++, now += USEC_PER_SEC) {
		runner_turn(other, now, true);
		runner_turn(carrier, now, true);
	}
}

static uint16_t appetite; /* frames that the NIC still takes */
static const struct rte_eth_rxtx_callback *appetite_callback;

static uint16_t
eat(uint16_t port, uint16_t queue, struct rte_mbuf *frames[], uint16_t n, void *arg)
{
	n = RTE_MIN(n, appetite);
	appetite -= n;
	return n;
}

static int
begin_hungry(void **state)
{
	if (begin(state) != 0)
		return -1;
	appetite = UINT16_MAX;
	appetite_callback = rte_eth_add_tx_callback(carrier->port.ethdev_id, 0, eat, NULL);
	return appetite_callback == NULL ? -1 : 0;
}

static int
end(void **state)
{
	rill_stack_destroy(stack);
	return 0;
}

static int
end_hungry(void **state)
{
	rte_eth_remove_tx_callback(carrier->port.ethdev_id, 0, appetite_callback);
	return end(state);
}

struct tcp_frame {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;
} __attribute__((packed, aligned(2)));

/* A segment to us, of which only the addresses are right. */
static struct tcp_frame
a_segment(void)
{
	return (struct tcp_frame){
		.ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.ether.dst_addr = carrier->lane->netif.mac,
		.ip = {.version_ihl = 0x45,
			.next_proto_id = IPPROTO_TCP,
			.src_addr = rte_cpu_to_be_32(0xc0000202),
			.dst_addr = rte_cpu_to_be_32(0xc0000201)},
	};
}

/* The same, to nobody, whose ports are right too. */
static struct tcp_frame
segment_for(const struct runner *runner)
{
	struct tcp_frame frame = a_segment();
	struct tuple tuple = {.head = {
		.laddr4 = frame.ip.dst_addr, .raddr4 = frame.ip.src_addr, .family = AF_INET}};

	while (carrier->group->members[steer_lane(&carrier->group->steer, &tuple)] != runner->lane)
		tuple.head.rport++;
	frame.tcp.src_port = tuple.head.rport;
	return frame;
}

static void
arrive(const struct tcp_frame *bytes)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(carrier->pools.rx);

	assert_non_null(frame);
	memcpy(rte_pktmbuf_append(frame, sizeof(*bytes)), bytes, sizeof(*bytes));
	assert_int_equal(rte_eth_tx_burst(carrier->port.ethdev_id, 0, &frame, 1), 1);
}

/* A carrier that only lends frames, or has to drop them, is not idle. */
static void
test_frames_for_others_are_work(void **state)
{
	struct tcp_frame theirs = segment_for(other);
	uint64_t own;

	pass_some_seconds();
	own = carrier->lane->counters.rx_packets;
	assert_false(runner_turn(carrier, ++now, true));
	for (int i = 0; i < SPREAD_LOANS + 3; i++) {
		arrive(&theirs);
		assert_true(runner_turn(carrier, ++now, true));
		assert_false(runner_turn(carrier, ++now, true));
	}
	assert_int_equal(carrier->lane->counters.frames_handed, SPREAD_LOANS);
	assert_int_equal(carrier->lane->counters.drops[RILL_DROP_spread_full], 3);
	assert_int_equal(carrier->lane->counters.rx_packets, own);
}

static void
test_one_lane_announces_the_addresses_of_all(void **state)
{
	pass_some_seconds();
	assert_int_equal(carrier->lane->counters.rx_packets, ARP_ANNOUNCE_NUM);
	assert_int_equal(other->lane->counters.tx_packets, 0);
}

/* As many buffers as leave the carrier's RX pool at its reserve, and what others do with loans. */
static void
test_loans_do_not_eat_the_carriers_own_buffers(void **state)
{
	static struct rte_mbuf *kept[8192];
	struct tcp_frame theirs = segment_for(other);
	struct rte_mempool *pool = carrier->pools.rx;
	unsigned int n;

	pass_some_seconds();
	n = tcp_pool_free(pool) - carrier->pools.rx_reserve;
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, kept, n), 0);
	for (int i = 0; i < SPREAD_LOANS; i++) {
		arrive(&theirs);
		runner_turn(carrier, ++now, true);
		assert_false(carrier->lane->tcp.rx_low);
	}
	/* One more that the carrier keeps is one too many, loans or not. */
	kept[n] = rte_pktmbuf_alloc(pool);
	runner_turn(carrier, ++now, true);
	assert_true(carrier->lane->tcp.rx_low);
	while (runner_turn(other, ++now, true))
		;
	runner_turn(carrier, ++now, true);
	assert_int_equal(carrier->port.lent, 0);
	assert_true(carrier->lane->tcp.rx_low);
	rte_pktmbuf_free(kept[n]);
	runner_turn(carrier, ++now, true);
	assert_false(carrier->lane->tcp.rx_low);
	rte_pktmbuf_free_bulk(kept, n);
}

/* Nor for its own free buffers: what is scarce with no loan out is scarce with all. */
static void
test_loans_do_not_hide_that_buffers_are_scarce(void **state)
{
	static struct rte_mbuf *kept[8192];
	struct tcp_frame theirs = segment_for(other);
	const struct tcp *tcp = &carrier->lane->tcp;
	struct rte_mempool *pool = carrier->pools.rx;
	unsigned int n;

	pass_some_seconds();
	for (int i = 0; i < SPREAD_LOANS; i++) {
		arrive(&theirs);
		runner_turn(carrier, ++now, true);
	}
	runner_turn(carrier, ++now, true);
	assert_int_equal(tcp->rx_lent, SPREAD_LOANS);
	n = tcp_pool_free(pool) - (carrier->pools.rx_reserve - SPREAD_LOANS) / 2;
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, kept, n), 0);
	runner_turn(carrier, ++now, true);
	assert_true(tcp->rx_low);
	assert_false(tcp->rx_scarce);
	kept[n] = rte_pktmbuf_alloc(pool);
	runner_turn(carrier, ++now, true);
	assert_true(tcp->rx_scarce);
	rte_pktmbuf_free_bulk(kept, n + 1);
	runner_turn(carrier, ++now, true);
	assert_false(tcp->rx_scarce);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
}

static const struct rill_handler handler = {.on_close = on_close};

/* The other lane asks where a host is: a frame that it wants sent. */
static void
make_other_say_something(void)
{
	struct rill_endpoint remote = {.port = 80};
	struct rill_conn *conn;

	assert_int_equal(rill_addr_parse("192.0.2.9", &remote.addr), 0);
	assert_int_equal(rill_connect(other->lane, NULL, &remote, NULL, &handler, NULL, &conn), 0);
	runner_turn(other, ++now, true);
}

static void
test_no_rest_while_frames_of_others_wait(void **state)
{
	pass_some_seconds();
	assert_int_equal(runner_rest_until(carrier, now), now + 1000);
	appetite = 0;
	make_other_say_something();
	assert_int_equal(runner_rest_until(carrier, now), now);
	/* Nor when the NIC has refused them. */
	runner_turn(carrier, ++now, true);
	assert_int_equal(runner_rest_until(carrier, now), now);
	appetite = UINT16_MAX;
	runner_turn(carrier, ++now, true);
	assert_int_equal(runner_rest_until(carrier, now), now + 1000);
}

/* Nor forever: after a second it is rid of the frames. */
static void
test_a_nic_that_takes_nothing_does_not_keep_the_carrier_awake(void **state)
{
	ustime start;

	pass_some_seconds();
	appetite = 0;
	make_other_say_something();
	start = ++now;
	for (; now < start + PORT_STALL_US; now += PORT_STALL_US / 4) {
		runner_turn(carrier, now, true);
		assert_int_equal(runner_rest_until(carrier, now), now);
	}
	runner_turn(carrier, now, true);
	assert_int_equal(runner_rest_until(carrier, now), now + 1000);
	assert_int_equal(carrier->lane->counters.drops[RILL_DROP_tx_stalled], 1);
}

static unsigned int
count_sent(void)
{
	struct rte_mbuf *frames[PORT_BURST];
	unsigned int n, all = 0;

	for (; (n = rte_eth_rx_burst(carrier->port.ethdev_id, 0, frames, PORT_BURST)) > 0; all += n)
		rte_pktmbuf_free_bulk(frames, n);
	return all;
}

/* Bursts of frames: the RSTs of a lane that has ended, say. */
static void
send_from_other(void)
{
	for (unsigned int i = 0; i < SPREAD_LOANS; i++) {
		struct rte_mbuf *frame = rte_pktmbuf_alloc(other->pools.buf);

		assert_non_null(rte_pktmbuf_append(frame, 60));
		assert_int_equal(other->port.ops->tx(&other->port, &frame, 1), 1);
	}
}

static void
test_the_last_frames_of_others_leave(void **state)
{
	send_from_other();
	runner_wind_up(carrier);
	assert_in_range(count_sent(), SPREAD_LOANS, SPREAD_LOANS + 1); /* and an announcement */
}

static void
test_the_end_is_not_put_off_by_a_nic_that_takes_nothing(void **state)
{
	send_from_other();
	appetite = 10;
	runner_wind_up(carrier);
	assert_int_equal(count_sent(), 10);
}

/* ---- how a lane starts */

#define START_MOST_US (10 * USEC_PER_SEC)

static struct {
	ustime began; /* before the run */
	bool started; /* the application has been told of the lane; then: */
	ustime lane_now, clock_now;
	uint64_t dropped;
	bool settling;
	unsigned int mails_before, mails, half_open;
} seen;

/* A whole SYN from this port to our listener. */
static void
syn_arrives(uint16_t port)
{
	struct tcp_frame frame = a_segment();

	frame.ip.total_length = rte_cpu_to_be_16(sizeof(frame) - sizeof(frame.ether));
	frame.ip.time_to_live = 64;
	frame.ip.hdr_checksum = rte_ipv4_cksum(&frame.ip);
	frame.tcp = (struct rte_tcp_hdr){.src_port = rte_cpu_to_be_16(port),
		.dst_port = rte_cpu_to_be_16(7),
		.data_off = 5 << 4,
		.tcp_flags = RTE_TCP_SYN_FLAG,
		.rx_win = rte_cpu_to_be_16(1000)};
	frame.tcp.cksum = rte_ipv4_udptcp_cksum(&frame.ip, &frame.tcp);
	arrive(&frame);
}

static void
on_mail(struct rill_lane *lane, void *arg)
{
	seen.mails++;
}

static void
on_lane_start(struct rill_lane *lane, void *user)
{
	seen.started = true;
	seen.lane_now = lane->now;
	seen.clock_now = clock_now_us();
	seen.dropped = lane->counters.drops[RILL_DROP_lane_starting];
	seen.settling = net_is_settling(lane->net);
	seen.mails_before = seen.mails;
	syn_arrives(1001);
}

static void
on_lane_idle(struct rill_lane *lane, void *user)
{
	struct rill_stats stats;

	rill_lane_stats_read(lane, &stats);
	seen.half_open = stats.syn_received;
	if ((seen.half_open > 0 && seen.mails > 0) || clock_now_us() > seen.began + START_MOST_US)
		rill_stack_stop(stack);
}

/*
 * While it is asked whether somebody has our IPv6 address, connections are not accepted, over IPv4
 * neither, and mail waits. Then the application is told of the lane, whose time has gone on.
 */
static void
test_nothing_is_heard_before_the_lane_starts(void **state)
{
	struct rill_config config;
	struct rill_listener *listener;

	memset(&seen, 0, sizeof(seen));
	rill_config_default(&config);
	config.lanes = 1;
	config.on_lane_start = on_lane_start;
	config.on_lane_idle = on_lane_idle;
	assert_int_equal(rill_prefix_parse("2001:db8::1/64", &config.ports[0].addrs[1]), 0);
	config.ports[0].addrs_count = 1;
	assert_int_equal(make_stack(&config), 0);
	assert_int_equal(rill_listen(stack, NULL, 7, NULL, &handler, NULL, &listener), 0);
	assert_int_equal(rill_lane_post(carrier->lane, on_mail, NULL), 0);
	syn_arrives(1000);
	seen.began = clock_now_us();
	assert_int_equal(rill_stack_run(stack), 0);
	rill_stack_destroy(stack);
	assert_true(seen.started && !seen.settling);
	assert_int_equal(seen.dropped, 1);
	assert_int_equal(seen.mails_before, 0);
	assert_in_range(seen.lane_now, seen.began + USEC_PER_SEC, seen.clock_now);
	assert_int_equal(seen.mails, 1);
	assert_int_equal(seen.half_open, 1);
}

int
main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
#define ROW_HUNGRY(test) cmocka_unit_test_setup_teardown(test, begin_hungry, end_hungry)
	const struct CMUnitTest tests[] = {
		ROW(test_frames_for_others_are_work),
		ROW(test_one_lane_announces_the_addresses_of_all),
		ROW(test_loans_do_not_eat_the_carriers_own_buffers),
		ROW(test_loans_do_not_hide_that_buffers_are_scarce),
		ROW_HUNGRY(test_no_rest_while_frames_of_others_wait),
		ROW_HUNGRY(test_a_nic_that_takes_nothing_does_not_keep_the_carrier_awake),
		ROW(test_the_last_frames_of_others_leave),
		ROW_HUNGRY(test_the_end_is_not_put_off_by_a_nic_that_takes_nothing),
		cmocka_unit_test(test_nothing_is_heard_before_the_lane_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
