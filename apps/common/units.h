/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPS_UNITS_H
#define APPS_UNITS_H

/* Numbers as people write and read them. */

#include <stddef.h>
#include <stdint.h>

/* A decimal number and nothing else. Returns 0 or -EINVAL. */
int units_parse_count(const char *text, uint64_t *value);

/* Bytes: a decimal number, alone or with k, M or G (powers of 1024; KiB, MiB, GiB too). 0 or -EINVAL. */
int units_parse_bytes(const char *text, uint64_t *value);

/* Seconds with up to three decimals, as milliseconds. 0 or -EINVAL. */
int units_parse_seconds(const char *text, uint64_t *ms);

/* Room for what units_format writes. */
#define UNITS_STRLEN 16

/* "999", "1.2k", "34.5M" in powers of 1000. Returns buf, which has UNITS_STRLEN bytes. */
const char *units_format(double value, char *buf);

#endif
