#pragma once
// What the router itself has to say in a channel: L10, L16, a drain's change of state.
//
// Notices are not records (architecture, rule 3): they have no number, count toward no `num` and for no
// drain. Each is tied to "after position P" and merged in for readers of text.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "channels/position.h"

namespace tailrace {

struct Notice {
  uint64_t id = 0;   // ascending, from 1
  Position after;    // the log's end when it was made: it comes before the record with this number
  std::string line;  // `TIME heroku[logplex]: TEXT`, without a newline
};

/// The last notices of one channel, oldest first. Not thread-safe: guarded by its log's lock.
class Notices {
 public:
  static constexpr size_t kKept = 256;

  void add(Position after, std::string line);
  uint64_t next_id() const { return next_id_; }

  /// The first one at or above `id`, or null.
  const Notice* at_or_above(uint64_t id) const;
  /// Those from position `from` on.
  std::vector<Notice> since(Position from) const;

 private:
  std::deque<Notice> kept_;
  uint64_t next_id_ = 1;
};

}  // namespace tailrace
