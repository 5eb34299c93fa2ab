#include "ingest/frame_scanner.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tailrace {
namespace {

using Kind = Scanned::Kind;

constexpr size_t kBelievable = 64 << 20;  // a count up to here may be what somebody really sends
constexpr size_t kMaxDigits = 20;         // more is no count but a line that begins with digits

/// The digits a frame may begin with, as many as could be a count.
struct Count {
  size_t digits = 0;
  size_t value = 0;  // far above every bound if it does not fit
};

Count leading_count(std::string_view bytes) {
  if (bytes.empty() || bytes[0] == '0') return {};
  const size_t most = std::min(bytes.size(), kMaxDigits + 1);
  size_t n = 0, value = 0;
  for (; n < most; ++n) {
    const unsigned digit = uint8_t(bytes[n]) - unsigned('0');
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  if (n > kMaxDigits) return {};
  return {n, n < kMaxDigits ? value : SIZE_MAX};  // 19 digits fit
}

size_t newline(std::string_view bytes) {
  const void* at = std::memchr(bytes.data(), '\n', bytes.size());
  return at ? size_t(static_cast<const char*>(at) - bytes.data()) : std::string_view::npos;
}

bool begins_frame(char c) {
  return c == '<' || (c >= '1' && c <= '9');
}

Scanned more(size_t needed = 0) {
  return {.kind = Kind::more, .bytes = {}, .needed = needed};
}

Scanned a_line(std::string_view line, size_t consumed) {
  return {.kind = line.empty() ? Kind::nothing : Kind::frame, .bytes = line, .consumed = consumed};
}

}  // namespace

/// How many bytes still belong to what was rejected; 0: a frame begins here after all.
size_t StreamScanner::skip(std::string_view bytes) {
  size_t at = 0;
  const auto resume = [&] { return skip_ = 0, after_newline_ = false, at; };
  if (after_newline_ && begins_frame(bytes[0])) return resume();
  after_newline_ = false;
  const size_t most = std::min(bytes.size(), skip_);
  while (at < most) {
    const size_t end = newline(bytes.substr(at, most - at));
    at = end == std::string_view::npos ? most : at + end + 1;
    if (end == std::string_view::npos) break;
    if (any_newline_ || (at < bytes.size() && begins_frame(bytes[at]))) return resume();
    after_newline_ = at == bytes.size();
  }
  if (skip_ != SIZE_MAX) skip_ -= at;
  if (skip_ == 0) after_newline_ = false;
  return at;
}

Scanned StreamScanner::next(std::string_view bytes) {
  if (bytes.empty()) return more();
  if (skip_ > 0) {
    if (const size_t skipped = skip(bytes)) return {.kind = Kind::nothing, .bytes = {}, .consumed = skipped};
  }
  const Count count = leading_count(bytes);
  if (count.digits) {
    // Whether it is a count shows two bytes behind the digits.
    if (bytes.size() < count.digits + 2 && (bytes.size() == count.digits || bytes[count.digits] == ' '))
      return more(count.digits + 2);
    if (bytes[count.digits] == ' ' && bytes[count.digits + 1] == '<') {
      if (count.value > kMaxFrame) {
        any_newline_ = count.value > kBelievable;
        skip_ = any_newline_ ? SIZE_MAX : 1 + count.value;
        return {
            .kind = Kind::rejected, .bytes = {}, .consumed = count.digits, .reason = RejectReason::too_long};
      }
      const size_t whole = count.digits + 1 + count.value;
      if (bytes.size() < whole) return more(whole);
      return {.kind = Kind::frame, .bytes = bytes.substr(count.digits + 1, count.value), .consumed = whole};
    }
  }
  const size_t end = newline(bytes);
  if (end == std::string_view::npos) {
    if (bytes.size() <= kMaxFrame) return more();
    any_newline_ = true;
    skip_ = SIZE_MAX;
    return {.kind = Kind::rejected, .bytes = {}, .consumed = bytes.size(), .reason = RejectReason::too_long};
  }
  if (end > kMaxFrame)
    return {.kind = Kind::rejected, .bytes = {}, .consumed = end + 1, .reason = RejectReason::too_long};
  return a_line(bytes.substr(0, end && bytes[end - 1] == '\r' ? end - 1 : end), end + 1);
}

Scanned next_in_body(std::string_view body) {
  const Count count = leading_count(body);
  const size_t start = count.digits + 1;
  if (count.digits && start <= body.size() && body[count.digits] == ' ') {
    if (count.value <= body.size() - start)
      return {.kind = Kind::frame, .bytes = body.substr(start, count.value), .consumed = start + count.value};
    if (count.value < size_t(1) << 31)
      return {
          .kind = Kind::rejected, .bytes = {}, .consumed = body.size(), .reason = RejectReason::truncated};
  }
  const size_t end = newline(body);
  const size_t consumed = end == std::string_view::npos ? body.size() : end + 1;
  const bool absurd = count.digits && start <= body.size() && body[count.digits] == ' ';
  const bool cut = count.digits == body.size();  // nothing but digits: a frame that just began
  return {.kind = Kind::rejected,
          .bytes = {},
          .consumed = consumed,
          .reason = absurd ? RejectReason::too_long
                    : cut  ? RejectReason::truncated
                           : RejectReason::malformed};
}

Scanned next_line(std::string_view body) {
  const size_t end = newline(body);
  if (end == std::string_view::npos) return a_line(body, body.size());
  return a_line(body.substr(0, end && body[end - 1] == '\r' ? end - 1 : end), end + 1);
}

}  // namespace tailrace
