/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A gateway that falls silent: after R1 retransmissions IP is told, which asks for the gateway
 * again, itself first, then everybody [MUST-20, RFC1122-10]. The lane lives on Ethernet, driven by
 * hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#include <rill/rill.h>

#include "frames.h"

#define GATEWAY 0xc00002feu /* 192.0.2.254 */
#define SECOND_GATEWAY 0xc00002fdu /* 192.0.2.253 */
#define START_US 1000000000u
#define R1_RETRIES 3
#define SECOND_US 1000000u

static const uint8_t secret[RILL_SECRET_LEN] = "the very same secret every time";
static const struct rte_ether_addr gateway_mac = {{2, 0, 0, 0, 0, 0xfe}};
static const struct rte_ether_addr second_mac = {{2, 0, 0, 0, 0, 0xfd}};
static struct rte_mempool *pool;
static struct rill_lane *lane;
static uint64_t now;

/* What the lane said since it was last asked. */
static struct {
	unsigned int segments, asked_everybody, asked_gateway;
	unsigned int asked_second, segments_second; /* of the other gateway, if there is one */
} said;

struct arp_frame {
	struct rte_ether_hdr ether;
	struct rte_arp_hdr arp;
} __attribute__((packed, aligned(2)));

static void
hear(const struct rte_mbuf *frame)
{
	const struct arp_frame *arp = rte_pktmbuf_mtod(frame, const struct arp_frame *);

	if (arp->ether.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) {
		if (rte_is_same_ether_addr(&arp->ether.dst_addr, &second_mac)) {
			said.segments_second++;
			return;
		}
		assert_memory_equal(&arp->ether.dst_addr, &gateway_mac, sizeof(gateway_mac));
		said.segments++;
		return;
	}
	said.asked_second += arp->arp.arp_data.arp_tip == rte_cpu_to_be_32(SECOND_GATEWAY);
	if (arp->arp.arp_data.arp_tip != rte_cpu_to_be_32(GATEWAY))
		return; /* our own address is announced */
	if (rte_is_broadcast_ether_addr(&arp->ether.dst_addr))
		said.asked_everybody++;
	else if (rte_is_same_ether_addr(&arp->ether.dst_addr, &gateway_mac))
		said.asked_gateway++;
}

static void
turn(struct rte_mbuf *in)
{
	struct rte_mbuf *out[16];
	unsigned int n;

	assert_true(rill_lane_turn(lane, now, &in, in != NULL) >= 0);
	while ((n = rill_lane_take(lane, out, RTE_DIM(out))) > 0)
		for (unsigned int i = 0; i < n; i++) {
			hear(out[i]);
			rte_pktmbuf_free(out[i]);
		}
}

/* Turn by turn until the lane has said something of the given kind, for at most so long. */
static void
wait_for(const unsigned int *count, uint64_t us)
{
	uint64_t until = now + us;

	memset(&said, 0, sizeof(said));
	while (*count == 0 && rill_lane_deadline(lane) <= until) {
		now = RTE_MAX(now, rill_lane_deadline(lane));
		turn(NULL);
	}
	assert_int_not_equal(*count, 0);
}

static void
answers(uint32_t ip, struct rte_ether_addr mac)
{
	struct arp_frame reply;

	memset(&reply, 0, sizeof(reply));
	memset(&reply.ether.dst_addr, 0xff, sizeof(reply.ether.dst_addr));
	reply.ether.src_addr = mac;
	reply.ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	reply.arp = (struct rte_arp_hdr){.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
		.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = 6,
		.arp_plen = 4,
		.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY),
		.arp_data = {.arp_sha = mac,
			.arp_sip = rte_cpu_to_be_32(ip),
			.arp_tip = rte_cpu_to_be_32(0xc0000201u)}};
	turn(frame_from_bytes(pool, (const uint8_t *)&reply, sizeof(reply)));
}

static void
gateway_answers(void)
{
	answers(GATEWAY, gateway_mac);
}

