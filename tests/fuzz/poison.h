/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_POISON_H
#define FUZZ_POISON_H

/* Buffers of a mempool are one piece of memory to a sanitizer: a piece that nobody may
 * touch is marked by hand. Does nothing without the address sanitizer. */

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define FUZZ_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUZZ_ASAN 1
#endif
#endif

#ifdef FUZZ_ASAN
#include <sanitizer/asan_interface.h>
#define poison(at, len) __asan_poison_memory_region((at), (len))
#else
#define poison(at, len) ((void)(at), (void)(len))
#endif

#endif
