/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TESTS_KEEPER_WORLD_H
#define RILL_TESTS_KEEPER_WORLD_H

/*
 * The world of test_keeper.c: the server's NIC, which stands in front of DPDK's ring device and does and
 * tells what the test wants; the wire; a server that echoes and a client; all of it driven by hand.
 */

#include <errno.h>
#include <rte_arp.h>

#include "restart.h"
#include "ring_stacks.h"

#define CONNS 20
#define PORT 7
#define PASS_US 1000
#define SECOND USEC_PER_SEC
#define EVENTS 3

/* ---- the server's NIC */

static struct {
	uint16_t id;
	bool deaf, cured_by_start, link_down, has_reset;
	bool echoes; /* its own broadcasts come back, also if it is deaf */
	unsigned int refuses_starts; /* so many */
	struct rte_ether_addr mac;   /* what it listens to, */
	struct rte_ether_addr next_mac; /* and will after its next start */
	unsigned int starts, resets; /* since begin */
	struct {
		rte_eth_dev_cb_fn fn;
		void *arg;
	} told[RTE_ETH_EVENT_MAX];
	unsigned int groups; /* that it lets in: a start forgets them */
} nic;

static struct rill_stack *server, *client;

/* used: only the linker knows that somebody calls them, and LTO is done before it says so. */
int __real_rte_eth_dev_start(uint16_t id);
__rte_used int __wrap_rte_eth_dev_start(uint16_t id);
int __real_rte_eth_dev_reset(uint16_t id);
__rte_used int __wrap_rte_eth_dev_reset(uint16_t id);
int __real_rte_eth_macaddr_get(uint16_t id, struct rte_ether_addr *mac);
__rte_used int __wrap_rte_eth_macaddr_get(uint16_t id, struct rte_ether_addr *mac);
int __real_rte_eth_link_get_nowait(uint16_t id, struct rte_eth_link *link);
__rte_used int __wrap_rte_eth_link_get_nowait(uint16_t id, struct rte_eth_link *link);
__rte_used int __wrap_rte_eth_dev_callback_register(
	uint16_t id, enum rte_eth_event_type event, rte_eth_dev_cb_fn fn, void *arg);
__rte_used int __wrap_rte_eth_dev_callback_unregister(
	uint16_t id, enum rte_eth_event_type event, rte_eth_dev_cb_fn fn, void *arg);

__rte_used int __wrap_rte_eth_dev_set_mc_addr_list(
	uint16_t id, struct rte_ether_addr *groups, uint32_t n);

/* No lane may use it now: a burst of its port is empty, whatever there is. */
static void
expect_parked(void)
{
	struct rte_mbuf *frame = NULL;

	if (server == NULL)
		return;
	assert_int_equal(
		server->runners[0].port.ops->rx(&server->runners[0].port, &frame, 1), 0);
	assert_int_equal(
		server->runners[0].port.ops->tx(&server->runners[0].port, &frame, 1), 0);
	assert_null(server->runners[0].port.ops->carry);
}

int
__wrap_rte_eth_dev_start(uint16_t id)
{
	if (id != nic.id)
		return __real_rte_eth_dev_start(id);
	expect_parked();
	nic.starts++;
	if (nic.refuses_starts > 0) {
		nic.refuses_starts--;
		return -EIO;
	}
	nic.deaf &= !nic.cured_by_start;
	nic.mac = nic.next_mac;
	nic.groups = 0;
	return __real_rte_eth_dev_start(id);
}

int
__wrap_rte_eth_dev_set_mc_addr_list(uint16_t id, struct rte_ether_addr *groups, uint32_t n)
{
	if (id == nic.id)
		nic.groups = n;
	return 0;
}

int
__wrap_rte_eth_dev_reset(uint16_t id)
{
	expect_parked();
	if (!nic.has_reset)
		return -ENOTSUP;
	nic.resets++;
	nic.deaf = false;
	return rte_eth_dev_stop(id);
}

int
__wrap_rte_eth_macaddr_get(uint16_t id, struct rte_ether_addr *mac)
{
	if (id != nic.id)
		return __real_rte_eth_macaddr_get(id, mac);
	*mac = nic.mac;
	return 0;
}

int
__wrap_rte_eth_link_get_nowait(uint16_t id, struct rte_eth_link *link)
{
	link->link_status = id == nic.id && nic.link_down ? RTE_ETH_LINK_DOWN : RTE_ETH_LINK_UP;
	return 0;
}

