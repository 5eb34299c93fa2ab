#pragma once
// Records on their way into a log: views into the reader's buffer, grouped by channel.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "channels/channel.h"
#include "channels/record.h"

namespace tailrace {

/// One record to append. Views into bytes that must live until append() returns; fields that lie side by side
/// in the sender's frame are taken together, so that they are copied together.
struct NewRecord {
  std::string_view head;     // `TIME HOST`
  std::string_view app;      // the name shown to readers
  std::string_view ids;      // `PROCID MSGID`
  std::string_view sd{"-"};  // STRUCTURED-DATA
  std::string_view message;
  uint16_t time_size = 0;    // of head
  uint16_t procid_size = 0;  // of ids
  uint8_t pri = 13;
  uint8_t flags = 0;
  uint32_t next = UINT32_MAX;  // in its batch; BatchSet's

  size_t text_size() const {
    const size_t pri_digits = pri < 10 ? 1 : pri < 100 ? 2 : 3;
    return pri_digits + 4 + head.size() + app.size() + ids.size() + sd.size() + message.size() + 4;
  }
};

/// Writes header and canonical text to `out`, which has entry_size(record.text_size()) bytes.
void write_entry(const NewRecord& record, Micros arrival, std::byte* out);

/// Records of one channel, in the order they came.
class Batch {
 public:
  class Iterator {
   public:
    Iterator(const NewRecord* all, uint32_t at) : all_(all), at_(at) {}
    const NewRecord& operator*() const { return all_[at_]; }
    Iterator& operator++() {
      at_ = all_[at_].next;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const NewRecord* all_;
    uint32_t at_;
  };

  Batch(const NewRecord* all, uint32_t first, uint32_t count, uint32_t whole, Micros arrived)
      : arrival(arrived), records(count), sent(whole), all_(all), first_(first) {}

  Iterator begin() const { return {all_, first_}; }
  Iterator end() const { return {all_, UINT32_MAX}; }

  const Micros arrival;
  const uint32_t records;  // at least 1
  const uint32_t sent;     // as the sender counts them: pieces of a split record are one

 private:
  const NewRecord* all_;
  uint32_t first_;
};

/// Groups the records of one read by channel. One per thread, used again for each read: no allocation once
/// warm.
class BatchSet {
 public:
  void add(const ChannelPtr& channel, const NewRecord& record);

  bool empty() const { return records_.empty(); }
  size_t size() const { return records_.size(); }

  /// use(Channel&, const Batch&) for each channel, in the order of their first records.
  template <class F>
  void for_each(Micros arrival, F&& use) const {
    for (const Group& g : groups_)
      use(*g.channel, Batch(records_.data(), g.first, g.records, g.sent, arrival));
  }
  void clear();

 private:
  struct Group {
    ChannelPtr channel;
    uint32_t first, last, records, sent;
  };
  uint32_t group_of(const ChannelPtr& channel);

  std::vector<NewRecord> records_;
  std::vector<Group> groups_;
  std::vector<uint64_t> group_by_index_;  // Channel::index -> (round << 32 | group)
  uint64_t round_ = 1;                    // what stands there from an earlier round is void
};

}  // namespace tailrace
