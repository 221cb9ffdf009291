/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/* What a fuzz target has: called by libFuzzer, or by replay.c where there is none. */

#include <stddef.h>
#include <stdint.h>

/* Runs one input. Ends the program if anything is wrong; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* libFuzzer's own mutation, for targets that have one of their own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
	uint8_t *out, size_t out_max, unsigned int seed);

#endif
