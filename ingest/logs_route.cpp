#include "ingest/logs_route.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ingest/frame_scanner.h"

namespace tailrace {
namespace {

/// Who writes: a token, or somebody who may write to any channel.
struct Writer {
  TokenPtr token;
  int refused = 0;  // 401 or 403
};

Writer authorize(const Catalog& catalog, std::string_view authorization) {
  if (const size_t blank = authorization.find(' '); blank != authorization.npos) {
    const std::string_view scheme = authorization.substr(0, blank);
    std::string_view rest = authorization.substr(blank);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (iequals(scheme, "bearer")) {
      if (TokenPtr token = catalog.token(rest)) return {std::move(token)};
    } else if (iequals(scheme, "basic")) {
      const std::string decoded = from_base64(rest).value_or("");
      const size_t colon = decoded.find(':');
      if (colon == decoded.npos) return {nullptr, 401};
      const std::string_view user = std::string_view(decoded).substr(0, colon);
      const std::string_view password = std::string_view(decoded).substr(colon + 1);
      if (user == "token") {
        if (TokenPtr token = catalog.token(password)) return {std::move(token)};
      } else if (const auto permissions = catalog.authenticate(user, password)) {
        return {nullptr, permissions->any_channel || permissions->full_api ? 0 : 403};
      }
    }
  }
  return {nullptr, 401};
}

/// The media type without its parameters.
bool has_type(std::string_view content_type, std::string_view wanted) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return iequals(type, wanted);
}

std::optional<HttpResponse> judge_head(const Catalog& catalog, const HttpRequest& request) {
  const Writer writer = authorize(catalog, request.headers.get("authorization"));
  if (writer.refused) {
    HttpResponse response = writer.refused == 401
                                ? http_error(401, "a token or a credential is needed")
                                : http_error(403, "Credential not permitted to write to any channel.");
    if (writer.refused == 401) response.headers.add("WWW-Authenticate", "Basic realm=\"tailrace\"");
    return response;
  }
  const std::string_view type = request.headers.get("content-type");
  if (!has_type(type, "application/logplex-1") && !has_type(type, "application/x-logplex-1")) {
    const bool known = has_type(type, "text/plain") || has_type(type, "application/x-ndjson");
    return http_error(415, known ? "this content type: not built yet; send application/logplex-1"
                                 : "send application/logplex-1");
  }
  if (const std::string_view encoding = request.headers.get("content-encoding");
      !encoding.empty() && !iequals(encoding, "identity"))
    return http_error(415, "Content-Encoding: not built yet");
  return std::nullopt;
}

/// One POST's wait for its appends, however many flushes they took. Lives in the handler's coroutine;
/// flushed() may come from any thread.
class Post final : public Intake::Done {
 public:
  explicit Post(Loop& loop) : loop_(loop), timer_(loop.io, asio::steady_timer::time_point::max()) {}

  void expect_flush() { left_.fetch_add(1, std::memory_order_relaxed); }

  void flushed(const Intake::Outcome& outcome) override {
    {
      const std::lock_guard lock(mutex_);
      outcome_.accepted += outcome.accepted;
      outcome_.no_room |= outcome.no_room;
      for (size_t r = 0; r < kRejectReasons.size(); ++r)
        outcome_.rejected.by_reason[r] += outcome.rejected.by_reason[r];
    }
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // the coroutine waits already
      asio::post(loop_.io, [this] { timer_.cancel(); });
  }

  asio::awaitable<Intake::Outcome> outcome() {
    // Memory answers before we come here; a disk does not.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1)
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return outcome_;
  }

 private:
  Loop& loop_;
  asio::steady_timer timer_;
  std::mutex mutex_;
  Intake::Outcome outcome_;        // guarded by mutex_ until left_ is 0
  std::atomic<uint32_t> left_{1};  // flushes, and the coroutine
};

HttpResponse verdict(const Intake::Outcome& outcome) {
  const uint64_t rejected = outcome.rejected.total();
  HttpResponse response;
  if (rejected == 0) {
    response.status = 204;
  } else {
    nlohmann::json reasons = nlohmann::json::object();
    for (size_t r = 0; r < kRejectReasons.size(); ++r)
      if (const uint64_t n = outcome.rejected.by_reason[r]) reasons[std::string(kRejectReasons[r])] = n;
    response.status = outcome.accepted ? 200 : outcome.no_room ? 503 : 400;
    response.content_type = "application/json";
    response.body =
        nlohmann::json{{"accepted", outcome.accepted}, {"rejected", rejected}, {"reasons", reasons}}.dump();
    if (response.status == 503) response.headers.add("Retry-After", "1");
  }
  response.headers.add("Tailrace-Accepted", std::to_string(outcome.accepted));
  return response;
}

class LogsRoute {
 public:
  LogsRoute(const Catalog& catalog, std::vector<std::unique_ptr<Intake>>& intakes, IngestStats& stats)
      : catalog_(catalog), intakes_(intakes), stats_(stats) {}

  asio::awaitable<void> handle(HttpExchange& exchange) const {
    // The token may have been removed since the head was judged.
    const Writer writer = authorize(catalog_, exchange.request.headers.get("authorization"));
    if (writer.refused) {
      co_await exchange.respond(http_error(writer.refused, "a token or a credential is needed"));
      co_return;
    }
    Post post(exchange.loop());
    take(exchange.request.body, writer.token, *intakes_[exchange.loop().index], post);
    const Intake::Outcome outcome = co_await post.outcome();
    const std::string_view count = exchange.request.headers.get("logplex-msg-count");
    if (!count.empty() && parse_u64(count) != outcome.accepted + outcome.rejected.total())
      stats_.count_mismatch();
    co_await exchange.respond(verdict(outcome));
  }

 private:
  /// A body of 8 MiB can hold millions of records: they are appended in rounds, each with a bounded cost in
  /// memory and under the channel's lock.
  static constexpr size_t kRoundRecords = 4096, kRoundBytes = 1 << 20;

  static void take(std::string_view body, const TokenPtr& token, Intake& intake, Post& post) {
    const Micros arrival = wall_now();
    do {
      Rejections rejections;
      size_t records = 0, bytes = 0;
      while (!body.empty() && records < kRoundRecords && bytes < kRoundBytes) {
        const Scanned scanned = next_in_body(body);
        if (scanned.kind == Scanned::Kind::frame)
          intake.take(scanned.bytes, token, arrival);
        else
          rejections.add(scanned.reason);
        body.remove_prefix(scanned.consumed);
        ++records;
        bytes += scanned.consumed;
      }
      post.expect_flush();
      intake.flush(Protocol::http, arrival, rejections, &post);
    } while (!body.empty());
  }

  const Catalog& catalog_;
  std::vector<std::unique_ptr<Intake>>& intakes_;
  IngestStats& stats_;
};

}  // namespace

void add_logs_route(HttpRoutes& routes, const Catalog& catalog, std::vector<std::unique_ptr<Intake>>& intakes,
                    IngestStats& stats) {
  const auto route = std::make_shared<LogsRoute>(catalog, intakes, stats);
  routes.add(
      "POST", "/logs", [route](HttpExchange& exchange) { return route->handle(exchange); },
      [&catalog](const HttpRequest& request) { return judge_head(catalog, request); });
}

}  // namespace tailrace
