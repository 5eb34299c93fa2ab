#include "channels/disk/positions.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "base/text.h"
#include "base/thread_name.h"
#include "channels/disk/crash_point.h"
#include "channels/disk/errc.h"
#include "channels/disk/row_sum.h"

namespace tailrace {
namespace {

constexpr uint64_t kVersion = 1;
constexpr std::chrono::milliseconds kInterval{250};

/// `sum` is a row's own checksum: a flipped bit in it would lose records without a word.
constexpr const char* kTables = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES('version', 1), ('syncs', 0);
  CREATE TABLE drains(drain INTEGER PRIMARY KEY, number INTEGER NOT NULL, ordinal INTEGER NOT NULL,
                      frozen INTEGER NOT NULL, delivered INTEGER NOT NULL, filtered INTEGER NOT NULL,
                      dropped TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE channels(idx INTEGER PRIMARY KEY, ordinal INTEGER NOT NULL, number INTEGER NOT NULL,
                        lost INTEGER NOT NULL, lost_for TEXT NOT NULL, sum INTEGER NOT NULL);
  PRAGMA user_version = 1;
  COMMIT)";

std::string drops_text(const Drops& drops) {
  std::string text;
  for (size_t i = 0; i < drops.size(); ++i)
    if (drops[i] > 0)
      text += (text.empty() ? "" : " ") + std::string(kDropReasons[i]) + "=" + std::to_string(drops[i]);
  return text;
}

/// None for anything that drops_text does not write.
std::optional<Drops> parse_drops(std::string_view text) {
  Drops drops{};
  bool good = true;
  for_each_piece(text, ' ', [&](std::string_view piece) {
    const size_t equals = piece.find('=');
    const auto reason = std::ranges::find(kDropReasons, piece.substr(0, equals));
    const auto count = equals == piece.npos ? std::nullopt : parse_u64(piece.substr(equals + 1));
    if (reason == kDropReasons.end() || !count)
      good = false;
    else
      drops[size_t(reason - kDropReasons.begin())] = *count;
  });
  return good ? std::optional(drops) : std::nullopt;
}

uint64_t sum_of(uint64_t drain, const Progress& p, std::string_view dropped) {
  RowSum sum;
  for (const uint64_t word :
       {drain, p.next.value, p.ordinal, p.frozen.value, p.counts.delivered, p.counts.filtered})
    sum.add(word);
  sum.add(dropped);
  return sum.value();
}

uint64_t sum_of(uint32_t channel, const Positions::ChannelEnd& end) {
  RowSum sum;
  for (const uint64_t word : {uint64_t(channel), end.ordinal, end.next.value, end.lost}) sum.add(word);
  sum.add(to_string(end.lost_for));
  return sum.value();
}

Result<uint64_t> number_of(Database& db, const char* sql) {
  Statement statement(db, sql);
  const auto step = statement.step();
  if (!step) return step.error();
  if (*step != Statement::Step::row) return make_error_code(DiskErrc::damaged);
  return statement.integer(0);
}

/// It stands in two places, so that a flipped bit in one does not refuse a start.
Result<void> check_version(Database& db) {
  const auto version = number_of(db, "PRAGMA user_version");
  if (!version) return version.error();
  const auto said = number_of(db, "SELECT value FROM meta WHERE key = 'version'");
  if (!said) return said.error();
  if (*version == *said && *version > kVersion) return make_error_code(DiskErrc::newer_version);
  if (*version != kVersion || *said != kVersion) return make_error_code(DiskErrc::damaged);
  return {};
}

}  // namespace

// ---- opening ---------------------------------------------------------------------------------------------

std::unique_ptr<Positions> Positions::open(const std::string& dir, Collect collect, std::string& error) {
  std::unique_ptr<Positions> positions(new Positions(dir, std::move(collect)));
  const auto read = positions->read();
  if (read || is_missing(read.error())) return positions;
  auto aside = read;
  if (is_damage(read.error())) aside = positions->file_.set_aside();
  if (!aside) {
    error = positions->file_.refusal(aside.error(), kVersion);
    return nullptr;
  }
  positions->warning_ =
      "positions.db is damaged and kept as positions.bad.db: drains go on where they began, and repeat what "
      "they had sent";
  return positions;
}

Result<void> Positions::read() {
  if (const auto there = file_.look(); !there) return there;
  auto db = Database::open(file_.path(), Database::Sync::normal);
  if (!db) return db.error();
  auto rows = read_rows(*db);
  if (!rows) {
    db->leave_as_is();
    return rows.error();
  }
  db_ = std::move(*db);
  drains_ = std::move(rows->drains);
  channels_ = std::move(rows->channels);
  for (const auto& [drain, progress] : drains_)
    highest_ = std::max({highest_, progress.next, progress.frozen});
  for (const auto& [channel, end] : channels_) highest_ = std::max(highest_, end.next);
  return {};
}

Result<Positions::Rows> Positions::read_rows(Database& db) {
  if (const auto version = check_version(db); !version) return version.error();
  if (const auto checked = db.check(); !checked) return checked.error();
  Rows rows;
  Statement drains(db,
                   "SELECT drain, number, ordinal, frozen, delivered, filtered, dropped, sum FROM drains");
  for (;;) {
    const auto step = drains.step();
    if (!step) return step.error();
    if (*step == Statement::Step::done) break;
    const uint64_t drain = drains.integer(0);
    const auto drops = parse_drops(drains.text(6));
    Progress& p = rows.drains[drain];
    p = {{drains.integer(1)}, drains.integer(2), {drains.integer(3)}, {}};
    p.counts.delivered = drains.integer(4);
    p.counts.filtered = drains.integer(5);
    if (!drops || drains.integer(7) != sum_of(drain, p, drains.text(6)))
      return make_error_code(DiskErrc::damaged);
    p.counts.dropped = *drops;
  }
  Statement channels(db, "SELECT idx, ordinal, number, lost, lost_for, sum FROM channels");
  for (;;) {
    const auto step = channels.step();
    if (!step) return step.error();
    if (*step == Statement::Step::done) return rows;
    const auto channel = uint32_t(channels.integer(0));
    const auto reason = std::ranges::find(kDropReasons, channels.text(4));
    if (reason == kDropReasons.end()) return make_error_code(DiskErrc::damaged);
    const ChannelEnd end{channels.integer(1),
                         {channels.integer(2)},
                         channels.integer(3),
                         DropReason(reason - kDropReasons.begin())};
    if (channels.integer(5) != sum_of(channel, end)) return make_error_code(DiskErrc::damaged);
    rows.channels[channel] = end;
  }
}

void Positions::keep_only(const std::set<uint64_t>& drains,
                          const std::function<bool(uint32_t)>& channel_removed) {
  const std::lock_guard lock(mutex_);
  std::erase_if(drains_, [&](const auto& line) {
    return !drains.contains(line.first) && moved_drains_.insert(line.first).second;
  });
  std::erase_if(channels_, [&](const auto& line) {
    return channel_removed(line.first) && moved_channels_.insert(line.first).second;
  });
}

// ---- storing ---------------------------------------------------------------------------------------------

void Positions::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Positions::run(const std::stop_token& stop) {
  name_this_thread("positions");
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    stopping_.wait_for(lock, stop, kInterval, [] { return false; });
    if (!stop.stop_requested()) (void)store(Database::Sync::normal);
  }
}

