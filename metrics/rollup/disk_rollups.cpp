#include "metrics/rollup/disk_rollups.h"

#include "base/log.h"
#include "channels/disk/database_file.h"
#include "channels/disk/errc.h"
#include "channels/disk/row_sum.h"
#include "metrics/rollup/table_rollups.h"

namespace tailrace {
namespace {

constexpr uint64_t kVersion = 1;
constexpr const char* kTables = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE windows(key INTEGER PRIMARY KEY, cells BLOB NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE channels(idx INTEGER PRIMARY KEY, state BLOB NOT NULL, sum INTEGER NOT NULL);
  PRAGMA user_version = 1;
  COMMIT)";
constexpr const char* kBoundNames[] = {"made", "floor_1m", "floor_10m", "floor_1h"};

// A window's row: 2 bits of kind, 29 of the minute it begins in, 32 of the channel.
constexpr uint64_t kKindShift = 61, kMinuteShift = 32;

uint64_t kind_key(Micros length) {
  for (uint64_t i = 0; i < kWindowKinds; ++i)
    if (kWindowLengths[i] >= length) return i << kKindShift;
  return kWindowKinds << kKindShift;
}
uint64_t key_of(const WindowKey& key) {
  return kind_key(key.length) | static_cast<uint64_t>(key.begin / kMinute) << kMinuteShift | key.channel;
}
Micros begin_of(uint64_t key) {
  return static_cast<Micros>((key << (64 - kKindShift)) >> (64 - kKindShift + kMinuteShift)) * kMinute;
}

template <class Key>
uint64_t sum_of(const Key& key, std::string_view text) {
  RowSum sum;
  sum.add(key);
  sum.add(text);
  return sum.value();
}
uint64_t sum_of(std::string_view key, uint64_t value) {
  RowSum sum;
  sum.add(key);
  sum.add(value);
  return sum.value();
}

std::span<const std::byte> blob_of(std::string_view text) {
  return std::as_bytes(std::span(text.data() ? text.data() : "", text.size()));
}

/// The connection and what is prepared on it.
struct Connection {
  explicit Connection(Database&& open) : db(std::move(open)) {}

