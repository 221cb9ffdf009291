/* SPDX-License-Identifier: BSD-3-Clause */
/* The lane's life: making and ending it. The turn is in turn.c. */
#include "lane.h"

#include <errno.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "close.h"
#include "errtext.h"

#define VLAN_PRIORITY_SHIFT 13

/* Everything but tcp: 0 or a negative errno. */
static int
lane_make_net(struct rill_lane *lane, const struct lane_setup *setup)
{
	const struct rill_lane_config *config = &setup->config;
	const struct net_setup net = {
		.netif = &lane->netif,
		.wheel = &lane->wheel,
		.neighbor_kind = TIMER_NEIGHBOR,
		.announce_kind = TIMER_ANNOUNCE,
		.fragments_kind = TIMER_FRAGMENTS,
		.secret = config->secret,
		.name = config->name,
		.numa_node = config->numa_node,
		.now = setup->now,
	};

	lane->netif = (struct netif){
		.ethernet = config->ethernet,
		.silent = setup->silent,
		.vlan_tci = (uint16_t)(config->vlan_priority << VLAN_PRIORITY_SHIFT | config->vlan),
		.mtu = config->mtu,
		.caps = setup->netif_caps,
		.tx_chain_max = setup->tx_chain_max,
		.tso_chain_max = setup->tso_chain_max,
		.control_pool = setup->control_pool,
		.wait_pool = setup->buf_pool,
		.counters = &lane->counters,
		.exceptions = setup->exceptions ? &lane->exceptions : NULL,
	};
	memcpy(lane->netif.mac.addr_bytes, config->mac, sizeof(config->mac));
	lane->mailbox = mailbox_create(config->name, config->numa_node);
	lane->net = net_create(&net);
	return lane->mailbox == NULL || lane->net == NULL ? -ENOMEM : 0;
}

static int
lane_make_tcp(struct rill_lane *lane, const struct lane_setup *setup)
{
	const struct rill_lane_config *config = &setup->config;
	const struct tcp_setup tcp = {
		.lane = lane,
		.limits = config->limits,
		.options = config->options,
		.secret = config->secret,
		.wheel = &lane->wheel,
		.outbox = &lane->outbox,
		.netif = &lane->netif,
		.net = lane->net,
		.counters = &lane->counters,
		.rx_pool = setup->rx_pool,
		.buf_pool = setup->buf_pool,
		.control_pool = setup->control_pool,
		.rx_reserve = setup->rx_reserve,
		.conn_timer_kind = TIMER_CONN,
		.half_open_timer_kind = TIMER_SYN_RECEIVED,
		.timewait_timer_kind = TIMER_TIME_WAIT,
		.numa_node = config->numa_node,
		.now = setup->now,
	};

	return tcp_init(&lane->tcp, &tcp);
}

/* The default route of a family; none to a gateway of family 0. */
static int
lane_route(struct rill_lane *lane, const struct rill_addr *gateway)
{
	const struct rill_prefix everywhere = {.addr.family = gateway->family};
	char text[RILL_ADDR_STRLEN];
	int rc = gateway->family == 0 ? 0 : net_route_add(lane->net, &everywhere, gateway, 0);

	if (rc == 0)
		return 0;
	return error_set(rc,
		"gateway %s cannot be used: it must lie on the network of one of the addresses",
		rill_addr_format(gateway, text));
}

static int
lane_routes(struct rill_lane *lane)
{
	const struct rill_lane_config *config = &lane->setup.config;
	char dst[RILL_ADDR_STRLEN], via[RILL_ADDR_STRLEN];

	for (unsigned int i = 0; i < config->routes_count; i++) {
		const struct rill_route *route = &config->routes[i];
		int rc = net_route_add(lane->net, &route->dst, &route->gateway, route->metric);

		if (rc != 0)
			return error_set(rc,
				"the route to %s/%u by %s cannot be used: its network must not be one of "
				"the addresses', nor another route with its metric",
				rill_addr_format(&route->dst.addr, dst), route->dst.len,
				rill_addr_format(&route->gateway, via));
	}
	return 0;
}