Result<void> Positions::sync(const std::vector<std::pair<uint32_t, ChannelEnd>>& ends) {
  const std::lock_guard lock(mutex_);
  for (const auto& [channel, end] : ends) {
    channels_[channel] = end;
    moved_channels_.insert(channel);
  }
  return store(Database::Sync::full);
}

Result<void> Positions::store(Database::Sync sync) {
  std::vector<std::pair<uint64_t, Progress>> collected;
  collect_(collected);
  for (const auto& [drain, progress] : collected) {
    drains_[drain] = progress;
    moved_drains_.insert(drain);
  }
  if (sync == Database::Sync::normal && moved_drains_.empty() && moved_channels_.empty()) return {};

  auto stored = write(sync);
  if (!stored && is_damage(stored.error())) {
    db_.leave_as_is();
    db_ = {};
    (void)file_.set_aside();
    stored = write(sync);
  }
  if (bool(stored) == failing_) {
    failing_ = !stored;
    if (failing_)
      log_warn("the drains' positions cannot be stored; a crash now means repeats",
               "error=\"" + stored.error().message() + "\"");
    else
      log_info("the drains' positions are stored again");
  }
  return stored;
}

/// Into a new file goes everything, not only what moved.
Result<void> Positions::have_database() {
  if (db_) return {};
  if (const auto made = file_.make([](Database& db) { return db.script(kTables); }); !made) return made;
  auto opened = Database::open(file_.path(), Database::Sync::normal);
  if (!opened) return opened.error();
  db_ = std::move(*opened);
  for (const auto& [drain, progress] : drains_) moved_drains_.insert(drain);
  for (const auto& [channel, end] : channels_) moved_channels_.insert(channel);
  return {};
}

