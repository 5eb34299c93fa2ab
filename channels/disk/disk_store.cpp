#include "channels/disk/disk_store.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "base/ids.h"

namespace tailrace {
namespace {

constexpr uint64_t kMostRing = 8u << 20;  // of one channel, in memory

}  // namespace

/// A log that the store knows as long as it lives.
class DiskStore::Registered final : public DiskLog {
 public:
  /// With the registry's lock held.
  Registered(DiskStore& store, Channel& channel)
      : DiskLog(channel, store.limits_.log, store.start_of(channel.index),
                {*store.commit_, *store.reader_, store.segments_, store.room_, store, store.options_.observer,
                 store.options_.durable, std::min(kMostRing, store.limits_.log.bytes)}),
        store_(store),
        index_(channel.index) {
    store_.logs_[index_] = this;
  }
  ~Registered() override {
    const std::lock_guard lock(store_.registry_mutex_);
    store_.logs_.erase(index_);
  }

 private:
  DiskStore& store_;
  const uint32_t index_;
};

DiskStore::DiskStore(Options options)
    : options_(std::move(options)),
      room_(std::max<uint64_t>(options_.limits.memory_bytes / 4, 4u << 20)),
      limits_(options_.limits) {}

DiskStore::~DiskStore() {
  stop();
}

std::unique_ptr<DiskStore> DiskStore::open(Options options, std::string& error) {
  std::unique_ptr<DiskStore> store(new DiskStore(std::move(options)));
  if (!store->open_files(error)) return nullptr;
  return store;
}

bool DiskStore::open_files(std::string& error) {
  const std::string segments_dir = options_.dir + "/segments";
  const mode_t mask = ::umask(077);  // records are nobody else's
  std::error_code failed;
  std::filesystem::create_directories(segments_dir, failed);
  ::umask(mask);
  if (failed) return error = "TAILRACE_DATA_DIR=" + options_.dir + ": " + failed.message(), false;
  if (error = lock_.take(options_.dir); !error.empty()) return false;
  catalog_ = CatalogFile::open(options_.dir, error);
  if (!catalog_) return false;
  stored_ = catalog_->load();
  positions_ = Positions::open(options_.dir, [this](auto& out) { collect(out); }, error);
  if (!positions_) return false;
  ends_ = positions_->channels();

  RecoveryOptions recovery;
  recovery.segments_dir = segments_dir;
  recovery.data_dir = stored_.data_dir;
  recovery.now = wall_now();
  recovery.about = [this](uint32_t channel) {
    const auto found = ends_.find(channel);
    return found == ends_.end() ? 0 : found->second.ordinal;
  };
  auto recovered = recover(recovery, segments_, error);
  if (!recovered) return false;
  recovered_ = std::move(*recovered);
  base_ = recovered_.base(positions_->highest().value, recovery.now);
  if (!stored_.data_dir) {
    catalog_is_new_ = true;
    stored_.data_dir = recovered_.data_dir;
    if (stored_.data_dir == std::array<uint8_t, 16>{})
      for (uint8_t& byte : *stored_.data_dir) byte = uint8_t(random_bits());
    if (const auto kept = catalog_->set_data_dir(*stored_.data_dir); !kept)
      return error = options_.dir + "/catalog.db: " + kept.error().message(), false;
  }

  reader_ = std::make_unique<RecordReader>(segments_);
  const uint64_t segment_bytes =
      options_.segment_bytes ? options_.segment_bytes : segment_bytes_for(options_.limits.disk_bytes);
  Cleaner::Parts cleaner{segments_, *this, [this](Copies copies) { commit_->copy(std::move(copies)); },
                         [this](const auto& gone) { return sync_positions(gone); }, options_.limits.log.age};
  keeper_ = std::make_unique<Keeper>(Keeper::Parts{segments_dir, *stored_.data_dir, segments_, room_, *this,
                                                   std::move(cleaner), [this] { commit_->retry(); },
                                                   segment_bytes, options_.limits.disk_bytes,
                                                   options_.limits.memory_bytes, recovered_.next_segment});
  commit_ = std::make_unique<GroupCommit>(
      GroupCommit::Parts{room_, options_.observer, options_.durable},
      GroupWriter::Parts{segments_, [this](bool for_copies) { return keeper_->take_prepared(for_copies); },
                         [this](SegmentPtr segment) { keeper_->seal(std::move(segment)); }},
      GroupWriter::Start{recovered_.last_segment, recovered_.entries, recovered_.next_group,
                         base_.value + kMarkStep});
  return true;
}

// ---- the start -------------------------------------------------------------------------------------------

CatalogContents DiskStore::contents() {
  CatalogContents contents = std::move(stored_.contents);
  contents.first_free_index =
      std::max(uint32_t(recovered_.channels.size()), ends_.empty() ? 0 : ends_.rbegin()->first + 1);
  std::set<uint64_t> known;
  for (CatalogContents::StoredDrain& drain : contents.drains) {
    const auto found = positions_->drains().find(drain.id);
    if (found != positions_->drains().end()) drain.start = found->second;
    known.insert(drain.id);
  }
  positions_->keep_only(known, [this](uint32_t channel) { return catalog_->was_removed(channel); });
  return contents;
}

DiskLogStart DiskStore::start_of(uint32_t channel) const {
  const ChannelFound found =
      channel < recovered_.channels.size() ? recovered_.channels[channel] : ChannelFound{};
  DiskLogStart start{base_, found.end_ordinal, 0, found.bytes, 0, DropReason::overflow};
  if (const auto end = ends_.find(channel); end != ends_.end()) {
    start.ordinal = std::max(start.ordinal, end->second.ordinal);
    start.lost = std::min(end->second.lost, start.ordinal);
    start.lost_for = end->second.lost_for;
  }
  start.first_kept = std::min(found.lowest_ordinal, start.ordinal);
  return start;
}

void DiskStore::start() {
  for (SegmentPtr& segment : recovered_.unsealed) keeper_->seal(std::move(segment));
  recovered_.unsealed.clear();
  keeper_->start();
  (void)commit_->start();  // if there is no room, the keeper's trouble says why
  positions_->start();
}

void DiskStore::stop() {
  if (!commit_) return;
  commit_->stop();
  keeper_->stop();
  std::vector<std::pair<uint32_t, uint64_t>> all;
  {
    const std::lock_guard lock(registry_mutex_);
    for (const auto& [index, log] : logs_) all.emplace_back(index, log->ends().ordinal);
  }
  (void)sync_positions(all);
  reader_->stop();
}

std::unique_ptr<Log> DiskStore::open(Channel& channel) {
  const std::lock_guard lock(registry_mutex_);
  return std::make_unique<Registered>(*this, channel);
}

// ---- running ---------------------------------------------------------------------------------------------

bool DiskStore::has_room() const {
  return !options_.durable || room_.open();
}

void DiskStore::remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused,
                         AppendWaiter& waiter) {
  if (options_.durable) return commit_->remember(std::move(post), std::move(refused), waiter);
  static struct final : AppendWaiter {
    void appended(Result<Position> /*first*/) override {}
  } nobody;
  commit_->remember(std::move(post), std::move(refused), nobody);
  waiter.appended(Position{});
}

