#pragma once
// From frames to batches: who may write where, under which name, in pieces of what size.

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "channels/batch.h"
#include "channels/log.h"
#include "ingest/json_record.h"
#include "ingest/quota.h"
#include "ingest/reason.h"
#include "ingest/stats.h"
#include "ingest/token_cache.h"

namespace tailrace {

/// What one POST writes to each channel, so that the quota judges it as a whole before any of it is appended.
class Tally {
 public:
  void add(const ChannelPtr& channel) { ++lines_[channel].records; }
  /// Asks the quota about each channel. The longest wait of those that are over it; zero if none is.
  std::chrono::nanoseconds judge(Quota& quota);
  bool refuses(const ChannelPtr& channel) const;

 private:
  struct Line {
    uint64_t records = 0;
    bool refused = false;
  };
  std::unordered_map<ChannelPtr, Line> lines_;
};

/// How long a reader of a socket waits when Intake::crowded(): at full speed the default bound of a channel
/// is some ten milliseconds of records.
inline constexpr auto kYieldToDrains = std::chrono::milliseconds(1);

/// Where the records of one read, or of one body, come from.
struct Source {
  TokenPtr token;  // came with the credentials or the listener; null: each record names its own
  Micros arrival = 0;
  const Tally* tally = nullptr;  // a POST's, judged; null: the quota judges each record by itself
};

/// Collects the records of one read (or one round of a body) and appends them, one batch per channel. One per
/// event loop, used by its thread alone; bytes given to take() must live until flush().
///
/// A record's token is the source's, else the one that its APP-NAME is, else one in its STRUCTURED-DATA. What
/// is neither RFC 5424 nor RFC 3164 is kept whole as a raw record if it is known whose it is. No field of a
/// record holds a token's id: its name stands for it, or nothing. MSG, and so a raw record, is the sender's
/// own.
class Intake {
 public:
  Intake(const Catalog& catalog, IngestStats& stats, Quota& quota)
      : tokens_(catalog), stats_(stats), quota_(quota) {}

  /// Judges one frame and keeps it for flush(). The reason if it is rejected; flush() counts it.
  std::optional<RejectReason> take(std::string_view frame, const Source& source);
  /// The same for one line of application/x-ndjson.
  std::optional<RejectReason> take_json(std::string_view line, const Source& source);

  /// Adds to `tally` what take() would write, or take_json() if `json`, and keeps nothing. Not between take()
  /// and flush().
  void count(std::string_view bytes, bool json, const Source& source, Tally& tally);

  /// What one flush() led to, once all of it is known.
  struct Outcome {
    uint64_t accepted = 0;  // records as sent: pieces of a split one count once
    Rejections rejected;
  };
  class Done {
   public:
    virtual ~Done() = default;
    /// Once for each append that fails, on any thread, at once.
    virtual void refused() = 0;
    /// Once, on any thread, perhaps before flush() returns.
    virtual void flushed(const Outcome& outcome) = 0;
  };

  /// Appends what was taken. `rejected`: what the caller found by itself. Counts into the stats.
  /// `done` may be null. Gives what will come of it if no append fails.
  Outcome flush(Protocol protocol, Micros arrival, const Rejections& rejected, std::shared_ptr<Done> done);

  /// Forgets what was taken since the last flush(), and counts none of it: the caller could not go on.
  void discard();

  /// A channel just written to has drains that could run and lag far behind: let them.
  bool crowded() const { return crowded_; }

  const TokenPtr& token(std::string_view id) { return tokens_.find(id); }

 private:
  class Flush;

  const TokenPtr& read(std::string_view frame, const Source& source, NewRecord& record);
  const TokenPtr& read_json(const JsonRecord& json, const Source& source, NewRecord& record);
  std::optional<RejectReason> add(NewRecord record, size_t size, const TokenPtr& writer,
                                  const Source& source);
  std::optional<RejectReason> reject(RejectReason reason);
  void hide_tokens(NewRecord& record);
  std::string_view arrival_text(Micros arrival);

  TokenCache tokens_;
  IngestStats& stats_;
  Quota& quota_;
  BatchSet set_;
  Arena arena_;                    // what was made for the records of this flush
  std::string_view arrival_text_;  // in the arena, once it is needed
  uint64_t taken_ = 0, taken_bytes_ = 0;
  Rejections rejected_;
  std::vector<std::pair<ChannelPtr, uint64_t>> over_quota_;  // nobody is answered for these
  bool crowded_ = false;
};

}  // namespace tailrace
