#pragma once
#include <nghttp2/nghttp2.h>

// Limits that only newer versions have, or distributions' patched ones: linked weakly, set where they are.
__attribute__((weak)) void nghttp2_option_set_max_continuations(nghttp2_option *option, size_t val);
__attribute__((weak)) void nghttp2_option_set_glitch_rate_limit(nghttp2_option *option, uint64_t burst,
                                                               uint64_t rate);

static inline void gatehouse_set_max_continuations(nghttp2_option *option, size_t count) {
  if (nghttp2_option_set_max_continuations) nghttp2_option_set_max_continuations(option, count);
}

static inline void gatehouse_set_glitch_rate_limit(nghttp2_option *option, uint64_t burst, uint64_t rate) {
  if (nghttp2_option_set_glitch_rate_limit) nghttp2_option_set_glitch_rate_limit(option, burst, rate);
}
