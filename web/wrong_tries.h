#pragma once
// How often somebody may be wrong about a password.

#include <boost/asio/ip/address.hpp>
#include <map>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/loops.h"

namespace tailrace {

/// Counts an address's tries within a minute; those of an IPv6 network of 64 bits count as one address's.
/// Thread-safe. Of more than kAddresses the one whose last try is the longest ago is forgotten.
class WrongTries {
 public:
  static constexpr size_t kMost = 20, kAddresses = 4096;
  static constexpr std::chrono::minutes kWithin{1};

  /// Zero: a try may be judged, and counts as wrong unless it is given back. Else how long until one may.
  std::chrono::nanoseconds take(const asio::ip::address& from, Mono now);
  /// The try was right.
  void give_back(const asio::ip::address& from);

 private:
  using Key = asio::ip::address_v6;

  static Key key_of(const asio::ip::address& from);
  void make_room(Mono now);

  std::mutex mutex_;
  std::map<Key, std::vector<Mono>> tries_;  // in order; none of them empty
};

}  // namespace tailrace