std::string DiskStore::trouble() const {
  std::string trouble = keeper_->trouble();
  if (trouble.empty() && !room_.open()) trouble = "records could not be written to the data dir";
  return trouble;
}

StoreStatus DiskStore::status() const {
  StoreStatus status;
  status.on_disk = true;
  status.bytes = segments_.bytes();
  status.segments = segments_.all().size();
  status.damaged = reader_->damaged();
  status.torn = recovered_.loss.torn_entries;
  status.waiting = room_.waiting();
  status.most_waiting = room_.most_waiting();
  return status;
}

void DiskStore::set_limits(const StoreLimits& limits) {
  keeper_->set_limits(limits);
  const std::lock_guard lock(registry_mutex_);
  limits_ = limits;
  for (const auto& [index, log] : logs_) log->set_limits(limits.log);
}

std::vector<std::string> DiskStore::remarks() const {
  std::vector<std::string> lines;
  const auto& loss = recovered_.loss;
  if (catalog_is_new_ && !recovered_.channels.empty())
    lines.emplace_back(
        "there are records and no catalog: channels, tokens and drains are gone, and "
        "`tailrace inspect --export` has the records");
  for (const std::string& warning : {stored_.warning, positions_->warning()})
    if (!warning.empty()) lines.push_back(warning);
  if (loss.torn_entries)
    lines.push_back(std::to_string(loss.torn_entries) + " records that nobody was told of were cut short");
  if (loss.damaged_stretches || loss.missing_entries)
    lines.push_back("damage in the data dir: " + std::to_string(loss.damaged_stretches) + " stretches, " +
                    std::to_string(loss.missing_entries) + " records missing");
  for (const uint64_t segment : loss.unreadable)
    lines.push_back("segment " + segment_name(segment) + " cannot be read: it is left alone");
  return lines;
}

// ---- the keeper ------------------------------------------------------------------------------------------

void DiskStore::for_each(const std::function<void(uint32_t, KeptLog&)>& use) {
  const std::lock_guard lock(registry_mutex_);
  for (const auto& [index, log] : logs_) use(index, *log);
}

bool DiskStore::with(uint32_t channel, const std::function<void(KeptLog&)>& use) {
  const std::lock_guard lock(registry_mutex_);
  const auto found = logs_.find(channel);
  if (found == logs_.end()) return false;
  use(*found->second);
  return true;
}

bool DiskStore::removed(uint32_t channel) const {
  return catalog_->was_removed(channel);
}

/// With them the ends of channels that have nothing left on disk, and what bounds took: else a start would
/// call that damage.
Result<void> DiskStore::sync_positions(const std::vector<std::pair<uint32_t, uint64_t>>& gone) {
  std::unordered_map<uint32_t, Positions::ChannelEnd> rows;
  {
    const std::lock_guard lock(registry_mutex_);
    const auto row = [](const DiskLog& log) {
      const DiskLog::Ends ends = log.ends();
      return Positions::ChannelEnd{ends.ordinal, ends.next, ends.lost, ends.lost_for};
    };
    for (const auto& [index, ordinal] : gone)
      if (const auto log = logs_.find(index); log != logs_.end()) rows[index] = row(*log->second);
    for (const auto& [index, log] : logs_) {
      const auto end = row(*log);
      if (end.lost > lost_[index]) rows[index] = end;
    }
  }
  auto done = positions_->sync({rows.begin(), rows.end()});
  if (done)
    for (const auto& [index, end] : rows) lost_[index] = end.lost;
  return done;
}

// ---- positions -------------------------------------------------------------------------------------------

void DiskStore::progressed(ChannelPtr channel, DiskLog& log) {
  const std::lock_guard lock(moved_mutex_);
  moved_.emplace_back(std::move(channel), &log);
}

void DiskStore::collect(std::vector<std::pair<uint64_t, Progress>>& out) {
  Moved moved;
  {
    const std::lock_guard lock(moved_mutex_);
    moved.swap(moved_);
  }
  for (const auto& [channel, log] : moved)
    log->take_progress([&](uint64_t drain, const Progress& progress) { out.emplace_back(drain, progress); });
}

}  // namespace tailrace
