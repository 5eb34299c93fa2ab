#pragma once
// Bodies for the tests of inflation, made by the libraries themselves.

#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "ingest/inflate.h"

namespace tailrace {

inline std::string gzip(std::string_view text, int level = 6, const char* name = nullptr) {
  z_stream z{};
  if (deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  gz_header header{};
  Bytef extra[] = {'e', 'x', 2, 0, 1, 2};
  if (name) {
    header.name = reinterpret_cast<Bytef*>(const_cast<char*>(name));
    header.comment = header.name;
    header.extra = extra;
    header.extra_len = sizeof extra;
    header.hcrc = 1;
    deflateSetHeader(&z, &header);
  }
  std::string out(deflateBound(&z, text.size()) + 100, 0);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = uInt(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = uInt(out.size());
  if (deflate(&z, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

inline std::string zstd(std::string_view text, int level = 3) {
  static ZSTD_CCtx* const context = ZSTD_createCCtx();  // making one is slow
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), 0);
  const size_t size = ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size());
  if (ZSTD_isError(size)) std::abort();
  out.resize(size);
  return out;
}

struct Inflated {
  Inflater::Step step;
  std::string text;
  size_t steps = 0;
};

inline Inflated inflate_all(Inflater::Encoding encoding, std::string_view body, size_t slice = 1 << 16) {
  Inflater inflater(encoding, body);
  Inflated out{Inflater::Step::more, "", 0};
  while (out.step == Inflater::Step::more) {
    const size_t before = out.text.size();
    out.step = inflater.step(slice, out.text);
    if (out.text.size() - before > std::max<size_t>(slice, 64 * 1024)) std::abort();
    if (++out.steps > 10'000'000) std::abort();
  }
  return out;
}

}  // namespace tailrace
