#include "cli/node.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <stdexcept>
#include <thread>

#include "base/ids.h"
#include "base/log.h"
#include "base/thread_name.h"
#include "channels/chunk.h"
#include "cli/version.h"
#include "ingest/logs_route.h"
#include "metrics/rollup/disk_rollups.h"
#include "metrics/rollup/memory_rollups.h"
#include "web/access.h"
#include "web/channel_routes.h"
#include "web/channel_v3_routes.h"
#include "web/console_page.h"
#include "web/credential_routes.h"
#include "web/drain_routes.h"
#include "web/history_routes.h"
#include "web/link_routes.h"
#include "web/login_routes.h"
#include "web/metrics_routes.h"
#include "web/openapi.h"
#include "web/overview_routes.h"
#include "web/rollup_routes.h"
#include "web/series_routes.h"
#include "web/session_routes.h"
#include "web/status_routes.h"
#include "web/system_routes.h"

namespace tailrace {
namespace {

AddressPolicy policy_of(const Settings& settings) {
  auto policy = AddressPolicy::parse(settings.drain_allow, settings.drain_deny);
  if (!policy) throw std::invalid_argument("address ranges that the settings let through");
  return *policy;
}

constexpr size_t kBlocking = 2;  // threads

/// What bodies on their way in may take, and begun frames of syslog: parts of what the logs may.
uint64_t bodies_bytes(const Settings& settings) {
  return std::max<uint64_t>(settings.memory_bytes / 4, 16u << 20);
}
uint64_t frames_bytes(const Settings& settings) {
  return std::max<uint64_t>(settings.memory_bytes / 8, 8u << 20);
}

/// What the metrics' history may take: a part of the disk, or of the memory.
uint64_t rollup_bytes(const Settings& settings) {
  return settings.data_dir.empty() ? settings.memory_bytes / 16 : settings.disk_bytes / 16;
}

std::unique_ptr<RollupStore> make_rollups(const Settings& settings) {
  const uint64_t bytes = rollup_bytes(settings);
  return settings.data_dir.empty() ? memory_rollups(bytes) : disk_rollups(settings.data_dir, bytes);
}

/// What open windows may take, before they count old lines more coarsely.
uint64_t open_bytes(const Settings& settings) {
  return std::max<uint64_t>(settings.memory_bytes / 16, 8u << 20);
}

MetricsOptions metrics_of(const Settings& settings) {
  return {.channel_series = settings.channel_series,
          .series = settings.series,
          .by_dyno = settings.router_by_dyno,
          .by_host = settings.router_by_host,
          .open_bytes = open_bytes(settings)};
}

std::vector<std::unique_ptr<Intake>> make_intakes(size_t loops, const Catalog& catalog, IngestStats& stats,
                                                  Quota& quota) {
  std::vector<std::unique_ptr<Intake>> intakes;
  while (intakes.size() < std::max<size_t>(1, loops))
    intakes.push_back(std::make_unique<Intake>(catalog, stats, quota));
  return intakes;
}

}  // namespace

class Node::Watcher final : public CatalogWatcher {
 public:
  Watcher(DrainSet& drains, Metrics& metrics, RollupKeeper& rollups)
      : drains_(drains), metrics_(metrics), rollups_(rollups) {}
  void drain_added(const DrainEntry& drain) override { drains_.drain_added(drain); }
  void drain_removed(const DrainEntry& drain) override { drains_.drain_removed(drain); }
  void drain_replaced(const DrainEntry& drain) override { drains_.drain_replaced(drain); }
  void drain_paused(const DrainEntry& drain) override { drains_.drain_paused(drain); }
  void channel_removed(const ChannelPtr& channel) override {
    drains_.channel_removed(channel);
    metrics_.forget(*channel);
    rollups_.forget(channel->index);
  }

