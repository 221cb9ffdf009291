/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_HOST_H
#define APPS_HOST_H

/*
 * The host that a program is on its networks: devices, addresses, gateway, lanes, and what all its
 * connections share. Settings that every program has, and the stack that is made from them.
 *
 * struct host is the first member of a program's settings; HOST_OPTION_ROWS are rows of its table.
 */

#include <stdint.h>
#include <stdio.h>

#include <rill/stack.h>

#include "options.h"

/* Room for an argument of --dev or --eal. */
#define HOST_TEXT_LEN 256
/* Addresses that one --ip may give. */
#define HOST_IPS_MAX 8

struct host_dev {
	char spec[HOST_TEXT_LEN]; /* as given: NAME[,args] */
	char name[HOST_TEXT_LEN]; /* NAME */
};

struct host {
	struct host_dev devs[RILL_PORTS_MAX];
	unsigned int devs_count;
	struct rill_prefix ips[RILL_PORTS_MAX][HOST_IPS_MAX]; /* of each port, in the order given */
	unsigned int ips_each[RILL_PORTS_MAX];
	unsigned int ips_count;             /* ports that have some: times that --ip is given */
	struct rill_addr gateway, gateway6; /* family 0: none */
	struct rill_route routes[RILL_ROUTES_MAX]; /* each is its gateway's port's */
	unsigned int routes_count;
	bool ip4_probe, ip4_yield;
	char exception[HOST_TEXT_LEN]; /* empty: none */
	bool ip6_autoconf, ip6_unprobed;
	uint32_t lanes, vlan, mtu, msl_ms, idle_sleep_us;
	enum rill_tso tso;
	enum rill_cc congestion_control;
	char eal[HOST_TEXT_LEN]; /* empty: Rill chooses */
};

int host_set_dev(void *settings, const struct option_def *def, const char *value, char *why);
int host_set_ip(void *settings, const struct option_def *def, const char *value, char *why);
int host_set_gateway(void *settings, const struct option_def *def, const char *value, char *why);
int host_set_route(void *settings, const struct option_def *def, const char *value, char *why);
int host_set_exception(void *settings, const struct option_def *def, const char *value, char *why);
int host_set_congestion_control(
	void *settings, const struct option_def *def, const char *value, char *why);
int host_set_tso(void *settings, const struct option_def *def, const char *value, char *why);
int host_set_eal(void *settings, const struct option_def *def, const char *value, char *why);
void host_clear_devs(void *settings);
void host_clear_ips(void *settings);
void host_clear_routes(void *settings);

