/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of rill-load: each is taken over, what is not said follows from what is, and what is
 * wrong or contradicts is refused by one sentence that names it and what to give instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "option_talk.h"
#include "settings.h"

static const char *source_root;

static struct load_settings s;

static enum options_result
parse(const char *line)
{
	return option_talk(&load_options, &s, line);
}

static void
assert_addr(struct rill_addr addr, const char *text)
{
	char buf[RILL_ADDR_STRLEN];

	assert_string_equal(rill_addr_format(&addr, buf), text);
}

static void
test_a_target_is_enough(void **state)
{
	assert_int_equal(parse("--target 10.0.0.2:7000"), OPTIONS_RUN);
	assert_int_equal(s.mode, LOAD_ECHO);
	assert_int_equal(s.connections, 100);
	assert_int_equal(s.rate, 0);
	assert_int_equal(s.pipeline, 1);
	assert_int_equal(s.request, 64);
	assert_int_equal(s.reply, 64);
	assert_string_equal(s.host.devs[0].name, "net_tap0");
	assert_int_equal(s.host.ips_count, 1);
	assert_addr(s.host.ips[0][0].addr, "10.0.0.200");
	assert_int_equal(s.host.ips[0][0].len, 24);
	assert_int_equal(s.mix[LOAD_ECHO], 1);
	assert_int_equal(s.mix[LOAD_CONNECT] + s.mix[LOAD_IDLE] + s.mix[LOAD_UPLOAD], 0);
}

static void
test_every_option(void **state)
{
	assert_int_equal(parse("--target 10.0.0.2:80-89 --target 10.0.1.2:7000 --mode mixed --mix "
		"echo=3,connect=1,download=2 --connections 5k --rate 1000 --connect-rate 10 --loop closed "
		"--arrivals random --pipeline 3 --request 1k --reply 100 --close reset --time 2.5 "
		"--warmup 0 --open-timeout 9 --opening 7 --sources 4 --buffers 5000 --json --dev "
		"net_tap1,iface=x --ip 10.0.0.7/16 --gateway 10.0.9.9 --lanes 1 --mtu 1400 --msl 1000 "
		"--idle-sleep 5 --congestion-control bbr"), OPTIONS_WRONG); /* 5k is no count */
	assert_int_equal(parse("--target 10.0.0.2:80-89 --target 10.0.1.2:7000 --mode mixed --mix "
		"echo=3,connect=1,download=2 --connections 5000 --rate 1000 --connect-rate 10 --loop "
		"closed --arrivals random --pipeline 3 --request 1k --reply 100 --close reset --time 2.5 "
		"--warmup 0 --open-timeout 9 --opening 7 --sources 4 --buffers 5000 --json --dev "
		"net_tap1,iface=x --ip 10.0.0.7/16 --gateway 10.0.9.9 --lanes 1 --mtu 1400 --msl 1000 "
		"--idle-sleep 5 --congestion-control bbr"), OPTIONS_RUN);
	assert_int_equal(s.targets_count, 2);
	assert_int_equal(s.mode, LOAD_KINDS);
	assert_int_equal(s.mix[LOAD_ECHO], 3);
	assert_int_equal(s.mix[LOAD_IDLE], 0);
	assert_int_equal(s.connections, 5000);
	assert_int_equal(s.rate, 1000);
	assert_int_equal(s.connect_rate, 10);
	assert_true(s.closed && s.random && s.reset && s.json);
	assert_int_equal(s.pipeline, 3);
	assert_int_equal(s.request, 1024);
	assert_int_equal(s.reply, 100);
	assert_int_equal(s.time_ms, 2500);
	assert_int_equal(s.warmup_ms, 0);
	assert_int_equal(s.open_timeout_ms, 9000);
	assert_int_equal(s.opening, 7);
	assert_int_equal(s.sources, 4);
	assert_int_equal(s.buffers, 5000);
	assert_int_equal(s.host.congestion_control, RILL_CC_BBR);
	assert_int_equal(parse("--target 10.0.0.2:7 --rate max"), OPTIONS_RUN);
	assert_int_equal(s.rate, 0);
	assert_int_equal(parse("--target 10.0.0.2:7 --rate 5"), OPTIONS_RUN);
	assert_int_equal(s.pipeline, 16);
}

