/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows from several settings of rill-load, and what contradicts. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "share.h"

#define PROGRAM "rill-load"
/* The host part of the address that is chosen in a target's network of 24 bits. */
#define HOST_DEFAULT 200
#define PREFIX4_DEFAULT 24
#define PREFIX6_DEFAULT 64
/* Requests under way on a connection, where a rate asks for them. */
#define PIPELINE_OF_A_RATE 16

static enum options_result wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static enum options_result
wrong(const char *format, ...)
{
	va_list args;

	fputs(PROGRAM ": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return OPTIONS_WRONG;
}

/* ---- addresses */

uint32_t
load_targets_total(const struct load_settings *s)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < s->targets_count; i++)
		n += s->targets[i].last - s->targets[i].first + 1u;
	return n;
}

struct rill_endpoint
load_target_at(const struct load_settings *s, uint32_t n)
{
	const struct load_target *target = s->targets;

	for (; n > (uint32_t)(target->last - target->first); target++)
		n -= target->last - target->first + 1u;
	return (struct rill_endpoint){.addr = target->addr, .port = (uint16_t)(target->first + n)};
}

/* Adds n to an address, as a number; what overflows is lost. */
static void
addr_add(struct rill_addr *addr, uint32_t n)
{
	uint8_t *first = addr->u.ip6;

	for (uint8_t *at = first + (addr->family == AF_INET6 ? 16 : 4); at > first && n > 0; n >>= 8) {
		n += *--at;
		*at = (uint8_t)n;
	}
}

struct rill_prefix
load_source_at(const struct load_settings *s, unsigned int i, unsigned int ip, uint32_t n)
{
	struct rill_prefix prefix = s->host.ips[i][ip];

	prefix.more = 0;
	addr_add(&prefix.addr, n);
	return prefix;
}

/* The --ip to reach dst from, by its number; -1: none is of that family. */
static int
ip_towards(const struct host *host, unsigned int port, const struct rill_addr *dst)
{
	int first = -1;

	for (unsigned int ip = 0; ip < host->ips_each[port]; ip++) {
		if (host_prefix_covers(&host->ips[port][ip], dst))
			return (int)ip;
		if (first < 0 && host->ips[port][ip].addr.family == dst->family)
			first = (int)ip;
	}
	return first;
}

struct rill_addr
load_source_towards(const struct load_settings *s, unsigned int i, const struct rill_addr *dst,
	uint32_t n)
{
	return load_source_at(s, i, (unsigned int)ip_towards(&s->host, i, dst), n).addr;
}

unsigned int
load_sources(const struct load_settings *s, unsigned int i, struct rill_prefix addrs[RILL_ADDRS_MAX])
{
	unsigned int count = 0;

	for (unsigned int ip = 0; ip < s->host.ips_each[i]; ip++) {
		bool ip6 = s->host.ips[i][ip].addr.family == AF_INET6;

		for (uint32_t n = 0; n < (ip6 ? s->sources : 1); n++)
			addrs[count++] = load_source_at(s, i, ip, n);
		if (!ip6) /* a range */
			addrs[count - 1].more = s->sources - 1;
	}
	return count;
}

/* Addresses in the first target's network, of which nobody has told otherwise. */
static void
default_ips(struct load_settings *s)
{
	bool ip6 = s->targets[0].addr.family == AF_INET6;

	for (unsigned int i = 0; i < s->host.devs_count; i++) {
		struct rill_prefix *ip = &s->host.ips[i][0];

		ip->addr = s->targets[0].addr;
		ip->len = ip6 ? PREFIX6_DEFAULT : PREFIX4_DEFAULT;
		if (ip6)
			memset(ip->addr.u.ip6 + PREFIX6_DEFAULT / 8, 0,
				sizeof(ip->addr.u.ip6) - PREFIX6_DEFAULT / 8);
		else
			ip->addr.u.ip4[3] = 0;
		addr_add(&ip->addr, HOST_DEFAULT + i * s->sources);
		s->host.ips_each[i] = 1;
	}
	s->host.ips_count = s->host.devs_count;
}

static bool
addr_equals(const struct rill_addr *a, const struct rill_addr *b)
{
	return a->family == b->family &&
		memcmp(a->u.ip6, b->u.ip6, a->family == AF_INET6 ? 16 : 4) == 0;
}

static bool
addr_is_foreign(const struct load_settings *s, const struct rill_addr *addr)
{
	for (unsigned int i = 0; i < s->targets_count; i++)
		if (addr_equals(addr, &s->targets[i].addr))
			return false;
	return !addr_equals(addr, host_gateway(&s->host, addr->family));
}

