#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The interpreter of packet scripts: what must fail fails, on the right line; what is no script is refused.

usage: test_interpreter.py SCRIPT_RUN
"""
import subprocess
import sys
import tempfile

PASS, FAIL, REFUSED = 0, 1, 2
HEAD = 'test "t"\n'

# Name, the text after HEAD, exit status, what the output must contain.
CASES = [
    ("passes", "in established\nsilence\n", PASS, "1 test"),
    ("comments and blank lines", "# a\n\n\tin established # b\nsilence\n", PASS, "1 test"),
    ("silence is broken", "in established\nwrite 5\nsilence\n", FAIL, "x.script:4: "),
    ("silence was expected to end", "in established\nlane ACK seq 1 ack 1\n", FAIL, "x.script:3: "),
    ("wrong flags", "in listen\npeer SYN seq 0\nlane ACK seq 0 ack 1\n", FAIL, "x.script:4: "),
    ("wrong number", "in listen\npeer SYN seq 0\nlane SYN,ACK seq 0 ack 2\n", FAIL, "ack is 1, should be = 2"),
    ("wrong length", "in established\nwrite 5\nlane ACK seq 1 ack 1\n", FAIL, "len is 5"),
    ("PSH is missing", "in established\npeer ACK seq 1 ack 1 len 5\nlane ACK,PSH seq 1 ack 6 within 1s\n",
     FAIL, "PSH is not set"),
    ("PSH is there", "in established\nwrite 5\nlane ACK seq 1 ack 1 len 5 no psh\n", FAIL, "PSH is set"),
    ("option is missing", "in listen\npeer SYN seq 0 mss 1000\nlane SYN,ACK seq 0 ack 1 sackOK\n", FAIL,
     "x.script:4: "),
    ("option is there", "in syn_received\nadvance 1s\nlane SYN,ACK seq 0 ack 1 no mss\n", FAIL, "x.script:4: "),
    ("wrong SACK blocks", "with peer sackOK\nin established\npeer ACK seq 11 ack 1 len 5\n"
     "lane ACK seq 1 ack 1 sack 11:15\n", FAIL, "SACK block 0 is 11:16, should be 11:15"),
    ("SACK blocks", "with peer sackOK\nin established\npeer ACK seq 11 ack 1 len 5\n"
     "lane ACK seq 1 ack 1 sack 11:16\n", PASS, ""),
    ("too early", "in established\nwrite 5\nlane ACK seq 1 ack 1 len 5 after 1ms\n", FAIL, "too early"),
    ("too late", "in syn_received\nlane SYN,ACK seq 0 ack 1 within 900ms\n", FAIL, "x.script:3: "),
    ("in time", "in syn_received\nlane SYN,ACK seq 0 ack 1 after 1s\n", PASS, ""),
    ("wrong state", "in established\nstate SYN-SENT\n", FAIL, "state is ESTABLISHED"),
    ("wrong info", "in established\ninfo mss 5\n", FAIL, "mss is 1460"),
    ("info compares", "in established\ninfo mss > 1459 mss < 1461 mss != 1 mss any\n", PASS, ""),
    ("wrong counter", "in established\ncount rtos 1\n", FAIL, "rtos is 0"),
    ("wrong drop reason", "in established\npeer RST seq 2\ndrop tcp_paws\n", FAIL, "x.script:4: "),
    ("a drop that was not spoken of", "in established\npeer RST seq 2\ndrop none\n", FAIL,
     "tcp_rst_challenged is 1"),
    ("wrong delivery", "in established\npeer ACK seq 1 ack 1 len 5\napp received 4\n", FAIL, "received is 5"),
    ("wrong close reason", "in established\npeer RST seq 1\nclosed DONE\n", FAIL, "closed as RESET"),
    ("not alive", "in established\npeer RST seq 1\nalive\n", FAIL, "x.script:4: "),
    ("call without a connection", "listen\nwrite 5\n", FAIL, "x.script:3: "),
    ("call that should fail", "in established\nshutdown fails EPIPE\n", FAIL, "x.script:3: "),
    ("call that fails", "in established\nshutdown\nshutdown fails EPIPE\n", PASS, ""),
    ("options of a listener", "listen mss 500\npeer SYN seq 0\nlane SYN,ACK seq 0 ack 1 mss 500\n", PASS, ""),
    ("two flows", "listen\nrepeat 2\nflow i\npeer SYN seq 0\nlane SYN,ACK seq 0 ack 1\n"
     "peer ACK seq 1 ack 1 len 5+i\napp received 5+i apps i+1\nend\n", PASS, ""),
    ("the other flow spoke", "in established\nwrite 5\nflow 1\nlane ACK seq 1 ack 1 len 5\n", FAIL,
     "another connection"),
    ("a burst is one turn", "in established\nburst\npeer ACK seq 1 ack 1 len 1460\n"
     "peer ACK seq 1461 ack 1 len 1460\nend\nlane ACK seq 1 ack 2921\nsilence 1s\n", PASS, ""),
    ("fails inside repeat", "in established\nrepeat 3\npeer ACK seq 1+i ack 1 len 1\napp received 1\nend\n",
     FAIL, "x.script:5: "),
    ("every synchronized state", "in synchronized\npeer RST seq rcv_nxt\nclosed RESET\n", PASS, ""),
    ("fails in the second state only", "in synchronized\nstate ESTABLISHED\n", FAIL, "FIN-WAIT-1"),
    ("with", "with rcvbuf 4096 mtu 576 max_conns 2\nwith peer no mss\nin established\n"
     "info mss 536 rcv_wnd 4096\n", PASS, ""),
    ("patched bytes", "in established\npeer ACK seq 1 ack 1 len 5 patch 32 10\ndrop tcp_data_offset\n", PASS, ""),
    ("wrong checksum", "in established\npeer ACK seq 1 ack 1 len 5 badsum\ndrop tcp_checksum\n", PASS, ""),
    ("IP options", "in established\npeer ACK seq 1 ack 1 len 5 ip_options 0101\napp received 5\n", PASS, ""),
    ("malformed IP options", "in established\npeer ACK seq 1 ack 1 len 5 ip_options 07ff\ndrop ip_options\n",
     PASS, ""),
    ("a flow to another port", "listen port 81\nflow 0 port 81\npeer SYN seq 0\nlane SYN,ACK seq 0 ack 1\n",
     PASS, ""),
    ("a route without gateway", "route 10.0.0.0/8\n", REFUSED, "x.script:2: a route is"),
    ("a route that cannot be", "route 10.0.0.0/8 via 10.0.0.1\n", FAIL, "rill_lane_route_add returned"),
    ("raw bytes", "in established\nraw 4500\ndrop any\n", REFUSED, "unknown drop reason 'any'"),
    ("ICMP errors", "in established\nwrite 5\nskip 1\nicmp 3 code 1 seq 1\nicmp 3 code 1 seq 1 badsum\n"
     "drop icmp_checksum\n", PASS, ""),
    ("unknown command", "in established\nfrobnicate\n", REFUSED, "x.script:3: unknown word 'frobnicate'"),
    ("unknown word", "peer SYN seq 0 colour 5\n", REFUSED, "x.script:2: unknown word 'colour'"),
    ("unknown flag", "peer SIN seq 0\n", REFUSED, "x.script:2: unknown flag 'SIN'"),
    ("unknown state", "in open\n", REFUSED, "x.script:2: "),
    ("unknown counter", "count apples 1\n", REFUSED, "x.script:2: unknown counter 'apples'"),
    ("unknown reason", "drop apples\n", REFUSED, "x.script:2: "),
    ("unknown option", "with apples 1\n", REFUSED, "x.script:2: "),
    ("option out of bounds", "with ttl 0\n", REFUSED, "x.script:2: 0 is out of bounds for ttl"),
    ("no unit", "advance 40\n", REFUSED, "x.script:2: "),
    ("no number", "write 5x\n", REFUSED, "x.script:2: "),
    ("missing number", "peer SYN seq\n", REFUSED, "x.script:2: 'seq' is missing"),
    ("missing seq", "peer SYN\n", REFUSED, "x.script:2: 'seq' is missing"),
    ("missing ack", "lane ACK seq 0\n", REFUSED, "x.script:2: 'ack' is missing"),
    ("block without end", "repeat 5\nin established\n", REFUSED, "x.script:2: "),
    ("end without block", "in established\nend\n", REFUSED, "x.script:3: "),
    ("with comes too late", "in established\nwith ttl 5\n", REFUSED, "x.script:3: "),
    ("the last line of the last test is checked first", "state CLOSED\n" + HEAD + "nonsense\n", REFUSED,
     "x.script:4: "),
    ("a test without lines", HEAD, REFUSED, "x.script:1: "),
]

# Whole files.
FILES = [
    ("no test", "in established\n", REFUSED, "x.script:1: "),
    ("empty", "# nothing\n", REFUSED, "no tests"),
    ("bad tag", 'test "a" RFC1-1\nsilence\n', REFUSED, "x.script:1: expected a tag"),
    ("tags", 'test "a" [RFC1-1] [MUST-2]\nsilence\n', PASS, "a [RFC1-1] [MUST-2]"),
    ("no name", "test a\nsilence\n", REFUSED, "x.script:1: "),
]


def check(run, folder, name, text, status, contains):
    with open(f"{folder}/x.script", "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([run, f"{folder}/x.script"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False)
    if done.returncode != status or contains not in done.stdout:
        print(f"{name}: status {done.returncode}, should be {status}, with '{contains}' in:\n{done.stdout}")
        return False
    return True


def main():
    run = sys.argv[1]
    cases = [(name, HEAD + text, status, contains) for name, text, status, contains in CASES] + FILES
    with tempfile.TemporaryDirectory() as folder:
        good = [check(run, folder, *case) for case in cases]
    print(f"{sum(good)} of {len(good)} cases")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
