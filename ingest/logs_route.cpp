#include "ingest/logs_route.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.h"
#include "ingest/frame_scanner.h"
#include "ingest/inflate.h"
#include "ingest/post_waits.h"
#include "ingest/writer.h"

namespace tailrace {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// A body of 16 MiB can hold millions of records: they are appended in rounds of so many records or, beyond
/// the first, bytes.
constexpr size_t kRoundRecords = 4096, kRoundBytes = 1 << 20;
constexpr size_t kInflateSlice = 256 << 10;  // a millisecond

enum class Form : uint8_t { logplex, text, ndjson };

/// By the media type, parameters and case aside.
std::optional<Form> form_of(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  if (iequals(type, "application/logplex-1") || iequals(type, "application/x-logplex-1"))
    return Form::logplex;
  if (iequals(type, "text/plain")) return Form::text;
  if (iequals(type, "application/x-ndjson")) return Form::ndjson;
  return std::nullopt;
}

bool is_identity(std::string_view content_encoding) {
  return content_encoding.empty() || iequals(content_encoding, "identity");
}

std::optional<HttpResponse> judge_head(const LogsServices& services, const HttpRequest& request) {
  HttpResponse refusal;
  if (!writer_of(services.catalog, request.headers.get("authorization"), refusal)) return refusal;
  if (!form_of(request.headers.get("content-type")))
    return http_error(415, "send application/logplex-1, text/plain or application/x-ndjson");
  if (const std::string encoding = request.headers.list("content-encoding");
      !is_identity(encoding) && !Inflater::encoding(encoding)) {
    HttpResponse response = http_error(415, "Content-Encoding: send gzip, zstd or nothing");
    response.headers.add("Accept-Encoding", "gzip, zstd");
    return response;
  }
  if (!services.store.has_room()) {
    HttpResponse response = http_error(503, "no room to store");
    response.headers.add("Retry-After", "5");
    return response;
  }
  return std::nullopt;
}

/// The first record of a body in its form.
Scanned next_of(Form form, std::string_view body) {
  return form == Form::logplex ? next_in_body(body) : next_line(body);
}

HttpResponse unfinished() {
  HttpResponse response = http_error(503, "the first of these requests has no answer; send again");
  response.headers.add("Retry-After", "1");
  return response;
}

class LogsRoute {
 public:
  explicit LogsRoute(LogsServices& services) : services_(services) {}

  asio::awaitable<void> handle(HttpExchange& exchange) const {
    HttpResponse response = co_await judge(exchange);
    co_await exchange.respond(std::move(response));
  }

 private:
  asio::awaitable<HttpResponse> judge(HttpExchange& exchange) const {
    const HttpFields& headers = exchange.request.headers;
    // The token may have been removed since the head was judged.
    HttpResponse refusal;
    const auto writer = writer_of(services_.catalog, headers.get("authorization"), refusal);
    if (!writer) co_return refusal;
    const Form form = form_of(headers.get("content-type")).value_or(Form::logplex);

    Repeats::Claim claim;
    std::optional<PostKey> to_remember;
    if (const std::string_view id = frame_id(headers, form); !id.empty()) {
      const PostKey key = services_.repeats.key(writer->key(), id, exchange.request.body);
      Again again(exchange.loop(), services_.repeats, key);
      Repeats::Answer answer = services_.repeats.ask(key, again, mono_now());
      std::optional<Verdict> verdict;
      if (answer.kind == Repeats::Answer::Kind::known) verdict = answer.verdict;
      if (answer.kind == Repeats::Answer::Kind::waiting) {
        verdict = co_await again.verdict();
        if (!verdict) co_return unfinished();
      }
      if (verdict) {
        services_.stats.repeated(verdict->records());
        co_return verdict->response();
      }
      claim = std::move(answer.claim);
      to_remember = key;
    }

    BudgetShare share(services_.bodies);
    std::string inflated;
    std::string_view body = exchange.request.body;
    if (const auto encoding = Inflater::encoding(headers.list("content-encoding"))) {
      const std::optional<Verdict> refused = co_await inflate(exchange, *encoding, inflated, share);
      if (refused) {
        // What found no memory comes again: it is lost as little as a body that found none.
        if (refused->status() != 503) services_.stats.rejected(Protocol::http, refused->rejected);
        claim.finish(*refused, mono_now());
        co_return refused->response();
      }
      body = inflated;
    }

    Verdict verdict = co_await append(exchange.loop(), form, body, writer->token, to_remember);
    const std::string_view count = headers.get("logplex-msg-count");
    if (!count.empty() && parse_u64(count) != verdict.records()) services_.stats.count_mismatch();
    claim.finish(verdict, mono_now());
    co_return verdict.response();
  }

  /// What makes a repeat known: Logplex's header, or the one that log-shuttle sends.
  static std::string_view frame_id(const HttpFields& headers, Form form) {
    const std::string_view id = headers.get("logplex-frame-id");
    return id.empty() && form == Form::logplex ? headers.get("x-request-id") : id;
  }

