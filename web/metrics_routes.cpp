#include "web/metrics_routes.h"

#include "base/text.h"
#include "metrics/channel_families.h"
#include "metrics/process_families.h"
#include "web/access.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/drain_families.h"
#include "web/gzip.h"
#include "web/json_body.h"
#include "web/scrapes.h"
#include "web/store_families.h"

namespace tailrace {
namespace {

using nlohmann::json;

void write_kernel_drops(ExpositionWriter& out, SyslogUdp& udp) {
  out.family("tailrace_ingest_kernel_drops_total", FamilyType::counter,
             "Datagrams that the kernel dropped before they could be read.");
  for (const auto& drops : udp.kernel_drops())
    out.sample({{"protocol", "udp"}, {"listener", drops.address}}, drops.datagrams);
}

/// The families of channels and of their drains; what a channel's own scrape has is all of this.
void write_channels(ExpositionWriter& out, WebServices& services, std::span<const ChannelSnapshot> snapshots,
                    std::span<const ChannelPtr> channels) {
  write_channel_families(out, snapshots);
  std::vector<DrainSet::ChannelAccount> accounts;
  for (const ChannelPtr& channel : channels)
    if (auto account = services.drains.account(channel); !account.drains.empty())
      accounts.push_back(std::move(account));
  write_drain_families(out, accounts, wall_now());
}

void write_rollups(ExpositionWriter& out, const RollupKeeper& rollups) {
  out.family(
      "tailrace_rollup_lost_records_total", FamilyType::counter,
      "Records whose values are missing in metrics over time: crowded found no room in open windows, "
      "given_up waited too long for the store, gone were not in the log any more when a start counted it.");
  out.sample({{"reason", "crowded"}}, rollups.crowded_out());
  out.sample({{"reason", "given_up"}}, rollups.given_up());
  out.sample({{"reason", "gone"}}, rollups.unread());
}

void write_process(ExpositionWriter& out, WebServices& services) {
  services.counters.write(out);
  if (services.syslog_udp) write_kernel_drops(out, *services.syslog_udp);
  write_channels(out, services, services.metrics.snapshots(wall_now()), services.catalog.channels());
  write_listener_families(out, services.listeners);
  out.family("tailrace_tail_evaluations_total", FamilyType::counter,
             "Records judged, and written if wanted, for readers; those who ask for the same share one.");
  out.sample(ExpositionWriter::Labels{}, services.renderings.evaluations());
  write_store_families(out, services.store.status());
  write_rollups(out, services.rollups);
  write_process_families(out);
}

/// The answers of the blocking pool.
class MetricsRoutes {
 public:
  explicit MetricsRoutes(WebServices& services) : services_(services) {}

  /// Answered whole: about 1 MB with a budget of 1,000 series, 6.5 MB if each has the longest labels there
  /// can be.
  HttpResponse scrape(const HttpRequest& request) const {
    const ChannelPtr channel = services_.catalog.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    const ExpositionFormat format = format_for(request.headers.list("accept"));
    HttpResponse response(200, std::string(content_type(format)));
    std::vector<ChannelSnapshot> snapshots;
    if (auto snapshot = services_.metrics.snapshot(channel->index, wall_now()))
      snapshots.push_back(std::move(*snapshot));
    ExpositionWriter out(format, [&](std::string_view part) { response.body += part; });
    write_channels(out, services_, snapshots, {&channel, 1});
    out.finish();
    if (accepts_gzip(request.headers.list("accept-encoding"))) {
      std::string packed;
      GzipStream packer;
      packer.add(response.body, packed);
      packer.finish(packed);
      response.body = std::move(packed);
      response.headers.add("Content-Encoding", "gzip");
    }
    return response;
  }

  /// Prometheus's HTTP service discovery: whoever reached us under a name reaches the channels under it.
  HttpResponse targets(const HttpRequest& request) const {
    const std::string here = listener_of(request);
    json all = json::array();
    for (const ChannelPtr& channel : services_.catalog.channels())
      all.push_back({{"targets", {here}},
                     {"labels",
                      {{"__metrics_path__", "/v3/channels/" + percent_encoded(channel->id) + "/prometheus"},
                       {"channel", channel->id},
                       {"channel_name", channel->name()}}}});
    return json_response(200, all);
  }

 private:
  static std::string listener_of(const HttpRequest& request) {
    if (const std::string_view host = request.headers.get("host"); !host.empty()) return std::string(host);
    const auto address = request.local.address();
    const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    return host + ":" + std::to_string(request.local.port());
  }

  WebServices& services_;
};

}  // namespace

void add_metrics_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  routes.add("GET", "/metrics", [&services](HttpExchange& exchange) {
    return services.scrapes.answer(exchange,
                                   [&services](ExpositionWriter& out) { write_process(out, services); });
  });
  const auto answers = std::make_shared<const MetricsRoutes>(services);
  const HttpGate scrape_gate = channel_scrape_gate(services.access);
  BlockingRoutes<MetricsRoutes>(routes, answers, services.blocking, scrape_gate)
      .add("GET", "/v3/channels/:c/prometheus", &MetricsRoutes::scrape);
  BlockingRoutes<MetricsRoutes>(routes, answers, services.blocking, gate)
      .add("GET", "/v3/prometheus/targets", &MetricsRoutes::targets);
}

}  // namespace tailrace
