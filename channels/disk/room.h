#pragma once
// Whether the disk takes records now.

#include <atomic>
#include <cstdint>
#include <string>

namespace tailrace {

/// Written by the keeper (a segment could or could not be prepared) and by the writer (what waits to be
/// written); read by every loop before it reads from a socket or answers a POST. Thread-safe.
///
///   open ── two segments cannot be kept prepared, or a group failed twice ──▶ full
///   full ── two are prepared again (the keeper tries each second) ──────────▶ open
///
/// `full` is said while the head and one prepared segment still take what was read by then, so that nothing
/// read from a syslog connection is lost for want of room; the other prepared one is the cleaner's.
/// With TAILRACE_ACK=memory nobody asks it: what the disk does not take stays in memory.
class Room {
 public:
  explicit Room(uint64_t most_waiting) : most_waiting_(most_waiting) {}

  /// False: POSTs are answered 503, TCP and TLS are not read, UDP drops for `no_room`.
  bool open() const { return open_.load(std::memory_order_relaxed) && !choked(); }
  /// More waits to be written than may wait in memory: the disk is slower than the senders.
  bool choked() const { return waiting() > most_waiting_; }
  uint64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  uint64_t most_waiting() const { return most_waiting_; }

  /// What the keeper and the writer said last, whatever waits.
  bool said_full() const { return !open_.load(std::memory_order_relaxed); }
  void set_open(bool open) { open_.store(open, std::memory_order_relaxed); }
  /// Bytes of slices: added by the append, taken off when their group was told.
  void add_waiting(uint64_t bytes) { waiting_.fetch_add(bytes, std::memory_order_relaxed); }
  void take_waiting(uint64_t bytes) { waiting_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  const uint64_t most_waiting_;
  std::atomic<bool> open_{false};
  std::atomic<uint64_t> waiting_{0};
};

}  // namespace tailrace