int
__wrap_rte_eth_dev_callback_register(
	uint16_t id, enum rte_eth_event_type event, rte_eth_dev_cb_fn fn, void *arg)
{
	assert_int_equal(id, nic.id);
	nic.told[event].fn = fn;
	nic.told[event].arg = arg;
	return 0;
}

int
__wrap_rte_eth_dev_callback_unregister(
	uint16_t id, enum rte_eth_event_type event, rte_eth_dev_cb_fn fn, void *arg)
{
	nic.told[event].fn = NULL;
	return 0;
}

static void
nic_tells(enum rte_eth_event_type event)
{
	assert_non_null(nic.told[event].fn);
	nic.told[event].fn(nic.id, event, nic.told[event].arg, NULL);
}

/* ---- the wire */

static struct rte_ring *to_server, *from_server, *to_client, *from_client;
static ustime now, look_at;
static unsigned int wrong_source; /* frames of the server's, not from its NIC's MAC */
static unsigned int announced;    /* ARP requests of the server's for its own address */
static unsigned int announced6;   /* advertisements of the server's to all nodes */

static bool
is_broadcast(const struct rte_mbuf *frame)
{
	return rte_is_broadcast_ether_addr(
		&rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *)->dst_addr);
}

static void
look_at_frame(const struct rte_mbuf *frame)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(ether + 1);

	wrong_source += !rte_is_same_ether_addr(&ether->src_addr, &nic.mac);
	announced += ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) &&
		arp->arp_data.arp_sip == arp->arp_data.arp_tip;
	announced6 += ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
		ether->dst_addr.addr_bytes[5] == 1 && ((const uint8_t *)ether)[54] == NDP_ADVERT;
}

static bool
reaches_server(const struct rte_mbuf *frame)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

	return !nic.deaf && !nic.link_down &&
		(rte_is_broadcast_ether_addr(&ether->dst_addr) ||
			rte_is_same_ether_addr(&ether->dst_addr, &nic.mac));
}

static void
carry_frames(void)
{
	struct rte_mbuf *frame;

	while (rte_ring_dequeue(from_server, (void **)&frame) == 0) {
		look_at_frame(frame);
		if (nic.echoes && is_broadcast(frame))
			arrive_copy(frame, &server->runners[0], to_server);
		if (nic.deaf || nic.link_down)
			rte_pktmbuf_free(frame);
		else
			arrive(frame, &client->runners[0], to_client);
	}
	while (rte_ring_dequeue(from_client, (void **)&frame) == 0) {
		if (reaches_server(frame))
			arrive(frame, &server->runners[0], to_server);
		else
			rte_pktmbuf_free(frame);
	}
}

/* Another host says to all that the server's address is its own. */
static void
claim_server_addr(void)
{
	const struct rte_ether_addr other = {{2, 0, 0, 0, 0, 0x66}};
	const rte_be32_t ip = rte_cpu_to_be_32(0xc0000201);
	struct rte_mbuf *frame = rte_pktmbuf_alloc(server->runners[0].pools.rx);
	struct rte_ether_hdr *ether;
	struct rte_arp_hdr *arp;

	assert_non_null(frame);
	ether = (struct rte_ether_hdr *)rte_pktmbuf_append(frame, sizeof(*ether) + sizeof(*arp));
	arp = (struct rte_arp_hdr *)(ether + 1);
	memset(&ether->dst_addr, 0xff, sizeof(ether->dst_addr));
	ether->src_addr = other;
	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	*arp = (struct rte_arp_hdr){.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
		.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = sizeof(other),
		.arp_plen = sizeof(ip),
		.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
		.arp_data = {.arp_sha = other, .arp_sip = ip, .arp_tip = ip}};
	assert_int_equal(rte_ring_enqueue(to_server, frame), 0);
}

/* A turn of each lane, a look of the keeper's when it is time. */
static void
pass(void)
{
	now += PASS_US;
	for (unsigned int i = 0; i < server->lanes; i++)
		runner_turn(&server->runners[i], now, true);
	runner_turn(&client->runners[0], now, true);
	carry_frames();
	if (now < look_at)
		return;
	look_at = now + KEEPER_LOOK_US;
	keeper_look(server, now);
}

static void
pass_time(ustime time)
{
	for (ustime end = now + time; now < end;)
		pass();
}

/* ---- the applications */

static struct rill_conn *conns[CONNS];
static unsigned int echoed, closed, told_down;

static void
on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	echoed += data->pkt_len;
	rte_pktmbuf_free(data);
}