/* Endpoints in order, ranges of ports and several targets alike; sources after one another. */
static void
test_targets_and_sources(void **state)
{
	assert_int_equal(parse("--target 10.0.0.2:80-82 --target 10.0.0.3:7 --ip 10.0.0.254/16 "
		"--sources 4"), OPTIONS_RUN);
	assert_int_equal(load_targets_total(&s), 4);
	assert_int_equal(load_target_at(&s, 0).port, 80);
	assert_int_equal(load_target_at(&s, 2).port, 82);
	assert_int_equal(load_target_at(&s, 3).port, 7);
	assert_addr(load_target_at(&s, 3).addr, "10.0.0.3");
	assert_addr(load_source_at(&s, 0, 0, 1).addr, "10.0.0.255");
	assert_addr(load_source_at(&s, 0, 0, 3).addr, "10.0.1.1");
	assert_int_equal(load_source_at(&s, 0, 0, 3).len, 16);
	/* Each device has addresses of its own, also when none are given. */
	assert_int_equal(parse("--target 10.0.0.2:7 --dev net_tap0 --dev net_tap1 --sources 3"),
		OPTIONS_RUN);
	assert_addr(s.host.ips[0][0].addr, "10.0.0.200");
	assert_addr(s.host.ips[1][0].addr, "10.0.0.203");
}

/* Several routes to one network, for a target that lies in it. */
static void
test_routes(void **state)
{
	struct rill_config config;

	assert_int_equal(parse("--target 9.0.0.2:7 --ip 10.0.0.5/24 --route 9.0.0.0/8,10.0.0.1 "
		"--route 9.0.0.0/8,10.0.0.2,10"), OPTIONS_RUN);
	host_configure(&s.host, &config);
	assert_int_equal(config.ports[0].routes_count, 2);
	assert_addr(config.ports[0].routes[1].dst.addr, "9.0.0.0");
	assert_addr(config.ports[0].routes[1].gateway, "10.0.0.2");
	assert_int_equal(config.ports[0].routes[1].metric, 10);
}

/* A /16 of sources, said as a range or as a number, is one range of the port's. */
static void
test_a_range_of_sources(void **state)
{
	static const char *const spelled[] = {
		"--target 10.1.255.255:7 --ip 10.1.0.1-10.1.255.254/8",
		"--target 10.1.255.255:7 --ip 10.1.0.1/8 --sources 65534",
	};
	struct rill_prefix addrs[RILL_ADDRS_MAX];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(parse(spelled[i]), OPTIONS_RUN);
		assert_int_equal(s.sources, 65534);
		assert_int_equal(load_sources(&s, 0, addrs), 1);
		assert_addr(addrs[0].addr, "10.1.0.1");
		assert_int_equal(addrs[0].more, 65533);
		assert_addr(load_source_at(&s, 0, 0, 65533).addr, "10.1.255.254");
		assert_int_equal(load_source_at(&s, 0, 0, 5).more, 0);
	}
}

/* Each target is reached from an address of its family, of its network if there is one. */
static void
test_both_families(void **state)
{
	struct rill_prefix addrs[RILL_ADDRS_MAX];
	struct rill_addr targets[2];

	assert_int_equal(parse("--target [2001:db8::2]:7000"), OPTIONS_RUN);
	assert_addr(s.host.ips[0][0].addr, "2001:db8::c8");
	assert_int_equal(s.host.ips[0][0].len, 64);
	assert_int_equal(parse("--target 10.0.0.2:7 --target [2001:db8::2]:7 --ip "
		"10.0.0.7/24,2001:db8:1::7/64,2001:db8::7/64 --sources 3"), OPTIONS_RUN);
	targets[0] = load_target_at(&s, 0).addr;
	targets[1] = load_target_at(&s, 1).addr;
	assert_addr(load_source_towards(&s, 0, &targets[0], 2), "10.0.0.9");
	assert_addr(load_source_towards(&s, 0, &targets[1], 1), "2001:db8::8");
	assert_int_equal(load_sources(&s, 0, addrs), 7); /* of IPv4, one range */
	assert_int_equal(addrs[0].more, 2);
	assert_addr(addrs[3].addr, "2001:db8:1::9");
	assert_int_equal(parse("--target [2001:db8:5::2]:7 --ip 10.0.0.7/24,2001:db8::7/64 --gateway "
		"fe80::1"), OPTIONS_RUN);
	targets[0] = load_target_at(&s, 0).addr;
	assert_addr(load_source_towards(&s, 0, &targets[0], 0), "2001:db8::7");
}

static void
test_text(void **state)
{
	assert_int_equal(parse("--target 10.0.0.2:7 --text GET\\x20/\\r\\n\\t\\\\\\0"), OPTIONS_RUN);
	assert_int_equal(s.request, 10);
	assert_memory_equal(s.text, "GET /\r\n\t\\\0", 10);
	assert_int_equal(s.text_len, 10);
	assert_int_equal(s.reply, 10);
	assert_int_equal(parse("--target 10.0.0.2:7 --text \\0x"), OPTIONS_RUN);
	assert_int_equal(s.text_len, 2); /* a text, though it begins with 0 */
}

