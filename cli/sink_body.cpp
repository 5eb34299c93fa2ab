// What is inside a request's body. With zlib and libzstd as they are: the router's own reader is verified by
// it.
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <ctime>
#include <memory>

#include "base/text.h"
#include "cli/sink_protocol.h"

namespace tailrace {
namespace {

constexpr size_t most_inflated = 64 << 20;

std::optional<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) return std::nullopt;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, ::inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = uInt(packed.size());
  std::string out;
  std::array<char, 16 * 1024> piece;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = uInt(piece.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END) return std::nullopt;
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > most_inflated) return std::nullopt;
  }
  if (stream.avail_in > 0) return std::nullopt;
  return out;
}

std::optional<std::string> unzstd(std::string_view packed) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(::ZSTD_createDCtx(), ::ZSTD_freeDCtx);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string out;
  std::array<char, 16 * 1024> piece;
  for (size_t left = 1; left != 0;) {
    ZSTD_outBuffer into{piece.data(), piece.size(), 0};
    const size_t before = in.pos;
    left = ::ZSTD_decompressStream(context.get(), &into, &in);
    if (::ZSTD_isError(left) || (left != 0 && into.pos == 0 && in.pos == before)) return std::nullopt;
    out.append(piece.data(), into.pos);
    if (out.size() > most_inflated) return std::nullopt;
  }
  if (in.pos < in.size) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::string> decoded_body(const SinkRequest& request) {
  if (request.content_encoding.empty() || iequals(request.content_encoding, "identity")) return request.body;
  if (iequals(request.content_encoding, "gzip")) return gunzip(request.body);
  if (iequals(request.content_encoding, "zstd")) return unzstd(request.body);
  return std::nullopt;
}

std::optional<Micros> frame_time(std::string_view frame) {
  const size_t blank = frame.find(' ');
  if (blank == frame.npos) return std::nullopt;
  const std::string text(frame.substr(blank + 1, 40));
  std::tm t{};
  int seconds_end = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
                  &t.tm_min, &t.tm_sec, &seconds_end) != 6) {
    return std::nullopt;
  }
  t.tm_year -= 1900, t.tm_mon -= 1;
  Micros time = Micros(::timegm(&t)) * 1'000'000;
  const char* at = text.c_str() + seconds_end;
  if (*at == '.') {
    int digits = 0;
    for (Micros unit = 100'000; *++at >= '0' && *at <= '9'; unit /= 10, ++digits) time += unit * (*at - '0');
    if (digits == 0) return std::nullopt;
  }
  if (*at == 'Z') return at[1] == ' ' ? std::optional(time) : std::nullopt;
  int hours = 0, minutes = 0, end = 0;
  if ((*at != '+' && *at != '-') || std::sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 ||
      end != 5) {
    return std::nullopt;
  }
  if (at[6] != ' ') return std::nullopt;
  const Micros east = Micros(hours * 60 + minutes) * 60'000'000;
  return *at == '+' ? time - east : time + east;
}

}  // namespace tailrace
