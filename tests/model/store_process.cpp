#include "tests/model/store_process.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <memory>

#include "base/log.h"
#include "base/loops.h"
#include "channels/disk/disk_store.h"
#include "channels/memory_catalog.h"
#include "tests/channels/log_fixture.h"
#include "tests/disk/scoped_hook.h"
#include "tests/eventually.h"
#include "tests/model/undo_log.h"

namespace tailrace::model {
namespace {

using nlohmann::json;

struct Filter final : RecordFilter {
  bool wants(const tailrace::Record& record) const override { return wanted(record.message()); }
};

struct Reader final : Task {
  explicit Reader(const DrainEntry& entry)
      : channel(entry.channel), cursor(Cursor::Kind::drain, loop.pass, *this, entry.id) {
    if (entry.url.ends_with(kFiltered)) cursor.set_wanted(std::make_shared<Filter>());
    cursor.attach(*channel->log, Place::resume(entry.start));
  }
  void run_task() override {}
  Loop loop;
  ChannelPtr channel;
  Cursor cursor;
};

class Process final : public CatalogWatcher {
 public:
  Process(Wire& wire, std::unique_ptr<DiskStore> store)
      : wire_(wire),
        store_(std::move(store)),
        catalog_(*store_, {1000, store_->password_key(), &store_->journal()}) {
    catalog_.watch(this);
    catalog_.restore(store_->contents());
    for (const ChannelPtr& channel : catalog_.channels())
      for (const DrainEntry& drain : catalog_.drains(*channel)) drain_added(drain);
    store_->start();
  }

  void drain_added(const DrainEntry& drain) override {
    readers_.try_emplace(drain.id, std::make_unique<Reader>(drain));
  }
  void drain_removed(const DrainEntry& drain) override { readers_.erase(drain.id); }
  void drain_replaced(const DrainEntry& /*drain*/) override {}
  void drain_paused(const DrainEntry& /*drain*/) override {}
  void channel_removed(const ChannelPtr& /*channel*/) override {}

  json ledger() const {
    json all = json::object();
    for (const ChannelPtr& channel : catalog_.channels()) {
      uint64_t accepted = 0;
      json drains = json::object();
      for (const LedgerLine& line : channel->log->ledger(accepted)) {
        json dropped = json::object();
        for (size_t r = 0; r < kDropReasons.size(); ++r)
          dropped[std::string(kDropReasons[r])] = line.ledger.dropped[r];
        drains[std::to_string(line.drain)] = {{"accepted", line.ledger.accepted},
                                              {"delivered", line.ledger.delivered},
                                              {"filtered", line.ledger.filtered},
                                              {"dropped", dropped},
                                              {"buffered", line.ledger.buffered}};
      }
      all[channel->id] = {{"accepted", accepted}, {"drains", drains}};
    }
    return {{"channels", all}};
  }

  /// The answer; null: there is none, or it comes later.
  json obey(const json& m) {
    const std::string op = m["op"];
    if (op == "append") return append(m), json();
    if (op == "read") return read(m);
    if (op == "settle") return settle(m);
    if (op == "ledger") return ledger();
    if (op == "add channel") {
      const auto channel = catalog_.add_channel("c");
      return {{"channel", channel ? json((*channel)->id) : json()}};
    }
    if (op == "add drain") {
      const auto drain = catalog_.add_drain(m["channel"].get<std::string>(), m["url"].get<std::string>());
      return {{"drain", drain ? json(drain->id) : json()}};
    }
    if (op == "remove drain")
      return {{"removed", catalog_.remove_drain(m["channel"].get<std::string>(), m["drain"]).has_value()}};
    if (op == "remove channel")
      return {{"removed", catalog_.remove_channel(m["channel"].get<std::string>()).has_value()}};
    return {};
  }

  void stop() {
    readers_.clear();
    store_->stop();
  }

 private:
  struct Waiter final : AppendWaiter {
    Waiter(Wire& its_wire, json its_id) : wire(its_wire), id(std::move(its_id)) {}
    void appended(Result<Position> first) override {
      wire.send({{"id", id}, {"first", first ? json(first->value) : json()}});
      delete this;
    }
    Wire& wire;
    const json id;
  };

  void append(const json& m) {
    const ChannelPtr channel = catalog_.channel(m["channel"].get<std::string>());
    append_messages(channel, m["messages"], wall_now(), *new Waiter(wire_, m["id"]));
  }

  json read(const json& m) {
    Cursor& cursor = readers_.at(m["drain"])->cursor;
    json records = json::array();
    testing::eventually([&] {
      const Read read = cursor.read(m["bytes"]);
      uint64_t number = read.slice.first.value;
      for (const Record record : read.slice) records.push_back({number++, std::string(record.message())});
      return !read.fetching;
    });
    return {{"records", records}};
  }

  json settle(const json& m) {
    Cursor& cursor = readers_.at(m["drain"])->cursor;
    const std::string how = m["how"];
    if (how == "refused")
      cursor.drop(DropReason::refused, m["records"]);
    else
      cursor.settle(how == "filtered" ? 0 : m["records"].get<uint64_t>(),
                    how == "filtered" ? m["records"].get<uint64_t>() : 0);
    return {{"settled", true}};
  }

  Wire& wire_;
  const std::unique_ptr<DiskStore> store_;
  MemoryCatalog catalog_;
  std::map<uint64_t, std::unique_ptr<Reader>> readers_;
};

}  // namespace

void run_store(Wire& wire, const std::string& dir, const std::string& undo, StoreBounds bounds) {
  ::dup2(::open((dir + ".log").c_str(), O_CREAT | O_APPEND | O_WRONLY, 0600), STDERR_FILENO);
  UndoLog log(undo);
  std::atomic<char> fault{'n'};
  const ScopedHook hook([&](const IoStep& step, size_t& allowed) {
    using Kind = IoStep::Kind;
    if (fault == 'f' && (step.kind == Kind::allocate || step.kind == Kind::create)) return ENOSPC;
    if (fault == 's' && step.kind == Kind::sync) return EIO;
    if (fault == 'h' && step.kind == Kind::write) allowed = std::max<size_t>(1, allowed / 3);
    log.before(step);
    return 0;
  });
  std::string error;
  DiskStore::Options options{.dir = dir};
  options.limits.log = {.history = 1'000'000, .bytes = bounds.channel_bytes};
  options.limits.disk_bytes = bounds.disk_bytes;
  options.durable = bounds.durable;
  options.segment_bytes = bounds.segment_bytes;
  auto store = DiskStore::open(std::move(options), error);
  if (!store) {
    wire.send({{"error", error}});
    ::_exit(1);
  }
  Process process(wire, std::move(store));
  wire.send(process.ledger());
  while (const auto message = wire.receive()) {
    if ((*message)["op"] == "stop") {
      process.stop();
      wire.send({{"stopped", true}});
      ::_exit(0);
    }
    if ((*message)["op"] == "fault") {
      const std::string kind = (*message)["kind"];
      fault = kind == "short" ? 'h' : kind[0];
      continue;
    }
    if (const json answer = process.obey(*message); !answer.is_null()) wire.send(answer);
  }
  ::_exit(2);
}

}  // namespace tailrace::model
