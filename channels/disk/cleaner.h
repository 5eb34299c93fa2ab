#pragma once
// Decides which segment goes, and saves what lives in it. A step of its own: no thread, no clock.

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "channels/disk/group_commit.h"
#include "channels/disk/kept_log.h"
#include "channels/disk/live_records.h"
#include "channels/disk/segment_set.h"

namespace tailrace {

/// Belongs to the keeper thread. Segments go from the oldest on, so that one that is missing elsewhere is
/// known to be lost. The oldest is cleaned when three quarters of it are dead, or of it and up to seven
/// behind it together; when the disk bound asks for room; or when there are more segments than their bytes
/// explain (many starts leave small ones):
///
///   its live records, read and checked, in chunks → GroupCommit::copy → synced → positions synced
///   → unlinked → out of the set → told to the logs
///
/// Live is what is not below its log's floor, younger than `age` where the catalog never knew the channel, a
/// post of the last five minutes; and lies in no newer segment: there the copy is that is read, and another
/// one could hide it. Damaged entries are not copied: the gap in the ordinals counts them.
///
/// Invariants: (1) D10; (2) never more than one segment is being cleaned; (3) the newest segment with a
/// synced group stays, for its mark; (4) what is all alive is rewritten only if `pressed`, and whoever
/// presses learns when that gained nothing.
class Cleaner {
 public:
  struct Parts {
    SegmentSet& segments;
    KeptLogs& logs;
    /// GroupCommit::copy.
    std::function<void(Copies)> copy;
    /// Positions survive a power cut when it returns, and with them `ends`: channel and ordinal behind its
    /// newest record, which is about to go.
    std::function<Result<void>(const std::vector<std::pair<uint32_t, uint64_t>>& ends)> sync_positions;
    Micros age;  // TAILRACE_CHANNEL_AGE
  };
  explicit Cleaner(Parts parts);
  ~Cleaner();

  enum class Step : uint8_t {
    idle,     // nothing is worth it
    waiting,  // for a copy to be synced
    copied,   // part of it is on its way
    removed
  };
  /// One bounded piece of work: up to 1 MiB copied, or one segment removed. `pressed`: the disk bound asks
  /// for room. errors: as the disk has it; the segment stays, and is begun again, or goes on where it was.
  Result<Step> step(Micros now, bool pressed);

  /// Something died: the oldest segment is looked at again at the next step, not within a minute.
  void look_again() { look_ = {}; }
  /// How often in succession all segments were rewritten under pressure for less than an eighth of their
  /// bytes: more lives than whoever presses believes.
  unsigned barren_rounds() const { return barren_; }
  void forget_rounds() { barren_ = 0; }

  /// Posts younger than this are copied too.
  static constexpr Micros kPostAge = Micros(5) * 60 * 1'000'000;

 private:
  /// A channel's part of the segment; before `floor` it is dead.
  struct Share {
    ChannelLine line;
    uint64_t floor = 0;
    bool unknown = false;  // to the catalog
    bool alive() const { return floor <= line.highest_ordinal; }
    uint64_t live_bytes() const;
  };
  /// Of one channel, out of the oldest segment, by this process.
  struct Moved {
    uint64_t bytes = 0, end = 0;
  };
  struct Landed;  // what became of copies
  struct Job;     // the segment that is being cleaned

  Result<void> begin(Micros now, bool pressed);
  bool looked_at(uint64_t segment, Micros now, bool pressed);
  Result<std::vector<Share>> shares_of(Segment& segment, Micros now);
  Result<std::vector<ChannelLine>> lines_of(Segment& segment);
  Result<std::vector<PostLine>> posts_of(const Segment& segment, Micros now) const;
  bool worth_cleaning(const Segment& segment, std::vector<Share>& shares, size_t posts, bool pressed) const;
  bool worth_with_more(const Segment& oldest, uint64_t live, Micros now);
  static uint64_t live_of(const std::vector<Share>& shares, size_t posts);
  Result<std::vector<Wanted>> wanted_of(const Segment& segment, const std::vector<Share>& shares) const;
  bool send_more();
  Result<Step> remove();
  std::vector<std::pair<uint32_t, uint64_t>> ends() const;
  void count_round(const Segment& segment);

  const Parts parts_;
  std::unique_ptr<Job> job_;        // null: none
  std::shared_ptr<Landed> landed_;  // outlives this while copies are under way
  // Of the oldest segment:
  std::unordered_map<uint32_t, Moved> moved_;
  unsigned failed_reads_ = 0;
  Micros read_failed_at_ = 0;

  struct Look {  // which found that nothing is worth it
    uint64_t segment = 0;
    size_t segments = 0;
    bool pressed = false;
    Micros at = 0;
  };
  Look look_;
  uint64_t round_end_ = 0, freed_ = 0, rewritten_ = 0;  // of this round: its last segment; bytes
  unsigned barren_ = 0;
};

}  // namespace tailrace
