/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: each is taken over from the command line and from a file, the command line wins, and
 * whatever is wrong is said in one sentence that names it. The example file under drivers-cfg holds
 * every option with its default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "option_talk.h"
#include "proto.h"
#include "settings.h"
#include "statline.h"
#include "units.h"

static char file_name[] = "/tmp/rill-echo-test-XXXXXX";
static const char *source_root;

static enum options_result
parse(struct echo_settings *settings, const char *line)
{
	return option_talk(&echo_options, settings, line);
}

static void
write_file(const char *text)
{
	FILE *f = fopen(file_name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static void
test_every_option(void **state)
{
	struct echo_settings s;

	assert_int_equal(parse(&s, "--protocol length --dev net_tap0,iface=t0 --dev=0000:03:10.1 --ip "
		"10.0.0.2/24 --ip 10.0.1.2/24 --gateway 10.0.1.1 --port 99 --lanes 2 --mtu 1400 --tso off "
		"--max-conns 77 --max-message 2k --hold 3M --idle-timeout 1.5 --keepalive 1,0.5,3 "
		"--congestion-control newreno --user-timeout 5 --msl 1000 --drain 0 --idle-sleep 100 --log-level quiet"),
		OPTIONS_RUN);
	assert_ptr_equal(s.proto, &proto_length);
	assert_int_equal(s.host.devs_count, 2);
	assert_string_equal(s.host.devs[0].spec, "net_tap0,iface=t0");
	assert_string_equal(s.host.devs[0].name, "net_tap0");
	assert_string_equal(s.host.devs[1].name, "0000:03:10.1");
	assert_int_equal(s.host.ips_count, 2);
	assert_int_equal(s.host.ips[1][0].addr.u.ip4[2], 1);
	assert_int_equal(host_gateway_port(&s.host, AF_INET), 1);
	assert_int_equal(s.port, 99);
	assert_int_equal(s.host.lanes, 2);
	assert_int_equal(s.host.mtu, 1400);
	assert_int_equal(s.host.tso, RILL_TSO_OFF);
	assert_int_equal(s.max_conns, 77);
	assert_int_equal(s.max_message, 2048);
	assert_int_equal(s.hold_bytes, 3 << 20);
	assert_int_equal(s.idle_timeout_ms, 1500);
	assert_int_equal(s.keepalive_idle_ms, 1000);
	assert_int_equal(s.keepalive_interval_ms, 500);
	assert_int_equal(s.keepalive_count, 3);
	assert_int_equal(s.host.congestion_control, RILL_CC_NEWRENO);
	assert_int_equal(s.user_timeout_ms, 5000);
	assert_int_equal(s.host.msl_ms, 1000);
	assert_int_equal(s.drain_ms, 0);
	assert_int_equal(s.host.idle_sleep_us, 100);
	assert_int_equal(s.log_level, ECHO_LOG_QUIET);
}

static void
test_defaults(void **state)
{
	struct echo_settings s;

	assert_int_equal(parse(&s, "--ip 10.0.0.2/24"), OPTIONS_RUN);
	assert_ptr_equal(s.proto, &proto_raw);
	assert_int_equal(s.host.devs_count, 1);
	assert_string_equal(s.host.devs[0].spec, "net_tap0");
	assert_int_equal(s.port, 7000);
	assert_int_equal(s.max_message, 1 << 20);
	assert_int_equal(s.drain_ms, 5000);
	assert_int_equal(s.host.tso, RILL_TSO_AUTO);
	assert_int_equal(s.host.congestion_control, RILL_CC_CUBIC);
	assert_int_equal(host_gateway_port(&s.host, AF_INET), -1);
	assert_false(s.host.ip6_autoconf || s.host.ip6_unprobed);
}

/* Addresses and gateways of both families, on the port whose network they lie in. */
static void
test_addresses_of_both_families(void **state)
{
	struct echo_settings s;

	assert_int_equal(parse(&s, "--dev net_tap0 --ip 10.0.0.2/24,2001:db8::2/64 --dev net_tap1 "
		"--ip 2001:db8:1::2/64 --gateway 10.0.0.1 --gateway 2001:db8:1::1"), OPTIONS_RUN);
	assert_int_equal(s.host.ips_count, 2);
	assert_int_equal(s.host.ips_each[0], 2);
	assert_int_equal(s.host.ips_each[1], 1);
	assert_int_equal(host_gateway_port(&s.host, AF_INET), 0);
	assert_int_equal(host_gateway_port(&s.host, AF_INET6), 1);
	/* A link-local router is on each network: it is the first port's that has IPv6. */
	assert_int_equal(parse(&s, "--dev net_tap0 --ip 10.0.0.2/24 --dev net_tap1 "
		"--ip 10.0.1.2/24,2001:db8::2/64 --gateway fe80::1"), OPTIONS_RUN);
	assert_int_equal(host_gateway_port(&s.host, AF_INET6), 1);
}

static void
test_file_and_command_line(void **state)
{
	char line[256];
	struct echo_settings s;

	write_file("; a comment\n[rill-echo]\nprotocol = http\nport = 80\nip = 10.0.0.2/24\n"
		"dev = net_tap5\nkeepalive = 1,2,3\ncongestion-control = none\n");
	snprintf(line, sizeof(line), "--port 81 --config %s", file_name);
	assert_int_equal(parse(&s, line), OPTIONS_RUN);
	assert_ptr_equal(s.proto, &proto_http);
	assert_int_equal(s.port, 81);
	assert_string_equal(s.host.devs[0].name, "net_tap5");
	assert_int_equal(s.keepalive_count, 3);
	assert_int_equal(s.host.congestion_control, RILL_CC_NONE);

	/* A list on the command line replaces the file's. */
	snprintf(line, sizeof(line), "--config %s --ip 10.9.0.2/16", file_name);
	assert_int_equal(parse(&s, line), OPTIONS_RUN);
	assert_int_equal(s.host.ips_count, 1);
	assert_int_equal(s.host.ips[0][0].addr.u.ip4[1], 9);

	/* A list in the file has a line for each. */
	write_file("[rill-echo]\nip = 10.0.0.2/24\nip = 10.0.1.2/24\ndev = net_tap0\ndev = net_tap1\n");
	snprintf(line, sizeof(line), "--config %s", file_name);
	assert_int_equal(parse(&s, line), OPTIONS_RUN);
	assert_int_equal(s.host.ips_count, 2);
	assert_string_equal(s.host.devs[1].name, "net_tap1");
}

/* A profile of a device is for all programs. */
static void
test_section_of_all_programs(void **state)
{
	char line[256];
	struct echo_settings s;

	snprintf(line, sizeof(line), "--config %s", file_name);
	write_file("[rill]\ndev = net_tap7\nip = 10.0.0.2/24\nlanes = 2\n");
	assert_int_equal(parse(&s, line), OPTIONS_RUN);
	assert_string_equal(s.host.devs[0].name, "net_tap7");
	assert_int_equal(s.host.lanes, 2);
	write_file("[rill-echo]\nlanes = 3\nport = 80\n[rill]\nip = 10.0.0.2/24\nlanes = 2\n");
	assert_int_equal(parse(&s, line), OPTIONS_RUN);
	assert_int_equal(s.host.lanes, 3); /* the program's own wins */
	write_file("[rill]\nip = 10.0.0.2/24\n[rill-load]\nlanes = 2\n");
	assert_int_equal(parse(&s, line), OPTIONS_WRONG);
	assert_non_null(strstr(said, "other sections than [rill-echo]"));
}

static void
test_values_of_the_environment(void **state)
{
	struct echo_settings s;

	setenv("PCIDEVICE_RILL_TEST", "0000:03:10.1,0000:03:10.3", 1);
	setenv("RILL_TEST_IPS", "10.0.0.2/24,10.0.1.2/24", 1);
	setenv("RILL_TEST_PORT", "8080", 1);
	assert_int_equal(parse(&s, "--dev env:PCIDEVICE_RILL_TEST --ip env:RILL_TEST_IPS --port "
		"env:RILL_TEST_PORT"), OPTIONS_RUN);
	assert_int_equal(s.host.devs_count, 2);
	assert_string_equal(s.host.devs[0].spec, "0000:03:10.1");
	assert_string_equal(s.host.devs[1].spec, "0000:03:10.3");
	assert_int_equal(s.host.ips_count, 2);
	assert_int_equal(s.port, 8080);
	unsetenv("RILL_TEST_IPS");
	assert_int_equal(parse(&s, "--dev env:PCIDEVICE_RILL_TEST --ip env:RILL_TEST_IPS"), OPTIONS_WRONG);
	assert_non_null(strstr(said, "--ip env:RILL_TEST_IPS: there is no such variable"));
	setenv("RILL_TEST_PORT", "http", 1);
	assert_int_equal(parse(&s, "--ip 10.0.0.2/24 --port env:RILL_TEST_PORT"), OPTIONS_WRONG);
	assert_non_null(strstr(said, "is not a number"));
}

/* Each wrong thing, and what the sentence must say. */
static void
test_wrong_options(void **state)
{
	static const struct option_wrong_case cases[] = {
		{"--prot0col raw", "--prot0col", "--protocol"},
		{"--frobnicate 3", "--frobnicate", "--help"},
		{"stray", "stray", "--help"},
		{"--port", "--port", "--port N"},
		{"--config", "--config", "FILE"},
		{"--port 0", "--port 0", "1 to 65535"},
		{"--port 65536", "--port 65536", "1 to 65535"},
		{"--port -1", "--port -1", "1 to 65535"},
		{"--port 7x", "--port 7x", "1 to 65535"},
		{"--port 99999999999999999999999", "--port 9999", "1 to 65535"},
		{"--protocol udp", "--protocol udp", "http"},
		{"--ip 10.0.0.2", "--ip 10.0.0.2", "192.0.2.10/24"},
		{"--ip 10.0.0/24", "--ip 10.0.0/24", "192.0.2.10/24"},
		{"--gateway nowhere", "--gateway nowhere", "192.0.2.1"},
		{"--ip 10.0.0.2/24,", "--ip 10.0.0.2/24,", "2001:db8::10/64"},
		{"--ip 10.0.0.2/24,2001:db8::2", "2001:db8::2", "2001:db8::10/64"},
		{"--ip 1.1.1.1/8,1.1.1.2/8,1.1.1.3/8,1.1.1.4/8,1.1.1.5/8,1.1.1.6/8,1.1.1.7/8,1.1.1.8/8,"
			"1.1.1.9/8", "too many", "at most 8"},
		{"--ip 10.0.0.2/24 --gateway fe80::1", "--gateway", "--ip"},
		{"--ip 10.0.0.2/24 --gateway 10.0.1.1", "--gateway", "--ip"},
		{"--dev ,x", "--dev ,x", "net_tap0"},
		{"--max-message 1T", "--max-message 1T", "64k"},
		{"--max-message 0", "--max-message 0", "from 1 to"},
		{"--max-message 64M --hold 100M --ip 10.0.0.2/24", "--hold", "twice"},
		{"--idle-timeout soon", "--idle-timeout soon", "0.5"},
		{"--idle-timeout 1.2345", "--idle-timeout 1.2345", "0.5"},
		{"--drain 100000", "--drain 100000", "86400"},
		{"--keepalive 1,2", "--keepalive 1,2", "60,5,3"},
		{"--keepalive 1,2,3,4", "--keepalive 1,2,3,4", "60,5,3"},
		{"--keepalive 1,0,3", "--keepalive 1,0,3", "above 0"},
		{"--keepalive 1,1,256", "--keepalive 1,1,256", "255"},
		{"--congestion-control vegas", "--congestion-control vegas", "newreno"},
		{"--tso on", "--tso on", "auto or off"},
		{"--log-level loud", "--log-level loud", "quiet"},
		{"--ip 10.0.0.2/24 --ip 10.0.0.3/24", "--ip", "each --dev"},
		{"", "--ip", "192.0.2.10/24"},
		{"--config /nonexistent/x.ini", "/nonexistent/x.ini", "[rill-echo]"},
	};
	struct echo_settings s;

	option_talk_refuses(&echo_options, &s, cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_wrong_files(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"[rill-echo]\nprt = 3\n", "perhaps \"port\""},
		{"[rill-echo]\nport = 70000\n", "port = 70000"},
		{"[echo]\nport = 7000\n", "[rill-echo]"},
		{"[rill-echo]\nport = 7000\n[other]\nx = 1\n", "[rill-echo]"},
	};
	struct echo_settings s;
	char line[256];

	snprintf(line, sizeof(line), "--ip 10.0.0.2/24 --config %s", file_name);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(cases[i].text);
		assert_int_equal(parse(&s, line), OPTIONS_WRONG);
		if (strstr(said, cases[i].what) == NULL || strstr(said, file_name) == NULL)
			fail_msg("file %zu is answered by: %s", i, said);
	}
}

static void
test_help_and_version(void **state)
{
	struct echo_settings s;

	assert_int_equal(parse(&s, "--version"), OPTIONS_DONE);
	assert_string_equal(said, "rill-echo " RILL_VERSION "\n");
	assert_int_equal(parse(&s, "--port 3 --help"), OPTIONS_DONE);
	for (unsigned int i = 0; i < echo_options.count; i++)
		assert_non_null(strstr(said, echo_options.defs[i].name));
}

/* The example has a line for every option; uncommented ones are the defaults, but for ip. */
static void
test_example_file(void **state)
{
	char path[512], line[600];
	struct echo_settings s, d;

	snprintf(path, sizeof(path), "%s/drivers-cfg/echo.ini", source_root);
	snprintf(line, sizeof(line), "--config %s", path);
	assert_int_equal(parse(&s, line), OPTIONS_RUN);
	assert_int_equal(parse(&d, "--ip 192.0.2.10/24"), OPTIONS_RUN);
	assert_memory_equal(&s, &d, sizeof(s));

	option_talk_shows_all(&echo_options, path);
}

static void
test_units(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {{0, "0"}, {999, "999"}, {999.96, "1.0k"}, {1000, "1.0k"}, {12345, "12.3k"},
		{999960, "1.0M"}, {1.5e9, "1.5G"}, {2e15, "2000.0T"}};
	char buf[UNITS_STRLEN];
	uint64_t value;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(units_format(cases[i].value, buf), cases[i].text);
	assert_int_equal(units_parse_bytes("3KiB", &value), 0);
	assert_int_equal(value, 3072);
	assert_int_not_equal(units_parse_bytes("99999999999999999999", &value), 0);
	assert_int_not_equal(units_parse_bytes("18446744073709551615k", &value), 0);
	assert_int_equal(units_parse_seconds("12.034", &value), 0);
	assert_int_equal(value, 12034);
	assert_int_not_equal(units_parse_seconds("1.", &value), 0);
	assert_int_not_equal(units_parse_seconds(" 1", &value), 0);
}

/* Rates are those of the time since the last line. */
static void
test_statline(void **state)
{
	struct statline last = {.at_us = 1000000};
	struct rill_stats stats = {.conns = 3, .bytes_in = 1000, .bytes_out = 500, .retransmits = 7};
	char line[STATLINE_LEN];

	stats.drops[1] = 2;
	stats.drops[RILL_DROP_COUNT - 1] = 1;
	statline_format(&last, &stats, 100, 2000000, line);
	assert_string_equal(line,
		"conns 3  100 msg/s  in 8.0k bit/s  out 4.0k bit/s  retransmits 7  drops 3");
	stats.bytes_in += 125000;
	statline_format(&last, &stats, 200, 2500000, line);
	assert_string_equal(line,
		"conns 3  200 msg/s  in 2.0M bit/s  out 0 bit/s  retransmits 0  drops 0");
}

static int
setup(void **state)
{
	int fd = mkstemp(file_name);

	return fd >= 0 ? close(fd) : -1;
}

static int
teardown(void **state)
{
	return unlink(file_name);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_addresses_of_both_families),
		cmocka_unit_test(test_file_and_command_line),
		cmocka_unit_test(test_section_of_all_programs),
		cmocka_unit_test(test_values_of_the_environment),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_example_file),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_statline),
	};

	source_root = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, setup, teardown);
}
