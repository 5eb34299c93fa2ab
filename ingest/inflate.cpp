#include "ingest/inflate.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/text.h"

namespace tailrace {
namespace {

// The libraries are asked for this much at a time, and given as much, whatever the slices are: what they have
// read when the ratio is looked at, and with it the outcome, does not depend on the slices.
constexpr size_t kQuantum = 64 * 1024;

/// Whether `text` begins with, or is the beginning of, one of a format's magic numbers.
bool is_gzip(std::string_view text) {
  return std::string_view("\x1f\x8b").starts_with(text.substr(0, 2));
}
bool is_zstd(std::string_view text) {
  if (std::string_view("\x28\xb5\x2f\xfd").starts_with(text.substr(0, 4))) return true;
  // a skippable frame (RFC 8878 section 3.1.2)
  return (uint8_t(text[0]) & 0xf0) == 0x50 && std::string_view("\x2a\x4d\x18").starts_with(text.substr(1, 3));
}

}  // namespace

void Inflater::CloseZlib::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

void Inflater::CloseZstd::operator()(ZSTD_DCtx_s* stream) const {
  ZSTD_freeDCtx(stream);
}

std::optional<Inflater::Encoding> Inflater::encoding(std::string_view content_encoding) {
  if (iequals(content_encoding, "gzip") || iequals(content_encoding, "x-gzip")) return Encoding::gzip;
  if (iequals(content_encoding, "zstd")) return Encoding::zstd;
  return std::nullopt;
}

Inflater::Inflater(Encoding encoding, std::string_view body) : rest_(body) {
  if (encoding == Encoding::gzip) {
    auto stream = std::make_unique<z_stream_s>();
    constexpr int kGzip = 16;
    if (inflateInit2(stream.get(), MAX_WBITS + kGzip) != Z_OK) throw std::bad_alloc();
    zlib_.reset(stream.release());
  } else {
    zstd_.reset(ZSTD_createDCtx());
    if (!zstd_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(zstd_.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  }
}

Inflater::~Inflater() = default;

Inflater::Step Inflater::step(size_t slice, std::string& out) {
  const size_t before = out.size(), begin_written = written_, begin_read = read_;
  const size_t budget = std::clamp(slice, kQuantum, kMaxInflated + kQuantum);
  out.resize(before + budget);  // once: a body of empty members would pay for it each time
  Step result = Step::more;
  size_t put = 0;
  while (result == Step::more && read_ - begin_read < budget) {
    // One byte beyond the bound shows whether there is more.
    const size_t room = std::min(kQuantum, kMaxInflated + 1 - written_);
    if (budget - put < room) break;
    char* const to = out.data() + before + put;
    result = zlib_ ? gzip(to, room) : zstd(to, room);
    put = written_ - begin_written;
    if (written_ > kMaxInflated || (written_ > kFreeInflated && written_ > kMaxInflateRatio * read_))
      result = Step::too_large;
  }
  out.resize(before + put);
  return result;
}

/// One call of zlib.
Inflater::Step Inflater::gzip(char* to, size_t room) {
  if (between_) {
    if (rest_.empty()) return any_ ? Step::done : Step::truncated;
    if (!is_gzip(rest_)) return Step::broken;
    inflateReset(zlib_.get());
    between_ = false;
  }
  const size_t given = std::min(rest_.size(), kQuantum);
  zlib_->next_in = reinterpret_cast<const Bytef*>(rest_.data());
  zlib_->avail_in = uInt(given);
  zlib_->next_out = reinterpret_cast<Bytef*>(to);
  zlib_->avail_out = uInt(room);
  const int result = inflate(zlib_.get(), Z_NO_FLUSH);
  const size_t taken = given - zlib_->avail_in, put = room - zlib_->avail_out;
  rest_.remove_prefix(taken);
  read_ += taken;
  written_ += put;
  switch (result) {
    case Z_STREAM_END:
      between_ = any_ = true;
      return Step::more;
    case Z_OK:
    case Z_BUF_ERROR:
      // Room left over and nothing to read: it waits for what does not come.
      return rest_.empty() && put < room ? Step::truncated : Step::more;
    case Z_MEM_ERROR:
      throw std::bad_alloc();
    default:
      return Step::broken;
  }
}

/// One call of libzstd.
Inflater::Step Inflater::zstd(char* to, size_t room) {
  if (between_) {
    if (rest_.empty()) return any_ ? Step::done : Step::truncated;
    if (!is_zstd(rest_)) return Step::broken;  // also the formats before RFC 8878, which the library may know
    between_ = false;
  }
  ZSTD_inBuffer in{rest_.data(), std::min(rest_.size(), kQuantum), 0};
  ZSTD_outBuffer out{to, room, 0};
  const size_t result = ZSTD_decompressStream(zstd_.get(), &out, &in);
  rest_.remove_prefix(in.pos);
  read_ += in.pos;
  written_ += out.pos;
  if (ZSTD_isError(result)) {
    switch (ZSTD_getErrorCode(result)) {
      case ZSTD_error_memory_allocation:
        throw std::bad_alloc();
      case ZSTD_error_frameParameter_windowTooLarge:
        return Step::too_large;
      default:
        return Step::broken;
    }
  }
  if (result == 0) between_ = any_ = true;
  if (!between_ && rest_.empty() && out.pos < room) return Step::truncated;
  return Step::more;
}

}  // namespace tailrace
