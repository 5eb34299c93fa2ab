#pragma once
// The stream scanner as a connection uses it, and its slow, obvious twin.

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/frame_scanner.h"

namespace tailrace {

struct Found {
  std::vector<std::string> frames;
  std::vector<RejectReason> rejected;
  std::string rest;
  bool operator==(const Found&) const = default;
};

/// Feeds `bytes` in portions, keeping what is not whole, as a connection does.
inline Found scan_stream(std::string_view bytes, const std::vector<size_t>& portions) {
  StreamScanner scanner;
  Found found;
  std::string held;
  size_t at = 0;
  for (size_t i = 0; at < bytes.size(); ++i) {
    const size_t n = std::min(portions[i % portions.size()], bytes.size() - at);
    held.append(bytes.substr(at, n));
    at += n;
    std::string_view left = held;
    for (;;) {
      const Scanned s = scanner.next(left);
      if (s.kind == Scanned::Kind::more) break;
      if (s.consumed == 0) std::abort();
      if (s.kind == Scanned::Kind::frame) found.frames.emplace_back(s.bytes);
      if (s.kind == Scanned::Kind::rejected) found.rejected.push_back(s.reason);
      left.remove_prefix(s.consumed);
    }
    held.erase(0, held.size() - left.size());
  }
  found.rest = held;
  return found;
}

/// The slow twin: the whole stream at once, one byte after the other, by the words of the contract.
inline Found scan_slowly(const std::string& bytes) {
  Found found;
  size_t at = 0;
  while (at < bytes.size()) {
    size_t digits = 0;
    while (at + digits < bytes.size() && isdigit(uint8_t(bytes[at + digits]))) ++digits;
    const bool starts = digits > 0 && digits <= 20 && bytes[at] != '0';
    const size_t behind = at + digits;
    if (starts && (behind >= bytes.size() || (bytes[behind] == ' ' && behind + 1 >= bytes.size()))) break;
    if (starts && bytes[behind] == ' ' && bytes[behind + 1] == '<') {
      const std::string text = bytes.substr(at, digits);
      const bool huge = text.size() > 8 || std::stoull(text) > kMaxFrame;
      if (!huge) {
        const size_t size = std::stoull(text);
        if (behind + 1 + size > bytes.size()) break;
        found.frames.push_back(bytes.substr(behind + 1, size));
        at = behind + 1 + size;
        continue;
      }
      found.rejected.push_back(RejectReason::too_long);
      const bool absurd = text.size() > 8 || std::stoull(text) > 64 << 20;
      const size_t region = absurd ? bytes.npos : behind + 1 + std::stoull(text);
      for (at = behind; at < bytes.size() && at < region;) {
        if (bytes[at++] != '\n' || at == bytes.size() || at == region) continue;
        if (absurd || bytes[at] == '<' || (bytes[at] >= '1' && bytes[at] <= '9')) break;
      }
      continue;
    }
    const size_t end = bytes.find('\n', at);
    if (end == bytes.npos) break;
    std::string line = bytes.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) found.frames.push_back(line);
    at = end + 1;
  }
  found.rest = bytes.substr(at);
  return found;
}

/// A whole body through next_in_body() or next_line(), which never ask for more.
inline Found scan_body(std::string_view body, Scanned (*next)(std::string_view)) {
  Found found;
  while (!body.empty()) {
    const Scanned s = next(body);
    if (s.kind == Scanned::Kind::more || s.consumed == 0 || s.consumed > body.size()) std::abort();
    if (s.kind == Scanned::Kind::frame) found.frames.emplace_back(s.bytes);
    if (s.kind == Scanned::Kind::rejected) found.rejected.push_back(s.reason);
    body.remove_prefix(s.consumed);
  }
  return found;
}

/// The slow twin of next_in_body(), by the words of the contract.
inline Found scan_body_slowly(std::string body) {
  Found found;
  while (!body.empty()) {
    const size_t digits = std::min(body.find_first_not_of("0123456789"), body.size());
    const std::string count = body.substr(0, digits);
    const bool counts = !count.empty() && count.size() <= 20 && count[0] != '0';
    if (counts && digits < body.size() && body[digits] == ' ' && count.size() < 12) {
      const size_t size = std::stoull(count), left = body.size() - digits - 1;
      if (size <= left) {
        found.frames.push_back(body.substr(digits + 1, size));
        body.erase(0, digits + 1 + size);
        continue;
      }
      if (size < size_t(1) << 31) {
        found.rejected.push_back(RejectReason::truncated);
        break;
      }
    }
    if (counts && digits == body.size())
      found.rejected.push_back(RejectReason::truncated);
    else if (counts && body[digits] == ' ')
      found.rejected.push_back(RejectReason::too_long);
    else
      found.rejected.push_back(RejectReason::malformed);
    const size_t end = body.find('\n');
    body.erase(0, end == body.npos ? body.size() : end + 1);
  }
  return found;
}

/// The slow twin of next_line().
inline Found scan_lines_slowly(const std::string& body) {
  Found found;
  std::string line;
  for (size_t i = 0; i < body.size(); ++i) {
    const bool newline = body[i] == '\n';
    if (!newline) line += body[i];
    if (!newline && i + 1 < body.size()) continue;
    if (newline && line.ends_with('\r')) line.pop_back();
    if (!line.empty()) found.frames.push_back(line);
    line.clear();
  }
  return found;
}

}  // namespace tailrace
