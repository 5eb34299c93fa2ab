#include "ingest/intake.h"

#include <algorithm>
#include <atomic>

#include "base/time_text.h"
#include "channels/errc.h"
#include "ingest/frame_scanner.h"
#include "ingest/pieces.h"
#include "ingest/rfc3164.h"
#include "ingest/rfc5424.h"
#include "ingest/structured_data.h"

namespace tailrace {
std::chrono::nanoseconds Tally::judge(Quota& quota) {
  std::chrono::nanoseconds longest{0};
  for (auto& [channel, line] : lines_) {
    const auto wait = quota.take(*channel, line.records);
    line.refused = wait.count() > 0;
    longest = std::max(longest, wait);
  }
  return longest;
}

bool Tally::refuses(const ChannelPtr& channel) const {
  const auto line = lines_.find(channel);
  return line != lines_.end() && line->second.refused;
}

std::string_view Intake::arrival_text(Micros arrival) {
  if (arrival_text_.empty()) arrival_text_ = arena_.keep(rfc3339_micros(arrival));
  return arrival_text_;
}

/// Fills in `record`, and says who writes it; null if nobody known does. Good until the next look-up of a
/// token.
const TokenPtr& Intake::read(std::string_view frame, const Source& source, NewRecord& record) {
  Syslog syslog;
  Bsd bsd;
  if (parse_rfc5424(frame, syslog)) {
    record.pri = syslog.pri;
    record.head = syslog.head;
    record.time_size = syslog.time_size;
    record.app = syslog.app;
    record.ids = syslog.ids;
    record.procid_size = syslog.procid_size;
    record.sd = syslog.sd;
    record.message = syslog.message;
  } else if (parse_rfc3164(frame, source.arrival, bsd)) {
    record.pri = bsd.pri;
    record.head = arena_.keep(bsd.time, " ", bsd.host);
    record.time_size = uint16_t(bsd.time.size());
    record.app = bsd.app;
    record.ids = arena_.keep(bsd.procid, " -");
    record.procid_size = uint16_t(bsd.procid.size());
    record.message = bsd.message;
  } else {
    if (!source.token) return source.token;
    record.flags = kRawEntry;
    record.head = arena_.keep(arrival_text(source.arrival), " -");
    record.time_size = uint16_t(record.head.size() - 2);
    record.app = source.token->name;
    record.ids = "- -";
    record.procid_size = 1;
    record.message = frame;
    return source.token;
  }

  const bool named = looks_like_token(record.app);
  const std::string_view id = record.app;
  const TokenPtr* writer = &source.token;
  if (named) {
    // The token's name for its id: of a token of the same channel, else of the one that came along.
    const TokenPtr& token = tokens_.find(id);
    if (!*writer) writer = &token;
    if (*writer) record.app = token && token->channel == (*writer)->channel ? token->name : (*writer)->name;
  }
  if (record.sd != "-") {
    const SdTokens in_data = find_tokens(record.sd);
    if (!*writer && !in_data.id.empty()) {
      writer = &tokens_.find(in_data.id);
      if (*writer && named) record.app = (*writer)->name;
    }
    if (in_data.remove) record.sd = without_tokens(record.sd, arena_);
  }
  if (*writer && (*writer)->strict) record.app = (*writer)->name;
  return *writer;
}

const TokenPtr& Intake::read_json(const JsonRecord& json, const Source& source, NewRecord& record) {
  const TokenPtr& named = tokens_.find(json.app);
  const TokenPtr& writer = source.token ? source.token : named;
  if (!writer) return writer;
  const auto or_none = [](std::string_view field) { return field.empty() ? "-" : field; };
  const std::string_view time = json.time.empty() ? arrival_text(source.arrival) : json.time;
  const std::string_view procid = or_none(json.procid);
  const bool shows_named = named && named->channel == writer->channel && !writer->strict;
  record.pri = uint8_t(8 + (json.severity < 0 ? 5 : json.severity));  // user; notice
  record.head = arena_.keep(time, " ", or_none(json.host));
  record.time_size = uint16_t(time.size());
  record.app = shows_named ? named->name : writer->name;
  record.ids = arena_.keep(procid, " ", or_none(json.msgid));
  record.procid_size = uint16_t(procid.size());
  record.message = json.message;
  return writer;
}

std::optional<RejectReason> Intake::take(std::string_view frame, const Source& source) {
  NewRecord record;
  const TokenPtr& writer = read(frame, source, record);
  return add(record, frame.size(), writer, source);
}

std::optional<RejectReason> Intake::take_json(std::string_view line, const Source& source) {
  JsonRecord json;
  if (line.size() > kMaxFrame) return reject(RejectReason::too_long);
  if (const JsonVerdict verdict = parse_json_record(line, arena_, json); verdict != JsonVerdict::ok)
    return reject(verdict == JsonVerdict::too_long ? RejectReason::too_long : RejectReason::malformed);
  NewRecord record;
  const TokenPtr& writer = read_json(json, source, record);
  return add(record, line.size(), writer, source);
}

void Intake::count(std::string_view bytes, bool json, const Source& source, Tally& tally) {
  NewRecord record;
  JsonRecord fields;
  const TokenPtr* writer = &source.token;
  if (json) {
    if (bytes.size() > kMaxFrame || parse_json_record(bytes, arena_, fields) != JsonVerdict::ok) return;
    if (!*writer) writer = &read_json(fields, source, record);
  } else if (!*writer) {
    writer = &read(bytes, source, record);
  }
  if (*writer) tally.add((*writer)->channel);
  arrival_text_ = {};
  arena_.clear();
}

/// Where it says nothing about the writer, an id is as secret: Docker's tag, say, is its MSGID too.
void Intake::hide_tokens(NewRecord& record) {
  const auto shown = [](std::string_view field) { return looks_like_token(field) ? "-" : field; };
  const std::string_view time = record.head.substr(0, record.time_size);
  const std::string_view host = record.head.substr(time.size() + 1);
  if (looks_like_token(host)) record.head = arena_.keep(time, " -");
  const std::string_view procid = record.ids.substr(0, record.procid_size);
  const std::string_view msgid = record.ids.substr(procid.size() + 1);
  if (looks_like_token(procid) || looks_like_token(msgid)) {
    record.ids = arena_.keep(shown(procid), " ", shown(msgid));
    record.procid_size = uint16_t(shown(procid).size());
  }
}

void Intake::discard() {
  set_.clear();
  tokens_.release();
  over_quota_.clear();
  arrival_text_ = {};
  arena_.clear();
  taken_ = taken_bytes_ = 0;
  rejected_ = {};
}

std::optional<RejectReason> Intake::add(NewRecord record, size_t size, const TokenPtr& writer,
                                        const Source& source) {
  if (!writer) return reject(RejectReason::unknown_token);
  const ChannelPtr& channel = writer->channel;
  if (source.tally) {
    if (source.tally->refuses(channel)) return reject(RejectReason::quota);
  } else if (quota_.limited() && quota_.take(*channel, 1).count() > 0) {
    if (over_quota_.empty() || over_quota_.back().first != channel) over_quota_.emplace_back(channel, 0);
    ++over_quota_.back().second;
    return reject(RejectReason::quota);
  }
  hide_tokens(record);
  taken_ += 1;
  taken_bytes_ += size;
  in_pieces(record, kMaxMessage, [&](const NewRecord& piece) { set_.add(channel, piece); });
  return std::nullopt;
}

std::optional<RejectReason> Intake::reject(RejectReason reason) {
  rejected_.add(reason);
  return reason;
}

/// Gathers the answers of one flush's appends. Ends itself with the last of them.
class Intake::Flush {
 public:
  Flush(IngestStats& stats, Protocol protocol, std::shared_ptr<Done> done)
      : stats_(stats), protocol_(protocol), done_(std::move(done)) {}

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
    if (done_) done_->refused();
    (error == ChannelErrc::removed ? removed_ : no_room_).fetch_add(records, std::memory_order_relaxed);
  }

