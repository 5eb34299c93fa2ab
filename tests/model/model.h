#pragma once
// What a store must give back, in the fewest words: every record that was acknowledged, in order, to each
// drain that was there, or a drop that the ledger names.

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/model/store_process.h"

namespace tailrace::model {

using nlohmann::json;

struct Record {
  std::string message;
  enum class Fate { unknown, acknowledged, refused } fate = Fate::unknown;
};

/// A drain as its far end sees it.
struct Drain {
  size_t first = 0;  // index of the first record that is its own
  bool filtered = false;
  std::set<size_t> delivered;  // settled at least once, in whatever life of the process
  std::vector<size_t> in_flight;
  size_t next = 0;  // in this life of the process it reads no record before this one
};

struct Channel {
  std::vector<Record> records;  // in the order they were appended
  std::map<std::string, size_t> index;
  std::map<uint64_t, size_t> numbers;  // which record a number was seen with, ever
  std::map<uint64_t, Drain> drains;

  size_t append(const std::string& message) {
    index[message] = records.size();
    records.push_back({message});
    return records.size() - 1;
  }
  uint64_t count(Record::Fate fate, size_t from = 0) const {
    uint64_t n = 0;
    for (size_t i = from; i < records.size(); ++i) n += records[i].fate == fate;
    return n;
  }

  /// D3: it is one of ours, and its number names no other. Gives its index.
  size_t seen(uint64_t number, const std::string& message) {
    const auto found = index.find(message);
    REQUIRE_MESSAGE(found != index.end(), "a record that nobody wrote: " << message);
    const auto named = numbers.try_emplace(number, found->second).first;
    CHECK_MESSAGE(named->second == found->second, "number " << number << " names two records");
    return found->second;
  }

  /// D8; and with `all`, D1: nothing acknowledged is passed over.
  void read(Drain& drain, const json& read, bool all) {
    for (const json& r : read) {
      const size_t at = seen(r[0], r[1]);
      CHECK_MESSAGE(at >= drain.next, "read twice or out of order: " << r[1]);
      if (all)
        for (size_t i = drain.next; i < at; ++i)
          CHECK_MESSAGE((records[i].fate != Record::Fate::acknowledged || i < drain.first ||
                         drain.delivered.contains(i)),
                        "passed over: " << records[i].message);
      drain.next = at + 1;
      drain.in_flight.push_back(at);
    }
  }
  static void settle(Drain& drain, size_t count) {
    drain.delivered.insert(drain.in_flight.begin(), drain.in_flight.begin() + ptrdiff_t(count));
    drain.in_flight.erase(drain.in_flight.begin(), drain.in_flight.begin() + ptrdiff_t(count));
  }
  /// The process is gone: what was in flight is, and positions go back a little.
  void ended() {
    for (auto& [id, drain] : drains) drain.in_flight.clear(), drain.next = 0;
  }

  /// Its own with this fate, that it wants or does not.
  uint64_t count(const Drain& drain, Record::Fate fate, bool is_wanted) const {
    uint64_t n = 0;
    for (size_t i = drain.first; i < records.size(); ++i)
      n += records[i].fate == fate && wanted(records[i].message) == is_wanted;
    return n;
  }
  /// Acknowledged, its own, wanted, and never settled.
  uint64_t missing(const Drain& drain) const {
    uint64_t n = 0;
    for (size_t i = drain.first; i < records.size(); ++i)
      n += records[i].fate == Record::Fate::acknowledged && !drain.delivered.contains(i) &&
           (!drain.filtered || wanted(records[i].message));
    return n;
  }
};

inline uint64_t dropped(const json& ledger) {
  uint64_t sum = 0;
  for (const auto& [reason, n] : ledger["dropped"].items()) sum += n.get<uint64_t>();
  return sum;
}

/// All has come to its end. What was taken with a batch in flight or behind it, and is gone from the disk at
/// the next start, counts as dropped, wanted or not; nothing that was wanted counts as filtered.
inline void check_filtered(const Channel& channel, const Drain& drain, const json& ledger) {
  using Fate = Record::Fate;
  const uint64_t told = ledger["delivered"].get<uint64_t>() + dropped(ledger);
  CHECK_MESSAGE(told >= channel.count(drain, Fate::acknowledged, true), ledger.dump());
  CHECK_MESSAGE(ledger["filtered"] <= channel.count(drain, Fate::acknowledged, false) +
                                          channel.count(drain, Fate::unknown, false),
                ledger.dump());
}

/// Rule 4 of the architecture, and D9.
inline void check_balance(const json& ledger) {
  const uint64_t sum = ledger["delivered"].get<uint64_t>() + ledger["filtered"].get<uint64_t>() +
                       dropped(ledger) + ledger["buffered"].get<uint64_t>();
  CHECK_MESSAGE(ledger["accepted"] == sum, ledger.dump());
}

}  // namespace tailrace::model