Result<void> Positions::write(Database::Sync sync) {
  if (const auto there = have_database(); !there) return there;
  if (const auto set = db_.set_sync(sync); !set) return set;
  Transaction transaction(db_);
  if (!transaction.begun()) return transaction.begun();
  // Also what was committed without a sync before is synced with it, so there must be something to commit.
  if (sync == Database::Sync::full)
    if (const auto done = db_.run("UPDATE meta SET value = value + 1 WHERE key = 'syncs'"); !done)
      return done;
  if (const auto done = write_drains(); !done) return done;
  if (const auto done = write_channels(); !done) return done;
  if (const auto done = transaction.commit(); !done) return done;
  crash_point("positions.committed");
  moved_drains_.clear();
  moved_channels_.clear();
  return {};
}

Result<void> Positions::write_drains() {
  Statement insert(db_, "INSERT OR REPLACE INTO drains VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  for (const uint64_t drain : moved_drains_) {
    const auto found = drains_.find(drain);
    if (found == drains_.end()) {
      if (const auto done = db_.run("DELETE FROM drains WHERE drain = ?1", drain); !done) return done;
      continue;
    }
    const Progress& p = found->second;
    const std::string dropped = drops_text(p.counts.dropped);
    int parameter = 0;
    for (const uint64_t word :
         {drain, p.next.value, p.ordinal, p.frozen.value, p.counts.delivered, p.counts.filtered})
      insert.bind(++parameter, word);
    insert.bind(++parameter, std::string_view(dropped));
    insert.bind(++parameter, sum_of(drain, p, dropped));
    if (const auto done = insert.step(); !done) return done.error();
    insert.reset();
  }
  return {};
}

Result<void> Positions::write_channels() {
  Statement insert(db_, "INSERT OR REPLACE INTO channels VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  for (const uint32_t channel : moved_channels_) {
    const auto found = channels_.find(channel);
    if (found == channels_.end()) {
      if (const auto done = db_.run("DELETE FROM channels WHERE idx = ?1", channel); !done) return done;
      continue;
    }
    const ChannelEnd& end = found->second;
    int parameter = 0;
    for (const uint64_t word : {uint64_t(channel), end.ordinal, end.next.value, end.lost})
      insert.bind(++parameter, word);
    insert.bind(++parameter, to_string(end.lost_for));
    insert.bind(++parameter, sum_of(channel, end));
    if (const auto done = insert.step(); !done) return done.error();
    insert.reset();
  }
  return {};
}

}  // namespace tailrace