  void finish_one() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const uint64_t taken = outcome_.accepted, no_room = no_room_, removed = removed_;
    outcome_.accepted -= no_room + removed;
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
  const std::shared_ptr<Done> done_;
  std::atomic<uint64_t> no_room_{0}, removed_{0};
};

Intake::Outcome Intake::flush(Protocol protocol, Micros arrival, const Rejections& rejected,
                              std::shared_ptr<Done> done) {
  if (!done && taken_ == 0 && rejected.total() + rejected_.total() == 0) return {};
  auto* flush = new Flush(stats_, protocol, std::move(done));
  flush->outcome_.accepted = std::exchange(taken_, 0);
  flush->bytes_ = std::exchange(taken_bytes_, 0);
  flush->outcome_.rejected = std::exchange(rejected_, {});
  flush->outcome_.rejected += rejected;
  const Outcome hoped = flush->outcome_;
  crowded_ = false;
  set_.for_each(arrival, [&](Channel& channel, const Batch& batch) {
    flush->left_.fetch_add(1, std::memory_order_relaxed);
    auto* const waiter = new Flush::Waiter(*flush, batch.sent);
    try {
      channel.log->append(batch, *waiter);
    } catch (const std::bad_alloc&) {
      waiter->appended(make_error_code(ChannelErrc::no_room));
    }
    crowded_ |= channel.log->crowded();
  });
  for (const auto& [channel, records] : over_quota_) quota_.lost(channel, records, arrival);
  discard();
  flush->finish_one();
  return hoped;
}

}  // namespace tailrace