static int
up(void **state)
{
	struct rill_lane_config config;

	rill_lane_config_default(&config);
	config.ethernet = true;
	assert_int_equal(rill_prefix_parse("192.0.2.1/24", &config.addrs[0]), 0);
	config.addrs_count = 1;
	assert_int_equal(rill_addr_parse("192.0.2.254", &config.gateway), 0);
	config.limits.max_conns = 16;
	config.limits.buffers = 512;
	config.secret = secret;
	config.name = "gateway";
	if (rill_lane_create(&config, &lane) != 0)
		fail_msg("%s", rill_error());
	if (pool == NULL)
		pool = frames_pool("gateway_frames", 64);
	now = START_US;
	turn(NULL);
	return 0;
}

static int
down(void **state)
{
	rill_lane_destroy(lane);
	return rte_mempool_in_use_count(pool) == 0 ? 0 : -1;
}

static void
test_a_silent_gateway_is_asked_for_after_r1(void **state)
{
	static const struct rill_handler handler = {.on_open = NULL};
	struct rill_endpoint remote = {.port = 80};
	struct rill_conn *conn;

	assert_int_equal(rill_addr_parse("203.0.113.9", &remote.addr), 0);
	assert_int_equal(rill_connect(lane, NULL, &remote, NULL, &handler, NULL, &conn), 0);
	wait_for(&said.asked_everybody, SECOND_US);
	memset(&said, 0, sizeof(said));
	gateway_answers();
	assert_int_equal(said.segments, 1);
	for (unsigned int i = 1; i <= R1_RETRIES; i++) {
		wait_for(&said.segments, 5 * SECOND_US);
		assert_int_equal(said.asked_everybody, 0);
		if (i < R1_RETRIES)
			assert_int_equal(said.asked_gateway, 0);
	}
	if (said.asked_gateway == 0)
		wait_for(&said.asked_gateway, 10 * SECOND_US);
	wait_for(&said.asked_everybody, 30 * SECOND_US);
}

static void
test_one_that_answers_is_kept(void **state)
{
	static const struct rill_handler handler = {.on_open = NULL};
	struct rill_endpoint remote = {.port = 80};
	struct rill_conn *conn;

	assert_int_equal(rill_addr_parse("203.0.113.9", &remote.addr), 0);
	assert_int_equal(rill_connect(lane, NULL, &remote, NULL, &handler, NULL, &conn), 0);
	wait_for(&said.asked_everybody, SECOND_US);
	gateway_answers();
	wait_for(&said.asked_gateway, 20 * SECOND_US);
	gateway_answers();
	wait_for(&said.segments, 40 * SECOND_US);
	assert_int_equal(said.asked_everybody, 0);
}

/* Nobody answers at the gateway with the lower metric: the connection opens by the other one; and when the
 * first is back, new connections go by it [RFC1122-10]. */
static void
test_another_takes_over_and_back(void **state)
{
	static const struct rill_handler handler = {.on_open = NULL};
	const struct rill_prefix everywhere = {.addr.family = AF_INET};
	struct rill_endpoint remote = {.port = 80};
	struct rill_addr second;
	struct rill_conn *conn;

	assert_int_equal(rill_addr_parse("192.0.2.253", &second), 0);
	assert_int_equal(rill_lane_route_add(lane, &everywhere, &second, 0), -EEXIST);
	assert_int_equal(rill_lane_route_add(lane, &everywhere, &second, 1), 0);
	assert_int_equal(rill_addr_parse("203.0.113.9", &remote.addr), 0);
	assert_int_equal(rill_connect(lane, NULL, &remote, NULL, &handler, NULL, &conn), 0);
	wait_for(&said.asked_second, 10 * SECOND_US);
	answers(SECOND_GATEWAY, second_mac);
	wait_for(&said.segments_second, 10 * SECOND_US);
	wait_for(&said.asked_everybody, 10 * SECOND_US); /* it is not forgotten */
	gateway_answers();
	for (uint64_t until = now + 6 * SECOND_US; now < until; now += SECOND_US / 10)
		turn(NULL);
	assert_int_equal(rill_abort(conn), 0);
	remote.port = 81;
	assert_int_equal(rill_connect(lane, NULL, &remote, NULL, &handler, NULL, &conn), 0);
	wait_for(&said.segments, SECOND_US);
	assert_int_equal(said.segments_second, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_silent_gateway_is_asked_for_after_r1, up, down),
		cmocka_unit_test_setup_teardown(test_one_that_answers_is_kept, up, down),
		cmocka_unit_test_setup_teardown(test_another_takes_over_and_back, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
