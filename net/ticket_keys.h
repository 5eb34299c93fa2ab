#pragma once
// The keys that seal TLS session tickets.

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>

#include "base/clock.h"

namespace tailrace {

struct TicketKey {
  TicketKey();  // random
  ~TicketKey();
  TicketKey(const TicketKey&) = delete;

  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> cipher, mac;
};

/// The current key and the one before, in memory alone. A key seals for an hour and opens for two, so that a
/// ticket is good for the hour it lives. Thread-safe.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kTurn{1};
  using Key = std::shared_ptr<const TicketKey>;

  Key to_seal(Mono now);
  /// Null: nobody knows that key, or no longer.
  Key to_open(std::span<const unsigned char, 16> name, Mono now);

 private:
  void turn(Mono now);

  std::mutex mutex_;
  Key current_, former_;
  Mono since_{};
};

}  // namespace tailrace