  Database db;
  Statement begin{db, "BEGIN IMMEDIATE"}, commit{db, "COMMIT"}, roll_back{db, "ROLLBACK"};
  Statement window{db, "SELECT cells, sum FROM windows WHERE key = ?1"};
  Statement set_window{db, "INSERT OR REPLACE INTO windows VALUES(?1, ?2, ?3)"};
  Statement remove_window{db, "DELETE FROM windows WHERE key = ?1"};
  Statement windows{db, "SELECT key FROM windows WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"};
  Statement oldest{db, "SELECT key FROM windows WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1"};
  Statement newest{db, "SELECT key FROM windows WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT 1"};
  Statement channel{db, "SELECT state, sum FROM channels WHERE idx = ?1"};
  Statement set_channel{db, "INSERT OR REPLACE INTO channels VALUES(?1, ?2, ?3)"};
  Statement remove_channel{db, "DELETE FROM channels WHERE idx = ?1"};
  Statement channels{db, "SELECT idx FROM channels ORDER BY idx"};
  Statement meta{db, "SELECT value, sum FROM meta WHERE key = ?1"};
  Statement set_meta{db, "INSERT OR REPLACE INTO meta VALUES(?1, ?2, ?3)"};
  Statement pages{db,
                  "SELECT page_count - freelist_count, page_size FROM pragma_page_count(), "
                  "pragma_freelist_count(), pragma_page_size()"};
};

/// Ready for another run whatever happens to this one.
class Run {
 public:
  template <class... Values>
  explicit Run(Statement& statement, const Values&... values) : statement_(statement) {
    int parameter = 0;
    (statement_.bind(++parameter, values), ...);
  }
  ~Run() { statement_.reset(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Result<Statement::Step> step() { return statement_.step(); }
  /// For what gives no rows.
  Result<void> end() {
    const auto step = statement_.step();
    if (!step) return step.error();
    return {};
  }
  const Statement& row() const { return statement_; }

 private:
  Statement& statement_;
};

class SqliteTable final : public RollupTable {
 public:
  explicit SqliteTable(const std::string& dir) : file_(dir, "rollups") {}

  /// At a start: what is there and cannot be used is set aside.
  void look() {
    if (const auto there = file_.look(); !there && is_missing(there.error())) return;
    const auto opened = open();
    if (!opened && !given_up(opened.error()))
      log_warn("rollups.db cannot be opened", "error=\"" + opened.error().message() + "\"");
  }

  Result<void> begin(Micros now) override {
    if (!connection_) {
      if (const auto there = have(now); !there) return there;
    }
    return Run(connection_->begin).end();
  }
  Result<void> commit() override { return Run(connection_->commit).end(); }
  void roll_back() override {
    if (connection_) (void)Run(connection_->roll_back).end();
  }
  bool given_up(error_code error) override {
    if (!is_damage(error) && error != DiskErrc::newer_version) return false;
    if (connection_) connection_->db.leave_as_is();
    connection_.reset();
    if (!file_.set_aside()) return false;
    log_warn(
        error == DiskErrc::newer_version
            ? "rollups.db was written by a newer version and is kept as rollups.bad.db: metrics begin anew, "
              "with what the log still has at the next start"
            : "rollups.db is damaged and kept as rollups.bad.db: metrics begin anew, with what the log "
              "still has at the next start");
    return true;
  }

  Result<RollupBounds> bounds() override {
    uint64_t values[std::size(kBoundNames)] = {};
    for (size_t i = 0; i < std::size(kBoundNames); ++i) {
      const std::string_view name = kBoundNames[i];
      Run run(connection_->meta, name);
      const auto step = run.step();
      if (!step) return step.error();
      if (*step != Statement::Step::row) return make_error_code(DiskErrc::damaged);
      values[i] = run.row().integer(0);
      if (run.row().integer(1) != sum_of(name, values[i])) return make_error_code(DiskErrc::damaged);
    }
    RollupBounds bounds{static_cast<Micros>(values[0]), {}};
    for (size_t i = 0; i < kWindowKinds; ++i) bounds.floor[i] = static_cast<Micros>(values[i + 1]);
    return bounds;
  }
  Result<void> set_bounds(const RollupBounds& bounds) override {
    return store(connection_->set_meta, bounds);
  }

  Result<std::string> window(const WindowKey& key) override {
    return text_of(connection_->window, key_of(key));
  }
  Result<void> set_window(const WindowKey& key, std::string_view cells) override {
    const uint64_t row = key_of(key);
    return Run(connection_->set_window, row, blob_of(cells), sum_of(row, cells)).end();
  }
  Result<void> remove_window(const WindowKey& key) override {
    return Run(connection_->remove_window, key_of(key)).end();
  }
  Result<std::vector<WindowKey>> windows(Micros length, Micros before, size_t most) override {
    std::vector<WindowKey> keys;
    Run run(connection_->windows, kind_key(length), key_of({length, before, 0}), uint64_t{most});
    for (;;) {
      const auto step = run.step();
      if (!step) return step.error();
      if (*step == Statement::Step::done) return keys;
      const uint64_t key = run.row().integer(0);
      keys.push_back({length, begin_of(key), static_cast<uint32_t>(key)});
    }
  }
  Result<std::optional<std::pair<Micros, Micros>>> extent(Micros length) override {
    std::pair<Micros, Micros> found;
    if (!connection_) return std::optional<std::pair<Micros, Micros>>();  // it was given up meanwhile
    for (auto [statement, begin] :
         {std::pair(&connection_->oldest, &found.first), std::pair(&connection_->newest, &found.second)}) {
      Run run(*statement, kind_key(length), kind_key(length + 1));
      const auto step = run.step();
      if (!step) return step.error();
      if (*step == Statement::Step::done) return std::optional<std::pair<Micros, Micros>>();
      *begin = begin_of(run.row().integer(0));
    }
    return std::optional(found);
  }

  Result<std::string> channel(uint32_t channel) override {
    return text_of(connection_->channel, uint64_t{channel});
  }
  Result<void> set_channel(uint32_t channel, std::string_view state) override {
    const uint64_t row = channel;
    return Run(connection_->set_channel, row, blob_of(state), sum_of(row, state)).end();
  }
  Result<std::vector<uint32_t>> channels() override {
    std::vector<uint32_t> all;
    Run run(connection_->channels);
    for (;;) {
      const auto step = run.step();
      if (!step) return step.error();
      if (*step == Statement::Step::done) return all;
      all.push_back(static_cast<uint32_t>(run.row().integer(0)));
    }
  }
  Result<void> remove_channel(uint32_t channel) override {
    for (const Micros length : kWindowLengths) {
      const auto there = extent(length);
      if (!there) return there.error();
      if (!*there) continue;
      for (Micros at = (*there)->first; at <= (*there)->second; at += length)
        if (const auto done = remove_window({length, at, channel}); !done) return done;
    }
    return Run(connection_->remove_channel, uint64_t{channel}).end();
  }

  Result<uint64_t> bytes() override {
    if (!connection_) return uint64_t{0};
    Run run(connection_->pages);
    const auto step = run.step();
    if (!step) return step.error();
    return run.row().integer(0) * run.row().integer(1);
  }

 private:
  /// Of a row with a sum: empty if there is none, kDamagedText if the two do not fit.
  static Result<std::string> text_of(Statement& statement, uint64_t key) {
    Run run(statement, key);
    const auto step = run.step();
    if (!step) return step.error();
    if (*step == Statement::Step::done) return std::string();
    const std::string_view text = run.row().text(0);
    if (run.row().integer(1) != sum_of(key, text)) return std::string(kDamagedText);
    return std::string(text);
  }

  static Result<void> store(Statement& set_meta, const RollupBounds& bounds) {
    const Micros values[] = {bounds.made, bounds.floor[0], bounds.floor[1], bounds.floor[2]};
    for (size_t i = 0; i < std::size(values); ++i) {
      const std::string_view name = kBoundNames[i];
      const auto value = static_cast<uint64_t>(values[i]);
      if (const auto done = Run(set_meta, name, value, sum_of(name, value)).end(); !done) return done;
    }
    return {};
  }

  Result<void> have(Micros now) {
    const auto there = file_.look();
    if (!there && !is_missing(there.error())) return there;
    if (!there) {
      const auto made = file_.make([now](Database& db) -> Result<void> {
        if (const auto tables = db.script(kTables); !tables) return tables;
        Statement set_meta(db, "INSERT OR REPLACE INTO meta VALUES(?1, ?2, ?3)");
        return store(set_meta, {now, {}});
      });
      if (!made) return made;
    }
    return open();
  }

  Result<void> open() {
    if (const auto there = file_.look(); !there) return there;
    auto db = Database::open(file_.path(), Database::Sync::normal);
    if (!db) return db.error();
    const auto fits = check_version(*db);
    if (!fits) {
      db->leave_as_is();
      return fits;
    }
    connection_ = std::make_unique<Connection>(std::move(*db));
    const auto usable = try_tables();
    if (!usable) {
      connection_->db.leave_as_is();
      connection_.reset();
    }
    return usable;
  }

  /// Before anybody believes a part of it: each table is there.
  Result<void> try_tables() {
    if (const auto there = bounds(); !there) return there.error();
    if (const auto there = window({kMinute, 0, 0}); !there) return there.error();
    if (const auto there = channel(0); !there) return there.error();
    return {};
  }

  static Result<void> check_version(Database& db) {
    Statement version(db, "PRAGMA user_version");
    const auto step = version.step();
    if (!step) return step.error();
    if (*step != Statement::Step::row || version.integer(0) == 0) return make_error_code(DiskErrc::damaged);
    if (version.integer(0) > kVersion) return make_error_code(DiskErrc::newer_version);
    return {};
  }

  DatabaseFile file_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

std::unique_ptr<RollupStore> disk_rollups(const std::string& dir, uint64_t bytes, RollupClocks clocks) {
  auto table = std::make_unique<SqliteTable>(dir);
  table->look();
  return std::make_unique<TableRollups>(std::move(table), bytes, std::move(clocks));
}

}  // namespace tailrace