/* Is it this host's number in its network all ones, which is nobody's address? */
static bool
is_broadcast(const struct rill_prefix *ip)
{
	struct rill_prefix next = *ip;

	addr_add(&next.addr, 1);
	return ip->addr.family == AF_INET && ip->len < 31 && !host_prefix_covers(ip, &next.addr);
}

/* The last four bytes of an address, as a number. */
static uint32_t
tail_of(const struct rill_addr *addr)
{
	const uint8_t *at = addr->u.ip6 + (addr->family == AF_INET6 ? 12 : 0);

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Is it first, or one of the count - 1 that follow? */
static bool
is_among(const struct rill_addr *addr, const struct rill_addr *first, uint32_t count)
{
	return addr->family == first->family &&
		(addr->family == AF_INET || memcmp(addr->u.ip6, first->u.ip6, 12) == 0) &&
		tail_of(addr) - tail_of(first) < count;
}

/* Has an --ip before this one that address among its sources? */
static bool
is_taken(const struct load_settings *s, unsigned int port, unsigned int ip,
	const struct rill_addr *addr)
{
	for (unsigned int other = 0; other <= port; other++)
		for (unsigned int i = 0; i < (other == port ? ip : s->host.ips_each[other]); i++)
			if (is_among(addr, &s->host.ips[other][i].addr, s->sources))
				return true;
	return false;
}

static enum options_result
check_sources_of(const struct load_settings *s, unsigned int port, unsigned int number)
{
	const struct rill_prefix *ip = &s->host.ips[port][number];
	char first[RILL_ADDR_STRLEN], text[RILL_ADDR_STRLEN];

	rill_addr_format(&ip->addr, first);
	for (uint32_t n = 0; n < s->sources; n++) {
		struct rill_prefix source = load_source_at(s, port, number, n);

		rill_addr_format(&source.addr, text);
		if (!host_prefix_covers(ip, &source.addr) || is_broadcast(&source))
			return wrong("--sources %u: run past the network of --ip %s/%u; give fewer, a "
				"lower --ip, or a shorter prefix", s->sources, first, ip->len);
		if (!addr_is_foreign(s, &source.addr))
			return wrong("--ip %s/%u: with --sources %u it takes %s, the address of a target "
				"or gateway; give another --ip", first, ip->len, s->sources, text);
		if (is_taken(s, port, number, &source.addr))
			return wrong("--ip %s/%u: with --sources %u two devices have %s; give each --dev "
				"addresses of its own", first, ip->len, s->sources, text);
	}
	return OPTIONS_RUN;
}

static enum options_result
check_sources(const struct load_settings *s, unsigned int port)
{
	unsigned int ips = s->host.ips_each[port], ips6 = 0;
	enum options_result result = OPTIONS_RUN;

	for (unsigned int ip = 0; ip < ips; ip++)
		ips6 += s->host.ips[port][ip].addr.family == AF_INET6;
	if (ips6 > 0 && s->sources > (RILL_ADDRS_MAX - (ips - ips6)) / ips6)
		return wrong("--sources %u: of each of %u addresses of IPv6 are more than a port may have; "
			"give at most %u", s->sources, ips6, (RILL_ADDRS_MAX - (ips - ips6)) / ips6);
	for (unsigned int ip = 0; result == OPTIONS_RUN && ip < ips; ip++)
		result = check_sources_of(s, port, ip);
	return result;
}

static bool
is_routed(const struct host *host, unsigned int port, const struct rill_addr *target)
{
	for (unsigned int i = 0; i < host->routes_count; i++)
		if (host_prefix_covers(&host->routes[i].dst, target) &&
			host_port_of(host, &host->routes[i].gateway) == (int)port)
			return true;
	return false;
}

static bool
is_reachable(const struct host *host, unsigned int port, const struct rill_addr *target)
{
	return ip_towards(host, port, target) >= 0 &&
	       (host_port_covers(host, port, target) ||
		       host_gateway_port(host, target->family) == (int)port ||
		       is_routed(host, port, target));
}

/* Can each target be reached? */
static enum options_result
check_targets(const struct load_settings *s)
{
	char text[RILL_ADDR_STRLEN];

	for (unsigned int t = 0; t < s->targets_count; t++)
		for (unsigned int i = 0; i < s->host.ips_count; i++)
			if (!is_reachable(&s->host, i, &s->targets[t].addr))
				return wrong("--target %s: is neither in the network of %s (--ip number %u) "
					"nor behind a gateway of that device; give an --ip in its network, "
					"or --gateway", rill_addr_format(&s->targets[t].addr, text),
					s->host.devs[i].name, i + 1);
	return OPTIONS_RUN;
}

/* An --ip that is a range says how many sources there are. */
static enum options_result
take_ranges(struct load_settings *s)
{
	char text[RILL_ADDR_STRLEN];

	for (unsigned int i = 0; i < s->host.ips_count; i++)
		for (unsigned int ip = 0; ip < s->host.ips_each[i]; ip++) {
			const struct rill_prefix *range = &s->host.ips[i][ip];

			if (range->more == 0)
				continue;
			if (s->sources != 1 && s->sources != range->more + 1)
				return wrong("--ip %s: is a range of %u sources, and others have %u; give "
					"ranges of one length, or --sources and first addresses",
					rill_addr_format(&range->addr, text), range->more + 1,
					s->sources);
			s->sources = range->more + 1;
		}
	return OPTIONS_RUN;
}

static enum options_result
finish_addresses(struct load_settings *s)
{
	enum options_result result;

	if (s->targets_count == 0)
		return wrong("--target: is missing; give the server's address and port, such as "
			"--target 10.0.0.2:7000");
	host_default_dev(&s->host);
	if (s->host.ips_count == 0)
		default_ips(s);
	result = host_check(&s->host, PROGRAM);
	if (result == OPTIONS_RUN)
		result = take_ranges(s);
	for (unsigned int i = 0; result == OPTIONS_RUN && i < s->host.ips_count; i++)
		result = check_sources(s, i);
	return result == OPTIONS_RUN ? check_targets(s) : result;
}

/* ---- work */

static enum options_result
check_rates(const struct load_settings *s)
{
	if (s->rate > 0 && s->mix[LOAD_ECHO] == 0)
		return wrong("--rate %u: is for requests on held connections, of which mode %s has "
			"none; give %s", s->rate, load_kind_name(s->mode),
			s->mix[LOAD_CONNECT] > 0 ? "--connect-rate" : "--mode echo");
	if (s->connect_rate > 0 && s->mix[LOAD_CONNECT] == 0)
		return wrong("--connect-rate %u: is for mode connect, and this is mode %s; give --mode "
			"connect%s", s->connect_rate, load_kind_name(s->mode),
			s->mix[LOAD_ECHO] > 0 ? ", or --rate" : "");
	if (s->closed && s->rate == 0 && s->connect_rate == 0)
		return wrong("--loop closed: says how a rate is kept, and there is none; give --rate N "
			"too, or leave it out");
	return OPTIONS_RUN;
}

static enum options_result
check_exchange(const struct load_settings *s)
{
	bool echo = s->mix[LOAD_ECHO] > 0;

	if (s->text_len > 0 && s->request != s->text_len)
		return wrong("--request %u: --text is a request of %u bytes; leave one of them out",
			s->request, s->text_len);
	if (s->reply_eof && (echo || s->mix[LOAD_CONNECT] == 0))
		return wrong("--reply eof: a reply ends with its connection in mode connect only; give "
			"--mode connect, or the reply's bytes");
	if (echo && (s->request == 0 || s->reply == 0))
		return wrong("--%s 0: mode %s sends requests and counts replies; give 1 or more",
			s->request == 0 ? "request" : "reply", load_kind_name(s->mode));
	if (s->mix[LOAD_UPLOAD] > 0 && s->request == 0)
		return wrong("--request 0: mode %s sends such pieces; give 1 or more",
			load_kind_name(s->mode));
	if (s->verify && (s->reply_eof || s->reply != s->request || s->request == 0))
		return wrong("--verify: a reply can be compared if it is as long as its request; leave "
			"--reply out");
	return OPTIONS_RUN;
}

/* As many as the lane with the most has must have ports. */
static enum options_result
check_ports(const struct load_settings *s)
{
	uint64_t pairs = (uint64_t)s->sources * load_targets_total(s);
	uint32_t most = share_part(s->connections, 0, s->host.devs_count);

	if (most > pairs * LOAD_PORTS_EACH)
		return wrong("--connections %u: are more than the ports of %u source address%s for %u "
			"target%s; give --sources %u, or targets with ranges of ports", s->connections,
			s->sources, s->sources == 1 ? "" : "es", load_targets_total(s),
			load_targets_total(s) == 1 ? "" : "s",
			(unsigned int)(most / LOAD_PORTS_EACH / load_targets_total(s) + 1));
	return OPTIONS_RUN;
}

enum options_result
load_settings_finish(void *settings)
{
	struct load_settings *s = settings;
	enum options_result result = finish_addresses(s);

	if (result != OPTIONS_RUN)
		return result;
	if (s->mode < LOAD_KINDS) {
		memset(s->mix, 0, sizeof(s->mix));
		s->mix[s->mode] = 1;
	}
	if (!s->reply_given)
		s->reply = s->request;
	if (s->pipeline == 0)
		s->pipeline = s->rate > 0 ? PIPELINE_OF_A_RATE : 1;
	result = check_rates(s);
	if (result == OPTIONS_RUN)
		result = check_exchange(s);
	return result == OPTIONS_RUN ? check_ports(s) : result;
}
