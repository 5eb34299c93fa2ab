#pragma once
// What the router itself has to say in a channel: L10, L16, a drain's change of state.
//
// Notices are not records (architecture, rule 3): they have no number, count toward no `num` and for no
// drain. Each is tied to "after position P" and merged in for readers of text.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace tailrace {

struct Notice {
  uint64_t id = 0;     // ascending, from 1
  uint64_t after = 0;  // the log's end when it was made: it comes before the record with this ordinal
  std::string line;    // `TIME heroku[logplex]: TEXT`, without a newline
};

/// The last notices of one channel, oldest first. Not thread-safe: guarded by its log's lock.
class Notices {
 public:
  static constexpr size_t kKept = 256;

  void add(uint64_t after, std::string line);
  uint64_t next_id() const { return next_id_; }
  /// Of the first one that comes before the record with `ordinal` or a later one; next_id() if there is none.
  uint64_t first_at(uint64_t ordinal) const;

  /// For a reader whose next notice is `next_id` and whose next record is `ordinal`: moves what it reads
  /// before that record behind `lines`, and gives the ordinal that the notice after those comes before
  /// (UINT64_MAX: there is none).
  uint64_t take_due(uint64_t& next_id, uint64_t ordinal, std::vector<std::string>& lines) const;

 private:
  std::deque<Notice> kept_;
  uint64_t next_id_ = 1;
};

}  // namespace tailrace
