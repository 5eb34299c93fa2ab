#include "ingest/intake.h"

#include <algorithm>
#include <atomic>

#include "base/time_text.h"
#include "channels/errc.h"
#include "ingest/rfc5424.h"

namespace tailrace {
namespace {

/// How much of `message` the next piece takes: kMaxMessage, less so as not to cut a UTF-8 sequence (RFC
/// 3629), unless the bytes are no UTF-8 anyway.
size_t piece_size(std::string_view message) {
  size_t size = kMaxMessage;
  for (int back = 0; back < 3 && (uint8_t(message[size]) & 0xc0) == 0x80; ++back) --size;
  return (uint8_t(message[size]) & 0xc0) == 0x80 ? kMaxMessage : size;
}

bool fits(std::string_view message) {
  return message.size() <= kMaxMessage || (message.size() == kMaxMessage + 1 && message.back() == '\n');
}

}  // namespace

std::optional<RejectReason> Intake::take(std::string_view frame, const TokenPtr& token, Micros arrival) {
  NewRecord record;
  Syslog syslog;
  const TokenPtr* writer = &token;
  if (parse_rfc5424(frame, syslog)) {
    record.pri = syslog.pri;
    record.head = syslog.head;
    record.time_size = syslog.time_size;
    record.app = syslog.app;
    record.ids = syslog.ids;
    record.procid_size = syslog.procid_size;
    record.sd = syslog.sd;
    record.message = syslog.message;
    if (looks_like_token(syslog.app)) {
      // The token's name for its id: of a token of the same channel, else of the one that came along. An id
      // never passes through to readers.
      const TokenPtr& named = tokens_.find(syslog.app);
      if (!token) writer = &named;
      const bool same = named && *writer && named->channel == (*writer)->channel;
      if (*writer) record.app = same ? named->name : (*writer)->name;
    }
  } else if (token) {
    if (arrival_head_.empty()) arrival_head_ = rfc3339_micros(arrival) + " -";
    record.flags = kRawEntry;
    record.head = arrival_head_;
    record.time_size = uint16_t(arrival_head_.size() - 2);
    record.app = token->name;
    record.ids = "- -";
    record.procid_size = 1;
    record.message = frame;
  }
  if (!*writer) {
    rejected_.add(RejectReason::unknown_token);
    return RejectReason::unknown_token;
  }
  taken_ += 1;
  taken_bytes_ += frame.size();
  const ChannelPtr& channel = (*writer)->channel;
  while (!fits(record.message)) {
    NewRecord piece = record;
    piece.message = record.message.substr(0, piece_size(record.message));
    set_.add(channel, piece);
    record.message.remove_prefix(piece.message.size());
    record.flags |= kSplitEntry;
  }
  set_.add(channel, record);
  return std::nullopt;
}

/// Gathers the answers of one flush's appends. Ends itself with the last of them.
class Intake::Flush {
 public:
  Flush(IngestStats& stats, Protocol protocol, Done* done)
      : stats_(stats), protocol_(protocol), done_(done) {}

  class Waiter final : public AppendWaiter {
   public:
    Waiter(Flush& flush, uint64_t records) : flush_(flush), records_(records) {}
    void appended(Result<Position> first) override {
      if (first.has_error()) flush_.refuse(first.error(), records_);
      Flush& flush = flush_;
      delete this;
      flush.finish_one();
    }

   private:
    Flush& flush_;
    const uint64_t records_;
  };

  /// The channel went away meanwhile, or there was no room.
  void refuse(error_code error, uint64_t records) {
    (error == ChannelErrc::removed ? removed_ : no_room_).fetch_add(records, std::memory_order_relaxed);
  }

  void finish_one() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const uint64_t taken = outcome_.accepted, no_room = no_room_, removed = removed_;
    outcome_.accepted -= no_room + removed;
    outcome_.no_room = no_room > 0;
    outcome_.rejected.add(RejectReason::no_room, no_room);
    outcome_.rejected.add(RejectReason::unknown_token, removed);
    if (outcome_.accepted < taken) bytes_ = bytes_ * outcome_.accepted / taken;  // by their mean
    if (outcome_.accepted) stats_.accepted(protocol_, outcome_.accepted, bytes_);
    if (outcome_.rejected.total()) stats_.rejected(protocol_, outcome_.rejected);
    if (done_) done_->flushed(outcome_);
    delete this;
  }

  Outcome outcome_;
  uint64_t bytes_ = 0;
  std::atomic<uint32_t> left_{1};  // one for flush() itself

 private:
  IngestStats& stats_;
  const Protocol protocol_;
  Done* const done_;
  std::atomic<uint64_t> no_room_{0}, removed_{0};
};

void Intake::flush(Protocol protocol, Micros arrival, const Rejections& rejected, Done* done) {
  if (!done && taken_ == 0 && rejected.total() + rejected_.total() == 0) return;
  auto* flush = new Flush(stats_, protocol, done);
  flush->outcome_.accepted = std::exchange(taken_, 0);
  flush->bytes_ = std::exchange(taken_bytes_, 0);
  flush->outcome_.rejected = std::exchange(rejected_, {});
  for (size_t r = 0; r < kRejectReasons.size(); ++r)
    flush->outcome_.rejected.by_reason[r] += rejected.by_reason[r];
  crowded_ = false;
  set_.for_each(arrival, [&](Channel& channel, const Batch& batch) {
    flush->left_.fetch_add(1, std::memory_order_relaxed);
    channel.log->append(batch, *new Flush::Waiter(*flush, batch.sent));
    crowded_ |= channel.log->crowded();
  });
  set_.clear();
  tokens_.release();
  arrival_head_.clear();
  flush->finish_one();
}

}  // namespace tailrace