/* ip_help says what --ip means to this program. */
#define HOST_OPTION_ROWS(ip_help)                                                                  \
	{"dev", "NAME[,args]", "a DPDK device, virtual or by PCI address (default net_tap0); each " \
		"is a port with lanes of its own", host_set_dev, .clear = host_clear_devs},       \
	{"ip", "ADDR/LEN[,ADDR/LEN...]", ip_help, host_set_ip, .clear = host_clear_ips},           \
	{"gateway", "ADDR", "the default route of its family, through the port in whose network it " \
		"lies; one of IPv4, one of IPv6 (default none)", host_set_gateway},                \
	{"ip6-autoconf", NULL, "listens to IPv6 routers: default routes, networks, addresses, MTU",  \
		option_set_flag, offsetof(struct host, ip6_autoconf)},                             \
	{"ip6-unprobed", NULL, "uses IPv6 addresses at once, without asking for 1 s to 2 s whether "   \
		"somebody has them", option_set_flag, offsetof(struct host, ip6_unprobed)},          \
	{"route", "NET/LEN,GATEWAY[,METRIC]", "a route through the port in whose network the gateway " \
		"lies; of several to one network, the lowest metric whose gateway answers (default " \
		"none, metric 0)", host_set_route, .clear = host_clear_routes},            \
	{"ip4-probe", NULL, "asks for 4 s to 7 s whether another host has an address of IPv4, before " \
		"it is used", option_set_flag, offsetof(struct host, ip4_probe)},          \
	{"ip4-yield", NULL, "gives an address of IPv4 up that another host claims twice within 10 s, " \
		"instead of defending it", option_set_flag, offsetof(struct host, ip4_yield)}, \
	{"exception", "NAME,iface=IFACE", "hands what is not for this program to the kernel, through " \
		"the interface of this device (net_tap or net_virtio_user; default none)",         \
		host_set_exception},                                                               \
	{"lanes", "N", "lanes, each a core, shared out evenly among the devices; 0: one for each " \
		"--dev (default 0)", option_set_count, offsetof(struct host, lanes), 0,            \
		RILL_LANES_MAX},                                                                   \
	{"vlan", "ID", "the VLAN that every --dev is in, 1 to 4094; 0: none (default 0)",          \
		option_set_count, offsetof(struct host, vlan), 0, 4094},                           \
	{"tso", "auto|off", "who cuts segments: auto: the device, where it can; off: Rill (default " \
		"auto)", host_set_tso},                                                            \
	{"mtu", "BYTES", "largest IP packet; 0: what the device has (default 0)",                  \
		option_set_count, offsetof(struct host, mtu), 0, 65535},                           \
	{"congestion-control", "cubic|newreno|dctcp|bbr|none",                                     \
		"how much may be in flight (default cubic)", host_set_congestion_control},         \
	{"msl", "MS", "maximum segment lifetime in milliseconds: half of TIME-WAIT; 0: Rill's "    \
		"default (default 0)", option_set_count, offsetof(struct host, msl_ms), 0, 255000}, \
	{"idle-sleep", "US", "an idle lane sleeps for that many microseconds at most; 0: it "      \
		"polls (default 0)", option_set_count, offsetof(struct host, idle_sleep_us), 0,    \
		1000000},                                                                          \
	{"eal", "ARGS", "arguments for DPDK's EAL instead of those that are chosen", host_set_eal}

/* Puts the default device where none was given. */
void host_default_dev(struct host *host);

/* Checks what concerns several options. Returns OPTIONS_RUN, or OPTIONS_WRONG after a sentence on
 * stderr that begins with the program's name. */
enum options_result host_check(const struct host *host, const char *program);

bool host_prefix_covers(const struct rill_prefix *prefix, const struct rill_addr *addr);

/* Does one of the port's networks cover it? */
bool host_port_covers(const struct host *host, unsigned int port, const struct rill_addr *addr);

/* The port through which this gateway is reached; -1: none. */
int host_port_of(const struct host *host, const struct rill_addr *gateway);

/* The gateway of a family, and the port of whose network it is part; -1: there is none. A link-local one
 * is the first port's that has IPv6. */
const struct rill_addr *host_gateway(const struct host *host, uint8_t family);
int host_gateway_port(const struct host *host, uint8_t family);

/* Writes the defaults of Rill, and what host says, into config. */
void host_configure(const struct host *host, struct rill_config *config);

/* Words in --eal. */
#define HOST_EAL_WORDS_MAX 32

/* Puts --eal into config, cut at its blanks into words that point into text; both are the caller's. */
void host_configure_eal(const struct host *host, struct rill_config *config, char text[HOST_TEXT_LEN],
	const char *words[HOST_EAL_WORDS_MAX]);

/* rill_stack_create with --eal; a failure is said on stderr. Returns 0 or a negative errno. */
int host_create_stack(const struct host *host, const char *program, struct rill_config *config,
	struct rill_stack **stack);

#define HOST_IP_LEN (2 * RILL_ADDR_STRLEN + 8)

/* "10.1.0.1/24" or "10.1.0.1-10.1.255.254/16", as --ip takes it, into text. Returns text. */
const char *host_format_ip(const struct rill_prefix *ip, char text[HOST_IP_LEN]);

/* Says of each port with several lanes who spreads between them. */
void host_say_spread(
	const struct host *host, const char *program, const struct rill_stack *stack, FILE *to);

/* Says on stderr what failed, with Rill's sentence if there is one. Returns rc. */
int host_failed(const char *program, const char *what, int rc);

/* The exit status of a program that ends with rc: one for values that Rill refuses, one for the rest. */
int host_exit_status(int rc);

#endif