static void
on_close(struct rill_conn *conn, enum rill_close_reason why)
{
	closed++;
}

static void
serve_error(struct rill_conn *conn, int error)
{
	told_down += error == ENETDOWN;
}

static const struct rill_handler asks = {.on_data = on_data, .on_close = on_close};
static const struct rill_handler serves = {
	.on_data = serve_data, .on_eof = serve_eof, .on_error = serve_error};

/* Each connection sends a byte and has it back, within that time. */
static void
expect_echo_within(ustime time)
{
	ustime end = now + time;

	echoed = 0;
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(rill_write(conns[i], "x", 1), 1);
	while (echoed < CONNS && now < end)
		pass();
	assert_int_equal(echoed, CONNS);
	assert_int_equal(closed, 0);
}

static void
expect_echo(void)
{
	expect_echo_within(SECOND);
}

/* ---- begin and end */

static bool yields; /* the server, where it is in conflict about its address */

static struct rill_stack *
make_stack(const char *name, const char *ip4, const char *ip6, unsigned int lanes)
{
	struct rill_config config;

	config_init(&config, name, ip4, ip6, lanes);
	config.ports[0].ip4_yield = yields;
	config.limits.max_conns = 256;
	config.options.user_timeout_ms = 30000;
	return stack_of(&config);
}

static void
connect_all(void)
{
	struct rill_endpoint remote = {.port = PORT};
	struct rill_listener *listener;

	assert_int_equal(rill_addr_parse("192.0.2.1", &remote.addr), 0);
	assert_int_equal(rill_listen(server, NULL, PORT, NULL, &serves, NULL, &listener), 0);
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(rill_connect(client->runners[0].lane, NULL, &remote, NULL, &asks,
					 NULL, &conns[i]),
			0);
	pass_time(SECOND / 10);
}

static int
begin_lanes(unsigned int lanes)
{
	memset(&nic, 0, sizeof(nic));
	nic.mac = nic.next_mac = (struct rte_ether_addr){{2, 0, 0, 0, 0, 0x10}};
	to_server = make_ring("to_server");
	from_server = make_ring("from_server");
	to_client = make_ring("to_client");
	from_client = make_ring("from_client");
	nic.id = (uint16_t)rte_eth_from_rings("server", &to_server, 1, &from_server, 1, 0);
	rte_eth_from_rings("client", &to_client, 1, &from_client, 1, 0);
	server = NULL;
	server = make_stack("net_ring_server", "192.0.2.1/24", "2001:db8::1/64", lanes);
	client = make_stack("net_ring_client", "192.0.2.2/24", "2001:db8::2/64", 1);
	now = look_at = clock_now_us();
	keeper_begin(server, now);
	server->groups[0].upkeep.watched = true; /* as if it were on a PCI bus */
	nic.starts = 0;
	echoed = closed = told_down = wrong_source = announced = announced6 = 0;
	connect_all();
	expect_echo();
	return 0;
}

static int
begin(void **state)
{
	return begin_lanes(1);
}

static int
begin_carried(void **state)
{
	return begin_lanes(2);
}

static int
begin_yielding(void **state)
{
	yields = true;
	begin_lanes(1);
	yields = false;
	return 0;
}

static int
begin_carried_yielding(void **state)
{
	yields = true;
	begin_lanes(2);
	yields = false;
	return 0;
}

static int
end(void **state)
{
	rill_stack_stop(server);
	keeper_end(server);
	rill_stack_destroy(server);
	rill_stack_destroy(client);
	rte_ring_free(to_server);
	rte_ring_free(from_server);
	rte_ring_free(to_client);
	rte_ring_free(from_client);
	return 0;
}

static struct rill_stats
stats(void)
{
	struct rill_stats all;

	rill_stats_read(server, &all);
	return all;
}

/* Nothing is missing once all is over, and no frame left from an address that was not the NIC's. */
static void
expect_whole(void)
{
	for (int i = 0; i < CONNS; i++)
		rill_close(conns[i]);
	pass_time(2 * SECOND);
	assert_int_equal(closed, CONNS);
	for (unsigned int i = 0; i < server->lanes; i++) {
		struct rill_stats one;

		rill_lane_stats_read(server->runners[i].lane, &one);
		assert_int_equal(one.conns, 0);
		assert_int_equal(one.mbufs, 0);
	}
	assert_int_equal(wrong_source, 0);
	assert_int_equal(stats().conns_reset, 0);
}

#endif
