#include "web/system_routes.h"

#include <sys/statvfs.h>

#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/cpu_shares.h"
#include "web/drain_health.h"

namespace tailrace {
namespace {

using nlohmann::json;

json memory_json(const SystemFacts& facts) {
  json parts = json::array();
  for (const MemoryPart& part : facts.memory)
    parts.push_back({{"name", part.name}, {"used", part.used}, {"bound", part.bound}, {"unit", part.unit}});
  return {{"resident", resident_bytes()}, {"bound", facts.memory_bound}, {"parts", parts}};
}

/// Every file of the data dir, as its bound counts them.
uint64_t bytes_of_files(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    std::error_code gone;
    if (!file->is_regular_file(gone)) continue;
    if (const auto size = file->file_size(gone); !gone) bytes += size;
  }
  return bytes;
}

json disk_json(const SystemFacts& facts, const Store& store) {
  if (facts.data_dir.empty()) return nullptr;
  struct statvfs disk{};
  const bool known = ::statvfs(facts.data_dir.c_str(), &disk) == 0;
  return {{"directory", facts.data_dir},
          {"used", bytes_of_files(facts.data_dir)},
          {"bound", facts.disk_bound},
          {"free", known ? uint64_t(disk.f_bavail) * disk.f_frsize : 0},
          {"segments", store.status().segments}};
}

json ingest_json(const SystemFacts& facts) {
  json all = json::array();
  for (const IngestCounts& counts : facts.ingest) {
    json rejected = json::object();
    for (size_t r = 0; r < kRejectReasons.size(); ++r)
      if (const uint64_t records = counts.rejected.by_reason[r])
        rejected[std::string(kRejectReasons[r])] = records;
    all.push_back({{"protocol", kProtocols[size_t(counts.protocol)]},
                   {"accepted", counts.accepted},
                   {"bytes", counts.bytes},
                   {"rejected", rejected}});
  }
  return all;
}

/// The answers, on a thread that may block.
class SystemRoutes {
 public:
  explicit SystemRoutes(WebServices& services)
      : services_(services), cpu_(std::make_unique<Cpu>(thread_times(), mono_now())) {}

  HttpResponse system(const HttpRequest&) const {
    const SystemFacts facts = services_.system();
    const std::vector<std::string> reasons = services_.unready();
    const OpenFiles files = open_files().value_or(OpenFiles());
    const OwnCounters::Tails tails = services_.counters.tails();
    return json_response(200, {{"version", TAILRACE_VERSION},
                               {"commit", facts.commit},
                               {"started_at", rfc3339_json(facts.started_at)},
                               {"now", rfc3339_json(wall_now())},
                               {"ready", {{"ok", reasons.empty()}, {"reasons", reasons}}},
                               {"api_state", to_string(services_.api_state.load(std::memory_order_relaxed))},
                               {"threads", threads_json()},
                               {"connections", connections_json(facts)},
                               {"open_files", {{"used", files.used}, {"bound", files.bound}}},
                               {"memory", memory_json(facts)},
                               {"disk", disk_json(facts, services_.store)},
                               {"ledger", ledger_json()},
                               {"ingest", ingest_json(facts)},
                               {"tails", {{"open", tails.open}, {"skipped", tails.skipped}}}});
  }

 private:
  struct Cpu {
    Cpu(const std::vector<ThreadTime>& times, Mono now) : shares(times, now) {}
    std::mutex mutex;
    CpuShares shares;  // guarded by mutex
  };

  json threads_json() const {
    const std::lock_guard lock(cpu_->mutex);
    const std::vector<ThreadTime> times = thread_times();
    const std::vector<double> shares = cpu_->shares.look(times, mono_now());
    json threads = json::array();
    for (size_t i = 0; i < times.size(); ++i)
      threads.push_back(
          {{"name", times[i].name}, {"cpu_seconds", times[i].cpu_seconds}, {"cpu_share", shares[i]}});
    return threads;
  }

  /// The public listener's with TLS and without.
  json connections_json(const SystemFacts& facts) const {
    uint64_t admin = 0, open = 0;
    for (const auto& [listener, server] : services_.listeners.http)
      (listener == "admin" ? admin : open) += server->open();
    return {{"public", open}, {"admin", admin}, {"syslog", facts.syslog_connections}};
  }

  /// Of all drains; balanced if each of them is.
  json ledger_json() const {
    Ledger sum;
    bool balanced = true;
    for (const ChannelPtr& channel : services_.catalog.channels())
      for (const DrainSet::Account& drain : services_.drains.account(channel).drains) {
        const Ledger& ledger = drain.ledger;
        balanced &= ledger.balanced();
        sum.accepted += ledger.accepted;
        sum.delivered += ledger.delivered;
        sum.filtered += ledger.filtered;
        for (size_t r = 0; r < sum.dropped.size(); ++r) sum.dropped[r] += ledger.dropped[r];
        sum.buffered += ledger.buffered;
      }
    return {{"accepted", sum.accepted}, {"delivered", sum.delivered},
            {"filtered", sum.filtered}, {"dropped", dropped_json(sum.dropped)},
            {"buffered", sum.buffered}, {"balanced", balanced}};
  }

  WebServices& services_;
  const std::unique_ptr<Cpu> cpu_;
};

}  // namespace

void add_system_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<SystemRoutes>(routes, std::make_shared<const SystemRoutes>(services), services.blocking,
                               gate)
      .add("GET", "/v3/system", &SystemRoutes::system);
}

}  // namespace tailrace