/* The last of a kind's shares counts. */
static void
test_mix(void **state)
{
	assert_int_equal(parse("--target 10.0.0.2:7 --mode mixed --mix echo=0,idle=2,echo=5"),
		OPTIONS_RUN);
	assert_int_equal(s.mix[LOAD_ECHO], 5);
	assert_int_equal(s.mix[LOAD_IDLE], 2);
	assert_int_equal(s.mix[LOAD_CONNECT], 0);
}

static void
test_wrong_options(void **state)
{
	static const struct option_wrong_case cases[] = {
		{"", "--target", "10.0.0.2:7000"},
		{"--target 10.0.0.2", "--target 10.0.0.2", "10.0.0.2:7000"},
		{"--target 10.0.0.2:0", "--target 10.0.0.2:0", "10.0.0.2:7000"},
		{"--target 10.0.0.2:9-8", "--target", "10.0.0.2:7000-7015"},
		{"--target 10.0.0.2:65530-65536", "--target", "10.0.0.2:7000-7015"},
		{"--target 10.0.0:7", "--target", "10.0.0.2:7000"},
		{"--traget 10.0.0.2:7", "--traget", "--target"},
		{"--target 10.0.0.2:7 --mode flood", "--mode flood", "echo, connect"},
		{"--target 10.0.0.2:7 --mix echo", "--mix echo", "echo=60"},
		{"--target 10.0.0.2:7 --mix ping=3", "--mix ping=3", "echo=60"},
		{"--target 10.0.0.2:7 --mix echo=0", "--mix echo=0", "echo=60"},
		{"--target 10.0.0.2:7 --mix echo=5,echo=0", "--mix echo=5", "echo=60"},
		{"--target 10.0.0.2:7 --text ping --request 5000", "--request 5000", "leave one"},
		{"--target 10.0.0.2:7 --request 3 --text ping --request 3", "--request 3", "4 bytes"},
		{"--target 10.0.0.2:7 --loop wide", "--loop wide", "open or closed"},
		{"--target 10.0.0.2:7 --arrivals late", "--arrivals late", "even or random"},
		{"--target 10.0.0.2:7 --close softly", "--close softly", "fin or reset"},
		{"--target 10.0.0.2:7 --rate much", "--rate much", "0 to 100000000"},
		{"--target 10.0.0.2:7 --text \\q", "--text \\q", "\\xHH"},
		{"--target 10.0.0.2:7 --json=yes", "--json=yes", "--json alone"},
		{"--target 10.0.0.2:7 --mode idle --rate 5", "--rate 5", "--mode echo"},
		{"--target 10.0.0.2:7 --mode connect --rate 5", "--rate 5", "--connect-rate"},
		{"--target 10.0.0.2:7 --connect-rate 5", "--connect-rate 5", "--mode connect"},
		{"--target 10.0.0.2:7 --loop closed", "--loop closed", "--rate N"},
		{"--target 10.0.0.2:7 --reply eof", "--reply eof", "--mode connect"},
		{"--target 10.0.0.2:7 --request 0", "--request 0", "1 or more"},
		{"--target 10.0.0.2:7 --reply 0", "--reply 0", "1 or more"},
		{"--target 10.0.0.2:7 --mode upload --request 0", "--request 0", "1 or more"},
		{"--target 10.0.0.2:7 --verify --reply 5", "--verify", "leave --reply out"},
		{"--target 10.0.0.2:7 --ip 10.0.1.1/24", "--target 10.0.0.2", "--gateway"},
		{"--target [2001:db8::2]:7 --ip 10.0.1.1/24", "--target 2001:db8::2", "--gateway"},
		{"--target [2001:db8::2:7", "[2001:db8::2:7", "[2001:db8::2]:7000"},
		{"--target [2001:db8::2]:7 --ip 2001:db8::1/64,2001:db8::200/64 --sources 200",
			"--sources 200", "at most 128"},
		{"--target 10.0.0.2:7 --ip 10.0.0.2/24", "--ip 10.0.0.2/24", "another --ip"},
		{"--target 9.0.0.2:7 --ip 10.0.0.5/24 --route 9.0.0.0/8,10.1.0.1", "--route", "10.1.0.1"},
		{"--target 9.0.0.2:7 --ip 10.0.0.5/24 --route 9.0.0.0,10.0.0.1", "--route", "198.51.100.0/24"},
		{"--target 9.0.0.2:7 --ip 10.0.0.5/24 --route 9.0.0.0/8", "--route", "a gateway"},
		{"--target 9.0.0.2:7 --ip 10.0.0.5/24 --route 9.0.0.0/8,10.0.0.1,x", "--route", "a metric"},
		{"--target 8.0.0.2:7 --ip 10.0.0.5/24 --route 9.0.0.0/8,10.0.0.1", "8.0.0.2", "--gateway"},
		{"--target 10.0.0.2:7 --ip 10.0.0.5-10.0.0.9/24 --sources 3", "5 sources", "one length"},
		{"--target 10.0.0.2:7 --ip 10.0.0.9-10.0.0.5/24", "10.0.0.9-10.0.0.5", "a range"},
		{"--target 10.0.0.2:7 --ip 10.0.0.1-10.0.0.9/24", "takes 10.0.0.2", "another --ip"},
		{"--target 10.0.0.2:7 --ip 10.0.0.1/24 --sources 2", "takes 10.0.0.2", "another --ip"},
		{"--target 10.0.0.2:7 --ip 10.0.0.252/24 --sources 4", "--sources 4", "shorter prefix"},
		{"--target 10.0.0.2:7 --dev net_tap0 --dev net_tap1 --ip 10.0.0.3/24 --ip 10.0.0.4/24 "
			"--sources 2", "10.0.0.4", "addresses of its own"},
		{"--target 10.0.0.2:7 --dev net_tap0 --dev net_tap1 --ip 10.0.0.3/24", "--ip",
			"one for each --dev"},
		{"--target 10.0.0.2:7 --connections 64513", "--connections 64513", "--sources 2"},
		{"--target 10.0.0.2:7-8 --connections 400000", "--connections 400000", "--sources 4"},
		{"--target 10.0.0.2:7 --target", "--target", "ADDR:PORT"},
	};

	option_talk_refuses(&load_options, &s, cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_help(void **state)
{
	assert_int_equal(parse("--help"), OPTIONS_DONE);
	for (unsigned int i = 0; i < load_options.count; i++)
		assert_non_null(strstr(said, load_options.defs[i].name));
	assert_non_null(strstr(said, "--json\n"));
}

/* The example has a line for every option; uncommented ones are the defaults, but for target. */
static void
test_example_file(void **state)
{
	static struct load_settings d;
	char path[512], line[600];

	assert_int_equal(parse("--target 10.0.0.2:7000"), OPTIONS_RUN);
	d = s;
	snprintf(path, sizeof(path), "%s/drivers-cfg/load.ini", source_root);
	snprintf(line, sizeof(line), "--config %s", path);
	assert_int_equal(parse(line), OPTIONS_RUN);
	assert_memory_equal(&s, &d, sizeof(s));
	option_talk_shows_all(&load_options, path);
}

/* What becomes of the IPv6 addresses of every port: from the command line, or from a file. */
static void
test_ip6_keys(void **state)
{
	static const struct {
		const char *line, *file;
		bool autoconf, unprobed;
	} rows[] = {
		{"", "", false, false},
		{"--ip6-autoconf", "", true, false},
		{"--ip6-unprobed", "", false, true},
		{"", "ip6-autoconf = yes\nip6-unprobed = yes\n", true, true},
		{"", "ip6-autoconf = no\nip6-unprobed = yes\n", false, true},
		{"--ip6-autoconf", "ip6-autoconf = no\n", true, false},
	};
	static char path[] = "/tmp/rill-load-test-XXXXXX";
	static struct rill_config config;
	char line[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f;

		memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
		f = fdopen(mkstemp(path), "w");
		assert_non_null(f);
		fprintf(f, "[rill]\n%s[rill-load]\ntime = 1\n", rows[i].file);
		fclose(f);
		snprintf(line, sizeof(line), "--config %s --target [2001:db8::2]:7 --dev net_tap0 "
			"--ip 2001:db8::7/64 --dev net_tap1 --ip 2001:db8::8/64 %s", path,
			rows[i].line);
		if (parse(line) != OPTIONS_RUN)
			fail_msg("%s", said);
		remove(path);
		host_configure(&s.host, &config);
		for (unsigned int port = 0; port < 2; port++) {
			assert_int_equal(config.ports[port].ip6_autoconf, rows[i].autoconf);
			assert_int_equal(config.ports[port].ip6_unprobed, rows[i].unprobed);
		}
	}
	assert_int_equal(parse("--target 10.0.0.2:7 --ip6-unprobed=perhaps"), OPTIONS_WRONG);
	assert_non_null(strstr(said, "--ip6-unprobed"));
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_target_is_enough),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_targets_and_sources),
		cmocka_unit_test(test_a_range_of_sources),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_ip6_keys),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_example_file),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
