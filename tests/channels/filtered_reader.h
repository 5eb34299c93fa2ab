#pragma once
// A drain that wants every third message, and the books of what became of each.

#include <charconv>
#include <deque>
#include <vector>

#include "tests/channels/log_fixture.h"

namespace tailrace {

/// Of messages as numbered() makes them: `m12`.
inline int number_of_message(std::string_view message) {
  int number = -1;
  std::from_chars(message.data() + 1, message.data() + message.size(), number);
  return number;
}

struct EveryThird final : RecordFilter {
  bool wants(const Record& record) const override { return number_of_message(record.message()) % 3 == 0; }
};

struct FilteredReader {
  FilteredReader(Log& log, const Place& place)
      : cursor(std::make_unique<Cursor>(Cursor::Kind::drain, loop.pass, task, 7)) {
    cursor->set_wanted(std::make_shared<EveryThird>());
    cursor->attach(log, place);
  }

  /// True: there was something.
  bool read(uint32_t max_bytes) {
    const Read read = cursor->read(max_bytes);
    for (const Record record : read.slice) flying.push_back(number_of_message(record.message()));
    return !read.slice.empty();
  }
  void settle(size_t records) {
    for (; records && !flying.empty(); --records) {
      const bool wanted = flying.front() % 3 == 0;
      if (wanted) delivered.push_back(flying.front());
      cursor->settle(wanted, !wanted);
      flying.pop_front();
    }
  }
  /// All has come to its end: what it wanted of `first` up to `past` was delivered or dropped, the rest
  /// filtered.
  void check_closed(int first, int past) const {
    const Ledger l = cursor->ledger();
    uint64_t wanted = 0;
    for (int i = first; i < past; ++i) wanted += i % 3 == 0;
    CHECK(l.balanced());
    CHECK(l.buffered == 0);
    CHECK(l.accepted == uint64_t(past - first));
    CHECK(l.delivered == delivered.size());
    CHECK(l.filtered == uint64_t(past - first) - wanted);
    CHECK(l.dropped_total() == wanted - delivered.size());
    CHECK(std::ranges::adjacent_find(delivered, std::greater_equal<>()) == delivered.end());
  }

  Loop loop;
  Woken task;
  std::unique_ptr<Cursor> cursor;
  std::deque<int> flying;
  std::vector<int> delivered;
};

}  // namespace tailrace
