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
#define PREFIX_DEFAULT 24
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
load_source_at(const struct load_settings *s, unsigned int i, uint32_t n)
{
	struct rill_prefix prefix = s->host.ips[i];

	addr_add(&prefix.addr, n);
	return prefix;
}

/* Addresses in the first target's network, of which nobody has told otherwise. */
static void
default_ips(struct load_settings *s)
{
	for (unsigned int i = 0; i < s->host.devs_count; i++) {
		struct rill_prefix *ip = &s->host.ips[i];

		ip->addr = s->targets[0].addr;
		ip->len = PREFIX_DEFAULT;
		ip->addr.u.ip4[3] = 0;
		addr_add(&ip->addr, HOST_DEFAULT + i * s->sources);
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
	return s->host.gateway.family == 0 || !addr_equals(addr, &s->host.gateway);
}

/* Is it this host's number in its network all ones, which is nobody's address? */
static bool
is_broadcast(const struct rill_prefix *ip)
{
	struct rill_prefix next = *ip;

	addr_add(&next.addr, 1);
	return ip->addr.family == AF_INET && ip->len < 31 && !host_prefix_covers(ip, &next.addr);
}

static enum options_result
check_sources(const struct load_settings *s, unsigned int port)
{
	const struct rill_prefix *ip = &s->host.ips[port];
	char first[RILL_ADDR_STRLEN], text[RILL_ADDR_STRLEN];

	rill_addr_format(&ip->addr, first);
	for (uint32_t n = 0; n < s->sources; n++) {
		struct rill_prefix source = load_source_at(s, port, n);

		rill_addr_format(&source.addr, text);
		if (!host_prefix_covers(ip, &source.addr) || is_broadcast(&source))
			return wrong("--sources %u: run past the network of --ip %s/%u; give fewer, a "
				"lower --ip, or a shorter prefix", s->sources, first, ip->len);
		if (!addr_is_foreign(s, &source.addr))
			return wrong("--ip %s/%u: with --sources %u it takes %s, the address of a target "
				"or gateway; give another --ip", first, ip->len, s->sources, text);
		for (unsigned int other = 0; other < port; other++)
			for (uint32_t m = 0; m < s->sources; m++) {
				struct rill_prefix taken = load_source_at(s, other, m);

				if (addr_equals(&taken.addr, &source.addr))
					return wrong("--ip %s/%u: with --sources %u two devices have %s; "
						"give each --dev addresses of its own", first, ip->len,
						s->sources, text);
			}
	}
	return OPTIONS_RUN;
}

/* Can each target be reached? */
static enum options_result
check_targets(const struct load_settings *s)
{
	char text[RILL_ADDR_STRLEN];

	for (unsigned int t = 0; t < s->targets_count; t++)
		for (unsigned int i = 0; i < s->host.ips_count; i++)
			if (!host_prefix_covers(&s->host.ips[i], &s->targets[t].addr) &&
				host_gateway_port(&s->host) != (int)i)
				return wrong("--target %s: is neither in the network of %s (--ip number %u) "
					"nor behind a gateway of that device; give an --ip in its network, "
					"or --gateway", rill_addr_format(&s->targets[t].addr, text),
					s->host.devs[i].name, i + 1);
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
	if (s->host.ips_count == 0 && s->targets[0].addr.family == AF_INET)
		default_ips(s);
	result = host_check(&s->host, PROGRAM);
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
