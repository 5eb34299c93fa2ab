#pragma once
// One running router: everything wired, from its settings to its listeners.

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/loops.h"
#include "cli/exit_code.h"
#include "cli/settings.h"
#include "cli/storage.h"
#include "drains/drain_set.h"
#include "ingest/intake.h"
#include "ingest/logs_route.h"
#include "ingest/syslog_server.h"
#include "ingest/syslog_udp.h"
#include "metrics/metrics.h"
#include "metrics/own_counters.h"
#include "metrics/rollup/rollup_keeper.h"
#include "net/http_server.h"
#include "net/listener.h"
#include "web/logins.h"
#include "web/services.h"

namespace tailrace {

/// Built, started and stopped by one thread, which is none of its own. Life: open → start → stop.
class Node {
 public:
  /// Why there is none: one line, and what the process ends with.
  struct Failure {
    std::string text;
    Exit code = exit_usage;
  };
  /// Opens the data dir, if there is one, and binds every listener.
  static std::unique_ptr<Node> open(const Settings& settings, Failure& failure);
  ~Node();

  void start();
  /// SIGHUP: reads the certificates again, and says so in the log; keeps the old ones if they are no good.
  void reread();
  /// Its limits from now on are those of `settings`; the rest is not looked at. What is there already and
  /// beyond them goes soon, counted as ever; drains and quotas are judged from the next one on.
  void set_limits(const Settings& settings);
  /// Readiness off; requests in flight finish; nobody is accepted; drains flush for at most `grace`. Returns
  /// the number of records that some drain should still have had.
  uint64_t stop(std::chrono::milliseconds grace);

  /// What is to be done every second; the caller's thread.
  void tick(Mono now) {
    quota_.tell(now);
    metrics_.tick(wall_now());
    sessions_.sweep(now);
    logins_.sweep(now);
    drains_.look(wall_now());
  }

  /// What each kind of listener answers.
  const HttpRoutes& public_routes() const { return public_routes_; }
  const HttpRoutes& admin_routes() const { return admin_routes_; }

  Catalog& catalog() { return storage_.catalog(); }
  DrainSet& drains() { return drains_; }
  std::string http_url() const { return "http://" + text_of(http_->endpoint()); }
  std::string admin_url() const { return "http://" + text_of(admin_->endpoint()); }
  std::string https_url() const { return https_ ? "https://" + text_of(https_->endpoint()) : ""; }
  std::vector<std::string> syslog_addresses() const { return addresses(syslog_listeners_); }
  std::vector<std::string> syslog_tls_addresses() const { return addresses(syslog_tls_listeners_); }
  const SyslogUdp& syslog_udp() const { return syslog_udp_; }
  /// The admin's credential, and what people should know of the data dir.
  const Storage& storage() const { return storage_; }

 private:
  using Listeners = std::vector<std::unique_ptr<Listener>>;

  explicit Node(const Settings& settings);
  bool listen(const Settings& settings, std::string& error);
  void add_routes();
  SystemFacts system_facts();
  static std::vector<std::string> addresses(const Listeners& listeners);
  static std::string text_of(const asio::ip::tcp::endpoint& endpoint);

  /// Tells everyone who must know that a channel or a drain is gone.
  class Watcher;

  std::atomic<bool> ready_{false}, stopping_{false};
  const Micros started_at_ = wall_now();
  const std::string data_dir_;                       // empty: none
  std::atomic<uint64_t> memory_bytes_, disk_bytes_;  // the bounds, as set last

  Metrics metrics_;
  OwnCounters counters_;
  Storage storage_;
  std::unique_ptr<RollupStore> rollups_;
  RollupKeeper keeper_;
  // What connections and their coroutines refer to when they are destroyed with their loops.
  IngestStats ingest_stats_;
  Quota quota_;
  Repeats repeats_;
  std::vector<std::unique_ptr<Intake>> intakes_;
  Budget bodies_, held_frames_;
  LogsServices logs_;
  Sessions sessions_;
  Logins logins_;
  Access access_;
  Renderings renderings_;
  Scrapes scrapes_;
  EventLoops loops_;
  Connector connector_;
  ClientTls tls_;
  DrainSet drains_;
  std::unique_ptr<Watcher> watcher_;

  SyslogServer syslog_;
  SyslogUdp syslog_udp_;
  asio::thread_pool blocking_;
  WebServices services_;
  HttpRoutes public_routes_, admin_routes_;
  std::unique_ptr<ServerTls> server_tls_;  // null: nothing listens with TLS
  HttpServer public_server_, https_server_, admin_server_;

  std::unique_ptr<Listener> http_, https_, admin_;  // https_ may be null
  Listeners syslog_listeners_, syslog_tls_listeners_;
};

}  // namespace tailrace
