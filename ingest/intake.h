#pragma once
// From frames to batches: who may write where, under which name, in pieces of what size.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "channels/batch.h"
#include "channels/log.h"
#include "ingest/reason.h"
#include "ingest/stats.h"
#include "ingest/token_cache.h"

namespace tailrace {

/// Collects the records of one read (or one body) and appends them, one batch per channel. One per event
/// loop, used by its thread alone; frames given to take() must live until flush().
class Intake {
 public:
  Intake(const Catalog& catalog, IngestStats& stats) : tokens_(catalog), stats_(stats) {}

  /// Judges one frame and keeps it for flush(). With `token` (which came with the credentials or the
  /// listener) the record goes to that token's channel, whatever its APP-NAME; without, its APP-NAME must be
  /// a token's id. The reason if it is rejected; flush() counts it.
  std::optional<RejectReason> take(std::string_view frame, const TokenPtr& token, Micros arrival);

  /// What one flush() led to, once all of it is known.
  struct Outcome {
    uint64_t accepted = 0;  // records as sent: pieces of a split one count once
    Rejections rejected;
    bool no_room = false;  // at least one batch found no room; its records are among the rejected
  };
  class Done {
   public:
    virtual ~Done() = default;
    /// Once, on any thread, perhaps before flush() returns.
    virtual void flushed(const Outcome& outcome) = 0;
  };

  /// Appends what was taken. `rejected`: what the caller found by itself. Counts into the stats.
  /// `done` may be null; it must live until it is called.
  void flush(Protocol protocol, Micros arrival, const Rejections& rejected, Done* done);

  /// A channel just written to has drains that could run and lag far behind: let them.
  bool crowded() const { return crowded_; }

  const TokenPtr& token(std::string_view id) { return tokens_.find(id); }

 private:
  class Flush;

  TokenCache tokens_;
  IngestStats& stats_;
  BatchSet set_;
  uint64_t taken_ = 0, taken_bytes_ = 0;
  Rejections rejected_;
  std::string arrival_head_;  // `TIME -` of raw records of this flush
  bool crowded_ = false;
};

}  // namespace tailrace
