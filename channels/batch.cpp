#include "channels/batch.h"

#include <cstring>

namespace tailrace {
namespace {

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_pri(char* out, uint8_t pri) {
  *out++ = '<';
  if (pri >= 100) *out++ = char('0' + pri / 100);
  if (pri >= 10) *out++ = char('0' + pri / 10 % 10);
  *out++ = char('0' + pri % 10);
  return put(out, ">1 ");
}

}  // namespace

void write_entry(const NewRecord& r, Micros arrival, std::byte* out) {
  char* const text = reinterpret_cast<char*>(out) + sizeof(EntryHeader);
  EntryHeader h;
  char* at = put_pri(text, r.pri);
  h.time_at = uint16_t(at - text);
  h.host_at = uint16_t(h.time_at + r.time_size + 1);
  at = put(at, r.head);
  *at++ = ' ';
  h.app_at = uint16_t(at - text);
  at = put(at, r.app);
  *at++ = ' ';
  h.procid_at = uint16_t(at - text);
  h.msgid_at = uint16_t(h.procid_at + r.procid_size + 1);
  at = put(at, r.ids);
  *at++ = ' ';
  h.sd_at = uint16_t(at - text);
  at = put(at, r.sd);
  *at++ = ' ';
  h.msg_at = uint32_t(at - text);
  at = put(at, r.message);
  h.text_size = uint32_t(at - text);
  h.arrival = arrival;
  h.pri = r.pri;
  h.flags = r.flags;
  std::memcpy(out, &h, sizeof h);
}

uint32_t BatchSet::group_of(const ChannelPtr& channel) {
  if (!groups_.empty() && groups_.back().channel == channel) return uint32_t(groups_.size() - 1);
  if (channel->index >= group_by_index_.size()) group_by_index_.resize(channel->index + 1);
  uint64_t& slot = group_by_index_[channel->index];
  if (slot >> 32 != round_) {
    slot = round_ << 32 | groups_.size();
    groups_.push_back({channel, UINT32_MAX, UINT32_MAX, 0, 0});
  }
  return uint32_t(slot);
}

void BatchSet::add(const ChannelPtr& channel, const NewRecord& record) {
  Group& g = groups_[group_of(channel)];
  const auto at = uint32_t(records_.size());
  records_.push_back(record);
  records_.back().next = UINT32_MAX;
  if (g.records++ == 0)
    g.first = at;
  else
    records_[g.last].next = at;
  g.last = at;
  g.sent += !(record.flags & kSplitEntry);
}

void BatchSet::clear() {
  records_.clear();
  groups_.clear();
  if (++round_ > UINT32_MAX) {
    group_by_index_.assign(group_by_index_.size(), 0);
    round_ = 1;
  }
}

}  // namespace tailrace