  /// The verdict if it cannot be inflated; it holds records of which nobody knows how many, and counts as
  /// one.
  asio::awaitable<std::optional<Verdict>> inflate(HttpExchange& exchange, Inflater::Encoding encoding,
                                                  std::string& out, BudgetShare& share) const {
    Inflater inflater(encoding, exchange.request.body);
    auto step = Inflater::Step::more;
    while (step == Inflater::Step::more) {
      const size_t needed = out.size() + kInflateSlice;
      if (needed > out.capacity()) {
        // The old bytes and the new ones stand side by side for a moment.
        const size_t capacity = std::max(needed, 2 * out.capacity());
        if (!share.grow_to(out.capacity() + capacity)) co_return refused(RejectReason::no_room);
        out.reserve(capacity);
      }
      step = inflater.step(kInflateSlice, out);
      if (step == Inflater::Step::more) co_await asio::post(exchange.loop().io, kAwait);
    }
    if (step == Inflater::Step::done) co_return std::nullopt;
    if (step == Inflater::Step::truncated) co_return refused(RejectReason::truncated);
    if (step == Inflater::Step::broken) co_return refused(RejectReason::malformed);
    Verdict too_large = refused(RejectReason::too_long);
    too_large.too_large = true;
    co_return too_large;
  }

  static Verdict refused(RejectReason reason) {
    Verdict verdict;
    verdict.rejected.add(reason);
    return verdict;
  }

  asio::awaitable<Verdict> append(Loop& loop, Form form, std::string_view body, TokenPtr token,
                                  std::optional<PostKey> key) const {
    Intake& intake = *services_.intakes[loop.index];
    Source source{std::move(token), wall_now()};
    Tally tally;
    std::chrono::nanoseconds wait{0};
    if (services_.quota.limited()) {
      for (std::string_view rest = body; !rest.empty();) {
        count_round(intake, form, rest, source, tally);
        if (!rest.empty()) co_await asio::post(loop.io, kAwait);
      }
      wait = tally.judge(services_.quota);
      source.tally = &tally;
    }
    const auto appends = std::make_shared<Appends>(loop);
    Verdict hoped;
    for (;;) {
      take_round(intake, form, body, source, appends, hoped);
      const bool crowded = intake.crowded();
      if (crowded) {
        asio::steady_timer pause(loop.io, kYieldToDrains);  // lets lagging drains run
        co_await pause.async_wait(kAwait);
      }
      if (body.empty()) break;
      if (!crowded) co_await asio::post(loop.io, kAwait);
    }
    if (key && Repeats::remembers(hoped)) appends->remember(services_.store, stored(*key, source, hoped));
    Verdict verdict = co_await appends->verdict();
    if (appends->forgotten() && Repeats::remembers(verdict)) services_.stats.forgotten_repeats().Increment();
    verdict.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
    co_return verdict;
  }

  static PostVerdict stored(const PostKey& key, const Source& source, const Verdict& verdict) {
    return {key.bytes(), source.arrival, uint32_t(verdict.accepted), to_logfmt(verdict.rejected)};
  }

  static void count_round(Intake& intake, Form form, std::string_view& body, const Source& source,
                          Tally& tally) {
    size_t bytes = 0;
    for (size_t records = 0; !body.empty() && records < kRoundRecords && bytes < kRoundBytes; ++records) {
      const Scanned scanned = next_of(form, body);
      bytes += scanned.consumed;
      if (scanned.kind == Scanned::Kind::frame)
        intake.count(scanned.bytes, form == Form::ndjson, source, tally);
      body.remove_prefix(scanned.consumed);
    }
  }

  static void take_round(Intake& intake, Form form, std::string_view& body, const Source& source,
                         const std::shared_ptr<Appends>& appends, Verdict& hoped) {
    Rejections rejections;
    try {
      size_t bytes = 0;
      for (size_t records = 0; !body.empty() && records < kRoundRecords && bytes < kRoundBytes; ++records) {
        const Scanned scanned = next_of(form, body);
        if (scanned.kind == Scanned::Kind::rejected)
          rejections.add(scanned.reason);
        else if (scanned.kind == Scanned::Kind::frame && form == Form::ndjson)
          intake.take_json(scanned.bytes, source);
        else if (scanned.kind == Scanned::Kind::frame)
          intake.take(scanned.bytes, source);
        body.remove_prefix(scanned.consumed);
        bytes += scanned.consumed;
      }
    } catch (...) {
      intake.discard();  // the views end with this body
      throw;
    }
    appends->expect();
    const Intake::Outcome outcome = intake.flush(Protocol::http, source.arrival, rejections, appends);
    hoped.accepted += outcome.accepted;
    hoped.rejected += outcome.rejected;
  }

  LogsServices& services_;
};

}  // namespace

void add_logs_route(HttpRoutes& routes, LogsServices& services) {
  const auto route = std::make_shared<LogsRoute>(services);
  routes.add(
      "POST", "/logs", [route](HttpExchange& exchange) { return route->handle(exchange); },
      [&services](const HttpRequest& request) { return judge_head(services, request); });
}

}  // namespace tailrace
