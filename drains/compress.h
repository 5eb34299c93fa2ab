#pragma once
// Bodies of requests, compressed.

#include <memory>
#include <string>
#include <string_view>

#include "drains/options.h"

struct z_stream_s;
struct ZSTD_CCtx_s;

namespace tailrace {

/// One body, compressed piece by piece: one gzip member, or one zstd frame with a checksum. Takes a context
/// that its thread keeps, or a new one, and leaves it to the thread when it finishes. Throws std::bad_alloc.
class Compressor {
 public:
  /// `encoding`: gzip or zstd. `size`: bytes that will be added, all in all.
  Compressor(DrainOptions::Encoding encoding, size_t size);
  void add(std::string_view piece) { write(piece, false); }
  /// The compressed body; nothing may be added any more.
  std::string finish();

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
    void operator()(ZSTD_CCtx_s* context) const;
  };
  using Gzip = std::unique_ptr<z_stream_s, End>;
  using Zstd = std::unique_ptr<ZSTD_CCtx_s, End>;
  static Gzip& kept_gzip();
  static Zstd& kept_zstd();

  void write(std::string_view piece, bool last);
  void write_gzip(std::string_view piece, bool last);
  void write_zstd(std::string_view piece, bool last);
  char* room();

  Gzip gzip_;
  Zstd zstd_;
  std::string out_;
  size_t used_ = 0;  // of out_
};

}  // namespace tailrace
