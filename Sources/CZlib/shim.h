#pragma once
#include <zlib.h>

// These are macros over the structure's size. 15 bits of window, 16 more for gzip's wrapping;
// memory level 8 is zlib's own choice.
static inline int gh_gzip_deflate_init(z_stream *stream) {
  return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
static inline int gh_gzip_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
