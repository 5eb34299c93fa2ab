#pragma once
// Where records come from, and why one is not taken.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace {

enum class Protocol : uint8_t { http, tcp, udp, tls };
inline constexpr std::array<std::string_view, 4> kProtocols{"http", "tcp", "udp", "tls"};

enum class RejectReason : uint8_t {
  truncated,      // the bytes ended before the frame did
  too_long,       // its count, or its line, is beyond the bound
  malformed,      // what stands where a frame should begin is no frame
  unknown_token,  // it names no channel
  no_room,        // the store takes nothing now
  quota,          // the channel's rate is used up
};
inline constexpr std::array<std::string_view, 6> kRejectReasons{"truncated",     "too_long", "malformed",
                                                                "unknown_token", "no_room",  "quota"};
inline std::string_view to_string(RejectReason reason) {
  return kRejectReasons[size_t(reason)];
}

/// How many, by reason.
struct Rejections {
  std::array<uint64_t, kRejectReasons.size()> by_reason{};

  void add(RejectReason reason, uint64_t n = 1) { by_reason[size_t(reason)] += n; }
  Rejections& operator+=(const Rejections& other) {
    for (size_t r = 0; r < by_reason.size(); ++r) by_reason[r] += other.by_reason[r];
    return *this;
  }
  uint64_t of(RejectReason reason) const { return by_reason[size_t(reason)]; }
  uint64_t total() const {
    uint64_t sum = 0;
    for (const uint64_t n : by_reason) sum += n;
    return sum;
  }
  bool operator==(const Rejections&) const = default;
};

/// `truncated=1 malformed=2`: those that are not 0, by the names above.
std::string to_logfmt(const Rejections& rejections);
/// The same read again. A reason of a version to come counts as malformed: how many were rejected stays
/// right.
Rejections rejections_of(std::string_view logfmt);

}  // namespace tailrace