 private:
  DrainSet& drains_;
  Metrics& metrics_;
  RollupKeeper& rollups_;
};

Node::Node(const Settings& settings)
    : data_dir_(settings.data_dir),
      memory_bytes_(settings.memory_bytes),
      disk_bytes_(settings.disk_bytes),
      metrics_(metrics_of(settings)),
      storage_(settings, metrics_),
      rollups_(make_rollups(settings)),
      keeper_(metrics_, *rollups_),
      ingest_stats_(counters_.registry()),
      quota_(settings.channel_rate),
      repeats_(settings.memory_bytes / 16 / Repeats::kEntryBytes, ingest_stats_.forgotten_repeats(),
               storage_.dedupe_seed()),
      intakes_(make_intakes(settings.threads, storage_.catalog(), ingest_stats_, quota_)),
      bodies_(bodies_bytes(settings)),
      held_frames_(frames_bytes(settings)),
      logs_{storage_.catalog(), storage_.store(), intakes_, ingest_stats_, quota_, repeats_, bodies_},
      access_(storage_.catalog(), logins_, storage_.auth().substr(0, storage_.auth().find(':'))),
      loops_(settings.threads),
      connector_(loops_, {.policy = policy_of(settings), .name_servers = settings.dns}),
      tls_(settings.ca_file),
      drains_(loops_, {.connector = connector_,
                       .tls = tls_,
                       .batch_memory = settings.memory_bytes / 8,
                       .history_memory = settings.memory_bytes / 32}),
      watcher_(std::make_unique<Watcher>(drains_, metrics_, keeper_)),
      syslog_(loops_, intakes_, storage_.store(), ingest_stats_, held_frames_),
      syslog_udp_(loops_, intakes_, storage_.store()),
      blocking_(kBlocking),
      services_{storage_.store(),
                storage_.catalog(),
                access_,
                drains_,
                metrics_,
                keeper_,
                counters_,
                sessions_,
                renderings_,
                scrapes_,
                connector_.policy(),
                blocking_,
                settings.public_url,
                0,
                {},
                &syslog_udp_,
                {},
                [this] { return system_facts(); }},
      public_server_(public_routes_, bodies_),
      https_server_(public_routes_, bodies_),
      admin_server_(admin_routes_, bodies_) {
  MemoryCatalog& catalog = storage_.catalog();
  catalog.watch(watcher_.get());
  storage_.restore();
  for (const ChannelPtr& channel : catalog.channels())
    for (const DrainEntry& drain : catalog.drains(*channel))
      if (!drain.url.empty()) drains_.drain_added(drain);
  repeats_.load(storage_.posts(), mono_now(), wall_now());
  services_.api_state = settings.api_state;
  services_.unready = [this]() -> std::vector<std::string> {
    if (stopping_) return {"stopping"};
    if (!ready_) return {"starting"};
    if (std::string trouble = storage_.store().trouble(); !trouble.empty()) return {std::move(trouble)};
    return {};
  };
}

Node::~Node() {
  scrapes_.stop();
  blocking_.join();
}

std::unique_ptr<Node> Node::open(const Settings& settings, Failure& failure) {
  try {
    std::unique_ptr<Node> node(new Node(settings));
    if (!node->listen(settings, failure.text)) return nullptr;
    node->add_routes();
    return node;
  } catch (const NoDataDir& none) {
    failure = {none.what(), exit_failure};
  } catch (const std::exception& error) {
    failure.text = error.what();
  }
  return nullptr;
}

std::string Node::text_of(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(endpoint.port());
}

bool Node::listen(const Settings& settings, std::string& error) {
  const auto open = [&](const std::string& text, const char* variable, Listener::OnConnection on_connection) {
    std::unique_ptr<Listener> listener;
    const auto endpoint = parse_endpoint(text);
    auto opened = endpoint ? Listener::open(loops_, *endpoint, std::move(on_connection)) : endpoint.error();
    if (opened)
      listener = std::move(*opened);
    else
      error = std::string(variable) + "=" + text + ": " + opened.error().message();
    return listener;
  };
  const auto http = [](HttpServer& server, const ServerTls* tls = nullptr) {
    return [&server, tls](Loop& loop, asio::ip::tcp::socket socket) {
      server.serve(loop, std::move(socket), tls);
    };
  };
  const auto open_syslog = [&](const std::vector<SyslogListen>& wanted, const char* variable,
                               const ServerTls* tls, Listeners& listeners) {
    for (const SyslogListen& one : wanted) {
      auto serve = [this, tls, id = one.token.value_or("")](Loop& loop, asio::ip::tcp::socket socket) {
        syslog_.serve(loop, std::move(socket), id, tls);
      };
      listeners.push_back(open(one.address, variable, std::move(serve)));
      if (!listeners.back()) return false;
    }
    return true;
  };
  if (!settings.https_listen.empty() || !settings.syslog_tls_listen.empty()) {
    server_tls_ = ServerTls::open(settings.tls, error);
    if (!server_tls_) return false;
  }
  const ServerTls* const tls = server_tls_.get();
  http_ = open(settings.http_listen, "TAILRACE_HTTP_LISTEN", http(public_server_));
  if (!http_) return false;
  admin_ = open(settings.admin_listen, "TAILRACE_ADMIN_LISTEN", http(admin_server_));
  if (!admin_) return false;
  if (!settings.https_listen.empty()) {
    https_ = open(settings.https_listen, "TAILRACE_HTTPS_LISTEN", http(https_server_, tls));
    if (!https_) return false;
  }
  if (!open_syslog(settings.syslog_listen, "TAILRACE_SYSLOG_LISTEN", nullptr, syslog_listeners_) ||
      !open_syslog(settings.syslog_tls_listen, "TAILRACE_SYSLOG_TLS_LISTEN", tls, syslog_tls_listeners_))
    return false;
  services_.listeners.http = {{"public", &public_server_}, {"admin", &admin_server_}};
  if (https_) {
    services_.listeners.http.push_back({"https", &https_server_});
    services_.listeners.tls.push_back({"https", &https_server_.handshakes()});
  }
  if (!syslog_tls_listeners_.empty()) services_.listeners.tls.push_back({"syslog", &syslog_.handshakes()});
  for (const SyslogListen& wanted : settings.syslog_udp_listen) {
    const auto at = parse_endpoint(wanted.address);
    const error_code ec =
        at ? syslog_udp_.listen({at->address(), at->port()}, wanted.token.value_or("")) : at.error();
    if (ec) return error = "TAILRACE_SYSLOG_UDP_LISTEN=" + wanted.address + ": " + ec.message(), false;
  }
  services_.public_port = http_->endpoint().port();
  return true;
}

void Node::add_routes() {
  const HttpGate own_origin = own_origin_gate();
  const HttpGate gate = [this, own_origin](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (stopping_ && request.method == "POST") {
      HttpResponse response = http_error(503, "shutting down");
      response.headers.add("Retry-After", "5");
      return response;
    }
    return own_origin(request);
  };
  for (HttpRoutes* routes : {&public_routes_, &admin_routes_}) {
    routes->set_gate(gate);
    add_logs_route(*routes, logs_);
    add_session_reading(*routes, services_);
    add_probe_routes(*routes, services_);
  }
  admin_routes_.set_stamp(request_id_stamp());
  const ApiGates gates(access_, services_.api_state);
  add_channel_routes(admin_routes_, services_, gates.full_api);
  add_channel_v3_routes(admin_routes_, services_, gates);
  add_credential_routes(admin_routes_, services_, gates.full_api);
  add_drain_routes(admin_routes_, services_, gates);
  add_login_routes(admin_routes_, services_);
  add_session_api(admin_routes_, services_, gates.readers);
  add_history_routes(admin_routes_, services_, gates.channel);
  add_status_routes(admin_routes_, services_, gates.full_api);
  add_metrics_routes(admin_routes_, services_, gates.full_api);
  add_openapi_route(admin_routes_);
  add_console_routes(admin_routes_);
  add_system_routes(admin_routes_, services_, gates.full_api);
  add_overview_routes(admin_routes_, services_, gates.readers);
  add_link_routes(admin_routes_, services_, gates, storage_.link_key());
  add_rollup_routes(admin_routes_, services_, gates.channel);
  add_series_routes(admin_routes_, services_, gates.channel);
}

void Node::start() {
  name_threads(blocking_, kBlocking, "blocking");
  keeper_.start(storage_.catalog().channels(), storage_.on_disk());
  storage_.start();
  loops_.start();
  http_->start();
  admin_->start();
  if (https_) https_->start();
  for (auto& listener : syslog_listeners_) listener->start();
  syslog_udp_.start();
  for (auto& listener : syslog_tls_listeners_) listener->start();
  ready_ = true;
}

void Node::reread() {
  if (!server_tls_) return log_info("no certificates to read again: no listener has TLS");
  std::string error;
  if (server_tls_->reload(error))
    log_info("certificates read again");
  else
    log_warn("certificates kept: " + error);
}

SystemFacts Node::system_facts() {
  const uint64_t memory = memory_bytes_;
  const StoreStatus store = storage_.store().status();
  SystemFacts facts;
  facts.commit = version_commit();
  facts.started_at = started_at_;
  facts.memory_bound = memory;
  facts.memory = {
      {"channels", chunk_memory().used, memory},
      {"bodies", bodies_.used(), bodies_.limit()},
      {"begun frames", held_frames_.used(), held_frames_.limit()},
      {"open windows", metrics_.room().used(), metrics_.room().limit()},
      {"repeats", repeats_.entries() * Repeats::kEntryBytes, repeats_.most() * Repeats::kEntryBytes}};
  if (store.on_disk)
    facts.memory.push_back({"waiting for the disk", store.waiting, store.most_waiting});
  else
    facts.memory.push_back({"rollups", rollups_->bytes(), memory / 16});
  const Budget& series = metrics_.series().limits().process;
  facts.memory.push_back({"series", series.used(), series.limit(), "series"});
  facts.memory.push_back({"sessions", sessions_.size(), Sessions::kMost, "sessions"});
  facts.data_dir = data_dir_;
  facts.disk_bound = disk_bytes_;
  facts.syslog_connections = syslog_.open();
  facts.ingest = ingest_stats_.counts();
  return facts;
}

void Node::set_limits(const Settings& settings) {
  memory_bytes_ = settings.memory_bytes;
  disk_bytes_ = settings.disk_bytes;
  storage_.store().set_limits(limits_of(settings));
  storage_.catalog().set_drains_per_channel(settings.channel_drains);
  quota_.set_rate(settings.channel_rate);
  bodies_.set_limit(bodies_bytes(settings));
  held_frames_.set_limit(frames_bytes(settings));
  metrics_.set_series_limits(settings.channel_series, settings.series);
  metrics_.room().set_limit(open_bytes(settings));
  rollups_->set_limit(rollup_bytes(settings));
  services_.api_state = settings.api_state;
}

std::vector<std::string> Node::addresses(const Listeners& listeners) {
  std::vector<std::string> all;
  all.reserve(listeners.size());
  for (const auto& listener : listeners) all.push_back(text_of(listener->endpoint()));
  return all;
}

uint64_t Node::stop(std::chrono::milliseconds grace) {
  const Mono end = mono_now() + grace;
  stopping_ = true;
  for (auto& listener : syslog_listeners_) listener->stop();
  for (auto& listener : syslog_tls_listeners_) listener->stop();
  // First those that are connected: who finds the door closed may know that they are on their way out.
  public_server_.stop();
  https_server_.stop();
  http_->stop();
  if (https_) https_->stop();
  syslog_.stop();
  syslog_udp_.stop();
  const auto left = [&] {
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::duration_cast<std::chrono::milliseconds>(end - mono_now()));
  };
  const auto wait_while = [&](auto&& open) {
    while (left().count() > 0 && open() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  // What is accepted to the last belongs to the drains, so they come last. The admin listener answers until
  // they are done: that is when somebody looks.
  wait_while([&] { return public_server_.open() + https_server_.open() + syslog_.open(); });
  drains_.flush(left());
  admin_->stop();
  admin_server_.stop();
  wait_while([&] { return admin_server_.open(); });
  drains_.flush(left());

  uint64_t buffered = 0;
  for (const ChannelPtr& channel : storage_.catalog().channels())
    for (const auto& drain : drains_.account(channel).drains) buffered += drain.ledger.buffered;
  drains_.stop();
  // What was cancelled ends on its loop: two turns of each.
  for (int turn = 0; turn < 2; ++turn)
    for (size_t i = 0; i < loops_.size(); ++i) {
      std::promise<void> done;
      asio::post(loops_[i].io, [&] { done.set_value(); });
      done.get_future().wait();
    }
  keeper_.stop_thread();  // it reads logs
  storage_.stop();        // everything is told, and so observed
  keeper_.stop();
  loops_.stop();
  return buffered;
}

}  // namespace tailrace