static int
lane_configure(struct rill_lane *lane)
{
	const struct rill_lane_config *config = &lane->setup.config;
	const struct net_ip6 ip6 = {
		.unprobed = config->ip6_unprobed,
		.mld = true,
		.autoconf = config->ip6_autoconf,
		.key = siphash_derive(config->secret, "ip6"),
	};
	const struct net_ip4 ip4 = {.probe = config->ip4_probe, .yield = config->ip4_yield};
	char text[RILL_ADDR_STRLEN];
	int rc;

	net_set_ip4(lane->net, &ip4);
	rc = net_set_ip6(lane->net, &ip6, lane->now);

	if (rc != 0)
		return error_set(rc, "ip6_autoconf: IPv6 needs a link of 1280 bytes, and memory: mtu is %u",
			lane->netif.mtu);
	for (unsigned int i = 0; i < config->addrs_count; i++) {
		rc = net_addr_add(lane->net, &config->addrs[i], lane->now);
		if (rc != 0)
			return error_set(rc,
				"address %s/%u cannot be used: give each lane unicast addresses, each once",
				rill_addr_format(&config->addrs[i].addr, text),
				config->addrs[i].len);
	}
	rc = lane_route(lane, &config->gateway);
	if (rc == 0)
		rc = lane_route(lane, &config->gateway6);
	return rc == 0 ? lane_routes(lane) : rc;
}

static int
lane_make(struct rill_lane *lane, const struct lane_setup *setup)
{
	int rc;

	lane->setup = *setup;
	lane->now = setup->now;
	lane->stack = setup->stack;
	lane->index = setup->index;
	outbox_set_credit(&lane->outbox, OUTBOX_SIZE);
	wheel_init(&lane->wheel, setup->now);
	rc = lane_make_net(lane, setup);
	if (rc == 0)
		rc = lane_make_tcp(lane, setup);
	if (rc != 0)
		return error_set(rc,
			rc == -ENOSPC
				? "more than %u lanes in one process"
				: "no memory for a lane's tables: lower max_conns (%u) or the other limits",
			rc == -ENOSPC ? TCP_ENGINES_MAX : setup->config.limits.max_conns);
	return lane_configure(lane);
}

int
lane_create(const struct lane_setup *setup, struct rill_lane **out)
{
	struct rill_lane *lane = rte_zmalloc_socket(
		"rill", sizeof(*lane), RTE_CACHE_LINE_SIZE, setup->config.numa_node);
	struct owner *before;
	int rc;

	if (lane == NULL)
		return error_set(-ENOMEM, "no memory for a lane of %zu bytes", sizeof(*lane));
	before = owner_enter(&lane->owner);
	rc = lane_make(lane, setup);
	owner_leave(&lane->owner, before);
	if (rc != 0) {
		lane_destroy(lane);
		return rc;
	}
	*out = lane;
	return 0;
}

void
lane_stop_accepting(struct rill_lane *lane)
{
	lane->tcp.accepting = false;
	lane->stopping = true;
}

void
lane_abort_some(struct rill_lane *lane, enum rill_close_reason why)
{
	tcp_abort_all(&lane->tcp, why, false);
}

uint32_t
lane_conns(const struct rill_lane *lane)
{
	return lane->tcp.conns.used;
}

void
lane_destroy(struct rill_lane *lane)
{
	if (lane->tcp.conns.base != NULL) {
		lane_stop_accepting(lane);
		/* on_close may do anything but open: until nothing is left. */
		while (lane_conns(lane) > 0) {
			tcp_abort_all(&lane->tcp, RILL_CLOSE_STOPPED, true);
			tcp_reap(&lane->tcp);
		}
		tcp_fini(&lane->tcp);
	}
	if (lane->net != NULL)
		net_destroy(lane->net);
	for (; outbox_count(&lane->outbox) > 0; lane->outbox.taken++)
		rte_pktmbuf_free(lane->outbox.ring[lane->outbox.taken & (OUTBOX_SIZE - 1)]);
	rte_pktmbuf_free_bulk(lane->exceptions.frames, lane->exceptions.count);
	if (lane->mailbox != NULL)
		mailbox_destroy(lane->mailbox);
	siblings_leave(lane);
	rte_free(lane);
}
